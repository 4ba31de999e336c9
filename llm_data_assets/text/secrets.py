"""Keys and passwords that stand in code and configuration."""

import math
import re
from collections import Counter
from collections.abc import Iterator

# Formats their issuers publish, anchored at both ends of a run of token characters.
_KNOWN = re.compile(
    rb"(?<![A-Za-z0-9])(?:"
    rb"(?:AKIA|ASIA)[A-Z2-7]{16}"  # AWS access key id
    rb"|gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"
    rb"|glpat-[A-Za-z0-9_-]{20,}"
    rb"|xox[abprs]-[A-Za-z0-9-]{20,}"
    rb"|AIza[A-Za-z0-9_-]{35}"
    rb"|[rs]k_live_[A-Za-z0-9]{20,}"
    rb"|sk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}"
    rb"|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{50,}"
    rb"|SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"
    rb"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"  # JSON Web Token
    rb")(?![A-Za-z0-9])"
)
_PREFIX = re.compile(
    rb"(?<![A-Za-z0-9])"
    rb"(?:AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AIza|[rs]k_live_|sk-|hf_|npm_|pypi-|SG|eyJ)"
)
_PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\s\S]{40,20000}?"
    rb"-----END (?:[A-Z]+ )*PRIVATE KEY-----"
)
# `name = "value"`, `name: value`, `NAME=value`: the name says that the value is secret.
_ASSIGNED = re.compile(
    r"(?:api[_-]?key|secret(?:[_-]?(?:access[_-]?)?key)?|access[_-]?key|auth[_-]?token|token|passw(?:or)?d|pwd"
    r"|client[_-]?secret|private[_-]?key)[\"']?\s{0,3}(?::=|=>|[:=])\s{0,3}[\"']?$",
    re.IGNORECASE,
)
_PASSWORD = re.compile(
    rb"(?:password|passwd|pwd|PASSWORD|PASSWD|Password)[\"']?\s{0,3}(?::=|=>|[:=])\s{0,3}"
    rb"([\"'])(?P<value>[^\"'\s<>{}$]{8,64})\1"
)
_USERINFO = re.compile(rb"://[^\s/:@'\"<>]{1,64}:(?P<value>[^\s/:@'\"<>{}$]{3,64})@")
# A random string over 16 or more symbols; words and paths stay below it.
_MIN_ENTROPY = 3.5
_BEFORE = 40


def known_secrets(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Keys of a published format, or named a secret, in a TOKEN window; byte spans."""
    for prefix in _PREFIX.finditer(data, start, end):
        # A key of several parts (JWT) goes on beyond the window, which ends at its first dot.
        found = _KNOWN.match(data, prefix.start())
        if found:
            yield found.span()
            return
    before = data[max(0, start - _BEFORE) : start].decode(errors="ignore")
    is_value = before[-1:] in "\"'" or data[end : end + 1] not in (b"(", b".", b"[")
    if is_value and _ASSIGNED.search(before) and _entropy(data[start:end]) >= _MIN_ENTROPY:
        yield start, end


def key_blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Private keys in PEM, whole."""
    if b"-----BEGIN" in data:
        yield from (found.span() for found in _PRIVATE_KEY.finditer(data))


def passwords(data: bytes) -> Iterator[tuple[int, int]]:
    """Quoted passwords that hold more than letters, and those before a host in a URL."""
    if b"assw" in data or b"ASSW" in data or b"pwd" in data:
        for found in _PASSWORD.finditer(data):
            value = found["value"]
            if re.search(rb"\d", value) and re.search(rb"[A-Za-z]", value):
                yield found.span("value")
    if b"://" in data and b"@" in data:
        yield from (found.span("value") for found in _USERINFO.finditer(data))


def _entropy(value: bytes) -> float:
    """Shannon entropy of the bytes, bits."""
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares)
