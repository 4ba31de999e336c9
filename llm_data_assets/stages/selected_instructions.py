"""scored_instructions -> selected_instructions: rules decide who may, a method who is taken."""

import csv
import math
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.digest import file_checksum
from llm_data_assets.config.instructions import TASK_TYPES, Selection
from llm_data_assets.config.rule import Rule
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.instructions import select
from llm_data_assets.instructions.dialogue import answer_text, question_text
from llm_data_assets.instructions.local_models import model_digest, sentence_vectors
from llm_data_assets.lake.instruction_tables import (
    RAW_INSTRUCTIONS,
    SELECTED_INSTRUCTIONS,
    SELECTION_REPORT,
)
from llm_data_assets.lake.schemas import VERDICTS
from llm_data_assets.stages.checks import conservation, count, here
from llm_data_assets.stages.filter_rules import opened
from llm_data_assets.stages.judged import judging_select, verdict_rows
from llm_data_assets.stages.scored_instructions import SCORED_INSTRUCTIONS, scored_relation
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import (
    Check,
    CheckResult,
    Context,
    Outcome,
    Partition,
    Stage,
)
from llm_data_assets.stages.versions import data_version

CODE_VERSION = "3"
_DIMENSIONS = 64  # of TF-IDF and SVD
_RANKED = ("quality", "rating", "question_words", "answer_words", "reasoning_steps")


def run(context: Context) -> Outcome:
    """Judge the source's dialogues by the rules, then take some of those that pass."""
    scores, judged = _judged(context)
    verdicts = verdict_rows(judged)
    passing = scores.filter(
        pc.is_in(scores["doc_id"], judged.filter(judged["kept"])["doc_id"].combine_chunks())
    )
    settings = context.workspace.pipeline.model.instructions.select
    taken, left, report = _select(context, passing, settings)
    verdicts += left
    report += _figures(scores, passing, taken)
    partition = context.partition.values
    key = task_key(CODE_VERSION, _inputs(context), _settings(context.workspace, context.partition))
    rows = pa.Table.from_pylist(taken, SELECTED_INSTRUCTIONS.schema)
    of_stage = {**partition, "stage": STAGE.name}
    for table, values, data in (
        (VERDICTS, of_stage, pa.Table.from_pylist(verdicts, VERDICTS.schema)),
        (SELECTION_REPORT, partition, pa.Table.from_pylist(report, SELECTION_REPORT.schema)),
    ):
        file = context.lake.write_shard(table, values, "all", key, [data])
        context.lake.replace_partition(table, values, [file])
    file = context.lake.write_shard(SELECTED_INSTRUCTIONS, partition, "all", key, [rows])
    context.lake.replace_partition(SELECTED_INSTRUCTIONS, partition, [file])
    gone = Counter(v["reason"] for v in verdicts if not v["kept"] and v["position"] == 0)
    return Outcome(
        files=[file],
        docs_in=scores.num_rows,
        docs=rows.num_rows,
        n_bytes=0,
        drops=dict(sorted(gone.items())),
        figures={f"{row['metric']} {row['key'] or ''}".strip(): row["value"] for row in report},
    )


def _judged(context: Context) -> tuple[pa.Table, pa.Table]:
    """The scores, and what the rules say, both by doc_id."""
    connection = duckdb.connect()
    relation = scored_relation(context)
    scores = connection.sql(f"SELECT * FROM {relation} ORDER BY doc_id").to_arrow_table()
    columns = {field.name: str(field.type) for field in scores.schema} | {
        "source": "string", "domain": "string"
    }  # fmt: skip
    connection.register("scored", scores.append_column(
        "source", pa.repeat(context.source, scores.num_rows)
    ).append_column("domain", pa.repeat(
        context.workspace.catalog.model.sources[context.source].domain, scores.num_rows
    )))  # fmt: skip
    rules = instruction_rules(context.workspace)
    field = ("instructions", "rules")
    sql = judging_select(context.workspace, field, rules, columns, "scored")
    return scores, connection.sql(f"{sql} ORDER BY doc_id").to_arrow_table()


def instruction_rules(workspace: Workspace) -> list[Rule]:
    """The rules of the instructions branch in order, rule sets opened."""
    return opened(workspace, ("instructions", "rules"), workspace.pipeline.model.instructions.rules)


def _select(
    context: Context, rows: pa.Table, settings: Selection
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """(rows of selected_instructions, verdicts on the others, figures)."""
    if settings.score not in rows.column_names:
        raise context.workspace.pipeline.error(
            ("instructions", "select", "score"),
            f"{settings.score!r} is no column of scored_instructions",
            f"one of {', '.join(rows.column_names)}",
        )
    types = np.array(rows["task_type"].to_pylist(), object)
    vectors = _vectors(context, rows, settings)
    scores = rows[settings.score].cast(pa.float64()).to_numpy(zero_copy_only=False)
    scores = np.where(np.isnan(scores.astype(float)), np.nan, scores)
    if settings.method == "influence":
        scores = _gains(context, rows, settings, vectors)
    groups: dict[str, tuple[np.ndarray, int | None]] = {"": (np.arange(rows.num_rows), settings.n)}
    if settings.quotas:
        wanted = select.shares_of(settings.n or 0, settings.quotas)
        groups = {name: (np.flatnonzero(types == name), n) for name, n in wanted.items()}
    ids = rows["doc_id"].to_pylist()
    taken: list[dict[str, Any]] = []
    why: dict[int, dict[str, Any]] = {}
    report: list[dict[str, Any]] = []
    for name, (members, n) in groups.items():
        picked, more, reasons, figures = _take(members, n, scores, vectors, settings, ids)
        report += [{"metric": key, "key": name or None, "value": value} for key, value in figures]
        if settings.quotas and n is not None:
            report.append({"metric": "shortfall", "key": name, "value": float(n - len(picked))})
        why |= reasons
        for row in picked.tolist():
            score = None if settings.method == "all" or math.isnan(scores[row]) else scores[row]
            taken.append({"doc_id": ids[row], "reason": settings.method, "score": score,
                          "task_type": types[row], "cluster": None, "nearest": None,
                          **more.get(row, {})})  # fmt: skip
    for rank, each in enumerate(taken):
        each["rank"] = rank
    kept = {each["doc_id"] for each in taken}
    for row in range(rows.num_rows):
        if ids[row] not in kept and row not in why:
            why[row] = {"reason": "no_quota", "value": None, "threshold": None,
                        "detail": types[row]}  # fmt: skip
    verdicts = [
        {"doc_id": ids[row], "kept": False, "position": 0, **reason}
        for row, reason in sorted(why.items())
    ]
    return taken, verdicts, report


def _take(
    members: np.ndarray, n: int | None, scores: np.ndarray, vectors: np.ndarray,
    settings: Selection, ids: list[str],
) -> tuple[np.ndarray, dict[int, dict[str, Any]], dict[int, dict[str, Any]], list]:  # fmt: skip
    """Of some rows: those taken, what is said of each, why each other goes, and figures."""
    if settings.method == "clusters" and len(members):
        labels, distances = select.cluster(vectors[members], settings.clusters, settings.seed)
        picked = select.from_clusters(labels, distances, n or len(members), settings.seed)
        more: dict[int, dict[str, Any]] = {
            int(members[at]): {"cluster": int(labels[at])} for at in picked.tolist()
        }
        others = np.setdiff1d(np.arange(len(members)), picked)
        reasons = {
            int(members[at]): {"reason": "cluster_full", "value": float(distances[at]),
                               "threshold": None, "detail": f"cluster {labels[at]}"}
            for at in others.tolist()
        }  # fmt: skip
        figures = [("clusters", float(len(np.unique(labels)))),
                   ("cluster_coverage", select.coverage(labels, picked))]  # fmt: skip
        return members[picked], more, reasons, figures
    if settings.method == "diverse":
        picked, nearest, partner = select.diverse(
            vectors[members], scores[members], n, settings.max_cosine
        )
        more = {
            int(members[at]): {"nearest": float(nearest[at])}
            for at in picked.tolist()
            if partner[at] >= 0
        }
        reasons = {}
        for at in np.setdiff1d(np.arange(len(members)), picked).tolist():
            if partner[at] >= 0 and nearest[at] > settings.max_cosine:
                reasons[int(members[at])] = {
                    "reason": "too_similar", "value": float(nearest[at]),
                    "threshold": settings.max_cosine, "detail": ids[members[partner[at]]],
                }  # fmt: skip
            else:
                reasons[int(members[at])] = _below(scores, members, picked, at)
        return members[picked], more, reasons, []
    picked = select.top(scores[members], n) if n is not None else np.arange(len(members))
    others = np.setdiff1d(np.arange(len(members)), picked).tolist()
    return members[picked], {}, {
        int(members[at]): _below(scores, members, picked, at) for at in others
    }, []  # fmt: skip


def _below(scores: np.ndarray, members: np.ndarray, picked: np.ndarray, at: int) -> dict[str, Any]:
    """A row that others ranked before: its score and the lowest that was taken."""
    lowest = scores[members[picked]].min() if len(picked) else math.nan
    value = scores[members[at]]
    return {
        "reason": "not_in_top",
        "value": None if math.isnan(value) else float(value),
        "threshold": None if math.isnan(lowest) else float(lowest),
        "detail": None,
    }


def _vectors(context: Context, rows: pa.Table, settings: Selection) -> np.ndarray:
    """float32[rows, dimensions], where the method compares dialogues; else nothing."""
    if settings.method not in ("clusters", "diverse", "influence"):
        return np.empty((rows.num_rows, 0), np.float32)
    columns = ["doc_id", "turns", "n_prompt"]
    wanted = rows["doc_id"].combine_chunks()
    raw = context.lake.read(RAW_INSTRUCTIONS, context.partition.values, columns)
    raw = raw.filter(pc.is_in(raw["doc_id"], wanted)).sort_by("doc_id")
    texts = [
        f"{question_text(row)}\n{answer_text(row)}"
        for batch in raw.to_batches(max_chunksize=4096)
        for row in batch.to_pylist()
    ]
    folder = _sentence_model(context.workspace)
    if folder is None:
        # scikit-learn: a second and 100 MB, for who compares dialogues
        from llm_data_assets.instructions.embed import embed

        return embed(texts, settings.dimensions or _DIMENSIONS, settings.seed)
    try:
        return sentence_vectors(folder, texts, settings.dimensions)
    except ValueError as error:
        problem, _, way_out = str(error).partition(" Try: ")
        raise context.workspace.pipeline.error(
            ("instructions", "select", "sentence_model"), problem, way_out
        ) from None


def _sentence_model(workspace: Workspace) -> Path | None:
    name = workspace.pipeline.model.instructions.select.sentence_model
    return workspace.pipeline.path.parent / name if name else None


def _gains(
    context: Context, rows: pa.Table, settings: Selection, vectors: np.ndarray
) -> np.ndarray:
    path = context.workspace.pipeline.path.parent / (settings.gains or "")
    place = {doc_id: row for row, doc_id in enumerate(rows["doc_id"].to_pylist())}
    known, gains = [], []
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            for line in csv.DictReader(stream):
                if line["doc_id"] in place:
                    known.append(place[line["doc_id"]])
                    gains.append(float(line["gain"]))
        return select.predicted_gains(vectors, known, gains)
    except (OSError, KeyError, ValueError) as error:
        problem, _, way_out = str(error).partition(" Try: ")
        raise context.workspace.pipeline.error(
            ("instructions", "select", "gains"),
            f"{path}: {problem}",
            way_out or "a CSV file with the columns doc_id and gain, a number",
        ) from error


def _figures(
    scores: pa.Table, passing: pa.Table, taken: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Task types before and after, and how each score goes with the answer's length."""
    from scipy.stats import spearmanr

    figures = []
    after = Counter(each["task_type"] for each in taken)
    before = Counter(passing["task_type"].to_pylist())
    for name in TASK_TYPES:
        figures.append({"metric": "passing", "key": name, "value": float(before[name])})
        figures.append({"metric": "taken", "key": name, "value": float(after[name])})
    figures += _preference_figures(scores)
    length = scores["answer_characters"].to_numpy(zero_copy_only=False).astype(float)
    for name in _RANKED:
        values = scores[name].cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float)
        known = ~np.isnan(values)
        if known.sum() > 2 and np.ptp(values[known]) > 0 and np.ptp(length[known]) > 0:
            rho = float(spearmanr(values[known], length[known]).statistic)
            figures.append({"metric": "spearman_with_length", "key": name, "value": rho})
    return figures


def _preference_figures(scores: pa.Table) -> list[dict[str, Any]]:
    """Margins, ties and how often the longer answer is the chosen one."""
    pairs = scores.filter(pc.equal(scores["kind"], "preference"))
    if not pairs.num_rows:
        return []
    margins, ratios = pairs["margin"].drop_null(), pairs["length_ratio"].drop_null()
    figures: dict[str, float | None] = {
        "pairs": float(pairs.num_rows),
        "pairs_with_margin": float(len(margins)),
        "margin_mean": pc.mean(margins).as_py(),
        "tied_pairs": float(pc.sum(pc.equal(margins, 0)).as_py()) if len(margins) else None,
        "chosen_is_longer": pc.mean(pc.greater(ratios, 1).cast(pa.float64())).as_py(),
        "length_ratio_median": pc.quantile(ratios, 0.5)[0].as_py() if len(ratios) else None,
    }
    return [
        {"metric": name, "key": None, "value": value}
        for name, value in figures.items()
        if value is not None
    ]


def _settings(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    assert partition.source is not None
    settings = workspace.pipeline.model.instructions
    gains = settings.select.gains
    path = workspace.pipeline.path.parent / gains if gains else None
    folder = _sentence_model(workspace)
    return {
        "rules": [rule.model_dump(mode="json") for rule in instruction_rules(workspace)],
        "select": settings.select.model_dump(),
        "sentence_model": model_digest(folder) if folder else None,
        "gains": file_checksum(path) if path and path.is_file() else None,
        "domain": workspace.catalog.model.sources[partition.source].domain,
        "scorers": settings.scorers,
    }


def _inputs(context: Context) -> dict[str, str]:
    return {
        table.name: data_version(context.lake, table, context.partition.values)
        for table in (RAW_INSTRUCTIONS, SCORED_INSTRUCTIONS)
    }


def _something_left(context: Context) -> CheckResult:
    rows = count(here(context, SELECTED_INSTRUCTIONS))
    return CheckResult(rows > 0, rows, "at least 1 dialogue is taken")


STAGE = Stage(
    name=SELECTED_INSTRUCTIONS.name,
    description="""The dialogues that the rules let pass and the method of `instructions.select`
takes. Every other one stands in `verdicts` with the rule, or with what was taken before it;
`selection_report` has the figures.""",
    table=SELECTED_INSTRUCTIONS,
    partitioning="source",
    upstream=(RAW_INSTRUCTIONS.name, SCORED_INSTRUCTIONS.name),
    code_version=CODE_VERSION,
    branch="instructions",
    settings=_settings,
    run=run,
    inputs=_inputs,
    checks=(
        conservation(SCORED_INSTRUCTIONS, SELECTED_INSTRUCTIONS),
        Check("not_empty", "Something is taken.", _something_left),
    ),
)
