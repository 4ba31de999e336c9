"""The Filter lab's arithmetic: what a moved bound keeps, from a few columns of a million rows.

For each measured document the number of rules that drop it is counted once. Moving a rule changes
that number by what the rule said and what it says now, so a move reads the rule's own signal and
nothing else, and reads it from its files once; what it answers is what `stages/what_if.py` answers.
"""

import math
import os
import tempfile
import threading
from bisect import bisect
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.pipeline import Rule
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import literal, quote, rows
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import RAW_CORPUS, quality_signals
from llm_data_assets.stages.filter_rules import rules_of
from llm_data_assets.text.licenses import NO_LICENSE
from llm_data_assets.text.rules import applies, fails

Row = dict[str, Any]
# Its columns are read from its files: importing the signals would bring every kernel along.
_SIGNALS = quality_signals(pa.schema([]))
_OF_THE_DOCUMENT = ("license", "url", "title")
_HIVE = "hive_partitioning = true, hive_types = {source: VARCHAR}"
_SAMPLED = 20_000  # rows that the ends of a slider are read from
_NEAR = 8  # documents shown at a moved bound
_HELD = 6  # rules whose values are kept as they were read; the least lately moved one's go

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
        self._counted_ahead = False
        self._connection = duckdb.connect(config={**LIMITS})
        # A long IN would be a join, after which the rows of several files stand in no order.
        self._connection.execute("SET disabled_optimizers = 'in_clause'")
        # Columns of small numbers: in a fifth of their space.
        self._connection.execute("ATTACH ':memory:' AS lab (COMPRESS)")
        self._held: list[str] = []

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
                self._by_source = files
                self._columns = self._read_columns()
                self._let_go(self._held)
                self._count()
                self._firsts = self._read_firsts()
                self._ranges = self._read_ranges()
                self._made_from = made_from
        return self

    def count_ahead(self) -> None:
        """What the first opening would wait for, done before; what is in the way is said there."""
        if not self._counted_ahead:
            self._counted_ahead = True
            with suppress(FileNotFoundError, ConfigError, duckdb.Error):
                self.open()

    def _count(self) -> None:
        """`counted`: one row a document, in the order of the files and of their rows."""
        dropping = [rule for rule in self.rules if rule.action == "drop"]
        failing = " + ".join(f"({fails(rule, self._columns)})::TINYINT" for rule in dropping)
        number = _by_source({name: str(at) for at, name in enumerate(self._by_source)})
        self._read(
            "counted",
            {"source": "UTINYINT", "failing": "TINYINT", "length": "INTEGER"},
            f"{number}, {failing or '0'}, ccnet_length",
            dropping,
        )

    def _read(self, table: str, columns: Row, select: str, rules: Sequence[Rule]) -> None:
        """A table of the lab from the files of every source, in the order of their rows.

        Args:
            table: its name; a table of that name goes.
            columns: name -> DuckDB type.
            select: of all that `rules` name, and the document's `source`.
            rules: what they name of the document itself is joined.
        """
        named = {n for rule in rules for n in (rule.signal, *rule.when, *rule.unless)}
        own = ", ".join(_own(name) for name in sorted(named & set(_OF_THE_DOCUMENT)))
        typed = ", ".join(f"{quote(name)} {kind}" for name, kind in columns.items())
        self._connection.execute(f"CREATE OR REPLACE TABLE lab.{quote(table)} ({typed})")
        # At once, on every core; by source where documents are joined, whose rows are put in order.
        for source, found in self._by_source.items() if own else [("", self._files)]:
            if not found:
                continue
            options, joined, order = _HIVE, "", ""
            if own:
                options += ", filename = true, file_row_number = true"
                raw = Lake(self._workspace.home / "lake").files(RAW_CORPUS, {"source": source})
                joined = (
                    f"LEFT JOIN (SELECT doc_id, {own} FROM read_parquet({_listed(raw)})) "
                    "USING (doc_id)"
                )
                order = f"ORDER BY list_position({_listed(found)}, filename), file_row_number"
            self._connection.execute(
                f"INSERT INTO lab.{quote(table)} SELECT {select} FROM "
                f"(SELECT *, {self._domain_sql()} AS domain "
                f"FROM read_parquet({_listed(found)}, {options}) {joined}) {order}"
            )
        self._connection.execute("CHECKPOINT lab")  # compresses

    def _domain_sql(self) -> str:
        sources = self._workspace.catalog.model.sources
        return _by_source({name: literal(sources[name].domain) for name in self._by_source})

    def _read_firsts(self) -> list[int]:
        """At which row of `counted` each file begins."""
        told = self._connection.execute(
            f"SELECT file_name, num_rows FROM parquet_file_metadata({_listed(self._files)})"
        ).fetchall()
        n_rows = dict(told)
        return [0, *accumulate(n_rows[file] for file in self._files)][:-1]

    def _hold(self, rules: Sequence[Rule]) -> None:
        """The values that each rule looks at as a table of its name: null where it does not."""
        for rule in rules:
            if rule.name not in self._held:
                value = f"CASE WHEN {applies(rule)} THEN {quote(rule.signal)} END"
                self._read(rule.name, {rule.name: "DOUBLE"}, value, [rule])
        names = [rule.name for rule in rules]
        self._held = [name for name in self._held if name not in names] + names
        self._let_go(self._held[: -max(_HELD, len(names))])

    def _let_go(self, names: Sequence[str]) -> None:
        for name in list(names):
            self._connection.execute(f"DROP TABLE lab.{quote(name)}")
            self._held.remove(name)

    def _read_columns(self) -> dict[str, str]:
        """Everything that a rule can name, with its DuckDB type."""
        described = self._connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet({literal(self._files[0])}, "
            "hive_partitioning = false)"
        ).fetchall()
        text = dict.fromkeys((*_OF_THE_DOCUMENT, "source", "domain"), "VARCHAR")
        return {name: kind for name, kind, *_ in described} | text

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
        found = self._ask_moved(
            then,
            """SELECT number, count(*) AS documents,
                   count(*) FILTER (failing = 0) AS kept_now,
                   count(*) FILTER (failing + delta = 0) AS kept_then,
                   coalesce(sum(length) FILTER (failing = 0), 0)::BIGINT AS characters_now,
                   coalesce(sum(length) FILTER (failing + delta = 0), 0)::BIGINT
                       AS characters_then
            FROM moved GROUP BY number""",
        )
        sources = list(self._workspace.sources)
        named = [{"source": sources[row.pop("number")], **row} for row in found]
        return sorted(named, key=lambda row: row["source"])

    def boundary(self, then: Sequence[Rule]) -> list[Row]:
        """For each moved rule the documents nearest to its new bound, with their texts."""
        found: list[Row] = []
        for rule, old in zip(then, self.rules, strict=True):
            if rule == old:
                continue
            value = quote(rule.name)
            found += self._ask_moved(
                then,
                f"""SELECT {literal(rule.name)} AS rule, {value} AS value, place,
                       failing = 0 AS kept_now, failing + delta = 0 AS kept_then
                FROM moved WHERE {value} IS NOT NULL
                ORDER BY {_distance(rule, old, value)}, place LIMIT {_NEAR}""",
            )
        return self._with_texts(found)

    def survivors_sql(self, then: Sequence[Rule]) -> str:
        """A SELECT over the catalog's tables that gives what `survivors` does, from the start."""
        ways = {"now": self.rules, "later": then}
        failing = ",\n       ".join(
            " + ".join(
                f"({fails(rule, self._columns)})::TINYINT"
                for rule in rules
                if rule.action == "drop"
            )
            + f" AS {name}"
            for name, rules in ways.items()
        )
        return f"""SELECT source, count(*) AS documents,
       count(*) FILTER ("now" = 0) AS kept_now, count(*) FILTER (later = 0) AS kept_then,
       coalesce(sum(ccnet_length) FILTER ("now" = 0), 0)::BIGINT AS characters_now,
       coalesce(sum(ccnet_length) FILTER (later = 0), 0)::BIGINT AS characters_then
FROM (SELECT source, ccnet_length,
       {failing.replace(" AS now", ' AS "now"')}
FROM {self._measured_sql()}) GROUP BY source ORDER BY source"""

    def boundary_sql(self, then: Sequence[Rule]) -> str:
        """A SELECT over the catalog's tables that gives the documents of `boundary`."""
        parts = [
            f"""(SELECT {literal(rule.name)} AS rule, {quote(rule.signal)} AS value, doc_id
FROM {self._measured_sql()}
WHERE {applies(rule)} AND {quote(rule.signal)} IS NOT NULL
ORDER BY {_distance(rule, old, quote(rule.signal))}, doc_id LIMIT {_NEAR})"""
            for rule, old in zip(then, self.rules, strict=True)
            if rule != old
        ]
        return "\nUNION ALL\n".join(parts)

    def _measured_sql(self) -> str:
        """quality_signals with what else the rules name, in parentheses."""
        named = {n for rule in self.rules for n in (rule.signal, *rule.when, *rule.unless)}
        own = ", ".join(_own(name) for name in sorted(named & set(_OF_THE_DOCUMENT)))
        domain = f", {self._domain_sql()} AS domain" if "domain" in named else ""
        joined = (
            f" JOIN (SELECT source, doc_id, {own} FROM raw_corpus) USING (source, doc_id)"
            if own
            else ""
        )
        return f"(SELECT *{domain} FROM quality_signals{joined})"

    def _ask_moved(self, then: Sequence[Rule], select: str) -> list[Row]:
        """The rows of a SELECT over `moved`: each document's count beside how it changes.

        `moved` has the columns number (of the source), failing, length, place (in `counted`),
        delta, and the value of each moved rule under its name.
        """
        moved = [(rule, old) for rule, old in zip(then, self.rules, strict=True) if rule != old]
        delta = " + ".join(
            f"({_fails_held(rule)}::TINYINT - {_fails_held(old)}::TINYINT)" for rule, old in moved
        )
        names = [quote(rule.name) for rule, _ in moved]
        columns = "".join(f", {name}.{name}" for name in names)
        joined = "".join(f" POSITIONAL JOIN lab.{name}" for name in names)
        # One question at a time: a slider that is dragged asks many, and memory is shared.
        with self._lock, self._connection.cursor() as cursor:
            self._hold([rule for rule, _ in moved])
            return rows(
                cursor,
                f"WITH documents AS (SELECT counted.source AS number, failing, length, "
                f"counted.rowid AS place{columns} FROM lab.counted{joined}), moved AS "
                f"(SELECT *, ({delta or '0'})::TINYINT AS delta FROM documents) {select}",
            )

    def _with_texts(self, found: list[Row]) -> list[Row]:
        """Names and beginnings of the documents, read from the few shards that hold them."""
        lake = Lake(self._workspace.home / "lake")
        files = [bisect(self._firsts, row["place"]) - 1 for row in found]
        for number in sorted(set(files)):
            file, first = Path(self._files[number]), self._firsts[number]
            wanted = [row for row, place in zip(found, files, strict=True) if place == number]
            numbers = ", ".join(str(row["place"] - first) for row in wanted)
            names = self._ask(
                f'SELECT doc_id, file_row_number AS "row" FROM read_parquet({literal(str(file))}, '
                f"file_row_number = true) WHERE file_row_number IN ({numbers})"
            )
            by_row = {first + each["row"]: each["doc_id"] for each in names}
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
                if raw and source not in self._workspace.hidden
                else []
            )
            by_name = {each["doc_id"]: each["text"] for each in texts}
            for row in wanted:
                row["doc_id"] = by_row[row.pop("place")]
                row["text"] = by_name.get(row["doc_id"], "")
        return found

    def _ask(self, sql: str) -> list[Row]:
        with self._lock, self._connection.cursor() as cursor:
            return rows(cursor, sql)


def _distance(rule: Rule, old: Rule, value: str) -> str:
    """How far a value is from the nearest bound that moved, as SQL."""
    moved = [
        f"abs({value} - {bound!r})"
        for bound, before in ((rule.min, old.min), (rule.max, old.max))
        if bound is not None and bound != before
    ]
    return f"least({', '.join(moved)})"


def _fails_held(rule: Rule) -> str:
    """The condition under which a held value fails its rule: where it is null, none does."""
    bare = rule.model_copy(update={"signal": rule.name, "when": {}, "unless": {}})
    return fails(bare, {rule.name: "DOUBLE"})


def _own(name: str) -> str:
    if name == "license":
        return f"coalesce(license, {literal(NO_LICENSE)}) AS license"
    return quote(name)


def _by_source(values: Mapping[str, str]) -> str:
    """A value that depends on the source, as SQL."""
    cases = " ".join(f"WHEN {literal(name)} THEN {value}" for name, value in values.items())
    return f"CASE source {cases} END"


def _listed(files: Sequence[Path] | Sequence[str]) -> str:
    return f"[{', '.join(literal(str(file)) for file in files)}]"
