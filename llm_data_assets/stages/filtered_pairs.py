"""pair_signals -> filtered_pairs: rules decide in SQL which pairs are worth fetching."""

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.rule import Rule
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import literal
from llm_data_assets.lake.media_tables import FILTERED_PAIRS, RAW_PAIRS, score_columns
from llm_data_assets.lake.schemas import VERDICTS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.checks import conservation, count, here, rule_share
from llm_data_assets.stages.filter_rules import names_are_unique, opened
from llm_data_assets.stages.judged import judging_select, verdict_rows
from llm_data_assets.stages.pair_signals import PAIR_SIGNALS
from llm_data_assets.stages.refusals import named_refusals, refusals
from llm_data_assets.stages.repeats import counted, own_versions
from llm_data_assets.stages.shards import Task, make_shards, task_key
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Partition, Stage
from llm_data_assets.text.rules import compile_rules

CODE_VERSION = "1"
# A rule may name these of raw_pairs beside the signals.
_PAIR_COLUMNS = ("kind", "says", "url", "license", "nsfw", "phash_fault")


def run(context: Context) -> Outcome:
    """Judge the pairs of each shard that changed, and write those that stay."""
    partition = context.partition.values
    settings = _settings(context.workspace, context.partition)
    _rules_fit(context.workspace)
    raw = {file.shard: file for file in context.lake.shards(RAW_PAIRS, partition)}
    tasks = []
    for signals in context.lake.shards(PAIR_SIGNALS, partition):
        inputs = {RAW_PAIRS.name: (raw[signals.shard],), PAIR_SIGNALS.name: (signals,)}
        contents = [file.content for files in inputs.values() for file in files]
        key = task_key(CODE_VERSION, contents, settings)
        of_task = {**settings, "source": context.source}
        tasks.append(Task(context.lake, partition, signals.shard, key, inputs, of_task))
    of_stage = {**partition, "stage": STAGE.name}
    outputs = {STAGE.name: (FILTERED_PAIRS, partition), VERDICTS.name: (VERDICTS, of_stage)}
    made = make_shards(context, filter_shard, tasks, outputs, 0)
    context.lake.replace_partition(VERDICTS, of_stage, made[VERDICTS.name])
    context.lake.replace_partition(FILTERED_PAIRS, partition, made[STAGE.name])
    kept = context.lake.read(FILTERED_PAIRS, partition, ["n_bytes"])
    said = context.lake.read(VERDICTS, of_stage, ["kept", "position", "reason"])
    gone = said.filter(pc.and_(pc.invert(said["kept"]), pc.equal(said["position"], 0)))
    return Outcome(
        files=made[STAGE.name],
        docs_in=context.lake.read(PAIR_SIGNALS, partition, ["doc_id"]).num_rows,
        docs=kept.num_rows,
        n_bytes=pc.sum(kept["n_bytes"]).as_py() or 0,
        drops=counted(gone["reason"]),
    )


def filter_shard(task: Task) -> dict[str, ShardFile]:
    """Judge one shard by its signals."""
    (raw,), (signals,) = task.inputs[RAW_PAIRS.name], task.inputs[PAIR_SIGNALS.name]
    pairs, refusing = named_refusals(
        task.lake.read_shard(RAW_PAIRS, task.partition, raw), task.settings["refusals"]
    )
    measured = task.lake.read_shard(PAIR_SIGNALS, task.partition, signals)
    connection = duckdb.connect()
    connection.register("pairs", pairs.select(["doc_id", "url_list", *_PAIR_COLUMNS]))
    connection.register("signals", measured)
    relation = f"""(
        SELECT signals.* EXCLUDE (scores){task.settings["scores"]}, pairs.* EXCLUDE (doc_id),
               {literal(task.settings["source"])} AS source,
               {literal(task.settings["domain"])} AS domain
        FROM signals JOIN pairs USING (doc_id)
    )"""
    rules = refusing + [Rule.model_validate(rule) for rule in task.settings["rules"]]
    select = compile_rules(rules, task.settings["columns"], relation=relation)
    judged = connection.sql(f"{select} ORDER BY doc_id").to_arrow_table()
    stays = judged.filter(judged["kept"])["doc_id"].combine_chunks()
    kept = measured.filter(pc.is_in(measured["doc_id"], stays))
    rows = pairs.take(pc.index_in(kept["doc_id"], pairs["doc_id"].combine_chunks()))
    place = rows.column_names.index("language")
    rows = rows.set_column(place, "language", kept["language"])
    verdicts = pa.Table.from_pylist(verdict_rows(judged), VERDICTS.schema)
    return {
        STAGE.name: task.write(FILTERED_PAIRS, [rows.select(FILTERED_PAIRS.schema.names)]),
        VERDICTS.name: task.write(VERDICTS, [verdicts], stage=STAGE.name),
    }


def media_rules(workspace: Workspace) -> list[Rule]:
    """The rules of the media branch in order, rule sets opened."""
    rules = opened(workspace, ("media", "rules"), workspace.pipeline.model.media.rules)
    names_are_unique(workspace, rules)
    return rules


def pair_columns(workspace: Workspace) -> Mapping[str, str]:
    """What a rule may name, and its type: signals, scores, and columns of the pair.

    Raises:
        ConfigError: a score has the name of one of the others.
    """
    columns = {field.name: str(field.type) for field in PAIR_SIGNALS.schema}
    columns |= dict.fromkeys((*_PAIR_COLUMNS, "url_list", "source", "domain"), "string")
    scores = workspace.pipeline.model.media.scores
    for name in scores:
        if name in columns:
            raise workspace.pipeline.error(
                ("media", "scores", name), f"{name!r} is a column already", "another name"
            )
    return columns | dict.fromkeys(scores, "double")


def _rules_fit(workspace: Workspace) -> None:
    """Say before any shard is judged where a rule names what is not there."""
    columns = pair_columns(workspace)
    judging_select(workspace, ("media", "rules"), media_rules(workspace), columns, "pairs")


def _settings(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    assert partition.source is not None
    return {
        "rules": [rule.model_dump(mode="json") for rule in media_rules(workspace)],
        "refusals": refusals(workspace),
        "scores": score_columns(workspace.pipeline.model.media.scores),
        "columns": pair_columns(workspace),
        "domain": workspace.catalog.model.sources[partition.source].domain,
    }


def _something_left(context: Context) -> CheckResult:
    rows = count(here(context, FILTERED_PAIRS))
    return CheckResult(rows > 0, rows, "at least 1 pair is left")


STAGE = Stage(
    name=FILTERED_PAIRS.name,
    description="""The pairs that every rule lets pass: what a downloader opens. Each other one
stands in `verdicts` with every rule it fails, the measured value and the bound. Licences and lists
of URLs are refused as of documents.""",
    table=FILTERED_PAIRS,
    partitioning="source",
    upstream=(RAW_PAIRS.name, PAIR_SIGNALS.name),
    code_version=CODE_VERSION,
    branch="media",
    settings=_settings,
    run=run,
    inputs=own_versions(RAW_PAIRS, PAIR_SIGNALS),
    checks=(
        conservation(PAIR_SIGNALS, FILTERED_PAIRS),
        Check("not_empty", "Something is left.", _something_left),
        rule_share(PAIR_SIGNALS, FILTERED_PAIRS),
    ),
)
