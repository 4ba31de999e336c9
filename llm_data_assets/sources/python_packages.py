"""Installed Python packages: descriptions and licence texts, with their own licences. Offset: 0."""

import email.parser
import re
from collections.abc import Iterator
from email.message import Message
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.text.decode import decode

_SPDX = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")
# Names that package metadata uses before PEP 639 made SPDX expressions the rule.
_KNOWN = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
}


class Options(BaseModel):
    """Package folders need none."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a METADATA file's description, or a licence file's text."""
    with open_raw(file) as stream:
        text, encoding = decode(stream.read())
    path = PurePosixPath(file.path)
    metadata = _metadata(path)
    if metadata is None:
        yield Reject(0, f"no metadata: {file.uri} lies in no package", text.encode()[:80])
        return
    if path.name == "METADATA":
        text = str(metadata.get_payload()) or str(metadata.get("Description") or "")
    name, version = metadata.get("Name", "?"), metadata.get("Version", "?")
    yield Document(
        text,
        0,
        native_id=f"{name}/{path.name if path.parent.suffix == '.dist-info' else _below(path)}",
        title=f"{name} {version}",
        url=metadata.get("Home-page"),
        license=_license(metadata),
        meta={"summary": metadata.get("Summary"), "encoding": encoding},
    )


def _metadata(path: PurePosixPath) -> Message | None:
    for folder in path.parents:
        if folder.suffix == ".dist-info":
            try:
                text = Path(folder, "METADATA").read_text(encoding="utf-8", errors="replace")
            except OSError:
                return None
            return email.parser.Parser().parsestr(text)
    return None


def _below(path: PurePosixPath) -> str:
    parts = path.parts
    start = next(i for i, part in enumerate(parts) if part.endswith(".dist-info"))
    return "/".join(parts[start + 1 :])


def _license(metadata: Message) -> str | None:
    if expression := metadata.get("License-Expression"):
        return expression
    stated = (metadata.get("License") or "").strip()
    if stated in _KNOWN:
        return _KNOWN[stated]
    for classifier in metadata.get_all("Classifier") or []:
        if classifier.startswith("License ::"):
            name = classifier.rsplit(" :: ", 1)[-1]
            if name in _KNOWN:
                return _KNOWN[name]
    return stated if stated and len(stated) < 40 and _SPDX.fullmatch(stated) else None
