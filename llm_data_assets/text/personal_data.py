"""Personal data masked by kind: a pattern finds it, a checksum or parser confirms it."""

import ipaddress
import re
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence

from phonenumbers import SUPPORTED_REGIONS
from stdnum import iban, luhn, numdb
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from llm_data_assets.text.candidates import (
    ACCOUNT,
    ADDRESS,
    COLONS,
    NUMBER,
    TOKEN,
    candidates,
    candidates_by_pattern,
)
from llm_data_assets.text.edits import Edit
from llm_data_assets.text.phones import phones
from llm_data_assets.text.secrets import key_blocks, known_secrets, passwords

# Of two finds that overlap, the kind that stands first here wins.
KINDS = ("secret", "email", "iban", "id_card", "credit_card", "ip", "phone")

# Bytes throughout: a Chinese character beside a number or address is no part of it.
_EMAIL = re.compile(
    rb"(?<![\w.+%-])(?P<local>[A-Za-z0-9_%+](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_%+-])?)"
    rb"@(?P<domain>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24})"
    rb"(?![\w@-]|\.[A-Za-z0-9]|\(|:[\w~./]+/)"
)
_LOCAL_BYTES, _DOMAIN_BYTES = 65, 256
_LISTED_GENERIC_DOMAINS = (
    "com org net edu gov mil int info biz name pro mobi museum travel jobs asia cat coop tel "
    "post aero xxx app dev cloud online site tech store shop xyz club blog email live news "
    "world today agency company solutions systems digital media group global life space "
    "website top vip wang bank law health care school academy university institute foundation "
    "international network support team work works design studio art music video games fun "
    "run page link click help email example london paris berlin nyc tokyo africa arpa eu uk "
    "su ac"
)
_GENERIC_DOMAINS = frozenset(_LISTED_GENERIC_DOMAINS.split())
_COUNTRY_DOMAINS = frozenset(region.lower() for region in SUPPORTED_REGIONS)
_IPV4 = re.compile(
    rb"(?<![\w.+-])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d|-\w|\.[A-Za-z])(?:(?P<port>:\d|/\d))?"
)
_IPV6 = re.compile(rb"(?<![\w:.])[0-9A-Fa-f:]{3,39}(?::\d+(?:\.\d+){3})?(?![\w:.]\w|\w)")
_ASSIGNED_V6 = ipaddress.IPv6Network("2000::/3")  # all that IANA gives out; `::` ends a network
# Four numbers with dots are a version or a section where these words stand before them.
_VERSION = re.compile(
    r"(?:\b(?:version|versions|ver|v|release|rel|build|firmware|driver|update|patch|section|sec|sect"
    r"|chapter|clause|paragraph|para|article|figure|fig|table|step|item|oid|python|java|chrome"
    r"|chromium|firefox|windows|assembly|product|package|upgrade to|upgraded to|since)"
    r"|版本|第|章|节|条|[=<>~]=|[\^§])[\s:.\"'(=]{0,3}$",
    re.IGNORECASE,
)
_ADDRESS_WORD = re.compile(
    r"(?:\bip\b|ipv4|host|server|address|dns|ping|://|gateway|resolver|peer|client|from|node|netblock"
    r"|\bat\b|地址|服务器|@)\W{0,4}(?:\w+\W{1,3}){0,2}$",
    re.IGNORECASE,
)
# Below this every part could be a version's: the addresses of such blocks need a word.
_SMALL_PART = 32
_ID_CARD = re.compile(rb"(?<![\dA-Za-z.])\d{17}[\dXx](?![\dA-Za-z]|\.\d)")
# GB/T 2260: provinces, autonomous regions and municipalities.
_LISTED_PROVINCES = (
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 "
    "64 65 71 81 82 83"
)
_PROVINCES = frozenset(_LISTED_PROVINCES.split())
_CARD = re.compile(
    rb"(?<![\w.+,-])(?:\d{4}(?P<four>[ -])\d{4}(?P=four)\d{4}(?P=four)\d{4}(?:(?P=four)\d{3})?"
    rb"|3\d{3}(?P<six>[ -])\d{6}(?P=six)\d{4,5}|\d{13,19})(?![\w-]|\.\d)"
)
# Issuer prefixes and the lengths they issue (ISO/IEC 7812; the networks' own ranges).
_ISSUERS = (
    (re.compile(r"4"), (13, 16, 19)),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"6011|64[4-9]|65"), (16,)),  # Discover
    (re.compile(r"62"), (16, 17, 18, 19)),  # UnionPay
    (re.compile(r"352[89]|35[3-8]"), (16,)),  # JCB
    (re.compile(r"30[0-5]|36|38"), (14,)),  # Diners Club
)
_NO_CARD = re.compile(
    r"(?:order|invoice|tracking|ticket|serial|imei|isbn|ean|gtin|sku|timestamp|id|hash|uid|ref"
    r"|订单|单号|编号|快递|运单|流水|序列|条码)[\w]*\W{0,4}(?:no|number|nr|号|码|is)?\W{0,3}$",
    re.IGNORECASE,
)
_CONTEXT = 36


_Windows = Iterable[Sequence[int]]


def mask(text: str, kinds: Sequence[str]) -> tuple[str, list[Edit]]:
    """Replace personal data of the given kinds by `<kind>`; returns the text and the edits.

    Of overlapping finds the one whose kind stands earlier in `KINDS` wins, then the first.
    Only what its checksum or parser confirms is masked; only public IP addresses are.
    """
    return _masked(text, frozenset(kinds), lambda data: candidates(data).tolist())


def mask_shown(text: str) -> tuple[str, list[Edit]]:
    """`mask` of all kinds for the few texts of a page: without the kernel and its compiler."""
    return _masked(text, frozenset(KINDS), candidates_by_pattern)


def _masked(
    text: str, kinds: frozenset[str], windows: Callable[[bytes], _Windows]
) -> tuple[str, list[Edit]]:
    data = text.encode("utf-8", "surrogatepass")
    chosen: list[tuple[int, int, str]] = []  # bytes, in order of place, disjoint
    for _, start, end, kind in sorted(_finds(data, kinds, windows(data))):
        place = bisect(chosen, (start, end, kind))
        follows = place == 0 or chosen[place - 1][1] <= start
        if follows and (place == len(chosen) or end <= chosen[place][0]):
            chosen.insert(place, (start, end, kind))
    if not chosen:
        return text, []
    edits, parts, last, at = [], [], 0, 0
    for start, end, kind in chosen:
        between = data[last:start].decode("utf-8", "surrogatepass")
        at += len(between)
        length = len(data[start:end].decode("utf-8", "surrogatepass"))
        edits.append(Edit(kind, at, length, f"<{kind}>"))
        parts += [between, f"<{kind}>"]
        at, last = at + length, end
    return "".join([*parts, data[last:].decode("utf-8", "surrogatepass")]), edits


def _finds(
    data: bytes, kinds: frozenset[str], windows: _Windows
) -> Iterator[tuple[int, int, int, str]]:
    for kind, (start, end) in _confirmed(data, kinds, windows):
        yield KINDS.index(kind), start, end, kind


def _confirmed(
    data: bytes, kinds: frozenset[str], windows: _Windows
) -> Iterator[tuple[str, tuple[int, int]]]:
    for start, end, window, detail in windows:
        if window == NUMBER:
            for kind, spans in _of_number(data, start, end, detail, kinds):
                yield from ((kind, span) for span in spans)
        elif window == ADDRESS and "email" in kinds:
            yield from (("email", span) for span in _emails(data, start))
        elif window == ACCOUNT and "iban" in kinds:
            yield from (("iban", span) for span in _ibans(data, start))
        elif window == COLONS and "ip" in kinds:
            yield from (("ip", span) for span in _ipv6(data, start, end))
        elif window == TOKEN and "secret" in kinds:
            yield from (("secret", span) for span in known_secrets(data, start, end))
    if "secret" in kinds:
        yield from (("secret", span) for span in key_blocks(data))
        yield from (("secret", span) for span in passwords(data))


def _of_number(
    data: bytes, start: int, end: int, detail: int, kinds: frozenset[str]
) -> Iterator[tuple[str, Iterator[tuple[int, int]]]]:
    digits, has_dots = detail & 0xFFFFFFFF, detail >> 32
    if has_dots and "ip" in kinds:
        yield "ip", _ipv4(data, start, end)
    if digits >= 17 and "id_card" in kinds:
        yield "id_card", _id_cards(data, start, end)
    if digits >= 13 and "credit_card" in kinds:
        yield "credit_card", _cards(data, start, end)
    if digits >= 7 and "phone" in kinds:
        yield "phone", phones(data, start, end, digits)


def _emails(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    first = max(0, at - _LOCAL_BYTES)
    for found in _EMAIL.finditer(data, first, min(len(data), at + _DOMAIN_BYTES)):
        if found.start() < at < found.end() and _is_address(found):
            yield found.span()


def _is_address(found: re.Match[bytes]) -> bool:
    *_, top = found["domain"].decode().lower().split(".")
    local = found["local"]
    # `git@github.com` and its kind are protocols, not people.
    if b".." in local or local in (b"git", b"hg", b"svn"):
        return False
    return top in _GENERIC_DOMAINS or top in _COUNTRY_DOMAINS


def _ipv4(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    for found in _IPV4.finditer(data, start, min(len(data), end + 3)):
        stop = found.start("port") if found["port"] else found.end()
        written = data[found.start() : stop].decode()
        try:
            address = ipaddress.IPv4Address(written)
        except ValueError:
            continue
        if not address.is_global or address.is_multicast:
            continue
        before = data[max(0, found.start() - _CONTEXT) : found.start()].decode(errors="ignore")
        small = max(address.packed) < _SMALL_PART and len(set(address.packed)) > 1
        if _VERSION.search(before) or (
            small and not found["port"] and not _ADDRESS_WORD.search(before)
        ):
            continue
        yield found.start(), stop


def _ipv6(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    found = _IPV6.search(data, start, min(len(data), end + 16))
    if found:
        try:
            address = ipaddress.IPv6Address(found.group().decode())
        except ValueError:
            return
        if address.is_global and address in _ASSIGNED_V6 and not found.group().endswith(b"::"):
            yield found.span()


def _id_cards(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    for found in _ID_CARD.finditer(data, start, min(len(data), end + 2)):
        if _is_resident_id(found.group().decode()):
            yield found.span()


def _is_resident_id(number: str) -> bool:
    """Province, date and check digit of GB 11643; counties are not asked: many are gone."""
    if number[:2] not in _PROVINCES:
        return False
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return False
    return bool(ric.calc_check_digit(number) == number[-1].upper())


def _cards(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    for found in _CARD.finditer(data, start, min(len(data), end + 2)):
        number = found.group().decode()
        digits = number.replace(" ", "").replace("-", "")
        issued = any(p.match(digits) and len(digits) in lengths for p, lengths in _ISSUERS)
        if not issued or not luhn.is_valid(digits):
            continue
        before = data[max(0, found.start() - _CONTEXT) : found.start()].decode(errors="ignore")
        if len(number) > len(digits) or not _NO_CARD.search(before):
            yield found.span()


def _ibans(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    """The country says how many characters an account number has; spaces stand between fours."""
    found = _account(data[start : start + 2].decode()).match(data, start)
    if found and iban.is_valid(found.group().decode()):
        yield found.span()


_ACCOUNTS: dict[str, re.Pattern[bytes]] = {}
# Never matches.
_NOTHING = re.compile(rb"(?!)")


def _account(country: str) -> re.Pattern[bytes]:
    """The shape of a country's IBAN: all together, or in fours."""
    if country not in _ACCOUNTS:
        _, properties = numdb.get("iban").info(country)[0]
        if "bban" not in properties:
            return _NOTHING
        length = 4 + sum(int(part) for part in re.findall(r"(\d+)!", properties["bban"]))
        fours, rest = divmod(length, 4)
        groups = [b"[A-Z0-9]{4}"] * fours + [b"[A-Z0-9]{%d}" % rest] * (rest > 0)
        shape = b"(?:%s|%s|%s)(?![A-Za-z0-9])" % (
            b"".join(groups),
            b" ".join(groups),
            b"-".join(groups),
        )
        _ACCOUNTS[country] = re.compile(shape)
    return _ACCOUNTS[country]
