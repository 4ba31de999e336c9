"""Rules: named predicates over signals, compiled to one DuckDB SELECT."""

import difflib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from llm_data_assets.config.pipeline import Rule
from llm_data_assets.lake.catalog import literal, quote

_FAILURE = (
    "STRUCT(name VARCHAR, kept BOOLEAN, position SMALLINT, value DOUBLE, threshold DOUBLE, "
    "detail VARCHAR)"
)
_ALWAYS = "true"
_NO_VERDICT = (
    "false AS kept, '' AS reason, 0::SMALLINT AS position, 0::DOUBLE AS value, "
    "0::DOUBLE AS threshold, '' AS detail"
)
_TEXT_TYPES = ("string", "VARCHAR")


def compile_rules(rules: Sequence[Rule], columns: Mapping[str, str], *, relation: str) -> str:
    """One SELECT over `relation` that decides about every row.

    It gives `doc_id`, `kept`, `reason` (the first failing rule that drops; null if kept) and
    `failures`: every failing rule in order, with value and threshold. Position 0 is the failure
    that decides: rules that drop come before rules that flag.

    A null value fails neither `min`, `max` nor `none_of`, and fails `one_of`.

    Args:
        rules: in order.
        columns: what `relation` has beside doc_id, name -> type ("string" marks text).
        relation: a table name or a parenthesised SELECT.

    Raises:
        ValueError: a rule names a column that is not there, or bounds that do not fit its type.
    """
    ordered = sorted(rules, key=lambda rule: rule.action == "flag")
    cases = [_failure(rule, columns) for rule in ordered]
    failures = f"[{', '.join(cases)}]" if cases else f"CAST([] AS {_FAILURE}[])"
    return f"""
        SELECT doc_id, len(dropping) = 0 AS kept, dropping[1].name AS reason,
               list_transform(failing, lambda f, i: struct_pack(
                   name := f.name, kept := f.kept, position := CAST(i - 1 AS SMALLINT),
                   value := f.value, threshold := f.threshold, detail := f.detail)) AS failures
        FROM (
            SELECT doc_id, failing, list_filter(failing, lambda f: NOT f.kept) AS dropping
            FROM (SELECT doc_id, list_filter({failures}, lambda f: f IS NOT NULL) AS failing
                  FROM {relation})
        )"""


def compile_reasons(
    rules: Sequence[Rule], columns: Mapping[str, str], *, relation: str, name: str = "reason"
) -> str:
    """One SELECT over `relation`: its columns and the first rule that drops each row, null if kept.

    The same decisions as `compile_rules`, without values and thresholds, at a tenth of its cost.
    """
    dropping = [rule for rule in rules if rule.action == "drop"]
    applying, asked = _applying(dropping)
    cases = " ".join(
        f"WHEN {_fails_or_null(rule, columns, applying)} THEN {literal(rule.name)}"
        for rule in dropping
    )
    shown = f"* EXCLUDE ({', '.join(applying.values())})" if applying else "*"
    return f"""SELECT {shown}, {f"CASE {cases} END" if cases else "NULL"} AS {quote(name)}
        FROM (SELECT *{asked} FROM {relation})"""


def compile_verdicts(
    rules: Sequence[Rule], columns: Mapping[str, str], *, relation: str, group: str
) -> str:
    """One SELECT over `relation` with a row for each rule that a document fails.

    The decisions of `compile_rules`, as the table `verdicts` has them: `doc_id`, `kept` (whether no
    rule drops the document), `reason`, `position`, `value`, `threshold` and `detail`, after the
    column `group`, in the order of group, doc_id and position. Rules are evaluated a column at a
    time, and lists are not made, which is several times as fast.

    Raises:
        ValueError: as `compile_rules`.
    """
    ordered = sorted(rules, key=lambda rule: rule.action == "flag")
    applying, asked = _applying(ordered)
    conditions = [_fails_or_null(rule, columns, applying) for rule in ordered]
    failing = [f"coalesce({each}, false) AS fails_{k}" for k, each in enumerate(conditions)]
    dropping = [f"fails_{k}" for k, rule in enumerate(ordered) if rule.action == "drop"]
    if not ordered:
        return f"SELECT {group}, doc_id, {_NO_VERDICT} FROM {relation} WHERE false"
    numbers = range(len(ordered))
    failed = ", ".join(f"fails_{k}" for k in numbers)
    value, threshold, detail = (
        _by_rule(cases)
        for cases in zip(*(_value_columns(rule, columns) for rule in ordered), strict=True)
    )
    return f"""
        WITH asked AS (
            SELECT *, {", ".join(failing)} FROM (SELECT *{asked} FROM {relation})
            WHERE {" OR ".join(f"({each})" for each in conditions)}
        ),
        judged AS (
            SELECT *, {" OR ".join(dropping) or "false"} AS is_dropped,
                   list_where([{", ".join(map(str, numbers))}], [{failed}]) AS failing
            FROM asked
        ),
        listed AS (
            SELECT *, unnest(failing) AS rule, unnest(range(len(failing))) AS place FROM judged
        )
        SELECT {group}, doc_id, NOT is_dropped AS kept,
               [{", ".join(literal(rule.name) for rule in ordered)}][rule + 1] AS reason,
               CAST(place AS SMALLINT) AS position, CAST({value} AS DOUBLE) AS value,
               CAST({threshold} AS DOUBLE) AS threshold, CAST({detail} AS VARCHAR) AS detail
        FROM listed ORDER BY {group}, doc_id, position"""


def _by_rule(cases: Sequence[str]) -> str:
    whens = " ".join(f"WHEN {rule} THEN {case}" for rule, case in enumerate(cases) if case)
    return f"CASE rule {whens} END" if whens else "NULL"


def _value_columns(rule: Rule, columns: Mapping[str, str]) -> tuple[str, str, str]:
    """Value, threshold and detail of a row that fails the rule; empty where there is none."""
    column, is_text = quote(rule.signal), columns.get(rule.signal) in _TEXT_TYPES
    bounds = _checked_bounds(rule, columns)
    thresholds = {threshold for _, threshold in bounds}
    whens = " ".join(f"WHEN {condition} THEN {threshold}" for condition, threshold in bounds)
    threshold = f"CASE {whens} END" if len(thresholds) > 1 else thresholds.pop()
    return ("", "", column) if is_text else (f"CAST({column} AS DOUBLE)", threshold, "")


def fails(rule: Rule, columns: Mapping[str, str], applying: Mapping[str, str] | None = None) -> str:
    """The condition, true or false, under which a row fails the rule.

    Args:
        applying: columns that say where rules apply, by the condition they stand for.

    Raises:
        ValueError: as `compile_rules`.
    """
    return f"coalesce({_fails_or_null(rule, columns, applying or {})}, false)"


def _fails_or_null(rule: Rule, columns: Mapping[str, str], applying: Mapping[str, str]) -> str:
    """`fails`, or null where the value is: enough for WHERE, and a third of the time there."""
    outside = " OR ".join(f"({condition})" for condition, _ in _checked_bounds(rule, columns))
    condition = applies(rule)
    return f"{applying.get(condition, condition)} AND ({outside})"


def _applying(rules: Sequence[Rule]) -> tuple[dict[str, str], str]:
    """Columns that say where rules apply, by condition, and their part of a SELECT.

    Many rules share few conditions, on text, which cost more than comparing a number.
    """
    conditions = dict.fromkeys(applies(rule) for rule in rules)
    conditions.pop(_ALWAYS, None)
    names = {condition: f"applies_{k}" for k, condition in enumerate(conditions)}
    return names, "".join(f", {condition} AS {name}" for condition, name in names.items())


@cache
def load_ruleset(name: str) -> list[dict[str, Any]]:
    """The rules of a shipped rule set, as its YAML file has them.

    Raises:
        FileNotFoundError: there is none of that name; the message lists those there are.
    """
    shipped = _shipped_files()
    if name not in shipped:
        close = difflib.get_close_matches(name, shipped, n=3)
        hint = " or ".join(map(repr, close)) if close else f"one of {', '.join(sorted(shipped))}"
        raise FileNotFoundError(f"there is no rule set {name!r}. Try: {hint}")
    file = shipped[name]
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def shipped_rule_sets() -> list[str]:
    """The names of the shipped rule sets, sorted."""
    return sorted(_shipped_files())


def _shipped_files() -> dict[str, Traversable]:
    return _files_below(resources.files("llm_data_assets.config") / "rulesets")


def _files_below(folder: Traversable, prefix: str = "") -> dict[str, Traversable]:
    """The files of all shipped rule sets by name; those of a folder have its name before theirs."""
    found: dict[str, Traversable] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _files_below(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".yaml"):
            found[prefix + entry.name.removesuffix(".yaml")] = entry
    return found


def _failure(rule: Rule, columns: Mapping[str, str]) -> str:
    column, is_text = quote(rule.signal), columns.get(rule.signal) in _TEXT_TYPES
    whens = " ".join(
        f"WHEN {applies(rule)} AND ({condition}) THEN {_struct(rule, column, threshold, is_text)}"
        for condition, threshold in _checked_bounds(rule, columns)
    )
    return f"CASE {whens} ELSE NULL END"


def _checked_bounds(rule: Rule, columns: Mapping[str, str]) -> list[tuple[str, str]]:
    """`_bounds`, once the rule is known to fit the columns."""
    for name in (rule.signal, *rule.when, *rule.unless):
        if name not in columns:
            close = difflib.get_close_matches(name, columns, n=3) or sorted(columns)[:10]
            raise ValueError(
                f"the rule {rule.name!r} names {name!r}, which is not a signal or a document "
                f"column. Try: {', '.join(close)}"
            )
    is_text = columns[rule.signal] in _TEXT_TYPES
    if is_text and (rule.min is not None or rule.max is not None):
        raise ValueError(
            f"the rule {rule.name!r} sets min or max on {rule.signal!r}, which is text. "
            "Try: one_of or none_of"
        )
    return _bounds(rule, quote(rule.signal), is_text)


def _bounds(rule: Rule, column: str, is_text: bool) -> list[tuple[str, str]]:
    """(condition that fails, threshold) of each bound the rule has."""
    bounds = []
    if rule.min is not None:
        bounds.append((f"{column} < {_double(rule.min)}", _double(rule.min)))
    if rule.max is not None:
        bounds.append((f"{column} > {_double(rule.max)}", _double(rule.max)))
    text = column if is_text else f"CAST({column} AS VARCHAR)"
    if rule.one_of:
        bounds.append((f"{text} IS NULL OR {text} NOT IN ({_listed(rule.one_of)})", "NULL"))
    if rule.none_of:
        bounds.append((f"{text} IN ({_listed(rule.none_of)})", "NULL"))
    return bounds


def _double(value: float) -> str:
    """A bound as SQL: without the exponent it is a decimal, and every whole number is cast to it,
    digit by digit, which takes most of the time of a query of rules."""
    return f"{value!r}e0" if "e" not in repr(value) else repr(value)


def applies(rule: Rule) -> str:
    """The condition, true or false, under which a rule looks at a row at all."""
    parts = [
        f"coalesce(CAST({quote(name)} AS VARCHAR) IN ({_listed(values)}), false)"
        for name, values in rule.when.items()
    ]
    parts += [
        f"NOT coalesce(CAST({quote(name)} AS VARCHAR) IN ({_listed(values)}), false)"
        for name, values in rule.unless.items()
    ]
    return " AND ".join(parts) or _ALWAYS


def _struct(rule: Rule, column: str, threshold: str, is_text: bool) -> str:
    value = "NULL" if is_text else column
    detail = column if is_text else "NULL"
    return (
        f"CAST(struct_pack(name := {literal(rule.name)}, "
        f"kept := {str(rule.action == 'flag').lower()}, position := 0, value := {value}, "
        f"threshold := {threshold}, detail := {detail}) AS {_FAILURE})"
    )


def _listed(values: Sequence[str]) -> str:
    return ", ".join(literal(value) for value in values)
