"""Installed Python packages: descriptions and licence texts, with their own licences. Offset: 0."""

import email.parser
import re
from collections.abc import Iterator
from email.message import Message
from pathlib import Path, PurePosixPath

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, read_whole
from llm_data_assets.sources.nearby import nearest
from llm_data_assets.sources.options import NoOptions as Options
from llm_data_assets.sources.text import looks_binary
from llm_data_assets.text.decode import decode

_SPDX = re.compile(r"\(?[A-Za-z0-9.+-]+(?:\)? (?:AND|OR|WITH) \(?[A-Za-z0-9.+-]+)*\)?")
# What `License` and the last part of a trove classifier say, before PEP 639 made SPDX expressions
# the rule. "BSD License" names no version: the three-clause one is by far the commonest.
_KNOWN = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD 3-Clause": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The MIT License": "MIT",
    "The Unlicense (Unlicense)": "Unlicense",
    "Zope Public License": "ZPL-2.1",
}


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a METADATA file's description, or a licence file's text."""
    data = read_whole(file)
    if looks_binary(data):
        yield Reject(0, f"binary: {file.uri} has NUL bytes", data[:80])
        return
    text, encoding = decode(data)
    path = PurePosixPath(file.path)
    folder = next((each for each in path.parents if each.suffix == ".dist-info"), None)
    metadata = _metadata(folder) if folder else None
    if folder is None or metadata is None:
        yield Reject(0, f"no metadata: {file.uri} lies in no package", data[:80])
        return
    if path == folder / "METADATA":
        text = _description(metadata)
    name, version = metadata.get("Name", "?"), metadata.get("Version", "?")
    yield Document(
        text,
        0,
        native_id=f"{name}/{path.relative_to(folder)}",
        title=f"{name} {version}",
        url=metadata.get("Home-page"),
        license=_license(metadata),
        meta={"summary": metadata.get("Summary"), "encoding": encoding},
    )


def companions(file: SourceFile) -> list[SourceFile]:
    """The METADATA that says what a licence file belongs to."""
    return [] if file.uri.endswith("/METADATA") else nearest(file, _is_metadata)


def _is_metadata(name: str) -> bool:
    return name == "METADATA"


def _metadata(folder: PurePosixPath) -> Message | None:
    try:
        text = Path(folder, "METADATA").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return email.parser.Parser().parsestr(text)


def _description(metadata: Message) -> str:
    """The body, or the header that held it before metadata 2.1, whose lines are indented."""
    if body := str(metadata.get_payload()).strip():
        return body
    folded = re.sub(r"\n(?: {7}\|| {8})", "\n", str(metadata.get("Description") or ""))
    return "" if folded == "UNKNOWN" else folded


def _license(metadata: Message) -> str | None:
    if expression := metadata.get("License-Expression"):
        return str(expression)
    stated = str(metadata.get("License") or "").strip()
    if stated in _KNOWN:
        return _KNOWN[stated]
    for classifier in metadata.get_all("Classifier") or []:
        kind, _, name = str(classifier).rpartition(" :: ")
        if kind.startswith("License") and name in _KNOWN:
            return _KNOWN[name]
    return stated if stated and len(stated) < 40 and _SPDX.fullmatch(stated) else None
