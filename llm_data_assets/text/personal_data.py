"""Personal data masked by kind: a pattern finds it, a checksum or parser confirms it."""

import ipaddress
import re
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence

import phonenumbers
from stdnum import iban, luhn
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from llm_data_assets.text.repair import Edit

# ASCII throughout: a Chinese character beside a number or address is no part of it.
_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b", re.ASCII
)
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)", re.ASCII)
_ID_CARD = re.compile(r"(?<![\dA-Za-z])\d{17}[\dXx](?![\dA-Za-z])", re.ASCII)
_CARD = re.compile(r"(?<![\d-])(?:\d[ -]?){12,18}\d(?![\d-])", re.ASCII)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", re.ASCII)
# International numbers start with +; North American and Chinese ones are known by their shape
# (the numbering plans of NANP and of China).
_PHONE = re.compile(
    r"(?<![\w.+-])(?:"
    r"\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,5}(?:[ .-]?\d{2,5}){1,4}"
    r"|(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}"
    r"|(?P<chinese>(?:86[ -]?)?1[3-9]\d{9}|0\d{2,3}-\d{7,8})"
    r")(?![\w-])",
    re.ASCII,
)
_LONG_DIGITS = re.compile(r"\d[\d .()-]{5,}\d", re.ASCII)
# Issuer prefixes of card networks (ISO/IEC 7812): Visa, Mastercard, Amex, Discover, UnionPay, JCB.
_ISSUER = re.compile(r"4|5[1-5]|2[2-7]|3[47]|6011|65|62|35")


def mask(text: str, kinds: Sequence[str]) -> tuple[str, list[Edit]]:
    """Replace personal data of the given kinds by `<kind>`; returns the text and the edits.

    Of overlapping finds the one whose kind stands earlier in `KINDS` wins, then the first.
    Only what its checksum or parser confirms is masked; only public IP addresses are.
    """
    has_digits = _LONG_DIGITS.search(text) is not None
    finds = [
        (KINDS.index(kind), start, end, kind)
        for kind in kinds
        if ("@" in text if kind == "email" else has_digits)
        for start, end in _FINDERS[kind](text)
    ]
    chosen: list[tuple[int, int, str]] = []  # in order of place, disjoint
    for _, start, end, kind in sorted(finds):
        place = bisect(chosen, (start, end, kind))
        follows = place == 0 or chosen[place - 1][1] <= start
        if follows and (place == len(chosen) or end <= chosen[place][0]):
            chosen.insert(place, (start, end, kind))
    if not chosen:
        return text, []
    parts, edits, last = [], [], 0
    for start, end, kind in chosen:
        parts += [text[last:start], f"<{kind}>"]
        edits.append(Edit(kind, start, end - start, f"<{kind}>"))
        last = end
    return "".join([*parts, text[last:]]), edits


def _emails(text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _EMAIL.finditer(text))


def _ips(text: str) -> Iterator[tuple[int, int]]:
    for found in _IPV4.finditer(text):
        try:
            address = ipaddress.ip_address(found.group())
        except ValueError:
            continue
        if address.is_global:
            yield found.span()


def _id_cards(text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _ID_CARD.finditer(text) if _is_resident_id(found.group()))


def _is_resident_id(number: str) -> bool:
    """Date and check digit of GB 11643; the county is not asked: many that issued are gone."""
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return False
    return bool(ric.calc_check_digit(number) == number[-1].upper())


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found.group())
        if 13 <= len(digits) <= 19 and _ISSUER.match(digits) and luhn.is_valid(digits):
            yield found.span()


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _IBAN.finditer(text) if iban.is_valid(found.group()))


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for found in _PHONE.finditer(text):
        number = found.group()
        region = "CN" if found["chinese"] else "US"
        try:
            parsed = phonenumbers.parse(number, None if number.startswith("+") else region)
        except phonenumbers.NumberParseException:
            continue
        # "Possible", not "valid": numbers set aside for examples belong to no carrier.
        if phonenumbers.is_possible_number(parsed):
            yield found.span()


_FINDERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "email": _emails,
    "iban": _ibans,
    "id_card": _id_cards,
    "credit_card": _cards,
    "ip": _ips,
    "phone": _phones,
}
KINDS = tuple(_FINDERS)
