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
    cases = " ".join(
        f"WHEN {fails(rule, columns)} THEN {literal(rule.name)}"
        for rule in rules
        if rule.action == "drop"
    )
    return f"SELECT *, {f'CASE {cases} END' if cases else 'NULL'} AS {quote(name)} FROM {relation}"


def fails(rule: Rule, columns: Mapping[str, str]) -> str:
    """The condition, true or false, under which a row fails the rule.

    Raises:
        ValueError: as `compile_rules`.
    """
    outside = " OR ".join(f"({condition})" for condition, _ in _checked_bounds(rule, columns))
    return f"coalesce({applies(rule)} AND ({outside}), false)"


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
        bounds.append((f"{column} < {rule.min!r}", repr(rule.min)))
    if rule.max is not None:
        bounds.append((f"{column} > {rule.max!r}", repr(rule.max)))
    text = column if is_text else f"CAST({column} AS VARCHAR)"
    if rule.one_of:
        bounds.append((f"{text} IS NULL OR {text} NOT IN ({_listed(rule.one_of)})", "NULL"))
    if rule.none_of:
        bounds.append((f"{text} IN ({_listed(rule.none_of)})", "NULL"))
    return bounds


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
    return " AND ".join(parts) or "true"


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
