"""Rule sets beside the toolkits they are named after: same documents, same run.

    python benchmarks/parity.py CORPUS.parquet [--documents 3000] [--every 7]

CORPUS has a column `text` (and `name`): real documents, such as the files of Debian's documentation
packages. datatrove itself runs (`pip install datatrove spacy`), with its default splitter and with
one that splits at white space; of the other toolkits, whose packages pin what this project does not
share, the plain definitions in `llm_data_assets_tests/parity/toolkits.py`. For each rule set: how
many documents both keep, both drop, and one keeps alone, with the rules behind it and a sample.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from llm_data_assets.config.pipeline import Rule
from llm_data_assets.text.language import detect
from llm_data_assets.text.rules import compile_rules, load_ruleset
from llm_data_assets.text.signals import SIGNALS, measure, measure_array
from llm_data_assets_tests.parity.peers import datatrove_keeps
from llm_data_assets_tests.parity.toolkits import TOOLKITS

COLUMNS = {signal.name: str(signal.dtype) for signal in SIGNALS} | {"language": "string"}


def main() -> None:
    options = _options()
    table = pq.read_table(options.corpus).slice(0)
    rows = table.take(list(range(0, table.num_rows, options.every))[: options.documents])
    texts = rows["text"].combine_chunks()
    names = (
        rows["name"].to_pylist()
        if "name" in rows.schema.names
        else list(map(str, range(len(texts))))
    )
    languages, scores = detect(texts)
    english = pa.compute.equal(languages, "en")
    print(
        f"{len(texts)} documents, {sum(map(len, texts.to_pylist())) / 1e6:.1f} M characters, "
        f"{pa.compute.sum(english).as_py()} English\n"
    )
    print(
        f"{'rule set':34}{'documents':>10}{'both keep':>10}{'both drop':>10}{'only ours':>10}"
        f"{'only theirs':>12}{'agreement':>11}"
    )
    samples: list[str] = []
    for name, theirs, tokens, only_english in _comparisons():
        chosen = texts.filter(english) if only_english else texts
        of = pa.array(names).filter(english).to_pylist() if only_english else names
        kept_languages = languages.filter(english) if only_english else languages
        kept_scores = scores.filter(english) if only_english else scores
        ours = _judge(name, chosen, kept_languages, kept_scores, tokens)
        label = name if tokens or "words" not in name else name
        samples += _compare(
            label + ("" if tokens else ", words by space"), of, chosen.to_pylist(), ours, theirs
        )
    print("\nwhere they differ (document: rules failed here | there)")
    print("\n".join(samples))


def _comparisons() -> list[tuple[str, Callable[[str], list[str]], bool, bool]]:
    """(rule set, the toolkit's failing rules, tokens as spaCy has them, English alone)."""
    found = [
        ("gopher@datatrove", datatrove_keeps("gopher", "spacy"), True, True),
        ("gopher@datatrove", datatrove_keeps("gopher", "space"), False, False),
        ("fineweb", datatrove_keeps("fineweb", "spacy"), True, True),
        ("fineweb", datatrove_keeps("fineweb", "space"), False, False),
    ]
    return found + [(name, keeps, True, True) for name, keeps in TOOLKITS.items()]


def _judge(
    name: str, texts: pa.Array, languages: pa.Array, scores: pa.Array, tokens: bool
) -> list[list[str]]:
    signals = measure(texts, languages, language_scores=scores)
    rows = pa.table(dict(zip(signals.schema.names, signals.columns, strict=True)))
    if not tokens:
        values = measure_array(texts, ["en"] * len(texts), tokens=False)
        from llm_data_assets.text.signals import MEASURED_NAMES

        for index, column in enumerate(MEASURED_NAMES):
            place = rows.schema.get_field_index(column)
            rows = rows.set_column(place, column, pa.array(values[:, index]))
    rows = rows.append_column("doc_id", pa.array(range(len(texts)))).append_column(
        "language", languages
    )
    rules = [Rule.model_validate(each) for each in load_ruleset(name)]
    rules = [rule for rule in rules if "language" not in rule.name]
    connection = duckdb.connect()
    connection.register("rows", rows)
    found = connection.sql(compile_rules(rules, COLUMNS, relation="rows") + " ORDER BY doc_id")
    return [
        [each["name"] for each in row["failures"]] for row in found.to_arrow_table().to_pylist()
    ]


def _compare(
    name: str,
    names: list[str],
    texts: list[str],
    ours: list[list[str]],
    theirs: Callable[[str], list[str]],
) -> list[str]:
    counts: Counter[tuple[bool, bool]] = Counter()
    samples = []
    why: Counter[str] = Counter()
    for document, text, failed in zip(names, texts, ours, strict=True):
        other = theirs(text)
        counts[not failed, not other] += 1
        if bool(failed) != bool(other):
            why[(failed or other)[0]] += 1
            samples.append(
                f"    {document}: {', '.join(failed) or '-'} | {', '.join(other) or '-'}"
            )
    agreement = (counts[True, True] + counts[False, False]) / max(1, len(texts))
    print(
        f"{name:34}{len(texts):10}{counts[True, True]:10}{counts[False, False]:10}{counts[True, False]:10}{counts[False, True]:12}{agreement:11.2%}",
        flush=True,
    )
    head = f"  {name}: {', '.join(f'{rule} {n}' for rule, n in why.most_common(6)) or 'none'}"
    return [head, *samples[:3]]


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--every", type=int, default=7, help="take every nth document")
    return parser.parse_args()


if __name__ == "__main__":
    main()
