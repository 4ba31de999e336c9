"""The first records of a source, read without writing anything."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import pyarrow as pa

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.sources.document import Document
from llm_data_assets.sources.formats import read_documents
from llm_data_assets.stages.source_files import files_of
from llm_data_assets.text.language import detect

_RECORDS = 50
_SHOWN = 3


@dataclass
class Preview:
    """What `sources check` found; `problem` says why nothing could be read."""

    source: str
    files: int = 0
    n_bytes: int = 0
    documents: int = 0
    rejects: list[str] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    problem: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """The preview as lines to read."""
        if self.problem:
            yield f"{self.source}: {self.problem}"
            return
        yield (
            f"{self.source}: {self.files} files, {self.n_bytes:,} bytes; first records: "
            f"{self.documents} documents, {len(self.rejects)} rejects"
        )
        for sample in self.samples:
            yield (
                f"  {sample['native_id'] or sample['offset']} [{sample['language']}, "
                f"{sample['license'] or 'licence unknown'}, {sample['encoding']}] "
                f"{sample['beginning']!r}"
            )
        for reject in self.rejects[:_SHOWN]:
            yield f"  reject: {reject}"


def preview(workspace: Workspace, source: str) -> Preview:
    """Read up to 50 records of a source.

    Raises:
        ConfigError: the catalog has no such source.
    """
    settings = workspace.catalog.model.sources.get(source)
    if settings is None:
        raise ConfigError(
            str(workspace.catalog.path), source, "is not in the catalog",
            f"one of {', '.join(workspace.all_sources)}",
        )  # fmt: skip
    found = Preview(source)
    try:
        files = files_of(workspace, source)
    except ValueError as error:
        found.problem = str(error)
        return found
    found.files, found.n_bytes = len(files), sum(file.size for file in files)
    records = (
        record
        for file in files
        for record in read_documents(settings.format, file, settings.options)
    )
    for record in islice(records, _RECORDS):
        if not isinstance(record, Document):
            found.rejects.append(record.error)
            continue
        found.documents += 1
        if len(found.samples) < _SHOWN:
            languages, _ = detect(pa.array([record.text]))
            found.samples.append(
                {
                    "native_id": record.native_id,
                    "offset": record.offset,
                    "language": languages[0].as_py(),
                    "license": record.license or settings.license,
                    # A reader that had to find the encoding out says so.
                    "encoding": record.meta.get("encoding", "utf-8"),
                    "beginning": "" if source in workspace.hidden else record.text[:100],
                }
            )
    return found
