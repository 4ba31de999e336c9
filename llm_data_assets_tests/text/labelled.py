"""Snippets with personal data marked by hand and by checksum, and those that only look like it.

Every snippet is a template written for this set, filled with values that its kind's own rules make
(Luhn, ISO 7064, GB 11643) or that an authority sets aside for examples (RFC 2606, RFC 5737 apart:
those are not public). `expected` are the spans that must be masked, and nothing else may be.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stdnum import iban, luhn
from stdnum.cn import ric

PER_KIND = 300


@dataclass(frozen=True)
class Snippet:
    """A text and the (start, end) of each piece of personal data of one kind in it."""

    kind: str
    text: str
    expected: tuple[tuple[int, int], ...]


def snippets() -> Iterator[Snippet]:
    """For each kind `PER_KIND` snippets that hold it and as many that hold none at all."""
    for kind, (sets, lookalikes) in _KINDS.items():
        chance = random.Random(f"labelled {kind}")
        for number in range(PER_KIND):
            value, contexts = sets[number % len(sets)]
            before, after = contexts[number // len(sets) % len(contexts)].split("{}")
            inner = value(chance)
            text = f"{before}{inner}{after}"
            yield Snippet(kind, text, ((len(before), len(before) + len(inner)),))
        for number in range(PER_KIND):
            yield Snippet(kind, lookalikes[number % len(lookalikes)](chance), ())


def score(found: Callable[[str], list[tuple[str, int, int]]]) -> dict[str, tuple[int, int, int]]:
    """(hits, false finds, misses) by kind, over all snippets of all kinds.

    A find counts only with its exact span; a find in a snippet of another kind is a false one.

    Args:
        found: the (kind, start, end) that a masker finds in a text.
    """
    counts = {kind: [0, 0, 0] for kind in _KINDS}
    for snippet in snippets():
        expected = {(snippet.kind, *span) for span in snippet.expected}
        seen = set(found(snippet.text))
        for kind, _, _ in seen & expected:
            counts[kind][0] += 1
        for kind, _, _ in seen - expected:
            counts[kind][1] += 1
        for kind, _, _ in expected - seen:
            counts[kind][2] += 1
    return {kind: (hits, wrong, missed) for kind, (hits, wrong, missed) in counts.items()}


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))


def _hex(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("0123456789abcdef", k=count))


def _token(chance: random.Random, count: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "a1Z" + "".join(chance.choices(letters, k=count - 3))


# -- e-mail ----------------------------------------------------------------------------------

_NAMES = [
    "anna",
    "bo.li",
    "j.doe",
    "maria_garcia",
    "o-brien",
    "wei.zhang",
    "k2",
    "sales",
    "info+news",
    "x_1",
    "Pierre.D",
]
_HOSTS = [
    "example.org",
    "example.com",
    "mail.example.net",
    "harbour.example.co.uk",
    "uni-mainz.de",
    "firma.fr",
    "cs.example.edu",
    "163.com",
    "example.io",
    "abc-def.com.cn",
    "sub.domain.example.info",
]


def _email(chance: random.Random) -> str:
    return (
        f"{chance.choice(_NAMES)}{chance.choice(['', _digits(chance, 2)])}@{chance.choice(_HOSTS)}"
    )


_EMAIL_CONTEXTS = (
    "Write to {} for details.",
    "Contact: {}",
    "mailto:{}?subject=hello",
    "Anna Lee <{}> wrote:",
    "({})",
    "请发邮件至{}，谢谢。",
    "邮箱：{}。",
    '"email": "{}",',
    "You can reach me at {}; I answer quickly!",
    "From: {}\nTo: the list",
    "Schreiben Sie an {}.",
    "author = '{}'",
    "user,{},active",
    "To unsubscribe, e-mail {}, please",
)
_EMAIL_LOOKALIKES: tuple[Callable[[random.Random], str], ...] = (
    lambda c: f"Follow @{c.choice(_NAMES)} on the site",
    lambda c: f"npm install react@{c.randint(1, 19)}.{c.randint(0, 9)}.{c.randint(0, 9)}",
    lambda c: f"<img src='icon@{c.choice('23')}x.png'>",
    lambda c: f"git clone git@github.com:{c.choice('abcd')}org/repo.git",
    lambda c: "@app.route('/home')\ndef home(): ...",
    lambda c: f"y = w@x.{c.choice(['transpose', 'mean', 'reshape', 'flatten'])}(0)",
    lambda c: f"5 apples @ ${c.randint(1, 9)}.50 each",
    lambda c: f"ssh root@localhost -p {c.randint(1024, 9999)}",
    lambda c: f"meet @ {c.randint(1, 12)}.30 p.m.",
    lambda c: f"user@{c.choice(['server', 'host', 'db'])}{c.randint(1, 9)}",
    lambda c: "@property\n@staticmethod",
    lambda c: f"docker pull image@sha256:{_hex(c, 64)}",
    lambda c: f"cat@2x.{c.choice(['jpg', 'svg', 'webp'])}",
)

# -- phone -----------------------------------------------------------------------------------


def _nanp(chance: random.Random) -> str:
    area = chance.choice(["212", "415", "617", "303", "206", "312", "713", "404"])
    line = f"{chance.randint(100, 199):04d}"
    shapes = ("({a}) 555-{l}", "{a}-555-{l}", "+1 {a}-555-{l}", "1-{a}-555-{l}", "+1{a}555{l}",
              "{a}.555.{l}", "+1 ({a}) 555-{l}")  # fmt: skip
    return chance.choice(shapes).format(a=area, l=line)


_ABROAD = (
    "+44 20 7946 0{:03d}",
    "+44 7700 900{:03d}",
    "+33 1 42 68 5{:01d} 00",
    "+49 30 901820{:02d}",
    "+86 138 0013 8{:03d}",
    "+8613912345{:03d}",
    "+81 3-3581-4{:03d}",
    "+61 491 570 1{:02d}",
    "+91 98765 43{:03d}",
)


def _abroad(chance: random.Random) -> str:
    template = chance.choice(_ABROAD)
    digits = {"{:01d}": 9, "{:02d}": 99, "{:03d}": 999}
    top = next(value for key, value in digits.items() if key in template)
    return template.format(chance.randint(0, top))


_LISTED_MOBILE = (
    "130 131 132 133 135 136 137 138 139 150 151 152 155 156 157 158 159 176 177 178 180 182 "
    "185 186 187 188 189 191 198 199"
)
_MOBILE = _LISTED_MOBILE.split()


def _chinese_mobile(chance: random.Random) -> str:
    head = chance.choice(_MOBILE)
    rest = _digits(chance, 8)
    return chance.choice([head + rest, head + rest, f"{head}-{rest[:4]}-{rest[4:]}",
                          f"{head} {rest[:4]} {rest[4:]}"])  # fmt: skip


def _chinese_landline(chance: random.Random) -> str:
    return chance.choice(["010-6", "021-5", "0755-8", "020-8"]) + _digits(chance, 7)


_PHONE_SETS: tuple[tuple[Callable[[random.Random], str], tuple[str, ...]], ...] = (
    (
        _nanp,
        (
            "Call {} today.",
            "Our office: {}, Monday to Friday",
            "phone: {}",
            "Fax {}\nPhone as above",
            "Ring me ({}) when you are there.",
            "{} is the number to call",
            '"tel": "{}"',
            "For tickets dial {}!",
        ),
    ),
    (
        _abroad,
        ("Tel. {}", "Reach us on {} or in person", "WhatsApp: {}", "电话：{}。", "t: {}", "({})"),
    ),
    (
        _chinese_mobile,
        (
            "电话 {}。",
            "请联系张先生{}，谢谢",
            "手机：{}",
            "微信同号{}（周女士）",
            "王经理 {} 欢迎咨询",
            "有意者请致电{}。",
            "phone {}",
            "mobile: {}",
            "房东直租，{}，非诚勿扰",
        ),
    ),
    (_chinese_landline, ("座机 {}", "公司电话：{}，传真同", "热线{}。", "Beijing office, {}")),
)


_PHONE_LOOKALIKES: tuple[Callable[[random.Random], str], ...] = (
    lambda c: f"order {c.choice(_MOBILE)}{_digits(c, 8)} was shipped",
    lambda c: f"订单号：{c.choice(_MOBILE)}{_digits(c, 8)}",
    lambda c: f"快递单号 {c.choice(_MOBILE)}{_digits(c, 8)}，请查收",
    lambda c: f"id={c.choice(_MOBILE)}{_digits(c, 8)}&page=2",
    lambda c: f"took {c.choice(_MOBILE)}{_digits(c, 8)} nanoseconds",
    lambda c: f"a total of {c.choice(_MOBILE)}{_digits(c, 8)} bytes",
    lambda c: f"timestamp 16{_digits(c, 8)}",
    lambda c: f"at 16{_digits(c, 11)} ms",
    lambda c: f"ISBN 978-0-306-{_digits(c, 5)}-7",
    lambda c: f"ISBN-10 0-19-{_digits(c, 6)}-2",
    lambda c: f"on 20{_digits(c, 2)}-0{c.randint(1, 9)}-1{c.randint(0, 9)} at noon",
    lambda c: f"from 19{_digits(c, 2)}-19{_digits(c, 2)} he lived there",
    lambda c: f"lat {c.randint(30, 60)}.{_digits(c, 6)}, lon -{c.randint(70, 99)}.{_digits(c, 6)}",
    lambda c: f"population of 1,{_digits(c, 3)},{_digits(c, 3)},{_digits(c, 3)}",
    lambda c: f"commit {_hex(c, 40)}",
    lambda c: f"pi is 3.14159{_digits(c, 8)}",
    lambda c: f"version {c.randint(1, 20)}.{c.randint(0, 20)}.{_digits(c, 4)}.{_digits(c, 5)}",
    lambda c: f"case no. {_digits(c, 3)}-{_digits(c, 2)}-{_digits(c, 4)}",
    lambda c: f"QQ群：{c.randint(1, 9)}{_digits(c, 8)}",
    lambda c: f"x = [{_digits(c, 3)}, {_digits(c, 3)}, {_digits(c, 4)}]",
    lambda c: f"{_digits(c, 4)} {_digits(c, 4)} {_digits(c, 4)} units sold",
    lambda c: f"UTC+08:00 and +0{c.randint(1, 9)}00",
    lambda c: f"v = {c.randint(1, 9)}.{_digits(c, 10)}e+{c.randint(10, 30)}",
    lambda c: f"第{c.choice(_MOBILE)}{_digits(c, 8)}号",
    lambda c: f"grew by +{c.randint(1, 9)},{_digits(c, 3)},{_digits(c, 3)}",
    lambda c: f"0x{_hex(c, 12)} 0b{''.join(c.choices('01', k=16))}",
)

# -- IP addresses ----------------------------------------------------------------------------


def _ip(chance: random.Random) -> str:
    if chance.random() < 0.3:
        groups = [_hex(chance, 4).lstrip("0") or "1" for _ in range(chance.choice([4, 8]))]
        groups[0] = chance.choice(["2001", "2a00", "2606", "2400"])
        groups[1] = chance.choice(["4860", "1450", "4700"])
        return (
            "::".join([":".join(groups[:3]), groups[3]]) if len(groups) == 4 else ":".join(groups)
        )
    first = chance.choice([8, 23, 45, 52, 64, 81, 93, 104, 133, 151, 185, 203])
    return f"{first}.{chance.randint(32, 99)}.{chance.randint(1, 254)}.{chance.randint(1, 254)}"


_IP_CONTEXTS = (
    "server {} answered",
    "ping {}",
    "blocked {} after three tries",
    "http://{} is down" ,
    "from {} port 22",
    "client: {}, request: GET",
    "服务器地址：{}。",
    "{} - - [10/Oct] GET /index",
    "The address ({}) was logged.",
    "edit by {} on Tuesday",
    'host = "{}"',
    "Connection from {}.",
)  # fmt: skip
_IP_LOOKALIKES: tuple[Callable[[random.Random], str], ...] = (
    lambda c: f"version {c.randint(1, 90)}.{c.randint(0, 20)}.{c.randint(0, 99)}.{c.randint(0, 9)}",
    lambda c: f"Chrome/{c.randint(60, 120)}.0.{_digits(c, 4)}.{c.randint(10, 99)}",
    lambda c: f"Section {c.randint(1, 9)}.{c.randint(1, 9)}.{c.randint(1, 9)}.{c.randint(1, 9)}",
    lambda c: f"at 192.168.{c.randint(0, 255)}.{c.randint(1, 254)}",
    lambda c: f"at 10.{c.randint(0, 255)}.{c.randint(0, 255)}.{c.randint(1, 254)}",
    lambda c: f"bind 127.0.0.{c.randint(1, 9)}",
    lambda c: "listen on 0.0.0.0 or 255.255.255.255",
    lambda c: f"{c.randint(256, 999)}.{c.randint(1, 99)}.{c.randint(1, 99)}.1 is none",
    lambda c: f"OID 1.3.6.1.4.1.{_digits(c, 4)}",
    lambda c: f"it took {c.randint(10, 23)}:{c.randint(10, 59)}:{c.randint(10, 59)}",
    lambda c: f"std::vector<int>::iterator it{c.randint(0, 9)};",
    lambda c: f"MAC 00:1b:{_hex(c, 2)}:{_hex(c, 2)}:{_hex(c, 2)}:{_hex(c, 2)}",
    lambda c: f"the loopback ::1 and the link fe80::{_hex(c, 4)}",
    lambda c: (
        f"package-{c.randint(1, 30)}.{c.randint(0, 9)}.{c.randint(0, 9)}.{c.randint(0, 9)}.tar.gz"
    ),
    lambda c: f"numpy=={c.randint(1, 30)}.{c.randint(0, 40)}.{c.randint(0, 9)}.{c.randint(1, 9)}",
    lambda c: (
        f"v{c.randint(1, 99)}.{c.randint(0, 99)}.{c.randint(0, 99)}.{c.randint(0, 99)} is out"
    ),
    lambda c: f"in {c.randint(1, 9)}.{c.randint(1, 9)}.{c.randint(1, 9)}.{c.randint(1, 9)} we show",
    lambda c: "documentation uses 192.0.2.7 and 2001:db8::1",
    lambda c: f"dict[a::{c.randint(2, 9)}], x[::{c.randint(2, 9)}]",
)

# -- Chinese resident identity numbers -------------------------------------------------------

_AREAS = [
    "110105",
    "310104",
    "440524",
    "500103",
    "330106",
    "420106",
    "510107",
    "610113",
    "370102",
    "320106",
]


def _id_card(chance: random.Random) -> str:
    day = f"{chance.randint(1940, 2012)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}"
    body = f"{chance.choice(_AREAS)}{day}{_digits(chance, 3)}"
    return body + str(ric.calc_check_digit(body + "0"))


_ID_CONTEXTS = (
    "身份证号：{}。",
    "身份证{}，姓名李雷",
    "id {}",
    "ID card no. {}",
    "（{}）",
    "张三 {} 男",
    '"idcard": "{}"',
    "证件号码{}已登记",
    "name,{},city",
    "resident number {} was leaked",
)


def _wrong_id(chance: random.Random) -> str:
    right = _id_card(chance)
    return right[:-1] + ("0" if right[-1] != "0" else "1")


_ID_LOOKALIKES: tuple[Callable[[random.Random], str], ...] = (
    lambda c: f"身份证号：{_wrong_id(c)}",
    lambda c: f"id {_wrong_id(c)}",
    lambda c: f"number 9{_id_card(c)[1:]}",
    lambda c: f"{_id_card(c)[:6]}1985{c.randint(13, 99)}{_digits(c, 5)}0X"[:18],
    lambda c: f"hash {_hex(c, 32)}",
    lambda c: f"0.{_digits(c, 18)}",
    lambda c: f"snowflake 1{_digits(c, 17)}{_digits(c, 2)}",
    lambda c: f"A{_id_card(c)}",
    lambda c: f"uuid {_hex(c, 8)}-{_hex(c, 4)}-4{_hex(c, 3)}-a{_hex(c, 3)}-{_hex(c, 12)}",
    lambda c: f"流水号20{_digits(c, 2)}0{c.randint(1, 9)}1{c.randint(0, 9)}{_digits(c, 12)}",
)

# -- bank cards ------------------------------------------------------------------------------


def _card_digits(chance: random.Random) -> str:
    head, length = chance.choice(
        [("4", 16), ("4539", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15),
         ("6011", 16), ("65", 16), ("622202", 19), ("622848", 19), ("625", 16), ("3530", 16)]
    )  # fmt: skip
    body = head + _digits(chance, length - len(head) - 1)
    return body + luhn.calc_check_digit(body)


def _card(chance: random.Random) -> str:
    number = _card_digits(chance)
    if len(number) == 16 and chance.random() < 0.6:
        return chance.choice(" -").join(number[i : i + 4] for i in range(0, 16, 4))
    if len(number) == 15 and chance.random() < 0.5:
        return f"{number[:4]} {number[4:10]} {number[10:]}"
    if len(number) == 19 and chance.random() < 0.5:
        return " ".join(number[i : i + 4] for i in range(0, 19, 4))
    return number


_CARD_CONTEXTS = (
    "card {}",
    "Visa {} exp 12/29",
    "银行卡号：{}。",
    "paid with {} yesterday",
    "卡号{}，户名王芳",
    '"pan": "{}"',
    "({})",
    "credit card number: {}, CVV on the back",
    "CC: {}\nname: J Doe",
    "please charge {}.",
)


def _no_luhn(chance: random.Random) -> str:
    number = _card_digits(chance)
    return number[:-1] + str((int(number[-1]) + 1 + chance.randint(0, 8)) % 10)


_CARD_LOOKALIKES: tuple[Callable[[random.Random], str], ...] = (
    lambda c: f"card {_no_luhn(c)}",
    lambda c: f"order number {_card_digits(c)}",
    lambda c: f"tracking no. {_card_digits(c)}",
    lambda c: f"IMEI 35{_digits(c, 13)}",
    lambda c: f"订单号{_card_digits(c)}",
    lambda c: f"EAN 400{_digits(c, 10)}",
    lambda c: f"ISBN 978{_digits(c, 10)}",
    lambda c: f"0.{_card_digits(c)}",
    lambda c: f"id={_card_digits(c)}",
    lambda c: f"{_hex(c, 8)}{_card_digits(c)}{_hex(c, 4)}f",
    lambda c: f"1{_digits(c, 12)} ms since the epoch",
    lambda c: f"{_digits(c, 4)} {_digits(c, 3)} {_digits(c, 4)} {_digits(c, 4)}",
    lambda c: f"the sum is 9{_digits(c, 15)}",
    lambda c: f"serial {_no_luhn(c)}",
    lambda c: f"2020-2021-2022-20{_digits(c, 2)} seasons",
)

# -- IBAN ------------------------------------------------------------------------------------

_BBANS = {
    "GB": lambda c: "WEST" + _digits(c, 14),
    "FR": lambda c: _french(c),
    "NL": lambda c: "INGB" + _digits(c, 10),
    "AT": lambda c: _digits(c, 16),
    "IE": lambda c: "AIBK" + _digits(c, 14),
    "LU": lambda c: _digits(c, 16),
    "DE": lambda c: _digits(c, 18),
    "SE": lambda c: _digits(c, 20),
    "MT": lambda c: "MALT" + _digits(c, 5) + _digits(c, 18),
}


def _french(chance: random.Random) -> str:
    body = _digits(chance, 21)
    return body + f"{97 - (int(body) * 100) % 97:02d}"


def _iban(chance: random.Random) -> str:
    country = chance.choice(sorted(_BBANS))
    bban = _BBANS[country](chance)
    number = f"{country}{iban.calc_check_digits(f'{country}00{bban}')}{bban}"
    if chance.random() < 0.6:
        return " ".join(number[i : i + 4] for i in range(0, len(number), 4))
    return number


_IBAN_CONTEXTS = (
    "IBAN: {}",
    "to {} please",
    "account {} BANK of the north",
    "Konto {}, Betrag 20 EUR",
    "({})",
    "请汇款至{}。",
    '"iban": "{}"',
    "{} COBADEFF is the code",
    "transfer to {}.",
    "IBAN {}\nBIC follows",
)


def _wrong_iban(chance: random.Random) -> str:
    right = _iban(chance).replace(" ", "")
    return right[:2] + f"{(int(right[2:4]) + 1) % 98:02d}" + right[4:]


_IBAN_LOOKALIKES: tuple[Callable[[random.Random], str], ...] = (
    lambda c: f"IBAN: {_wrong_iban(c)}",
    lambda c: f"part DE{_digits(c, 2)} {_digits(c, 4)} {_digits(c, 4)}",
    lambda c: f"ISO{_digits(c, 2)} and EN{_digits(c, 2)} STANDARDS",
    lambda c: f"VAT GB{_digits(c, 9)}",
    lambda c: f"flight BA{_digits(c, 2)} TO LHR",
    lambda c: f"key {_token(c, 24).upper()}",
    lambda c: f"X{_iban(c).replace(' ', '')}",
    lambda c: f"model XZ{_digits(c, 2)}ABCD{_digits(c, 12)}",
)

# -- secrets ---------------------------------------------------------------------------------


def _secret(chance: random.Random) -> str:
    base32 = "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=15)) + "2"
    return chance.choice(
        [
            "AKIA" + base32,
            "ghp_" + _token(chance, 36),
            "glpat-" + _token(chance, 20),
            f"xoxb-{_digits(chance, 12)}-{_token(chance, 24)}",
            "AIza" + _token(chance, 35),
            "sk_live_" + _token(chance, 24),
            "sk-" + _token(chance, 48),
            "hf_" + _token(chance, 34),
            f"eyJhbGciOiJIUzI1NiJ9.eyJ{_token(chance, 30)}.{_token(chance, 43)}",
            "-----BEGIN RSA PRIVATE KEY-----\n"
            + "\n".join(_token(chance, 64) for _ in range(5))
            + "\n-----END RSA PRIVATE KEY-----",
        ]
    )


_SECRET_CONTEXTS = (
    'key = "{}"',
    "export KEY={}\n",
    "curl -H 'Authorization: Bearer {}' host",
    "# {}\nprint(1)",
    "config: {}\n",
    "my key is {} , do not share",
    "const k = '{}';",
    "<key>{}</key>",
)
_ASSIGNED_CONTEXTS = (
    'api_key = "{}"',
    "API_KEY={}\n",
    '"client_secret": "{}"',
    "secret_key: '{}'",
    "aws_secret_access_key = {}\n",
    "token := \"{}\"",
)  # fmt: skip
_SECRET_LOOKALIKES: tuple[Callable[[random.Random], str], ...] = (
    lambda c: f"commit {_hex(c, 40)}",
    lambda c: f"sha256:{_hex(c, 64)}",
    lambda c: "api_key = os.environ['API_KEY']",
    lambda c: f"token = tokenizer.next_token(position_{c.randint(1, 9)})",
    lambda c: 'password = "changeme"',
    lambda c: "password: <your password here>",
    lambda c: f"https://example.com/articles/2019/05/a-long-title-about-{c.randint(1, 99)}-things",
    lambda c: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    lambda c: "-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----",
    lambda c: f"uuid {_hex(c, 8)}-{_hex(c, 4)}-4{_hex(c, 3)}-a{_hex(c, 3)}-{_hex(c, 12)}",
    lambda c: f"class VeryLongClassName{c.randint(1, 99)}WithManyWords: ...",
    lambda c: f"sk-learn and hf_hub are packages {c.randint(1, 9)}",
    lambda c: f"data:image/png;base64,{_token(c, 60)}",
    lambda c: "secret = get_secret_from_vault_2('production-database')",
    lambda c: f"integrity=\"sha512-{_token(c, 86)}==\"",
    lambda c: "https://user@example/path and http://host:8080/x",
    lambda c: "password=${DB_PASSWORD_1} token={{ secrets.TOKEN_2 }}",
)  # fmt: skip


def _assigned(chance: random.Random) -> str:
    return _token(chance, chance.choice([24, 32, 40]))


def _password(chance: random.Random) -> str:
    return (
        f"{chance.choice(['Tr0ub', 'cor4ect', 'Winter'])}{_digits(chance, 3)}!{_token(chance, 5)}"
    )


_PASSWORD_CONTEXTS = (
    'password = "{}"',
    "PASSWORD: '{}'",
    '"passwd": "{}"',
    "postgres://admin:{}@db.example/main",
)

_SECRET_SETS = (
    (_secret, _SECRET_CONTEXTS),
    (_secret, _SECRET_CONTEXTS),
    (_assigned, _ASSIGNED_CONTEXTS),
    (_password, _PASSWORD_CONTEXTS),
)

_Sets = tuple[tuple[Callable[[random.Random], str], tuple[str, ...]], ...]
_KINDS: dict[str, tuple[_Sets, tuple[Callable[[random.Random], str], ...]]] = {
    "email": (((_email, _EMAIL_CONTEXTS),), _EMAIL_LOOKALIKES),
    "phone": (_PHONE_SETS, _PHONE_LOOKALIKES),
    "ip": (((_ip, _IP_CONTEXTS),), _IP_LOOKALIKES),
    "id_card": (((_id_card, _ID_CONTEXTS),), _ID_LOOKALIKES),
    "credit_card": (((_card, _CARD_CONTEXTS),), _CARD_LOOKALIKES),
    "iban": (((_iban, _IBAN_CONTEXTS),), _IBAN_LOOKALIKES),
    "secret": (_SECRET_SETS, _SECRET_LOOKALIKES),
}
