"""Records as rows of the raw tables, written in row groups that do not depend on how they came."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from llm_data_assets.lake.schemas import EDITS, RAW_CORPUS, REJECTS
from llm_data_assets.lake.shard_files import ShardWriter
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.stages.edit_rows import edit_rows, text_hash
from llm_data_assets.stages.record_rows import reject_row, row_id
from llm_data_assets.stages.shards import BATCH_BYTES
from llm_data_assets.text.edits import Edit
from llm_data_assets.text.repair import repair
from llm_data_assets.text.signs import signs_of
from llm_data_assets.text.text_bytes import bytes_of
from llm_data_assets.text.utf8 import text_column

_FIRST_BYTES = 80
# Made once: `json.dumps` makes one a call, which takes longer than to write a document's metadata.
_METADATA = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=str)
# Rows become Arrow at this many bytes of text, since a Python object a row is dear to keep.
_HELD_BYTES = 4 << 20
# What a reject or an edit counts for, which are short and of about one size.
_ROW_BYTES = 512


class RawRows:
    """Documents, rejects and edits of one shard, on their way to its three files."""

    def __init__(self, settings: Mapping[str, Any], writers: Mapping[str, ShardWriter]) -> None:
        self.n_bytes = 0
        self._settings = settings
        self._rows: dict[str, list[dict[str, Any]]] = {name: [] for name in writers}
        self._held = 0
        self._gone = {
            each: takedown.number
            for takedown in settings["taken_down"]
            for each in (
                *((takedown.kind, value) for value in takedown.values),
                *(("doc_id", doc_id) for _, _, doc_id in takedown.met),
            )
        }
        self._by_hash = any(kind == "hash" for kind, _ in self._gone)
        self._batches = {name: _Batches(writer) for name, writer in writers.items()}

    def add(self, file: SourceFile, record: Document | Reject) -> None:
        """One record: repaired and put down, or put down as a reject."""
        size = _ROW_BYTES
        if isinstance(record, Document):
            text, made = _repaired(record)
            if not _is_blank(text):
                row = _document_row(self._settings, file, record, text)
                if (number := self._taken_down(row)) is not None:
                    record = Reject(
                        record.offset, f"taken down: takedown {number} of the audit log"
                    )
                else:
                    self._rows[RAW_CORPUS.name].append(row)
                    edits = edit_rows(row["doc_id"], record.as_read, text, made)
                    self._rows[EDITS.name] += edits
                    size = row["n_bytes"] + _ROW_BYTES * len(edits)
                    self.n_bytes += row["n_bytes"]
            else:
                first = record.text.encode()[:_FIRST_BYTES]
                record = Reject(record.offset, "empty text", first)
        if isinstance(record, Reject):
            self._rows[REJECTS.name].append(reject_row(file, record))
        self._held += size
        if self._held >= _HELD_BYTES:
            self._settle()

    def _taken_down(self, row: Mapping[str, Any]) -> int | None:
        """The number of the takedown that a document has to go for."""
        if not self._gone:
            return None
        for kind in ("doc_id", "url"):
            if (kind, row[kind]) in self._gone:
                return self._gone[kind, row[kind]]
        return self._gone.get(("hash", text_hash(row["text"]))) if self._by_hash else None

    def copy(self, documents: pa.Table, rejects: pa.Table, edits: pa.Table) -> None:
        """Rows of a file as an earlier shard holds them."""
        self._settle()
        for name, rows in zip(self._batches, (documents, rejects, edits), strict=True):
            self._batches[name].add(rows)

    def flush(self) -> None:
        """Write what is held."""
        self._settle()
        for batches in self._batches.values():
            batches.flush()

    def _settle(self) -> None:
        texts = text_column([row.pop("text") for row in self._rows[RAW_CORPUS.name]])
        for table in (RAW_CORPUS, REJECTS, EDITS):
            rows = pa.Table.from_pylist(self._rows[table.name], table.schema)
            if table is RAW_CORPUS:
                at = table.schema.get_field_index("text")
                rows = rows.set_column(at, table.schema.field(at), texts)
            self._batches[table.name].add(rows)
            self._rows[table.name] = []
        self._held = 0


class _Batches:
    """Rows cut where they reach a size, whatever the pieces they came in."""

    def __init__(self, writer: ShardWriter) -> None:
        self._writer = writer
        self._tables: list[pa.Table] = []
        self._held = 0

    def add(self, rows: pa.Table) -> None:
        while rows.num_rows:
            upto = np.cumsum(_sizes(rows))
            fit = int(np.searchsorted(upto, BATCH_BYTES - self._held)) + 1
            self._tables.append(rows.slice(0, fit))
            self._held += int(upto[:fit][-1])
            rows = rows.slice(fit)
            if self._held >= BATCH_BYTES:
                self.flush()

    def flush(self) -> None:
        if self._tables:
            self._writer.write(pa.concat_tables(self._tables))
        self._tables, self._held = [], 0


def _repaired(document: Document) -> tuple[str | memoryview, list[Edit]]:
    """`repair`, which a view is no string for unless there may be something to repair."""
    if isinstance(document.as_read, memoryview) and not signs_of(document.as_read):
        return document.as_read, []
    return repair(document.text)


def _is_blank(text: str | memoryview) -> bool:
    if isinstance(text, str):
        return not text or text.isspace()
    # The first bytes tell of nearly all texts that they are not.
    first = str(text[:_FIRST_BYTES], "utf-8", "ignore").strip()
    return not first and not str(text, "utf-8").strip()


def _sizes(rows: pa.Table) -> np.ndarray:
    if "n_bytes" in rows.column_names:
        return rows["n_bytes"].to_numpy()
    return np.full(rows.num_rows, _ROW_BYTES, np.int64)


def _document_row(
    settings: Mapping[str, Any], file: SourceFile, document: Document, text: str | memoryview
) -> dict[str, Any]:
    native = document.native_id
    return {
        "doc_id": row_id(settings["source"], file, document.offset, native, 0),
        "text": text,
        "origin": {"file": file.uri, "offset": document.offset, "native_id": native},
        "url": document.url,
        "title": document.title,
        "language": document.language or settings["language"],
        "license": document.license or settings["license"],
        "created_at": document.created_at,
        "n_bytes": len(bytes_of(text) if isinstance(text, str) else text),
        "meta": _METADATA.encode(document.meta),
    }
