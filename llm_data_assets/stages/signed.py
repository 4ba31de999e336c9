"""Signatures of all sources at once, as the choice of duplicates reads them.

Band keys and the shingle sets of candidates lie in files that are mapped into memory, so that the
system may put them aside: what must be held is a few columns a document. Shingle sets are written
there by the processes that make them, each in its place: threads of one process would wait for each
other wherever they ask the system for memory.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.dedup.bands import band_keys, parameters
from llm_data_assets.dedup.minhash import chunked_shingle_sets
from llm_data_assets.engine.run import InOrder
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import DOCUMENT_SIGNATURES, RAW_CORPUS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.lake.space import reserve
from llm_data_assets.lake.temporaries import beside
from llm_data_assets.stages.document_signatures import key_of, made_with, signing_settings
from llm_data_assets.stages.shards import run_tasks
from llm_data_assets.stages.stage import Context

_COLUMNS = ["doc_id", "text_hash", "url", "key", "quality", "n_shingles"]
_HASH_BYTES = 8
_AGAIN = (
    "Try: materialise document_signatures of {!r} again (`llm-data run` does what is due, in order)"
)


class SignedShard(NamedTuple):
    """A shard of document_signatures, and the shard of raw_corpus that it signs."""

    source: str
    signatures: ShardFile
    raw: ShardFile
    start: int  # its first row among all


@dataclass(frozen=True)
class Signed:
    """What is known of all documents, in the order of sources, shards and their rows.

    `documents` is what `choose.find_duplicates` takes.
    """

    documents: pa.Table
    shards: Sequence[SignedShard]


def bands_and_rows(workspace: Workspace) -> tuple[int, int]:
    """Bands and rows as given, or by datasketch's search for the threshold."""
    dedup = workspace.pipeline.model.dedup
    if dedup.bands and dedup.rows:
        return dedup.bands, dedup.rows
    return parameters(dedup.threshold, dedup.num_perm)


def exact_by(workspace: Workspace) -> list[str]:
    """Columns in which to be equal is enough to go, whatever the similarity."""
    dedup = workspace.pipeline.model.dedup
    wanted = {"url": dedup.same_url, "key": dedup.same_key}
    return [name for name, asked in wanted.items() if asked]


def open_signed(context: Context, in_order: InOrder) -> Signed:
    """Read the narrow columns of document_signatures.

    Raises:
        ValueError: a source's signatures were made with other settings, or from other text.
    """
    found = [
        (source, *files)
        for source in context.workspace.sources
        for files in _signed_shards(context, source)
    ]
    tasks = [_Signatures(context.lake, source, file) for source, file, _ in found]
    shards, parts, start = [], [_NO_DOCUMENTS], 0
    for files, read in zip(found, in_order(_read_narrow, tasks), strict=True):
        shards.append(SignedShard(*files, start))
        # A copy: what comes from a cluster lies in its object store, which must not fill up.
        copy = read.take(pa.array(np.arange(read.num_rows, dtype=np.int32)))
        parts.append(_described(context.workspace, files[0], copy))
        start += read.num_rows
    return Signed(pa.concat_tables(parts), shards)


def keys_of(
    context: Context, in_order: InOrder, signed: Signed, scratch: IO[bytes], bands: int, rows: int
) -> np.ndarray:
    """Keys of the documents' bands, uint64[bands, n], mapped from the file `scratch`."""
    keys = _mapped(scratch, np.uint64, (bands, signed.documents.num_rows))
    tasks = [_Signatures(context.lake, each.source, each.signatures) for each in signed.shards]
    read = in_order(partial(_read_keys, bands, rows), tasks)
    for shard, of_shard in zip(signed.shards, read, strict=True):
        keys[:, shard.start : shard.start + of_shard.shape[1]] = of_shard
    return keys


def shingle_reader(
    context: Context, signed: Signed
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Shingle sets by rows of `signed.documents`, ascending, read from raw_corpus."""

    def read(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sizes = signed.documents["n_shingles"].to_numpy()[rows]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
        n_bytes = int(offsets[-1]) * _HASH_BYTES
        if not n_bytes:
            return np.empty(0, np.uint64), offsets
        path = beside(context.lake.root / "shingle_sets")
        try:
            with path.open("wb") as file:
                reserve(file, n_bytes)
            tasks = [
                _Sets(texts, path, sizes[first:last], int(offsets[first]), shingling)
                for texts, first, last, shingling in _asked(context, signed, rows)
            ]
            run_tasks(context, _write_sets, tasks, n_bytes)
            # Opened anew: on a network's file system what other machines wrote is seen only so.
            return np.memmap(path, np.uint64, "r+"), offsets
        finally:
            path.unlink(missing_ok=True)

    return read


def texts_of(context: Context, signed: Signed, rows: np.ndarray) -> Iterator[pa.ChunkedArray]:
    """Texts of rows of `signed.documents`, ascending, a row group at a time."""
    return (_read_texts(texts) for texts, *_ in _asked(context, signed, rows))


class _Signatures(NamedTuple):
    """A shard of document_signatures."""

    lake: Lake
    source: str
    file: ShardFile


def _read_narrow(task: _Signatures) -> pa.Table:
    return _parquet(*task).read(columns=_COLUMNS).select(_COLUMNS)


def _read_keys(bands: int, rows: int, task: _Signatures) -> np.ndarray:
    """Band keys of a shard's documents, uint64[bands, n]."""
    reader = _parquet(*task)
    keys = [np.empty((bands, 0), np.uint64)]
    for group in range(reader.num_row_groups):
        signatures = reader.read_row_group(group, columns=["signature"])["signature"]
        values = _signature_values(signatures.combine_chunks())
        keys.append(band_keys(values, bands=bands, rows=rows).T)
    return np.concatenate(keys, axis=1)


@dataclass(frozen=True)
class _Texts:
    """Some rows of a row group of raw_corpus."""

    lake: Lake
    source: str
    file: ShardFile
    group: int
    rows: np.ndarray


def _read_texts(task: _Texts) -> pa.ChunkedArray:
    reader = _parquet(task.lake, task.source, task.file, raw_corpus=True)
    texts = reader.read_row_group(task.group, columns=["text"])
    return texts["text"].take(pa.array(task.rows))


@dataclass(frozen=True)
class _Sets:
    """The file that takes the shingle sets of some texts, their sizes, and where they begin."""

    texts: _Texts
    path: Path
    sizes: np.ndarray
    place: int
    shingling: Mapping[str, Any]


def _write_sets(task: _Sets) -> None:
    done = 0
    with task.path.open("r+b") as file:
        file.seek(task.place * _HASH_BYTES)
        for values, offsets in chunked_shingle_sets(_read_texts(task.texts), **task.shingling):
            sizes = task.sizes[done : done + len(offsets) - 1]
            if not np.array_equal(np.diff(offsets), sizes):  # it would overwrite its neighbours
                raise ValueError(
                    f"texts of {task.texts.source!r} have other shingles than when they were "
                    f"signed (shard {task.texts.file.shard}). {_AGAIN.format(task.texts.source)}"
                )
            file.write(values.data)
            done += len(sizes)


def _asked(
    context: Context, signed: Signed, rows: np.ndarray
) -> Iterator[tuple[_Texts, int, int, Mapping[str, Any]]]:
    """The row groups that hold the rows asked for, in order: which of these rows they hold (from,
    to), and how the source's texts become shingles."""
    for source, _, raw, start in signed.shards:
        metadata = _parquet(context.lake, source, raw, raw_corpus=True).metadata
        shingling = context.workspace.pipeline.model.dedup.shingling_of(source)
        for group in range(metadata.num_row_groups):
            stop = start + metadata.row_group(group).num_rows
            first, last = (int(each) for each in np.searchsorted(rows, [start, stop]))
            if last > first:
                wanted = rows[first:last] - start
                yield _Texts(context.lake, source, raw, group, wanted), first, last, shingling
            start = stop


def _described(workspace: Workspace, source: str, rows: pa.Table) -> pa.Table:
    n = rows.num_rows
    priority = workspace.catalog.model.sources[source].priority
    scope = workspace.pipeline.model.dedup.scope_of(source)
    return (
        rows.append_column("source", _repeated(source, n))
        .append_column("scope", _repeated(scope, n))
        .append_column("priority", pa.repeat(pa.scalar(priority, pa.int32()), n))
        .select(_NO_DOCUMENTS.schema.names)
    )


def _repeated(value: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), n), [value])


_NO_DOCUMENTS = pa.schema(
    [
        *(DOCUMENT_SIGNATURES.schema.field(name) for name in _COLUMNS),
        ("source", pa.dictionary(pa.int32(), pa.string())),
        ("scope", pa.dictionary(pa.int32(), pa.string())),
        ("priority", pa.int32()),
    ]
).empty_table()


def _signed_shards(context: Context, source: str) -> Iterator[tuple[ShardFile, ShardFile]]:
    """The shards of document_signatures, each with the shard of raw_corpus that it signs."""
    settings = signing_settings(context.workspace, source)
    raw = {each.shard: each for each in context.lake.shards(RAW_CORPUS, {"source": source})}
    signed = context.lake.shards(DOCUMENT_SIGNATURES, {"source": source})
    for file in signed:
        if file.shard not in raw or file.key != key_of(settings, raw[file.shard]):
            raise ValueError(_refused(context, source, file, made_with(settings)))
        yield file, raw[file.shard]
    if len(raw) != len(signed):
        raise ValueError(
            f"document_signatures of {source!r} have {len(signed)} shards, raw_corpus has "
            f"{len(raw)}. {_AGAIN.format(source)}"
        )


def _refused(context: Context, source: str, file: ShardFile, asked: str) -> str:
    """Why a shard of document_signatures does not serve: other settings, or other text."""
    rows = context.lake.read_shard(DOCUMENT_SIGNATURES, {"source": source}, file, ["made_with"])
    others = [each for each in pc.unique(rows["made_with"]).to_pylist() if each != asked]
    if others:
        return (
            f"document_signatures of {source!r} were made with {others[0]}; the pipeline asks for "
            f"{asked}. {_AGAIN.format(source)}, or give `dedup` its former settings"
        )
    return (
        f"document_signatures of {source!r} were made from other text than raw_corpus holds now "
        f"(shard {file.shard}). {_AGAIN.format(source)}"
    )


def _parquet(lake: Lake, source: str, file: ShardFile, raw_corpus: bool = False) -> pq.ParquetFile:
    table = RAW_CORPUS if raw_corpus else DOCUMENT_SIGNATURES
    return pq.ParquetFile(lake.folder(table, {"source": source}) / file.name)


def _mapped(file: IO[bytes], dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    """The file as an array, grown to it; in memory where there is nothing."""
    if 0 in shape:
        return np.empty(shape, dtype)
    file.flush()
    reserve(file, math.prod(shape) * np.dtype(dtype).itemsize)
    return np.memmap(file, dtype, "r+", shape=shape)


def _signature_values(signature: pa.Array) -> np.ndarray:
    """uint32[n, num_perm] of binary values of one length."""
    _, offsets, data = signature.buffers()
    ends = np.frombuffer(offsets, np.int32)[[signature.offset, signature.offset + len(signature)]]
    values = np.frombuffer(data or b"", np.uint8)[ends[0] : ends[1]].view("<u4")
    return values.reshape(len(signature), -1)
