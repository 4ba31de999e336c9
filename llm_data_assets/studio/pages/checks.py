"""The checks wall: failures first, then every check over its last evaluations."""

import json
from collections.abc import Mapping
from typing import Any

from llm_data_assets.studio.reader import Reader, Row, where

BACK = 10  # evaluations of each partition that check_history has


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """Failing checks with their rows, and assets x evaluations; `asset` narrows both."""
    asset = query.get("asset")
    only = where(asset=asset)
    failing = reader.panel(
        "failing",
        "Failing now",
        f"""SELECT asset, "check", severity, blocking, partition, observed, expected, samples, ts
FROM latest_checks {only + " AND" if only else "WHERE"} NOT passed
ORDER BY severity, asset, "check", partition""",
        fill="llm-data run",
    )
    wall = reader.panel(
        "wall",
        "Wall",
        f"""SELECT asset, "check", severity, back, partitions, failed, highest, expected, ts
FROM check_history {only} ORDER BY asset, "check", back""",
        note="Left is the newest evaluation. A cell counts the partitions that fail.",
    )
    now = [row for row in wall.rows if row["back"] == 0]
    return {
        "panels": [failing, wall],
        "asset": asset,
        "assets": [
            row["asset"]
            for row in reader.rows("SELECT DISTINCT asset FROM latest_checks ORDER BY 1")
        ],
        "tiles": {
            "checks": len(now),
            "evaluations now": sum(row["partitions"] for row in now),
            "failing": sum(row["failed"] for row in now),
            "stopping the flow": sum(row["blocking"] for row in failing.rows),
        },
        "failures": [{**row, "samples": _samples(row["samples"])} for row in failing.rows],
        "lines": _lines(wall.rows),
        "back": range(BACK),
    }


def _samples(told: str | None) -> list[Row]:
    """The failing rows of a check, all with the columns of the first."""
    found = [each for each in json.loads(told or "[]") if isinstance(each, dict)]
    names = list(found[0]) if found else []
    return [{name: each.get(name) for name in names} for each in found]


def _lines(rows: list[Row]) -> list[dict[str, Any]]:
    """One line a check, those that fail now first, with a cell for each evaluation back."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        line = lines.setdefault(
            (row["asset"], row["check"]),
            {"asset": row["asset"], "check": row["check"], "severity": row["severity"],
             "expected": row["expected"], "cells": [None] * BACK},
        )  # fmt: skip
        line["cells"][row["back"]] = row
    return sorted(
        lines.values(),
        key=lambda line: (not (line["cells"][0] or {"failed": 0})["failed"], line["severity"]),
    )
