"""The Filter lab's arithmetic: what a moved bound keeps, from a few columns of a million rows.

For each measured document the number of rules that drop it is counted once. Moving a rule changes
that number by what the rule said and what it says now, so a move reads the rule's own signal and
nothing else; what it answers is what `stages/what_if.py` answers.
"""

import math
import os
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from llm_data_assets.config.pipeline import Rule
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import literal, quote, rows
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import RAW_CORPUS, quality_signals
from llm_data_assets.stages.filter_rules import rules_of
from llm_data_assets.text.licenses import NO_LICENSE
from llm_data_assets.text.rules import fails

Row = dict[str, Any]
# Its columns are read from its files: importing the signals would bring every kernel along.
_SIGNALS = quality_signals(pa.schema([]))
_OF_THE_DOCUMENT = ("license", "url", "title")
_NOT_SIGNALS = frozenset((*_OF_THE_DOCUMENT, "source", "domain"))
_SAMPLED = 20_000  # rows that the ends of a slider are read from
_NEAR = 8  # documents shown at a moved bound


# Of each of the studio's two connections; what does not fit goes to the machine's temporary folder.
LIMITS = {
    "memory_limit": "96MB",
    "temp_directory": str(Path(tempfile.gettempdir()) / f"llm-data-studio-{os.getpid()}"),
    "max_temp_directory_size": "4GB",
}


class Lab:
    """Counts of failing rules for every measured document of a workspace, as they are now."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._made_from: object = None
        self._connection = duckdb.connect(config={**LIMITS})

    def open(self) -> "Lab":
        """Count again if the signals or the rules changed.

        Raises:
            FileNotFoundError: no document has been measured yet.
        """
        with self._lock:
            lake = Lake(self._workspace.home / "lake")
            self.rules = rules_of(self._workspace)
            files = {s: lake.files(_SIGNALS, {"source": s}) for s in self._workspace.sources}
            self._files = [str(file) for found in files.values() for file in found]
            if not self._files:
                raise FileNotFoundError(
                    "no document has been measured yet. Try: llm-data run --to quality_signals"
                )
            made_from = (self._files, self.rules)
            if made_from != self._made_from:
                self._columns = self._read_columns()
                self._count(lake, files)
                self._ranges = self._read_ranges()
                self._made_from = made_from
        return self

    def _count(self, lake: Lake, files: dict[str, list[Path]]) -> None:
        """`counted`: one row a document, in the order of the files and of their rows."""
        failing = " + ".join(
            f"({fails(rule, self._columns)})::TINYINT"
            for rule in self.rules
            if rule.action == "drop"
        )
        named = {n for rule in self.rules for n in (rule.signal, *rule.when, *rule.unless)}
        own = sorted(named & set(_OF_THE_DOCUMENT))
        self._connection.execute(
            "CREATE OR REPLACE TABLE counted "
            '(source UTINYINT, failing TINYINT, file USMALLINT, "row" UINTEGER)'
        )
        first = 0
        for number, (source, found) in enumerate(files.items()):
            if not found:
                continue
            relation = f"read_parquet({_listed(found)}, filename = true, file_row_number = true)"
            if own:
                raw = _listed(lake.files(RAW_CORPUS, {"source": source}))
                relation += (
                    f" JOIN (SELECT doc_id, {', '.join(_own(name) for name in own)} "
                    f"FROM read_parquet({raw})) USING (doc_id)"
                )
            self._connection.execute(
                f"INSERT INTO counted SELECT {number}, ({failing or '0'})::TINYINT, "
                f"{first - 1} + list_position({_listed(found)}, filename) AS file, "
                f"file_row_number FROM (SELECT *, {literal(source)} AS source, "
                f"{literal(self._domain(source))} AS domain FROM {relation}) "
                "ORDER BY file, file_row_number"
            )
            first += len(found)

    def _read_columns(self) -> dict[str, str]:
        """Everything that a rule can name, with its DuckDB type."""
        described = self._connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet({literal(self._files[0])}, "
            "hive_partitioning = false)"
        ).fetchall()
        text = dict.fromkeys((*_OF_THE_DOCUMENT, "source", "domain"), "VARCHAR")
        return {name: kind for name, kind, *_ in described} | text

    def _domain(self, source: str) -> str:
        return self._workspace.catalog.model.sources[source].domain

    def sliders(self) -> list[Row]:
        """Every bound that can be moved: rule, bound, value, and the ends and step of its range."""
        found = []
        for rule in self.rules:
            for bound in ("min", "max"):
                value = getattr(rule, bound)
                if value is None or rule.action != "drop":
                    continue
                low, high = self._ranges[rule.signal]
                high = max(high, value * 1.5)
                whole = self._columns[rule.signal] in ("BIGINT", "INTEGER")
                step = 1 if whole else float(f"{max((high - low) / 200, 1e-6):.0e}")
                # A browser rounds to steps from the low end: the bound as it is must be one.
                low = value - step * math.ceil(max(value - low, 0) / step)
                found.append(
                    {"name": f"{rule.name}.{bound}", "rule": rule.name, "signal": rule.signal,
                     "sign": "≥" if bound == "min" else "≤", "value": value, "step": step,
                     "low": int(low) if whole else round(low, 9),
                     "high": int(high + 1) if whole else round(high, 9)}
                )  # fmt: skip
        return found

    def _read_ranges(self) -> dict[str, tuple[float, float]]:
        """Between which values 98 in 100 sampled documents lie, for each signal with a bound."""
        signals = sorted(
            {r.signal for r in self.rules if r.min is not None or r.max is not None}
            & (set(self._columns) - set(_OF_THE_DOCUMENT))
        )
        if not signals:
            return {}
        parts = ", ".join(
            f"coalesce(quantile_disc({quote(name)}, [0.01, 0.99])::DOUBLE[], [0, 1])"
            for name in signals
        )
        shown = ", ".join(map(quote, signals))
        told = self._connection.execute(
            f"SELECT {parts} FROM (SELECT {shown} FROM read_parquet({_listed(self._files)}) "
            f"USING SAMPLE reservoir({_SAMPLED} ROWS) REPEATABLE (1))"
        ).fetchone()
        return {name: (low, high) for name, (low, high) in zip(signals, told or (), strict=True)}

    def moved(self, changes: dict[str, float]) -> list[Rule]:
        """The rules under `rule.bound` -> value; what names no bound of a rule is passed over.

        Raises:
            ValueError: a bound that cannot be.
        """
        found = []
        for rule in self.rules:
            new = {
                bound: changes[f"{rule.name}.{bound}"]
                for bound in ("min", "max")
                if f"{rule.name}.{bound}" in changes and getattr(rule, bound) is not None
            }
            found.append(Rule.model_validate({**rule.model_dump(), **new}) if new else rule)
        return found

    def survivors(self, then: Sequence[Rule]) -> list[Row]:
        """By source: documents and characters kept under the rules now, and under `then`."""
        return self._ask(
            f"""SELECT source, count(*) AS documents,
                   count(*) FILTER (failing = 0) AS kept_now,
                   count(*) FILTER (failing + delta = 0) AS kept_then,
                   coalesce(sum(ccnet_length) FILTER (failing = 0), 0)::BIGINT AS characters_now,
                   coalesce(sum(ccnet_length) FILTER (failing + delta = 0), 0)::BIGINT
                       AS characters_then
            FROM ({self._with_delta(then)}) GROUP BY source ORDER BY source"""
        )

    def boundary(self, then: Sequence[Rule]) -> list[Row]:
        """For each moved rule the documents nearest to its new bound, with where they lie."""
        found: list[Row] = []
        for rule, old in zip(then, self.rules, strict=True):
            if rule == old:
                continue
            bounds = [
                value
                for value, before in ((rule.min, old.min), (rule.max, old.max))
                if value is not None and value != before
            ]
            far = " , ".join(f"abs({quote(rule.signal)} - {value!r})" for value in bounds)
            found += self._ask(
                f"""SELECT {literal(rule.name)} AS rule, {quote(rule.signal)} AS value, file, "row",
                       failing = 0 AS kept_now, failing + delta = 0 AS kept_then
                FROM ({self._with_delta(then)}) WHERE {quote(rule.signal)} IS NOT NULL
                ORDER BY least({far}), file, "row" LIMIT {_NEAR}"""
            )
        return self._with_texts(found)

    def _with_delta(self, then: Sequence[Rule]) -> str:
        """Each document's count beside how it changes; both relations are in the files' order."""
        moved = [(rule, old) for rule, old in zip(then, self.rules, strict=True) if rule != old]
        delta = " + ".join(
            f"(({fails(rule, self._columns)})::TINYINT - ({fails(old, self._columns)})::TINYINT)"
            for rule, old in moved
        )
        named = {n for rule, _ in moved for n in (rule.signal, *rule.when, *rule.unless)}
        read = sorted(named.intersection(self._columns).difference(_NOT_SIGNALS) | {"ccnet_length"})
        sources = " ".join(
            f"WHEN {number} THEN {literal(source)}"
            for number, source in enumerate(self._workspace.sources)
        )
        domains = " ".join(
            f"WHEN {number} THEN {literal(self._domain(source))}"
            for number, source in enumerate(self._workspace.sources)
        )
        return (
            f"SELECT *, ({delta or '0'})::TINYINT AS delta FROM ("
            f"SELECT CASE counted.source {sources} END AS source, "
            f'CASE counted.source {domains} END AS domain, failing, file, "row", '
            f"{', '.join(f'signals.{quote(name)}' for name in read)} FROM counted POSITIONAL JOIN "
            f"(SELECT {', '.join(map(quote, read))} FROM read_parquet({_listed(self._files)})) "
            "AS signals)"
        )

    def _with_texts(self, found: list[Row]) -> list[Row]:
        """Names and beginnings of the documents, read from the few shards that hold them."""
        lake = Lake(self._workspace.home / "lake")
        for number in {row["file"] for row in found}:
            file = Path(self._files[number])
            wanted = [row for row in found if row["file"] == number]
            places = ", ".join(str(row["row"]) for row in wanted)
            names = self._ask(
                f'SELECT doc_id, file_row_number AS "row" FROM read_parquet({literal(str(file))}, '
                f"file_row_number = true) WHERE file_row_number IN ({places})"
            )
            by_row = {each["row"]: each["doc_id"] for each in names}
            source = lake.partition_of(_SIGNALS, file)["source"]
            shard = file.name.split("-")[0]
            raw = [
                path
                for path in lake.files(RAW_CORPUS, {"source": source})
                if path.name.split("-")[0] == shard
            ]
            listed = ", ".join(map(literal, by_row.values()))
            texts = (
                self._ask(
                    f"SELECT doc_id, left(text, 400) AS text FROM read_parquet({_listed(raw)}) "
                    f"WHERE doc_id IN ({listed})"
                )
                if raw
                else []
            )
            by_name = {each["doc_id"]: each["text"] for each in texts}
            for row in wanted:
                row["doc_id"] = by_row[row["row"]]
                row["text"] = by_name.get(row["doc_id"], "")
        return found

    def _ask(self, sql: str) -> list[Row]:
        # One question at a time: a slider that is dragged asks many, and memory is shared.
        with self._lock, self._connection.cursor() as cursor:
            return rows(cursor, sql)


def _own(name: str) -> str:
    if name == "license":
        return f"coalesce(license, {literal(NO_LICENSE)}) AS license"
    return quote(name)


def _listed(files: Sequence[Path] | Sequence[str]) -> str:
    return f"[{', '.join(literal(str(file)) for file in files)}]"
