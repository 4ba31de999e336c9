"""A few records of a source that is not in the lake yet, for an estimate of its tokens."""

import numpy as np
import xxhash

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.planning.estimate import Estimate, estimate_tokens
from llm_data_assets.sources.document import Document
from llm_data_assets.sources.formats import read_documents
from llm_data_assets.stages.file_groups import group_files
from llm_data_assets.stages.source_files import files_of

_PART_BYTES = 1 << 20
_ENOUGH = 200  # records


def estimate_source(workspace: Workspace, source: str, bytes_per_token: float | None) -> Estimate:
    """Read whole files, or parts of big ones, in an order by hash, until 200 records are there.

    Raises:
        ConfigError: the source's files cannot be listed.
        ValueError: no record could be read.
    """
    settings = workspace.catalog.model.sources[source]
    files = files_of(workspace, source)
    groups = group_files(files, settings.format, settings.options, _PART_BYTES)
    parts = sorted(
        (part for group in groups.values() for part in group),
        key=lambda part: xxhash.xxh3_64_intdigest(f"{part.uri} {part.start}".encode()),
    )
    sizes: list[int] = []
    read = 0
    for part in parts:
        sizes += [
            len(record.text.encode())
            for record in read_documents(settings.format, part, settings.options)
            if isinstance(record, Document)
        ]
        read += (part.stop or part.size) - part.start
        if len(sizes) >= _ENOUGH:
            break
    stored = sum(file.size for file in files)
    return estimate_tokens(np.array(sizes, np.int64), read, stored, bytes_per_token)
