"""A Kaggle data set: its `dataset-metadata.json` and its files. Offset: the data file's.

The licence comes from the metadata. The metadata file yields no document, and a reject for every
resource it lists that is not there.
"""

import json
import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.sources.licenses import one_license, spdx
from llm_data_assets.sources.mapping import FieldMapping
from llm_data_assets.sources.nearby import below, nearest, stamp
from llm_data_assets.sources.table_file import read_table, split_table

_METADATA = "dataset-metadata.json"
_MAX_METADATA_BYTES = 16 << 20
_BESIDE = re.compile(r"(?:readme|licen[cs]e|notice|changelog)\b.*", re.IGNORECASE)


class Options(FieldMapping):
    """Mapping of columns."""


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every row of a data file."""
    name = posixpath.basename(file.uri)
    if name == _METADATA:
        yield from _missing(file)
        return
    if _BESIDE.fullmatch(name):
        return
    found = companions(file)
    metadata = _read_metadata(found[0]) if found else {}
    licenses = [str(each.get("name")) for each in _objects(metadata, "licenses")]
    license = one_license(each for each in licenses if spdx(each))
    slug = str(metadata.get("id", ""))
    for record in read_table(file, options):
        if isinstance(record, Document):
            record.license = record.license or license
            if "/" in slug:
                record.url = record.url or f"https://www.kaggle.com/datasets/{slug}"
            record.meta = {"resource": name, **record.meta}
        yield record


def split(file: SourceFile, options: Options, part_bytes: int) -> list[int]:
    """Where the data file's own format can be entered."""
    return split_table(file, part_bytes)


def companions(file: SourceFile) -> list[SourceFile]:
    """The metadata, which says what the file is; for the metadata, the files that it lists."""
    if posixpath.basename(file.uri) == _METADATA:
        return [each for path in _resources(_read_metadata(file)) for each in below(file, path)]
    return nearest(file, _is_metadata)


def _is_metadata(name: str) -> bool:
    return name == _METADATA


def _missing(file: SourceFile) -> Iterator[Reject]:
    metadata = _read_metadata(file)
    if "fault" in metadata:
        yield Reject(0, f"broken metadata: {file.uri}: {metadata['fault']}")
    for path in _resources(metadata):
        if not below(file, path):
            yield Reject(0, f"missing resource: {file.uri} lists {path}, which is not there")


def _resources(metadata: dict[str, Any]) -> list[str]:
    paths = [each.get("path") for each in _objects(metadata, "resources")]
    return [path for path in paths if isinstance(path, str) and path]


def _objects(metadata: dict[str, Any], name: str) -> list[dict[str, Any]]:
    listed = metadata.get(name)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _read_metadata(file: SourceFile) -> dict[str, Any]:
    return _parsed(file.uri, file.path, stamp(file))


@lru_cache(256)
def _parsed(uri: str, path: str, changed: str) -> dict[str, Any]:
    try:
        with open_raw(SourceFile(uri, path, 0, "")) as stream:
            metadata = json.loads(stream.read(_MAX_METADATA_BYTES))
    except (ValueError, RecursionError) as error:
        return {"fault": str(error)[:200]}
    return metadata if isinstance(metadata, dict) else {"fault": "not an object"}
