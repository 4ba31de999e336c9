"""Licences: what publishers write as SPDX expressions, and whether a policy lets them in."""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any, Literal

from license_expression import (
    ExpressionError,
    LicenseWithExceptionSymbol,
    Licensing,
    get_spdx_licensing,
)

Standing = Literal["allowed", "denied", "unknown"]
NO_LICENSE = "NOASSERTION"  # SPDX 2.3, section 7.13

# Names that are no SPDX identifiers, as package metadata and web pages have them.
_V = r"(?:,? version)?[ -]?v?"
_NAMES = (
    (r"(?:the )?mit(?: licen[sc]e)?(?: \(mit\))?|expat(?: licen[sc]e)?", "MIT"),
    (rf"(?:the )?apache(?: software)?(?: licen[sc]e)?{_V}2(?:\.0)?", "Apache-2.0"),
    (r"(?:new |modified |3-clause )bsd(?: licen[sc]e)?|bsd[ -]3(?:-clause)?", "BSD-3-Clause"),
    (r"(?:simplified |2-clause )bsd(?: licen[sc]e)?|bsd[ -]2(?:-clause)?", "BSD-2-Clause"),
    (r"isc(?: licen[sc]e)?(?: \(iscl\))?", "ISC"),
    (rf"(?:gnu )?(?:gpl|general public license){_V}([23])(?:\.0)?", r"GPL-\1.0-only"),
    (
        rf"(?:gnu )?(?:gpl|general public license){_V}([23])(?:\.0)?(?:\+| or later)",
        r"GPL-\1.0-or-later",
    ),
    (rf"(?:gnu )?lgpl{_V}3(?:\.0)?", "LGPL-3.0-only"),
    (rf"(?:mozilla public license|mpl){_V}2(?:\.0)?(?: \(mpl 2\.0\))?", "MPL-2.0"),
    (r"(?:the )?unlicense", "Unlicense"),
    (r"cc[ -]?0(?:[ -]1\.0)?(?: universal)?", "CC0-1.0"),
    (r"cc[ -](by(?:-nc)?(?:-sa|-nd)?)[ -](\d\.\d)", r"CC-\1-\2"),
    (r"python software foundation licen[sc]e|psf(?: licen[sc]e)?", "PSF-2.0"),
)
_SHAPES = [(re.compile(shape, re.IGNORECASE), spdx) for shape, spdx in _NAMES]
_OPERATORS = re.compile(r"([()]| (?:or(?! later)|and|with) )", re.IGNORECASE)
_CREATIVE = re.compile(
    r"https?://creativecommons\.org/(?:licenses/(?P<parts>[a-z-]+)/(?P<version>\d\.\d)"
    r"|publicdomain/zero/1\.0)",
    re.IGNORECASE,
)


@lru_cache(maxsize=65_536)
def normalise(license_text: str | None) -> str:
    """The SPDX expression of a licence as stated, in SPDX's own spelling.

    `NOASSERTION` where none is stated; what SPDX does not know comes back as it is, without the
    spaces at its ends.

    Example:
        >>> normalise("mit or APACHE 2.0")
        'MIT OR Apache-2.0'
    """
    stated = " ".join((license_text or "").split())
    if not stated:
        return NO_LICENSE
    parts = _OPERATORS.split(stated)
    named = "".join(
        each.upper() if number % 2 else _named(each) for number, each in enumerate(parts)
    )
    parsed = _parsed(named)
    return str(parsed.render()) if parsed is not None else stated


def standing(expression: str, allow: Collection[str], deny: Collection[str]) -> Standing:
    """Whether a policy lets a normalised licence in.

    `A OR B` stands as the better of the two, `A AND B` as the worse. A licence in neither list is
    `unknown` if `allow` is empty or SPDX does not know it, else `denied`: a list of what is
    allowed allows nothing else.
    """
    parsed = _parsed(expression)
    if parsed is None:
        return "unknown"
    return _standing(parsed, frozenset(map(str.lower, allow)), frozenset(map(str.lower, deny)))


def is_spdx(expression: str) -> bool:
    """Whether SPDX knows every licence of an expression."""
    parsed = _parsed(expression)
    return parsed is not None and not _spdx().unknown_license_keys(parsed)


_WORST_FIRST: tuple[Standing, ...] = ("denied", "unknown", "allowed")


def _standing(parsed: Any, allow: frozenset[str], deny: frozenset[str]) -> Standing:
    arguments = getattr(parsed, "args", ())
    if isinstance(parsed, LicenseWithExceptionSymbol):
        names = {str(parsed).lower(), parsed.license_symbol.key.lower()}
    elif arguments:
        each = [_WORST_FIRST.index(_standing(part, allow, deny)) for part in arguments]
        return _WORST_FIRST[max(each) if type(parsed).__name__ == "OR" else min(each)]
    else:
        names = {str(parsed).lower()}
    if names & deny:
        return "denied"
    if names & allow:
        return "allowed"
    known = not _spdx().unknown_license_keys(parsed)
    return "denied" if allow and known else "unknown"


def _named(part: str) -> str:
    """One licence of an expression under its SPDX name, where it is called otherwise."""
    bare = part.strip()
    creative = _CREATIVE.match(bare)
    if creative:
        parts = creative["parts"]
        spdx = f"CC-{parts.upper()}-{creative['version']}" if parts else "CC0-1.0"
    else:
        found = ((shape.fullmatch(bare), spdx) for shape, spdx in _SHAPES)
        spdx = next((match.expand(name) for match, name in found if match), bare)
    return part.replace(bare, spdx) if bare else part


def _parsed(expression: str) -> Any:
    try:
        return _spdx().parse(expression, validate=False)
    except (ExpressionError, ValueError):
        return None


@lru_cache(maxsize=1)
def _spdx() -> Licensing:
    """All that SPDX knows: to read that list anew for each licence takes 30 milliseconds."""
    licensing = get_spdx_licensing()
    licensing.parse("MIT")  # makes its table of names, which threads may share from then on
    return licensing
