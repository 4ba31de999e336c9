"""SPDX identifiers: of the names that publishers use, of licence texts and of file headers."""

import re
from collections.abc import Iterable

from llm_data_assets.text.licenses import NO_LICENSE

# Canonical identifiers of the SPDX licence list (3.25) that data sets name in any case.
_IDENTIFIERS = (
    "0BSD", "AFL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-1.1", "Apache-2.0", "APSL-2.0",
    "Artistic-1.0", "Artistic-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause",
    "BSD-3-Clause-Clear", "BSD-4-Clause", "BSL-1.0", "C-UDA-1.0", "CC-BY-2.0", "CC-BY-2.5",
    "CC-BY-3.0", "CC-BY-4.0", "CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-3.0",
    "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0",
    "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "CDDL-1.0", "CDLA-Permissive-1.0",
    "CDLA-Permissive-2.0", "CDLA-Sharing-1.0", "CECILL-2.1", "ECL-2.0", "EPL-1.0", "EPL-2.0",
    "EUPL-1.1", "EUPL-1.2", "GFDL-1.3-only", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only",
    "GPL-3.0-or-later", "HPND", "ISC", "LGPL-2.0-only", "LGPL-2.1-only", "LGPL-2.1-or-later",
    "LGPL-3.0-only", "LGPL-3.0-or-later", "LPPL-1.3c", "MIT", "MIT-0", "MPL-1.1", "MPL-2.0",
    "MS-PL", "MS-RL", "NCSA", "ODbL-1.0", "ODC-By-1.0", "OFL-1.1", "OSL-3.0", "PDDL-1.0",
    "PostgreSQL", "PSF-2.0", "Python-2.0", "Ruby", "Unlicense", "UPL-1.0", "Vim", "W3C", "WTFPL",
    "X11", "Zlib", "ZPL-2.1",
)  # fmt: skip
_CANONICAL = {name.lower(): name for name in _IDENTIFIERS}
# Names that GitHub, Hugging Face and Kaggle give to licences. A GNU licence without "only" or
# "or later" is the version it names: SPDX deprecated these spellings for "-only".
_ALIASES = {
    "agpl-3.0": "AGPL-3.0-only", "gpl-2.0": "GPL-2.0-only", "gpl-2.0+": "GPL-2.0-or-later",
    "gpl-3.0": "GPL-3.0-only", "gpl-3.0+": "GPL-3.0-or-later", "lgpl-2.0": "LGPL-2.0-only",
    "lgpl-2.1": "LGPL-2.1-only", "lgpl-2.1+": "LGPL-2.1-or-later", "lgpl-3.0": "LGPL-3.0-only",
    "lgpl-3.0+": "LGPL-3.0-or-later", "apache 2.0": "Apache-2.0", "bsd": "BSD-3-Clause",
    "cc by 4.0": "CC-BY-4.0", "cc-by": "CC-BY-4.0", "cc0: public domain": "CC0-1.0",
    "cc0": "CC0-1.0", "gfdl": "GFDL-1.3-only", "gfdl-1.3": "GFDL-1.3-only", "odbl": "ODbL-1.0",
    "odc-by": "ODC-By-1.0", "pddl": "PDDL-1.0",
}  # fmt: skip
_DEPRECATED = "deprecated_"

_GNU = re.compile(
    r"gnu (affero |lesser |library )?general public license "
    r"version (\d(?:\.\d)?), (?:\d+ )?(?:june|november|february) \d{4}"
)
_GNU_NOTICE = re.compile(
    r"gnu (affero |lesser |library )?general public license,? "
    r"(?:version (\d(?:\.\d)?),? )?as published by the free software foundation"
    r"(?:[,:.]? (?:either )?version (\d(?:\.\d)?))?(.{0,60}?any later version)?"
)
_GNU_NAMES = {None: "GPL", "affero ": "AGPL", "lesser ": "LGPL", "library ": "LGPL"}
# Words that only the licence's own text, or the notice that it tells authors to use, has. They
# are compared in lower case with white space and comment marks folded to one space.
_PHRASES = (
    ("Apache-2.0", "apache license version 2.0, january 2004"),
    ("Apache-2.0", "licensed under the apache license, version 2.0"),
    ("MPL-2.0", "mozilla public license version 2.0"),
    ("MPL-2.0", "terms of the mozilla public license, v. 2.0"),
    ("BSL-1.0", "boost software license - version 1.0"),
    ("EPL-2.0", "eclipse public license - v 2.0"),
    ("EPL-1.0", "eclipse public license - v 1.0"),
    ("Artistic-2.0", "the artistic license 2.0"),
    ("Unlicense", "this is free and unencumbered software released into the public domain"),
    ("CC0-1.0", "cc0 1.0 universal"),
    ("CC-BY-4.0", "creative commons attribution 4.0 international public license"),
    ("CC-BY-SA-4.0", "creative commons attribution-sharealike 4.0 international public license"),
    ("WTFPL", "do what the fuck you want to public license"),
    ("OFL-1.1", "sil open font license version 1.1"),
    ("Zlib", "altered source versions must be plainly marked as such"),
    ("PSF-2.0", "python software foundation license version 2"),
)
_MIT = "permission is hereby granted, free of charge, to any person obtaining a copy of this"
_BSD = "redistribution and use in source and binary forms, with or without modification"
_ISC = "use, copy, modify, and distribute this software for any purpose with or without fee"
_FOLDED = re.compile(r"[\s#*/;%\"'()`-]+|<!--|\\n")


def spdx(name: str) -> str | None:
    """The SPDX identifier of a licence's usual name, in any case; None where it is not known.

    go-license-detector's `deprecated_` names (in The Stack and Public Git Archive) are known too.
    """
    low = name.strip().lower().removeprefix(_DEPRECATED)
    return _CANONICAL.get(low) or _ALIASES.get(low)


def one_license(names: Iterable[str]) -> str | None:
    """The one licence of a list of SPDX names; None for an empty list, `NOASSERTION` for several.

    A list of licences found in a repository does not say whether the reader may choose (OR),
    must obey all (AND), or which file each is for: an expression would claim what nobody stated.
    """
    found = {spdx(name) or name.strip().removeprefix(_DEPRECATED) for name in names} - {""}
    return NO_LICENSE if len(found) > 1 else next(iter(found), None)


def licenses_of_text(text: str) -> list[str]:
    """SPDX identifiers of the licences whose text, or whose notice, is in `text`; sorted.

    A GNU licence text alone grants its own version (`-only`); the notice of a file may add later
    ones. The licence of Python contains those of its history: the current one stands for all.
    """
    folded = _FOLDED.sub(" ", text.lower())
    found = {name for name, phrase in _FOLDED_PHRASES if phrase in folded}
    if text_of := _GNU.search(folded):  # it names its sisters, and shows its notice, further down
        found.add(f"{_GNU_NAMES[text_of[1]]}-{_dotted(text_of[2])}-only")
    elif (notice := _GNU_NOTICE.search(folded)) and (version := notice[2] or notice[3]):
        suffix = "or-later" if notice[4] else "only"
        found.add(f"{_GNU_NAMES[notice[1]]}-{_dotted(version)}-{suffix}")
    if _fold(_MIT) in folded:
        if "permission notice shall be included" in folded:
            found.add("MIT")
        elif "furnished to do so. the software is provided" in folded:
            found.add("MIT-0")
    if _fold(_BSD) in folded:
        found.add(_bsd(folded))
    if _fold(_ISC) in folded.replace("and or ", "and "):
        found.add("ISC" if "provided that the above copyright" in folded else "0BSD")
    if "PSF-2.0" in found and "beopen" in folded and found <= {"PSF-2.0", "0BSD", "ISC"}:
        return ["PSF-2.0"]
    return sorted(found)


def _bsd(folded: str) -> str:
    if "all advertising materials" in folded:
        return "BSD-4-Clause"
    return "BSD-3-Clause" if "to endorse or promote" in folded else "BSD-2-Clause"


def _fold(text: str) -> str:
    return _FOLDED.sub(" ", text)


_FOLDED_PHRASES = [(name, _fold(phrase)) for name, phrase in _PHRASES]


def _dotted(version: str) -> str:
    return version if "." in version else f"{version}.0"
