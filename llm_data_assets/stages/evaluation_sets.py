"""evaluation_sets: the benchmarks that must not be trained on, as questions and their grams."""

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from llm_data_assets.config.digest import digest
from llm_data_assets.config.pipeline import EvaluationSet
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import EVALUATION_SETS
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Stage
from llm_data_assets.text.benchmarks import read_questions
from llm_data_assets.text.passages import SKIP_SEED, gram_hashes

CODE_VERSION = "1"
# Brown et al. 2020, appendix C.
_GRAM = 13
_SAMPLES = 5


def run(context: Context) -> Outcome:
    """Read and index every set; one file a set, so that a late one moves no other."""
    workspace = context.workspace
    n = gram_units(workspace)
    files, questions = [], 0
    for name, settings in sorted(workspace.pipeline.model.evaluation_sets.items()):
        data = _bytes(workspace, name, settings)
        key = task_key(
            CODE_VERSION, n, name, settings.model_dump(), xxhash.xxh3_128_hexdigest(data)
        )
        shard = shard_of(name)
        file = context.lake.find_shard(EVALUATION_SETS, {}, shard, key)
        if file is None:
            rows = _rows(workspace, name, settings, data, n)
            file = context.lake.write_shard(EVALUATION_SETS, {}, shard, key, [rows])
        files.append(file)
        questions += context.lake.read_shard(EVALUATION_SETS, {}, file, ["question_id"]).num_rows
    context.lake.replace_partition(EVALUATION_SETS, {}, files)
    return Outcome(
        files=files, docs_in=questions, docs=questions, n_bytes=0, figures={"sets": len(files)}
    )


def gram_units(workspace: Workspace) -> int:
    """Units of a gram: Llama 2's seed under its rule, else GPT-3's thirteen."""
    return SKIP_SEED if workspace.pipeline.model.decontamination.rule == "llama2" else _GRAM


def shard_of(name: str) -> str:
    """The shard of a set's file: a name of the pipeline may hold what a file name may not."""
    return xxhash.xxh3_64_hexdigest(name.encode())


def _rows(
    workspace: Workspace, name: str, settings: EvaluationSet, data: bytes, n: int
) -> pa.Table:
    try:
        questions = read_questions(data, settings.format, settings.fields, settings.id_field)
    except (ValueError, OSError) as error:
        raise workspace.pipeline.error(
            ("evaluation_sets", name, "uri"),
            f"{settings.uri} cannot be read as {settings.format}: {error}",
            "another format, or for jsonl `fields` that every line has",
        ) from error
    rows = []
    for question, text in questions:
        width, hashes = gram_hashes(text, n)
        rows.append(
            {
                "evaluation_set": name,
                "question_id": f"{name}/{question}",
                "text": text,
                "width": width,
                "grams": hashes.view("int64").tolist(),
            }
        )
    return pa.Table.from_pylist(rows, EVALUATION_SETS.schema)


def _bytes(workspace: Workspace, name: str, settings: EvaluationSet) -> bytes:
    path = workspace.pipeline.path.parent / settings.uri
    try:
        return path.read_bytes()
    except OSError as error:
        raise workspace.pipeline.error(
            ("evaluation_sets", name, "uri"),
            f"{path} cannot be read: {error.strerror}",
            "correct the path; a relative one starts at the pipeline's folder",
        ) from error


def _files(context: Context) -> dict[str, str]:
    sets = context.workspace.pipeline.model.evaluation_sets
    return {
        name: xxhash.xxh3_128_hexdigest(_bytes(context.workspace, name, settings))
        for name, settings in sets.items()
    }


def _indexed(context: Context) -> CheckResult:
    rows = context.lake.read(EVALUATION_SETS, {}, ["question_id", "grams", "text"])
    short = rows.filter(pc.equal(pc.list_value_length(rows["grams"]), 0))
    share = short.num_rows / max(1, rows.num_rows)
    samples = short.select(["question_id", "text"]).slice(0, _SAMPLES).to_pylist()
    return CheckResult(share <= 0.5, share, "at most half of the questions too short", samples)


STAGE = Stage(
    name=EVALUATION_SETS.name,
    description="""Questions of the benchmarks that must not be trained on, each with the hashes of
its grams: 13 words (8 to 12 in a short question, 30 characters in Chinese). A question under eight
words has none: it cannot be told from common speech.""",
    table=EVALUATION_SETS,
    partitioning="none",
    upstream=(),
    code_version=CODE_VERSION,
    branch=None,
    settings=lambda workspace, partition: digest(
        gram_units(workspace),
        {
            name: settings.model_dump()
            for name, settings in workspace.pipeline.model.evaluation_sets.items()
        },
    ),
    run=run,
    inputs=_files,
    checks=(Check("questions_indexed", "Questions are long enough to be found.", _indexed),),
)
