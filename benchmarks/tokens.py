"""Encoding beside SentencePiece, and packing: same texts, same run, CPU-seconds on one core.

    python benchmarks/tokens.py [FOLDER ...] [--megabytes 150] [--unigram | --model FILE.model]

The folders are searched for text (`*.py *.txt *.md *.rst`); without one, this Python's standard
library and installed packages. A `.parquet` file with a column `text`, as `text_corpus.py` writes,
is taken as it is. Without a model, 32 000 pieces of a BPE, or of a unigram, are trained on every
twentieth text. SentencePiece is fed whole documents and lines, on one thread, and the faster of the
two is what is compared with. Every document's ids are compared. For the compile time of the
kernels, set NUMBA_CACHE_DIR to an empty folder.
"""

import argparse
import bisect
import itertools
import multiprocessing
import os
import random
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measure import machine

from llm_data_assets.tokens.encode import Encoded, Encoder
from llm_data_assets.tokens.packing import pack
from llm_data_assets.tokens.tokenizer import train

BATCH_BYTES = 16_000_000
PIECES = 8  # of a batch, where two share the work
SEQUENCE_LENGTH = 2048


def main() -> None:
    options = _options()
    texts = _texts(options.folders, options.megabytes * 1_000_000)
    sizes = [len(text.encode()) for text in texts]
    megabytes = sum(sizes) / 1e6
    print(machine("numba", "numpy", "pyarrow", "sentencepiece"))
    folders = ", ".join(map(str, options.folders))
    print(f"input: {len(texts)} documents, {megabytes:.1f} MB of {folders}")
    model = options.model.read_bytes() if options.model else _train(texts, options.type)
    started = time.process_time()
    Encoder(model).encode(pa.array(["a first text"]))
    print(f"first encoder and text (kernels compiled, or read): {_since(started):.2f} CPU-s")
    started = time.process_time()
    encoder = Encoder(model)
    start_up = _since(started)
    print(f"encoder: {encoder.slow_because or 'by words'}, tables made in {start_up:.2f} CPU-s\n")

    batches = list(_batches(texts, sizes))
    seconds = dict.fromkeys(("documents", "lines", "cold", "warm"), 0.0)
    seconds["cold"] = start_up
    lengths: list[np.ndarray] = []
    differ = 0
    for batch in batches:
        array = pa.array(batch, pa.large_string())
        started = time.process_time()
        found = encoder.encode(array, add_eos=False)
        seconds["cold"] += _since(started)
        started = time.process_time()
        expected = encoder.processor.encode(batch, num_threads=1)
        seconds["documents"] += _since(started)
        lines = [line for text in batch for line in text.splitlines(keepends=True)]
        started = time.process_time()
        encoder.processor.encode(lines, num_threads=1)
        seconds["lines"] += _since(started)
        differ += _differences(found, expected)
        lengths.append(found.lengths)
    for batch in batches:
        array = pa.array(batch, pa.large_string())
        started = time.process_time()
        encoder.encode(array, add_eos=False)
        seconds["warm"] += _since(started)
    peer = megabytes / min(seconds["documents"], seconds["lines"])
    print(f"{'encoding, one core':44}{'MB/s':>9}{'ratio':>9}")
    _line("SentencePiece, whole documents", megabytes / seconds["documents"], peer)
    _line("SentencePiece, lines", megabytes / seconds["lines"], peer)
    _line("here, every word new at first", megabytes / seconds["cold"], peer)
    _line("here, words known", megabytes / seconds["warm"], peer)
    print(f"documents whose ids differ from SentencePiece's: {differ} of {len(texts)}\n")
    _two_cores(model, batches, megabytes)
    _packing(np.concatenate(lengths))
    if differ:
        sys.exit(1)


def _train(texts: list[str], kind: str) -> bytes:
    sample = texts[::20]
    started = time.process_time()
    model = train(sample, vocab_size=32_000, model_type=kind)
    size = sum(len(text.encode()) for text in sample) / 1e6
    print(f"{kind} of 32 000 trained on {size:.1f} MB in {_since(started):.1f} CPU-s")
    return model


def _differences(found: Encoded, expected: list[list[int]]) -> int:
    offsets = found.offsets
    return sum(
        found.tokens[start:end].tolist() != ids
        for (start, end), ids in zip(itertools.pairwise(offsets), expected, strict=True)
    )


def _two_cores(model: bytes, batches: list[list[str]], megabytes: float) -> None:
    """One process and two, as the stage's workers are: each its own encoder, cold, then known."""
    pieces = [
        pa.array(batch[at::PIECES], pa.large_string()) for batch in batches for at in range(PIECES)
    ]
    # Best of three, in turn: other programs use the cores too.
    rows = [(*_seconds(model, pieces, 1), *_seconds(model, pieces, 2)) for _ in range(3)]
    cold, known, cold_cpu, known_cpu, *two = (min(column) for column in zip(*rows, strict=True))
    print(f"{'processes':44}{'MB/s':>9}{'ratio':>9}")
    for words, wall, of_two, used, used_by_two in (
        ("cold", cold, two[0], cold_cpu, two[2]),
        ("words known", known, two[1], known_cpu, two[3]),
    ):
        _line(f"one, {words}, wall", megabytes / wall, megabytes / wall)
        _line(f"two, {words}, wall", megabytes / of_two, megabytes / wall)
        # What two free cores would give, as far as CPU-seconds tell.
        _line(f"two, {words}, by CPU-seconds", 2 * megabytes / used_by_two, megabytes / used)
    print(f"load of the machine: {os.getloadavg()[0]:.1f}\n")


def _seconds(model: bytes, pieces: list[pa.Array], workers: int) -> list[float]:
    """Wall seconds cold and known, and the same in CPU-seconds of all workers."""
    forked = multiprocessing.get_context("fork")  # the texts are there without being sent
    taken, answers = [forked.Value("i", 0) for _ in range(2)], forked.SimpleQueue()
    ready = forked.Barrier(workers)

    def work() -> None:
        encoder = Encoder(model)
        for number in taken:  # whoever is free takes the next piece, as a pool does
            if number is taken[1]:
                for piece in pieces:  # those of the others too: from here on all words are known
                    encoder.encode(piece, add_eos=False)
            ready.wait()
            started, used = time.monotonic(), time.process_time()
            while (at := _next(number)) < len(pieces):
                encoder.encode(pieces[at], add_eos=False)
            answers.put((number is taken[1], started, time.monotonic(), _since(used)))

    running = [forked.Process(target=work) for _ in range(workers)]
    for process in running:
        process.start()
    told = [answers.get() for _ in range(2 * workers)]
    for process in running:
        process.join()
    turns = [[each for each in told if each[0] is known] for known in (False, True)]
    walls = [max(each[2] for each in turn) - min(each[1] for each in turn) for turn in turns]
    return [*walls, *(sum(each[3] for each in turn) for turn in turns)]


def _next(number: Any) -> int:
    with number.get_lock():
        number.value += 1
        return int(number.value) - 1


def _packing(lengths: np.ndarray) -> None:
    tokens = int(lengths.sum())
    pack(lengths[:10], SEQUENCE_LENGTH, "best_fit")
    print(f"packing {len(lengths)} documents of {tokens / 1e6:.1f} M tokens into {SEQUENCE_LENGTH}")
    started = time.process_time()
    bins = _plain_best_fit(lengths, SEQUENCE_LENGTH)
    plain = tokens / _since(started) / 1e6
    print(f"{'':44}{'Mtok/s':>9}{'ratio':>9}")
    _line(f"plain best fit with bisect: {bins} sequences", plain, plain)
    for method in ("best_fit", "concatenate", "document"):
        started = time.process_time()
        for _ in range(5):
            spans = pack(lengths, SEQUENCE_LENGTH, method)
        rate = tokens / max(_since(started) / 5, 1e-9) / 1e6
        padding = 1 - tokens / (spans.n_sequences * SEQUENCE_LENGTH)
        _line(f"{method}: {spans.n_sequences} sequences, {padding:.2%} padding", rate, plain)


def _plain_best_fit(lengths: np.ndarray, limit: int) -> int:
    """Best-fit decreasing over a sorted list of room left."""
    pieces: list[int] = []
    for length in lengths.tolist():
        pieces += [limit] * (length // limit) + ([length % limit] if length % limit else [])
    rooms: list[int] = []
    bins = 0
    for piece in sorted(pieces, reverse=True):
        at = bisect.bisect_left(rooms, piece)
        if at < len(rooms):
            left = rooms.pop(at) - piece
        else:
            bins += 1
            left = limit - piece
        if left:
            bisect.insort(rooms, left)
    return bins


def _since(started: float) -> float:
    return time.process_time() - started


def _line(name: str, rate: float, peer: float) -> None:
    print(f"{name:44}{rate:9.1f}{rate / peer:9.1f}")


def _batches(texts: list[str], sizes: list[int]) -> Iterator[list[str]]:
    batch: list[str] = []
    held = 0
    for text, size in zip(texts, sizes, strict=True):
        batch.append(text)
        held += size
        if held >= BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _texts(folders: list[Path], n_bytes: int) -> list[str]:
    """Distinct texts in a fixed, mixed order, until there are `n_bytes` of them."""
    files = sorted(
        {
            path
            for folder in folders
            for pattern in ("*.py", "*.txt", "*.md", "*.rst")
            for path in folder.rglob(pattern)
            if path.is_file()
        }
    )
    found = [path.read_text(encoding="utf-8", errors="ignore") for path in files]
    for folder in folders:
        if folder.suffix == ".parquet":
            found += pq.read_table(folder, columns=["text"])["text"].to_pylist()
    random.Random(0).shuffle(found)
    texts: dict[str, None] = {}
    held = 0
    for text in found:
        if held >= n_bytes:
            break
        if text and text not in texts:
            texts[text] = None
            held += len(text.encode())
    if not texts:
        sys.exit(f"no text in {folders}. Try: a folder with .py, .txt, .md or .rst, or a .parquet")
    return list(texts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    parser.add_argument("folders", nargs="*", type=Path, default=here)
    parser.add_argument("--megabytes", type=int, default=150, help="of text at most")
    parser.add_argument("--model", type=Path, help="a SentencePiece .model file")
    parser.add_argument(
        "--unigram", dest="type", action="store_const", const="unigram", default="bpe"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
