"""The kernel of `text.candidates`: the windows in which personal data could stand, in one pass."""

from typing import Any

import numpy as np

from llm_data_assets.kernel import kernel
from llm_data_assets.text.candidates import (
    ACCOUNT,
    ADDRESS,
    ALNUM,
    COLONS,
    DIGIT,
    HEX,
    IPV4_DIGITS,
    IPV4_DOTS,
    MIN_DIGITS,
    MIN_TOKEN,
    NUMBER,
    NUMBER_SEPARATOR,
    TOKEN,
    TOKEN_BYTE,
    UPPER,
)

# With a type, as in `text.kernels`: `_put` is compiled once.
_NUMBER, _TOKEN, _COLONS, _ADDRESS, _ACCOUNT = map(
    np.int64, (NUMBER, TOKEN, COLONS, ADDRESS, ACCOUNT)
)
_ZERO = np.int64(0)
_NOWHERE: Any = np.int64(-1)  # or a place, an int to who reads this as Python


@kernel
def _put(found, count, start, end, kind, detail):  # type: ignore[no-untyped-def]
    if count < len(found):
        found[count, 0] = start
        found[count, 1] = end
        found[count, 2] = kind
        found[count, 3] = detail
    return count + 1


@kernel
def scan(values, classes, found):  # type: ignore[no-untyped-def]
    count = _ZERO
    size = len(values)
    number_start, digits, dots = _NOWHERE, _ZERO, 0
    token_start, token_digits, token_letters = _NOWHERE, 0, 0
    colons_start, colons, doubled = _NOWHERE, 0, False
    for i in range(size + 1):
        byte = values[i] if i < size else np.uint8(0)
        kind = classes[byte]
        if kind & (DIGIT | NUMBER_SEPARATOR):
            if number_start < 0:
                number_start, digits, dots = i, _ZERO, 0
            digits += kind & DIGIT
            dots += byte == 46
        elif number_start >= 0:
            has_dots = dots >= IPV4_DOTS and digits >= IPV4_DIGITS
            if digits >= MIN_DIGITS or has_dots:
                detail = digits + ((1 << 32) if has_dots else 0)
                count = _put(found, count, number_start, i, _NUMBER, detail)
            number_start = _NOWHERE
        if kind & TOKEN_BYTE:
            if token_start < 0:
                token_start, token_digits, token_letters = i, 0, 0
            token_digits += kind & DIGIT
            token_letters += (kind & (DIGIT | ALNUM)) == ALNUM
        elif token_start >= 0:
            if i - token_start >= MIN_TOKEN and token_digits and token_letters:
                count = _put(found, count, token_start, i, _TOKEN, _ZERO)
            token_start = _NOWHERE
        if byte == 58 or (colons_start >= 0 and kind & HEX):
            if colons_start < 0:
                colons_start, colons, doubled = i, 0, False
                while colons_start > 0 and classes[values[colons_start - 1]] & HEX:
                    colons_start -= 1
            if byte == 58:
                colons += 1
                doubled |= i + 1 < size and values[i + 1] == 58
        elif colons_start >= 0:
            if (doubled or colons >= 6) and i - colons_start >= 3:
                count = _put(found, count, colons_start, i, _COLONS, _ZERO)
            colons_start = _NOWHERE
        if byte == 64 and 0 < i < size - 1 and classes[values[i + 1]] & ALNUM:
            count = _put(found, count, i, i + 1, _ADDRESS, _ZERO)
        if (
            kind & DIGIT
            and i >= 3
            and classes[values[i - 1]] & DIGIT
            and classes[values[i - 2]] & UPPER
            and classes[values[i - 3]] & UPPER
            and (i == 3 or not classes[values[i - 4]] & ALNUM)
        ):
            count = _put(found, count, i - 3, i + 1, _ACCOUNT, _ZERO)
    return count
