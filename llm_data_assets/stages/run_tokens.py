"""The tokens of a run by position, read from memory-mapped files: any slice without the rest."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.digest import digest
from llm_data_assets.lake.schemas import SEQUENCES, TOKENIZED_CORPUS
from llm_data_assets.lake.space import reserve
from llm_data_assets.stages.shards import batches
from llm_data_assets.stages.stage import Context
from llm_data_assets.stages.versions import data_version
from llm_data_assets.tokens.sequences import SCHEMA

_SEQUENCES_AT_ONCE = 4_096
_ARRAYS = ("ids", "first", "start", "length")


@dataclass(frozen=True)
class SourceTokens:
    """One source's packed sequences, memory-mapped.

    `ids` int32 are the tokens of all documents; span i is `ids[start[i] : start[i] + length[i]]`;
    sequence n is the spans `first[n] : first[n + 1]`, in reading order.
    """

    ids: np.ndarray
    first: np.ndarray
    start: np.ndarray
    length: np.ndarray

    @classmethod
    def open(cls, folder: Path) -> "SourceTokens":
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS))

    def sequence(self, number: int) -> list[np.ndarray]:
        """The ids of a sequence, an array for each of its documents."""
        spans = range(self.first[number], self.first[number + 1])
        return [self.ids[self.start[i] : self.start[i] + self.length[i]] for i in spans]


def prepare(context: Context, source: str) -> Path:
    """Lay out one source's tokens for random access, once for each version of them.

    They lie in the home's cache, as large as the tokens are, until `forget`.
    """
    both = {"recipe": context.recipe, "source": source}
    version = digest(
        data_version(context.lake, TOKENIZED_CORPUS, {"source": source}),
        data_version(context.lake, SEQUENCES, both),
    )[:16]
    kept = _folder(context) / source
    if not (kept / version).is_dir():
        shutil.rmtree(kept, ignore_errors=True)
        beside = kept / f".{version}"
        beside.mkdir(parents=True)
        _lay_out(context, source, beside)
        beside.replace(kept / version)
    return kept / version


def forget(context: Context) -> None:
    """Remove what `prepare` laid out."""
    shutil.rmtree(_folder(context), ignore_errors=True)


def _folder(context: Context) -> Path:
    return context.workspace.home / "cache" / "tokens" / context.recipe


def read_run(order: pa.Table, folders: Mapping[str, Path]) -> Iterator[pa.Table]:
    """Tables of `tokens.sequences.SCHEMA` for the rows (position, source, sequence, epoch)."""
    sources = {name: SourceTokens.open(folder) for name, folder in folders.items()}
    for begin in range(0, order.num_rows, _SEQUENCES_AT_ONCE):
        rows = order.slice(begin, _SEQUENCES_AT_ONCE)
        parts = [
            sources[source].sequence(number)
            for source, number in zip(
                rows["source"].to_pylist(), rows["sequence"].to_pylist(), strict=True
            )
        ]
        lengths = [np.array([len(each) for each in part]) for part in parts]
        offsets = np.cumsum([0, *(each.sum() for each in lengths)])
        ids = np.concatenate([each for part in parts for each in part])
        segments = np.concatenate([np.repeat(np.arange(len(each)), each) for each in lengths])
        yield pa.table(
            [
                *(rows[name].combine_chunks() for name in SCHEMA.names[:4]),
                _lists(offsets, ids),
                _lists(offsets, segments.astype(np.int32)),
            ],
            schema=SCHEMA,
        )


def _lists(offsets: np.ndarray, values: np.ndarray) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values, pa.int32()))


def _lay_out(context: Context, source: str, folder: Path) -> None:
    names = context.lake.read(TOKENIZED_CORPUS, {"source": source}, ["doc_id", "n_tokens"])
    ends = np.cumsum(names["n_tokens"].to_numpy(), dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    # A memory map cannot be empty.
    ids = np.lib.format.open_memmap(folder / "ids.npy", "w+", np.int32, (max(1, total),))
    with (folder / "ids.npy").open("r+b") as mapped:
        reserve(mapped, ids.offset + ids.nbytes)
    place = 0
    for file in context.lake.shards(TOKENIZED_CORPUS, {"source": source}):
        for rows in batches(context.lake, TOKENIZED_CORPUS, {"source": source}, file, ["tokens"]):
            for chunk in rows["tokens"].chunks:
                values = chunk.flatten().to_numpy()
                ids[place : place + len(values)] = values
                place += len(values)
    ids.flush()
    spans = context.lake.read(SEQUENCES, {"recipe": context.recipe, "source": source}).sort_by(
        [("sequence", "ascending"), ("doc_id", "ascending"), ("start", "ascending")]
    )
    row = pc.index_in(spans["doc_id"], names["doc_id"].combine_chunks()).to_numpy()
    begins = np.concatenate([np.zeros(1, np.int64), ends])
    numbers = spans["sequence"].to_numpy()
    first = np.searchsorted(numbers, np.arange(numbers[-1] + 2 if len(numbers) else 1))
    np.save(folder / "first.npy", first)
    np.save(folder / "start.npy", begins[row] + spans["start"].to_numpy())
    np.save(folder / "length.npy", spans["length"].to_numpy().astype(np.int64))
