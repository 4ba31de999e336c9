"""deduped_corpus and evaluation_sets -> contamination: which question met which document."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from llm_data_assets.lake.catalog import literal, relation
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import (
    CONTAMINATION,
    DEDUPED_CORPUS,
    EDITS,
    EVALUATION_SETS,
    RAW_CORPUS,
    SEQUENCES,
)
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.checks import here, query
from llm_data_assets.stages.quality_signals import kept_documents
from llm_data_assets.stages.shards import Task, run_tasks, task_key
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Stage
from llm_data_assets.stages.tally import tally
from llm_data_assets.text.cuts import KIND
from llm_data_assets.text.passages import Index, build_index, find_passages

CODE_VERSION = "1"
_SAMPLES = 5


def run(context: Context) -> Outcome:
    """Look in each shard for the sets that were not looked for in it: a late set reads once more.

    What one set found in one shard is a file of its own. A file without a row is remembered and
    not committed, so a set that meets nothing changes nothing downstream.
    """
    partition = context.partition.values
    raw = {file.shard: file for file in context.lake.shards(RAW_CORPUS, partition)}
    sets = context.lake.shards(EVALUATION_SETS, {})
    skipping = context.workspace.pipeline.model.decontamination.rule == "llama2"
    files: list[ShardFile] = []
    tasks = []
    for kept in context.lake.shards(DEDUPED_CORPUS, partition):
        documents = (raw[kept.shard].content, kept.content)
        keys = {
            each: task_key(CODE_VERSION, documents, each.shard, each.content, skipping)
            for each in sets
        }
        found = {
            each: context.lake.find_shard(CONTAMINATION, partition, kept.shard, key)
            for each, key in keys.items()
        }
        files += [file for file in found.values() if file]
        missing = {each: keys[each] for each, file in found.items() if file is None}
        if missing:
            tasks.append(
                Task(
                    lake=context.lake,
                    partition=partition,
                    shard=kept.shard,
                    key="",
                    inputs={RAW_CORPUS.name: (raw[kept.shard],), DEDUPED_CORPUS.name: (kept,)},
                    settings={"sets": missing, "skipping": skipping},
                )
            )
    came_in = tally(context, DEDUPED_CORPUS, partition, total="n_bytes")
    made = run_tasks(context, find_in_shard, tasks, came_in.total * len(tasks) // max(1, len(raw)))
    files += [file for each in made for file in each]
    folder = context.lake.folder(CONTAMINATION, partition)
    files = sorted(f for f in files if pq.read_metadata(folder / f.name).num_rows)
    context.lake.replace_partition(CONTAMINATION, partition, files)
    met = context.lake.read(CONTAMINATION, partition, ["doc_id", "question_id"])
    return Outcome(
        files=files,
        docs_in=came_in.rows,
        docs=came_in.rows,
        n_bytes=came_in.total,
        figures={
            "shards read": len(tasks),
            "documents met": len(set(met["doc_id"].to_pylist())),
            "questions met": len(set(met["question_id"].to_pylist())),
        },
    )


def find_in_shard(task: Task) -> list[ShardFile]:
    """Write what each missing set finds in one shard; the text is read once for all of them."""
    rows: dict[str, list[dict[str, Any]]] = {each.shard: [] for each in task.settings["sets"]}
    index = _index(task.lake, tuple(task.settings["sets"]))
    for documents in kept_documents(task, ["doc_id", "text"]):
        for row in _found(documents, index, task.settings["skipping"]):
            rows[row.pop("shard")].append(row)
    return [
        task.lake.write_shard(
            CONTAMINATION,
            task.partition,
            task.shard,
            key,
            [pa.Table.from_pylist(rows[each.shard], CONTAMINATION.schema)],
        )
        for each, key in task.settings["sets"].items()
    ]


def _found(
    documents: pa.Table, index: "tuple[Index, dict[str, tuple[str, str]]]", skipping: bool
) -> Iterator[dict[str, Any]]:
    grams, of_set = index
    names = documents["doc_id"]
    texts = documents["text"].combine_chunks()
    for number, passage in find_passages(texts, grams, skipping=skipping):
        shard, name = of_set[passage.question]
        yield {
            "shard": shard,
            "doc_id": names[number].as_py(),
            "evaluation_set": name,
            "question_id": passage.question,
            "start": passage.start,
            "length": passage.length,
            "units": passage.units,
            "question_share": passage.share,
        }


@lru_cache(maxsize=1)
def _index(lake: Lake, sets: tuple[ShardFile, ...]) -> tuple[Index, dict[str, tuple[str, str]]]:
    """The grams of the sets, and the file and name of the set each question belongs to."""
    questions, of_set = [], {}
    for each in sets:
        for row in lake.read_shard(EVALUATION_SETS, {}, each).to_pylist():
            questions.append((row["question_id"], row["text"], row["width"], row["grams"]))
            of_set[row["question_id"]] = (each.shard, row["evaluation_set"])
    return build_index(questions), of_set


def _exposed(context: Context) -> CheckResult:
    """Recipes as they are packed now, with questions whose words stand in them."""
    rows = query(
        f"""
        SELECT recipe, evaluation_set, question_id, doc_id,
               max(question_share) AS question_share, count(DISTINCT sequence) AS sequences
        FROM {here(context, CONTAMINATION)} JOIN
             (SELECT recipe, doc_id, sequence FROM {relation(context.lake, SEQUENCES)}
              WHERE source = {literal(context.source)}) USING (doc_id)
        WHERE doc_id NOT IN (SELECT doc_id FROM {relation(context.lake, EDITS)}
                             WHERE kind LIKE {literal("%" + KIND + "%")})
        GROUP BY ALL ORDER BY question_share DESC, recipe, question_id, doc_id
        """
    )
    documents = {row["doc_id"] for row in rows}
    return CheckResult(
        not rows, len(documents), "0 documents of a packed recipe hold a question", rows[:_SAMPLES]
    )


STAGE = Stage(
    name=CONTAMINATION.name,
    description="""Which benchmark question met which document, where in it, and how much of the
question it holds. A benchmark that arrives late is looked for by itself; what it meets in recipes
that are packed already is named by the check `not_exposed`.""",
    table=CONTAMINATION,
    partitioning="source",
    upstream=(RAW_CORPUS.name, DEDUPED_CORPUS.name, EVALUATION_SETS.name),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: workspace.pipeline.model.decontamination.rule == "llama2",
    run=run,
    checks=(Check("not_exposed", "No packed recipe holds a benchmark question.", _exposed),),
)
