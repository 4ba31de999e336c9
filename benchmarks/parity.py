"""Rule sets beside the toolkits they are named after: same documents, same run.

    python benchmarks/parity.py CORPUS.parquet [--documents 3000] [--every 7]

CORPUS has a column `text` (and `name`): real documents, such as the pages of Debian's documentation
packages. datatrove itself runs (`pip install datatrove spacy jieba sudachipy sudachidict_core`),
with its default splitter on English documents and with one that splits at white space on all; of
the other toolkits, whose packages pin what this project does not share, the plain definitions in
`llm_data_assets_tests/parity/toolkits.py`, on English documents. FineWeb-2's rule sets are compared
on the corpus's documents of their language, as many as `--foreign` says, by the words found here
and by datatrove's own splitter. For each rule set: how many documents both keep, both drop, and one
keeps alone, with the rules behind it and samples.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from llm_data_assets.text.language import detect
from llm_data_assets_tests.parity.judging import failing_rules
from llm_data_assets_tests.parity.peers import datatrove_keeps, fineweb2_keeps
from llm_data_assets_tests.parity.toolkits import TOOLKITS

_WIDTHS = (34, 10, 10, 10, 10, 12, 11)
_SAMPLES = 3
# FineWeb-2's names of the languages, and this project's.
_FINEWEB2 = {
    "deu_Latn": "de", "fra_Latn": "fr", "ita_Latn": "it", "por_Latn": "pt", "spa_Latn": "es",
    "vie_Latn": "vi", "rus_Cyrl": "ru", "arb_Arab": "ar", "kor_Hang": "ko", "cmn_Hani": "zh",
    "jpn_Jpan": "ja", "tha_Thai": "th",
}  # fmt: skip


def main() -> None:
    options = _options()
    table = pq.read_table(options.corpus)
    if "name" not in table.schema.names:
        table = table.append_column("name", pa.array(map(str, range(table.num_rows))))
    languages, _ = detect(table["text"].combine_chunks())
    table = table.append_column("language", languages)
    rows = _every(table, options.every, options.documents)
    english = rows.filter(pc.equal(rows["language"], "en"))
    size = pc.sum(pc.binary_length(rows["text"])).as_py() / 1e6
    print(f"{rows.num_rows} documents, {size:.1f} MB, {english.num_rows} of them English\n")
    _line(
        "rule set", "documents", "both keep", "both drop", "only ours", "only theirs", "agreement"
    )
    differences: list[str] = []
    for label, name, theirs, by_space in _comparisons():
        differences += _compare(label, name, rows if by_space else english, theirs, by_space)
    differences += _compare_fineweb2(table, options.foreign)
    print("\nwhere they differ (document: rules failed here | there)")
    print("\n".join(differences))


def _comparisons() -> Iterator[tuple[str, str, Callable[[str], list[str]], bool]]:
    """(label, rule set, the toolkit's failing rules, whether words stand between spaces)."""
    for name in ("gopher@datatrove", "fineweb"):
        filters = name.removesuffix("@datatrove")
        yield name, name, datatrove_keeps(filters, "spacy"), False
        yield f"{name}, words by space", name, datatrove_keeps(filters, "space"), True
    for name, keeps in TOOLKITS.items():
        yield name, name, keeps, False


def _compare_fineweb2(table: pa.Table, most: int) -> list[str]:
    differences = []
    for config, language in _FINEWEB2.items():
        rows = table.filter(pc.equal(table["language"], language))
        if not rows.num_rows:
            continue
        rows = _every(rows, max(1, rows.num_rows // most), most)
        name = f"fineweb2/{config}"
        for label, words in ((f"{name}, words as here", "here"), (name, "own")):
            theirs = fineweb2_keeps(config, language, words)
            try:
                differences += _compare(label, name, rows, theirs, words == "here", language)
            except ImportError as missing:
                print(f"{label}: not compared, {str(missing).splitlines()[0]}", flush=True)
    return differences


def _every(table: pa.Table, step: int, most: int) -> pa.Table:
    return table.take(list(range(0, table.num_rows, step))[:most])


def _compare(
    label: str,
    name: str,
    rows: pa.Table,
    theirs: Callable[[str], list[str]],
    by_space: bool,
    language: str = "en",
) -> list[str]:
    texts = rows["text"].combine_chunks()
    ours = failing_rules(name, texts, tokens=not by_space, language=language)
    counts: Counter[tuple[bool, bool]] = Counter()
    why: Counter[str] = Counter()
    samples = []
    for document, text, failed in zip(rows["name"].to_pylist(), texts, ours, strict=True):
        other = theirs(text.as_py())
        counts[not failed, not other] += 1
        if bool(failed) != bool(other):
            why[(failed or other)[0]] += 1
            samples.append(f"    {document}: {_joined(failed)} | {_joined(other)}")
    alike = (counts[True, True] + counts[False, False]) / max(1, len(texts))
    _line(
        label, len(texts), counts[True, True], counts[False, False], counts[True, False],
        counts[False, True], f"{alike:.2%}",
    )  # fmt: skip
    reasons = _joined([f"{rule} {n}" for rule, n in why.most_common(6)])
    return [f"  {label}: {reasons}", *samples[:_SAMPLES]]


def _joined(names: list[str]) -> str:
    return ", ".join(names) or "-"


def _line(*cells: Any) -> None:
    first, *rest = zip(cells, _WIDTHS, strict=True)
    print(
        f"{first[0]:{first[1]}}" + "".join(f"{cell:>{width}}" for cell, width in rest), flush=True
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--every", type=int, default=7, help="take every nth document")
    parser.add_argument("--foreign", type=int, default=400, help="documents of each language")
    return parser.parse_args()


if __name__ == "__main__":
    main()
