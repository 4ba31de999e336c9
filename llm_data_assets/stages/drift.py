"""Drift of a source: its signals and domains now, against the version before or a chosen one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from llm_data_assets.lake.schemas import DRIFT, RAW_CORPUS, STAGE_STATS, Table
from llm_data_assets.stages.stage import Check, CheckResult, Context
from llm_data_assets.stages.versions import data_version
from llm_data_assets.text.drift import drift

_MAX_ROWS = 40


def drift_checks(signals: Table) -> tuple[Check, Check]:
    """A check that warns and one that blocks, each by its own bound in pipeline.yaml."""

    def warns(context: Context) -> CheckResult:
        return _result(context, signals, context.workspace.pipeline.model.checks.warn_psi)

    def blocks(context: Context) -> CheckResult:
        return _result(context, signals, context.workspace.pipeline.model.checks.block_psi)

    return (
        Check("drift", "Signals are distributed as in the version before.", warns),
        Check("drift_bound", "No signal moved beyond the bound that blocks.", blocks, True),
    )


def store_drift(context: Context, signals: Table) -> None:
    """Measure how far the source moved from its baseline, for the checks and for later."""
    before = _version_before(context, signals)
    if before is None or not _is_there(context, signals, before):
        return
    bounds = context.workspace.pipeline.model.checks
    also = {
        "ts": datetime.now(UTC),
        "bound": bounds.warn_psi,
        "blocking_bound": bounds.block_psi,
        "baseline_version": before,
        "version": int(context.lake.open(signals).version()),
        "data_version": data_version(context.lake, signals, context.partition.values),
    }
    rows = [*_moved(context, signals, before), *_domains(context, signals, before)]
    table = pa.Table.from_pylist([row | also for row in rows], DRIFT.schema)
    context.lake.append(DRIFT, context.partition.values, table)


def _result(context: Context, signals: Table, bound: float | None) -> CheckResult:
    if bound is None:
        return CheckResult(True, 0.0, "no bound is set")
    before = _version_before(context, signals)
    if before is None or not _is_there(context, signals, before):
        return CheckResult(True, 0.0, f"PSI at most {bound:g}; there is no version before")
    stored = _stored(context, signals)
    moved = sorted(
        (
            {
                "signal": row["signal"],
                "psi": row["value"],
                "excess": max(0.0, row["value"] - row["chance"]),
            }
            for row in stored
            if row["measure"] == "psi"
        ),
        key=lambda row: (-row["excess"], row["signal"]),
    )
    worst = max((row["excess"] for row in moved), default=0.0)
    domains = [
        {"domains": row["measure"], "count": int(row["value"]), "examples": row["examples"]}
        for row in stored
        if row["signal"] == "url"
    ]
    return CheckResult(
        worst <= bound,
        worst,
        f"PSI beyond chance at most {bound:g} against version {before}",
        [*moved[:_MAX_ROWS], *domains],
    )


def _stored(context: Context, signals: Table) -> list[dict[str, Any]]:
    """What `store_drift` measured last of what the source holds now."""
    rows = context.lake.read(DRIFT, context.partition.values)
    version = data_version(context.lake, signals, context.partition.values)
    mine = rows.filter(pc.equal(rows["data_version"], version))
    return mine.filter(pc.equal(mine["ts"], pc.max(mine["ts"]))).to_pylist()


def _moved(context: Context, signals: Table, before: int) -> Iterator[dict[str, Any]]:
    """PSI and Jensen-Shannon of each numeric signal between the version before and now."""
    partition = context.partition.values
    files = context.lake.files(signals, partition, before)
    measured = set(pq.read_schema(files[0]).names) if files else set()  # signals come and go
    names = [f.name for f in signals.schema if _is_number(f.type) and f.name in measured]
    old = context.lake.read(signals, partition, names, before)
    new = context.lake.read(signals, partition, names)
    for name in names:
        found = drift(_values(old[name]), _values(new[name]))
        if found:
            yield {"signal": name, "measure": "psi", "value": found.psi, "chance": found.chance}
            yield {"signal": name, "measure": "js", "value": found.js}


def _domains(context: Context, signals: Table, before: int) -> list[dict[str, Any]]:
    """Hosts that are new, and hosts that are gone, with their documents."""
    stats = context.lake.read(STAGE_STATS)
    then = _newest(stats, signals, context, pc.less_equal(stats["table_version"], before))
    if then is None:
        return []
    earlier = pc.less_equal(stats["ts"], pa.scalar(then["ts"], stats["ts"].type))
    raw = _newest(stats, RAW_CORPUS, context, earlier)
    if raw is None:
        return []
    partition = context.partition.values
    if not _is_there(context, RAW_CORPUS, raw["table_version"]):
        return []
    old = _hosts(context.lake.read(RAW_CORPUS, partition, ["url"], raw["table_version"]))
    new = _hosts(context.lake.read(RAW_CORPUS, partition, ["url"]))
    return [
        {"signal": "url", "measure": kind, "value": float(len(names)), "examples": names[:5]}
        for kind, names in (
            ("new_domains", sorted(new - old)),
            ("vanished_domains", sorted(old - new)),
        )
        if names
    ]


def _version_before(context: Context, signals: Table) -> int | None:
    """The baseline of pipeline.yaml, else the version that was materialised last."""
    baseline = context.workspace.pipeline.model.checks.drift_baseline.get(context.source)
    if baseline is not None:
        return baseline
    stats = context.lake.read(STAGE_STATS)
    last = _newest(stats, signals, context, pa.scalar(True))
    return None if last is None else int(last["table_version"])


def _is_there(context: Context, table: Table, version: int) -> bool:
    """Whether a version can still be read: a purge takes old ones away."""
    return all(
        file.exists() for file in context.lake.files(table, context.partition.values, version)
    )


def _newest(stats: pa.Table, table: Table, context: Context, also: Any) -> dict[str, Any] | None:
    mine = pc.and_(
        pc.equal(stats["stage"], table.name), pc.equal(stats["partition"], context.partition.key)
    )
    rows = stats.filter(pc.and_(mine, also)).sort_by([("ts", "descending")])
    return rows.slice(0, 1).to_pylist()[0] if rows.num_rows else None


def _hosts(rows: pa.Table) -> set[str]:
    hosts = pc.extract_regex(rows["url"].drop_null(), r"^[a-z]+://(?P<host>[^/:?#]+)")
    return {each["host"] for each in hosts.to_pylist() if each}


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)


def _values(column: pa.ChunkedArray) -> np.ndarray:
    return column.cast(pa.float64()).to_numpy()
