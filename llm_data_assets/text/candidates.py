"""Where personal data could stand in a text: one pass over its bytes that misses nothing.

The kernel only narrows: the finders of `personal_data`, which know patterns and checksums, look at
the windows that it names and at nothing else.
"""

import numpy as np
from numba import njit

NUMBER, ADDRESS, ACCOUNT, COLONS, TOKEN = range(5)

# Classes of bytes, as bits.
_DIGIT, _NUMBER_SEPARATOR, _HEX, _TOKEN, _UPPER, _ALNUM = (1 << bit for bit in range(6))
_CLASS_OF = {
    _DIGIT: "0123456789",
    _NUMBER_SEPARATOR: " .-()+",
    _HEX: "0123456789abcdefABCDEF",
    _TOKEN: "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-+/",
    _UPPER: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    _ALNUM: "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
}
_CLASSES = np.zeros(256, np.uint8)
for _bit, _members in _CLASS_OF.items():
    _CLASSES[np.frombuffer(_members.encode(), np.uint8)] |= _bit

# The fewest digits of a phone number, and of an IPv4 address with its three dots.
MIN_DIGITS, IPV4_DIGITS, IPV4_DOTS = 7, 4, 3
# Keys and tokens are longer than words and hold letters and digits.
MIN_TOKEN = 16


def candidates(data: bytes) -> np.ndarray:
    """Windows of UTF-8 text in which personal data could stand.

    Returns:
        int64[n, 4], in order of their ends: first byte, last byte + 1, which of the five kinds,
        and for a NUMBER its digits (+ 2**32 where it has the dots of an IPv4 address).

    NUMBER: digits and ` .-()+`, at least 7 digits, or 4 and three dots.
    ADDRESS: the byte of an `@` between characters that can stand there.
    ACCOUNT: two capitals and two digits that begin a word (an IBAN's first four).
    COLONS: hexadecimal digits with `::` or at least six colons.
    TOKEN: at least 16 of `A-Za-z0-9_-+/` with a letter and a digit.
    """
    values = np.frombuffer(data, np.uint8)
    found = np.empty((max(64, len(data) // 64), 4), np.int64)
    count = _scan(values, _CLASSES, found)
    if count > len(found):
        found = np.empty((count, 4), np.int64)
        _scan(values, _CLASSES, found)
    return found[:count]


@njit(cache=True, nogil=True)
def _put(found, count, start, end, kind, detail):  # type: ignore[no-untyped-def]
    if count < len(found):
        found[count, 0] = start
        found[count, 1] = end
        found[count, 2] = kind
        found[count, 3] = detail
    return count + 1


@njit(cache=True, nogil=True)
def _scan(values, classes, found):  # type: ignore[no-untyped-def]
    count = 0
    size = len(values)
    number_start, digits, dots = -1, 0, 0
    token_start, token_digits, token_letters = -1, 0, 0
    colons_start, colons, doubled = -1, 0, False
    for i in range(size + 1):
        byte = values[i] if i < size else np.uint8(0)
        kind = classes[byte]
        if kind & (_DIGIT | _NUMBER_SEPARATOR):
            if number_start < 0:
                number_start, digits, dots = i, 0, 0
            digits += kind & _DIGIT
            dots += byte == 46
        elif number_start >= 0:
            has_dots = dots >= IPV4_DOTS and digits >= IPV4_DIGITS
            if digits >= MIN_DIGITS or has_dots:
                detail = digits + ((1 << 32) if has_dots else 0)
                count = _put(found, count, number_start, i, NUMBER, detail)
            number_start = -1
        if kind & _TOKEN:
            if token_start < 0:
                token_start, token_digits, token_letters = i, 0, 0
            token_digits += kind & _DIGIT
            token_letters += (kind & (_DIGIT | _ALNUM)) == _ALNUM
        elif token_start >= 0:
            if i - token_start >= MIN_TOKEN and token_digits and token_letters:
                count = _put(found, count, token_start, i, TOKEN, 0)
            token_start = -1
        if byte == 58 or (colons_start >= 0 and kind & _HEX):
            if colons_start < 0:
                colons_start, colons, doubled = i, 0, False
                while colons_start > 0 and classes[values[colons_start - 1]] & _HEX:
                    colons_start -= 1
            if byte == 58:
                colons += 1
                doubled |= i + 1 < size and values[i + 1] == 58
        elif colons_start >= 0:
            if (doubled or colons >= 6) and i - colons_start >= 3:
                count = _put(found, count, colons_start, i, COLONS, 0)
            colons_start = -1
        if byte == 64 and 0 < i < size - 1 and classes[values[i + 1]] & _ALNUM:
            count = _put(found, count, i, i + 1, ADDRESS, 0)
        if (
            kind & _DIGIT
            and i >= 3
            and classes[values[i - 1]] & _DIGIT
            and classes[values[i - 2]] & _UPPER
            and classes[values[i - 3]] & _UPPER
            and (i == 3 or not classes[values[i - 4]] & _ALNUM)
        ):
            count = _put(found, count, i - 3, i + 1, ACCOUNT, 0)
    return count


def candidates_reference(data: bytes) -> list[tuple[int, int, int]]:
    """`candidates` in plain Python: (first byte, last byte + 1, kind), sorted."""
    import re

    found = []
    for run in re.finditer(rb"[0-9 .()+-]+", data):
        digits = sum(48 <= byte <= 57 for byte in run.group())
        dots = run.group().count(b".")
        if digits >= MIN_DIGITS or (digits >= IPV4_DIGITS and dots >= IPV4_DOTS):
            found.append((*run.span(), NUMBER))
    for run in re.finditer(rb"[0-9A-Za-z_+/-]{16,}", data):
        if re.search(rb"[0-9]", run.group()) and re.search(rb"[A-Za-z]", run.group()):
            found.append((*run.span(), TOKEN))
    for run in re.finditer(rb"[0-9A-Fa-f:]{3,}", data):
        if b"::" in run.group() or run.group().count(b":") >= 6:
            found.append((*run.span(), COLONS))
    found += [(*run.span(), ADDRESS) for run in re.finditer(rb"(?<=.)@(?=[0-9A-Za-z])", data, re.S)]
    found += [
        (*run.span(), ACCOUNT) for run in re.finditer(rb"(?<![0-9A-Za-z])[A-Z]{2}[0-9]{2}", data)
    ]
    return sorted(found)
