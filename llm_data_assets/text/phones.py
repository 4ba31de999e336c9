"""Phone numbers: a shape or a word beside it raises the question, phonenumbers answers it."""

import re
from collections.abc import Callable, Iterator

import phonenumbers

# A shape alone speaks for a phone number only if it is written as one: with a country code, or in
# the groups that North America and China use. Everything else needs a word that says so.
_INTERNATIONAL = re.compile(
    rb"(?<![\w.+/-])(?:\+|00(?=[1-9]))\d{1,3}(?:[ .-]?\(?\d{1,11}\)?){1,6}(?!\w)"
)
_GROUPED = re.compile(
    rb"(?<![\w.+/-])(?:"
    rb"(?P<US>(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}-)\d{3}-\d{4}|\d{3}\.\d{3}\.\d{4})"
    rb"|(?P<CN>(?:86[ -]?)?1[3-9]\d[ -]\d{4}[ -]\d{4}"
    rb"|0\d{2,3}-\d{7,8}|\(0\d{2,3}\) ?\d{7,8}|[48]00-\d{3}-?\d{4}))"
    rb"(?![\w/]|[.-]\w)"
)
_CHINESE_MOBILE = re.compile(rb"(?<![\w.+-])(?:86[ -]?)?1[3-9]\d{9}(?![\w-]|\.\d)")
_DECIMAL = re.compile(rb"[+\d]+\.\d+")
_NUMBER = re.compile(rb"(?<![\w.+-])\(?\d[\d ().-]{5,}\d(?!\w)")
# Words that announce a phone number right before it.
_CUE = re.compile(
    r"(?:\b(?:tele(?:phone|fon|fax)?|tel|phones?|mobile|mob|cell|fax|call|dial|ring|text|sms"
    r"|whatsapp|hotline|contact|t[ée]l[ée]phone|t[ée]l|tel[ée]fono|m[óo]vil|handy|portable)"
    r"(?: (?:no|number|us|me|him|her|at|on|or|is|today|now|the|office|line))*"
    r"|电话|手机|手機|電話|热线|拨打|致电|联系方式|联系|微信|传真|座机|号码|客服)"
    r"[\s:：.,，。()（）#是为到在至号码:-]{0,6}$",
    re.IGNORECASE,
)
# Words that say a number is something else.
_OTHERWISE = re.compile(
    r"(?:\b(?:order|invoice|tracking|ticket|case|ref|reference|serial|item|part|sku|model|patent"
    r"|account|acct|batch|lot|id|isbn|issn|ean|upc|imei|doi|uid|qq|no|nr|number|id|issue|bug|build)"
    r"|订单|单号|编号|快递|运单|流水|序列|货号|条码|账号|卡号|学号|工号|批号|编码|专利|版本|案号|QQ|群|第)"
    r"[\s:：.,#号是为码no-]{0,6}$",
    re.IGNORECASE,
)
_HAN_AFTER = re.compile(r"^[\s，。、；）)（(！]{0,2}[\u3400-\u9fff]")
_HAN_BEFORE = re.compile(r"[\u3400-\u9fff][\s，。、；：:（(）)]{0,2}$")
# Where a number that only a word announces may be at home, the likeliest first.
_REGIONS = ("US", "GB", "CN", "FR", "DE", "IN", "JP", "AU", "ES", "IT", "BR", "HK", "TW", "KR")
_CONTEXT = 36
_CUED_DIGITS = 15


def phones(data: bytes, start: int, end: int, digits: int) -> Iterator[tuple[int, int]]:
    """Phone numbers in a window of a UTF-8 text, as byte spans; `digits` of them in the window."""
    window = data[start:end]
    if b"+" in window or b"00" in window:
        for found in _INTERNATIONAL.finditer(data, start, end):
            if not _DECIMAL.fullmatch(found.group()):
                yield from _shortened(found.start(), found.group(), _is_international)
    if digits >= 10:
        for found in _GROUPED.finditer(data, start, end):
            region = found.lastgroup or "US"
            if _is_valid(found.group().decode(), region) and not _says(
                _OTHERWISE, data, found.start()
            ):
                yield found.span()
    if digits >= 11:
        for found in _CHINESE_MOBILE.finditer(data, start, end):
            if _is_valid(found.group().decode(), "CN") and _is_chinese_phone(data, *found.span()):
                yield found.span()
    first = _NUMBER.search(data, start, end)
    if first and _says(_CUE, data, first.start()):
        yield from _shortened(first.start(), first.group(), _is_national)


def _shortened(
    start: int, number: bytes, is_phone: Callable[[str], bool]
) -> Iterator[tuple[int, int]]:
    """The longest beginning of the number's groups that is a phone number."""
    if number.startswith(b"(") and b")" not in number:
        start, number = start + 1, number[1:]
    groups = [each.end() for each in re.finditer(rb"\(\d+\)|\d+", number)]
    for stop in reversed(groups):
        if is_phone(number[:stop].decode()):
            yield start, start + stop
            return


def _is_international(number: str) -> bool:
    return _is_valid("+" + number.lstrip("+0"), None)


def _is_national(number: str) -> bool:
    digits = sum(each.isdigit() for each in number)
    return digits <= _CUED_DIGITS and any(_is_valid(number, region) for region in _REGIONS)


def _is_valid(number: str, region: str | None) -> bool:
    """Whether a number is assigned, or set aside for examples (NANP 555-01xx, Ofcom's drama)."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) or _is_drama(parsed)


def _is_drama(number: phonenumbers.PhoneNumber) -> bool:
    # ofcom.org.uk: 07700 900000 to 900999.
    return number.country_code == 44 and str(number.national_number).startswith("7700900")


def _is_chinese_phone(data: bytes, start: int, end: int) -> bool:
    """Eleven digits are a phone number if a word says so, or in Chinese text if none denies it."""
    if data[start:end].startswith(b"86") or _says(_CUE, data, start):
        return True
    if _says(_OTHERWISE, data, start):
        return False
    before = data[max(0, start - _CONTEXT) : start].decode(errors="ignore")
    after = data[end : end + 12].decode(errors="ignore")
    return bool(_HAN_BEFORE.search(before) or _HAN_AFTER.search(after))


def _says(words: re.Pattern[str], data: bytes, start: int) -> bool:
    before = data[max(0, start - _CONTEXT) : start].decode(errors="ignore")
    return bool(words.search(before))
