"""Drift of a source: its signals and domains now, against the version before or a chosen one."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from llm_data_assets.lake.schemas import RAW_CORPUS, STAGE_STATS, Table
from llm_data_assets.stages.stage import Check, CheckResult, Context
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


def _result(context: Context, signals: Table, bound: float | None) -> CheckResult:
    if bound is None:
        return CheckResult(True, 0.0, "no bound is set")
    before = _version_before(context, signals)
    if before is None or not _is_there(context, signals, before):
        return CheckResult(True, 0.0, f"PSI at most {bound:g}; there is no version before")
    rows = sorted(_moved(context, signals, before), key=lambda row: (-row["excess"], row["signal"]))
    worst = max((row["excess"] for row in rows), default=0.0)
    return CheckResult(
        worst <= bound,
        worst,
        f"PSI beyond chance at most {bound:g} against version {before}",
        [*rows[:_MAX_ROWS], *_domains(context, signals, before)],
    )


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
            yield {
                "signal": name,
                "psi": found.psi,
                "js": found.js,
                "excess": max(0.0, found.psi - found.chance),
            }


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
        {"domains": kind, "count": len(names), "examples": names[:5]}
        for kind, names in (("new", sorted(new - old)), ("vanished", sorted(old - new)))
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
