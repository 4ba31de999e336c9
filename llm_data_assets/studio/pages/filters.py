"""The Filter lab: move a bound, see who survives and who stands at it, take it home as YAML."""

import math
from collections.abc import Mapping
from typing import Any

import yaml

from llm_data_assets.config.pipeline import Rule
from llm_data_assets.studio.reader import Panel, Reader, Row, where
from llm_data_assets.text.rules import load_ruleset


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """Survivors under the pipeline's rules and under the bounds that the query moves."""
    source = query.get("source")
    lab = reader.lab.open()
    sliders = lab.sliders()
    problem, changes = "", _changes(query, sliders)
    try:
        then = lab.moved(changes)
    except ValueError as error:
        problem, then, changes = str(error).partition("\n")[2] or str(error), lab.rules, {}
    told = " ".join(f"--set {name}={value:g}" for name, value in changes.items())
    survivors = Panel(
        "survivors",
        "Survivors",
        lab.survivors_sql(then),
        lab.survivors(then),
    )
    shown = [
        {name: reader.masked(name, value) for name, value in row.items()}
        for row in lab.boundary(then)
    ]
    boundary = Panel("boundary", "Documents at the boundary", lab.boundary_sql(then), shown)
    drops = reader.panel(
        "drops",
        "What each rule drops now",
        f"""SELECT reason, sum(docs)::BIGINT AS docs FROM drops
{where(stage="filtered_corpus", source=source)} GROUP BY reason ORDER BY docs DESC, reason""",
        fill="llm-data run --to filtered_corpus",
    )
    dropped = {row["reason"]: row["docs"] for row in drops.rows}
    ordered = sorted(sliders, key=lambda each: -dropped.get(each["rule"], 0))
    return {
        "panels": [survivors, boundary, drops],
        "sliders": [
            {**each, "now": changes.get(each["name"], each["value"]),
             "moved": each["name"] in changes, "drops": dropped.get(each["rule"], 0)}
            for each in ordered
        ],
        "changes": changes,
        "problem": problem,
        "total": {
            name: sum(row[name] for row in survivors.rows)
            for name in ("documents", "kept_now", "kept_then", "characters_now", "characters_then")
        },
        "yaml": _as_yaml(reader, changes),
        "command": f"llm-data filter {told} --dry-run" if told else "",
    }  # fmt: skip


def _changes(query: Mapping[str, str], sliders: list[Row]) -> dict[str, float]:
    """The bounds of the query that are numbers, known, and a step away from what they are."""
    found = {}
    for slider in sliders:
        try:
            number = float(query.get(slider["name"], ""))
        except ValueError:
            continue
        if math.isfinite(number) and abs(number - slider["value"]) >= slider["step"] / 2:
            found[slider["name"]] = number
    return found


def _as_yaml(reader: Reader, changes: Mapping[str, float]) -> str:
    """What to put into pipeline.yaml: each rule set with a moved rule, whole, under its own name.

    A set of the pipeline's stands before the shipped one of that name, so nothing else changes.
    """
    if not changes:
        return ""
    pipeline = reader.workspace.pipeline.model
    sets: dict[str, list[dict[str, Any]]] = {}
    single = []
    for entry in pipeline.rules:
        if isinstance(entry, Rule):
            single += [each for each in _patched([_written(entry)], changes) if each[1]]
            continue
        name = entry if isinstance(entry, str) else entry.use
        own = pipeline.rule_sets.get(name)
        patched = _patched([_written(rule) for rule in own] if own else load_ruleset(name), changes)
        if any(is_moved for _, is_moved in patched):
            sets[name] = [rule for rule, _ in patched]
    told = _dumped({"rule_sets": sets}) if sets else ""
    if single:
        rules = _dumped([rule for rule, _ in single])
        told += f"# under `rules`, in place of those of the same names:\n{rules}"
    return told


def _dumped(value: Any) -> str:
    """YAML with lists of values on a line, as people write it."""
    return yaml.safe_dump(
        value, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )


def _patched(
    rules: list[dict[str, Any]], changes: Mapping[str, float]
) -> list[tuple[dict[str, Any], bool]]:
    """Each rule with its moved bounds, and whether it has any."""
    found = []
    for rule in rules:
        new = {b: changes[f"{rule['name']}.{b}"] for b in ("min", "max")
               if f"{rule['name']}.{b}" in changes}  # fmt: skip
        found.append(({**rule, **new}, bool(new)))
    return found


def _written(rule: Rule) -> dict[str, Any]:
    return rule.model_dump(exclude_defaults=True, exclude_none=True)
