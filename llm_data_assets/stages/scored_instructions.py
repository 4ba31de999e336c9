"""deduped_instructions -> scored_instructions: measure once, decide later."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.instructions.dialogue import question_text
from llm_data_assets.instructions.local_models import ModelScorer, open_language_model
from llm_data_assets.instructions.scorers import MODEL_SCORERS, Scorer, load_scorer, run_scorer
from llm_data_assets.instructions.scores import COLUMNS, Lists, score
from llm_data_assets.lake.catalog import relation
from llm_data_assets.lake.instruction_tables import (
    DEDUPED_INSTRUCTIONS,
    RAW_INSTRUCTIONS,
    scored_instructions,
)
from llm_data_assets.lake.schemas import EVALUATION_SETS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.checks import conservation, here, query
from llm_data_assets.stages.kept_rows import kept_rows, kept_tasks
from llm_data_assets.stages.shards import Task, make_shards
from llm_data_assets.stages.stage import (
    Check,
    CheckResult,
    Context,
    Outcome,
    Partition,
    Stage,
)
from llm_data_assets.stages.versions import data_version
from llm_data_assets.text.passages import build_index, find_passages

CODE_VERSION = "2"
_SCORER = pa.struct([("name", pa.string()), ("value", pa.float64()), ("fault", pa.string())])
SCORED_INSTRUCTIONS = scored_instructions(
    pa.schema(
        [
            pa.field(name, kind, metadata={"description": said})
            for name, kind, said in (
                *COLUMNS,
                ("task_type", pa.string(), "recall, reasoning, creative or tool_use"),
                ("task_confidence", pa.float64(), "How sure the classifier is; 1 where told"),
                ("evaluation_overlap", pa.float64(), "Largest share of a benchmark's question"),
                ("evaluation_question", pa.string(), "That question; empty if none was met"),
                ("scorer_fault", pa.string(), "The first fault of a scorer; none if none"),
                ("scorers", pa.list_(_SCORER), "What the scorers by entry point said"),
            )
        ]
    )
)


def run(context: Context) -> Outcome:
    """Score the dialogues of each shard that changed."""
    partition = context.partition.values
    settings = _settings(context.workspace, context.partition)
    _open_model(context.workspace)
    questions = context.lake.shards(EVALUATION_SETS, {})
    more = {EVALUATION_SETS.name: tuple(questions)}
    where = {"language_model": _model_folder(context.workspace)}
    tasks = kept_tasks(
        context, RAW_INSTRUCTIONS, DEDUPED_INSTRUCTIONS, more, settings, where, CODE_VERSION
    )
    came_in = context.lake.read(DEDUPED_INSTRUCTIONS, partition, ["n_bytes"])
    n_bytes = pc.sum(came_in["n_bytes"]).as_py() or 0
    outputs = {STAGE.name: (SCORED_INSTRUCTIONS, partition)}
    files = make_shards(context, score_shard, tasks, outputs, n_bytes)[STAGE.name]
    context.lake.replace_partition(SCORED_INSTRUCTIONS, partition, files)
    types = context.lake.read(SCORED_INSTRUCTIONS, partition, ["task_type"])["task_type"]
    return Outcome(
        files=files,
        docs_in=came_in.num_rows,
        docs=len(types),
        n_bytes=n_bytes,
        figures={each["values"]: each["counts"] for each in pc.value_counts(types).to_pylist()},
    )


def score_shard(task: Task) -> dict[str, ShardFile]:
    """Score the kept dialogues of one shard."""
    return {STAGE.name: task.write(SCORED_INSTRUCTIONS, _scored(task))}


def _scored(task: Task) -> Iterator[pa.Table]:
    index = build_index(
        (row["question_id"], row["text"], row["width"], row["grams"])
        for file in task.inputs[EVALUATION_SETS.name]
        for row in task.lake.read_shard(EVALUATION_SETS, {}, file).to_pylist()
    )
    lists = Lists(
        dict(task.settings["terms"]), task.settings["unsafe"], task.settings["rating"],
        tuple(task.settings["rating_range"]),
    )  # fmt: skip
    folder = task.settings["language_model"]
    scorers = {name: _scorer(name, folder) for name, _ in task.settings["scorers"]}
    # scikit-learn: a second and 100 MB, for who scores
    from llm_data_assets.instructions.task_type import task_types

    for rows in kept_rows(task, RAW_INSTRUCTIONS, DEDUPED_INSTRUCTIONS):
        dialogues = rows.to_pylist()
        metas = [json.loads(row["meta"]) for row in dialogues]
        columns = score(dialogues, lists, metas)
        types, sure = task_types(
            [question_text(row) for row in dialogues],
            [bool(row["tools"]) or _calls_a_tool(row) for row in dialogues],
            [_label(meta) for meta in metas],
        )
        overlap, met = _met(dialogues, index)
        said, faults = _scorers(scorers, dialogues)
        more = {
            "task_type": pa.array(types, pa.string()),
            "task_confidence": sure,
            "evaluation_overlap": overlap,
            "evaluation_question": met,
            "scorer_fault": faults,
            "scorers": pa.array(said, pa.list_(_SCORER)),
        }
        named = dict(zip(columns.column_names, columns.columns, strict=True))
        yield pa.table({"doc_id": rows["doc_id"], **named, **more})


def _calls_a_tool(row: dict[str, Any]) -> bool:
    return any(turn["role"] in ("tool_call", "tool") for turn in row["turns"])


def _label(meta: dict[str, Any]) -> str | None:
    category = meta.get("category")
    return category if isinstance(category, str) else None


def _met(dialogues: Sequence[dict[str, Any]], index: Any) -> tuple[list[float], list[str]]:
    """Of each dialogue, the largest share of a benchmark's question that it holds, and which."""
    texts = pa.array(
        ["\n".join(turn["content"] for turn in row["turns"]) for row in dialogues], pa.string()
    )
    overlap, met = [0.0] * len(dialogues), [""] * len(dialogues)
    for number, passage in find_passages(texts, index, skipping=False):
        if (passage.share, passage.question) > (overlap[number], met[number]):
            overlap[number], met[number] = passage.share, passage.question
    return overlap, met


def _scorers(
    scorers: Mapping[str, Scorer], dialogues: Sequence[dict[str, Any]]
) -> tuple[list[list[dict[str, Any]]], list[str]]:
    """What each scorer says of each dialogue, and the first fault of each dialogue."""
    said: list[list[dict[str, Any]]] = [[] for _ in dialogues]
    first = ["none"] * len(dialogues)
    for name, scorer in scorers.items():
        values, faults = run_scorer(scorer, dialogues)
        for row, (value, fault) in enumerate(zip(values, faults, strict=True)):
            said[row].append({"name": name, "value": value, "fault": fault})
            if fault != "none" and first[row] == "none":
                first[row] = f"{name} {fault.split(':')[0]}"
    return said, first


def _model_folder(workspace: Workspace) -> Path | None:
    name = workspace.pipeline.model.instructions.language_model
    return workspace.pipeline.path.parent / name if name else None


def _open_model(workspace: Workspace) -> None:
    """Refuse a language model that is none before any dialogue is scored."""
    folder = _model_folder(workspace)
    if folder is None or MODEL_SCORERS.keys().isdisjoint(
        workspace.pipeline.model.instructions.scorers
    ):
        return
    try:
        open_language_model(folder)
    except ValueError as error:
        problem, _, way_out = str(error).partition(" Try: ")
        raise workspace.pipeline.error(
            ("instructions", "language_model"), problem, way_out
        ) from None


def _scorer(name: str, folder: Path | None) -> Scorer:
    """By the language model where the name is one of its scores, else by entry point."""
    if folder is None or name not in MODEL_SCORERS:
        return load_scorer(name)
    return ModelScorer(name, folder)


def _settings(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    """The lists as their files are now, and the scorers with what they depend on."""
    settings = workspace.pipeline.model.instructions
    scorers = []
    for number, name in enumerate(settings.scorers):
        try:
            scorers.append((name, dict(_scorer(name, _model_folder(workspace)).meta)))
        except ValueError as error:
            problem, _, way_out = str(error).partition(" Try: ")
            raise workspace.pipeline.error(
                ("instructions", "scorers", number), problem, way_out
            ) from None
    return {
        "terms": sorted(_terms(workspace, "terms").items()),
        "unsafe": sorted(_terms(workspace, "unsafe_terms")),
        "rating": settings.rating,
        "rating_range": list(settings.rating_range),
        "scorers": scorers,
    }


def _terms(workspace: Workspace, field: str) -> dict[str, float]:
    """Lower-case terms and weights of the list that a setting names."""
    name = getattr(workspace.pipeline.model.instructions, field)
    if name is None:
        return {}
    path: Path = workspace.pipeline.path.parent / name
    terms: dict[str, float] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            term, _, weight = line.strip().partition("\t")
            if term and not term.startswith("#"):
                terms[term.lower()] = float(weight or 1)
    except (OSError, ValueError) as error:
        raise workspace.pipeline.error(
            ("instructions", field),
            f"{path} cannot be read: {error}",
            "a UTF-8 file with a term a line, or a term, a tab and a number",
        ) from error
    return terms


def _scorers_answer(context: Context) -> CheckResult:
    """The scorer that failed on most rows."""
    worst = query(
        f"""SELECT said.name AS scorer, split_part(said.fault, ':', 1) AS fault,
                   count(*) FILTER (said.fault <> 'none') / count(*) AS share,
                   any_value(said.fault) FILTER (said.fault <> 'none') AS sample
            FROM (SELECT unnest(scorers) AS said FROM {here(context, SCORED_INSTRUCTIONS)})
            GROUP BY ALL HAVING fault <> 'none' ORDER BY share DESC, scorer LIMIT 5"""
    )
    share = query(
        f"""SELECT coalesce(avg((scorer_fault <> 'none')::INT), 0) AS share
            FROM {here(context, SCORED_INSTRUCTIONS)}"""
    )[0]["share"]
    return CheckResult(share <= 0.01, share, "at most 0.01 of rows without a score", worst)


def _inputs(context: Context) -> dict[str, str]:
    own = {
        table.name: data_version(context.lake, table, context.partition.values)
        for table in (RAW_INSTRUCTIONS, DEDUPED_INSTRUCTIONS)
    }
    return own | {EVALUATION_SETS.name: data_version(context.lake, EVALUATION_SETS, {})}


def scored_relation(context: Context) -> str:
    """A SELECT over the source's scores in which each scorer is a column of its name."""
    names = context.workspace.pipeline.model.instructions.scorers
    more = "".join(
        f", list_filter(scorers, lambda said: said.name = '{name}')[1].value AS \"{name}\""
        for name in names
    )
    return (
        f"(SELECT * EXCLUDE (scorers){more} "
        f"FROM {relation(context.lake, SCORED_INSTRUCTIONS, context.partition.values)})"
    )


STAGE = Stage(
    name=SCORED_INSTRUCTIONS.name,
    description="""What was measured of each dialogue: one column a score. No threshold appears
here: the rules of `instructions.rules` are predicates over these columns, and `instructions.select`
ranks by one of them.""",
    table=SCORED_INSTRUCTIONS,
    partitioning="source",
    upstream=(RAW_INSTRUCTIONS.name, DEDUPED_INSTRUCTIONS.name, EVALUATION_SETS.name),
    code_version=CODE_VERSION,
    branch="instructions",
    settings=_settings,
    run=run,
    inputs=_inputs,
    checks=(
        conservation(DEDUPED_INSTRUCTIONS, SCORED_INSTRUCTIONS),
        Check("scorers_answer", "Scorers answer with numbers.", _scorers_answer),
    ),
)
