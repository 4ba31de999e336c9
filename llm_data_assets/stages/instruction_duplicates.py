"""raw_instructions of every source -> instruction_duplicates: who repeats whom."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.instructions.dialogue import dialogue_text, question_text
from llm_data_assets.instructions.repeats import METHODS, find_repeats
from llm_data_assets.instructions.scores import own_rating
from llm_data_assets.lake.catalog import relation
from llm_data_assets.lake.instruction_tables import INSTRUCTION_DUPLICATES, RAW_INSTRUCTIONS
from llm_data_assets.stages.checks import SAMPLES, query
from llm_data_assets.stages.prune import remove_dropped_sources
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Stage

CODE_VERSION = "1"
_COLUMNS = ["doc_id", "source", "kind", "system", "turns", "n_prompt", "rejected", "ratings"]


def run(context: Context) -> Outcome:
    """Compare all dialogues of all sources and choose, in the total order, which stay."""
    remove_dropped_sources(context.workspace, context.lake)
    settings = context.workspace.pipeline.model.instructions.dedup
    rows = context.lake.read(RAW_INSTRUCTIONS, None, _COLUMNS)
    texts, questions, ratings = [], [], []
    for row in _dialogues(rows):
        texts.append(dialogue_text(row))
        # Pairs over one prompt are not copies of each other: only equal ones go.
        questions.append(question_text(row) if row["kind"] == "conversation" else None)
        ratings.append(own_rating(row["ratings"]))
    order = _total_order(context, rows, ratings)
    partner, similarity, method = find_repeats(
        pa.array(texts, pa.string()), questions, order, near=settings.near, rouge=settings.rouge
    )
    gone = np.flatnonzero(partner >= 0)
    found = pa.table(
        {
            "doc_id": rows["doc_id"].take(pa.array(gone)),
            "source": rows["source"].take(pa.array(gone)),
            "kept_doc_id": rows["doc_id"].take(pa.array(partner[gone])),
            "kept_source": rows["source"].take(pa.array(partner[gone])),
            "similarity": similarity[gone],
            "method": pa.array([METHODS[int(each)] for each in method[gone]], pa.string()),
        }
    )
    files = []
    for source in STAGE.sources(context.workspace):
        mine = found.filter(pc.equal(found["source"], source)).sort_by("doc_id")
        key = task_key(CODE_VERSION, [mine[name].to_pylist() for name in mine.column_names])
        file = context.lake.write_shard(
            INSTRUCTION_DUPLICATES, {"source": source}, "all", key, [mine]
        )
        context.lake.replace_partition(INSTRUCTION_DUPLICATES, {"source": source}, [file])
        files.append(file)
    return Outcome(
        files=files,
        docs_in=rows.num_rows,
        docs=rows.num_rows - found.num_rows,
        n_bytes=0,
        drops={
            each["values"]: each["counts"] for each in pc.value_counts(found["method"]).to_pylist()
        },
    )


def _dialogues(rows: pa.Table):  # type: ignore[no-untyped-def]
    for batch in rows.to_batches(max_chunksize=4096):
        yield from batch.to_pylist()


def _total_order(context: Context, rows: pa.Table, ratings: list[float | None]) -> np.ndarray:
    """Rows by priority of their source, the best rated first, then by id."""
    sources = context.workspace.catalog.model.sources
    priority = np.array([sources[name].priority for name in rows["source"].to_pylist()], np.int64)
    rated = np.array([-np.inf if each is None else each for each in ratings])
    ids = np.array(rows["doc_id"].to_pylist(), object)
    by_id = np.argsort(ids, kind="stable") if len(ids) else np.empty(0, np.int64)
    return by_id[np.lexsort((-rated[by_id], priority[by_id]))]


def _partners_stay(context: Context) -> CheckResult:
    table = relation(context.lake, INSTRUCTION_DUPLICATES)
    wrong = query(
        f"SELECT gone.doc_id, gone.kept_doc_id FROM {table} AS gone "
        f"SEMI JOIN {table} AS also ON gone.kept_doc_id = also.doc_id ORDER BY gone.doc_id"
    )
    return CheckResult(not wrong, len(wrong), "0 partners that were removed too", wrong[:SAMPLES])


STAGE = Stage(
    name=INSTRUCTION_DUPLICATES.name,
    description="""One row a removed dialogue: the kept one it repeats, how similar, and by which
method: `exact` (the whole text), `near` (Jaccard of its shingles) or `rouge` (ROUGE-L of what is
asked). It goes only if one that stays, before it in the total order (priority of the source,
rating, then id), is really that similar.""",
    table=INSTRUCTION_DUPLICATES,
    partitioning="none",
    upstream=(RAW_INSTRUCTIONS.name,),
    code_version=CODE_VERSION,
    branch="instructions",
    settings=lambda workspace, partition: [
        workspace.pipeline.model.instructions.dedup.model_dump(),
        {
            name: workspace.catalog.model.sources[name].priority
            for name in workspace.sources_of("instructions")
        },
    ],
    run=run,
    checks=(
        Check(
            "partners_stay",
            "The dialogue that a repeat names is itself kept.",
            _partners_stay,
            True,
        ),
    ),
)
