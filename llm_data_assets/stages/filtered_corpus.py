"""quality_signals -> filtered_corpus: rules decide in SQL, edits are made to what stays."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from llm_data_assets.config.catalog import CODE_DOMAIN
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import (
    CONTAMINATION,
    DEDUPED_CORPUS,
    EDITS,
    FILTERED_CORPUS,
    RAW_CORPUS,
    REPEATED_SPANS,
    VERDICTS,
)
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.checks import (
    FILTERED_CONSERVATION,
    FILTERED_SCHEMA,
    NO_EMPTY_FILTERED,
    RULE_SHARE,
    RULES_LEAVE_DOCUMENTS,
)
from llm_data_assets.stages.edit_rows import edit_rows
from llm_data_assets.stages.filter_rules import decontamination_rules, rules_of
from llm_data_assets.stages.judging import judge, ledger
from llm_data_assets.stages.quality_signals import QUALITY_SIGNALS
from llm_data_assets.stages.refusals import refusals
from llm_data_assets.stages.shards import Task, batches, make_shards, task_key
from llm_data_assets.stages.stage import Context, Outcome, Partition, Stage
from llm_data_assets.stages.tally import tally
from llm_data_assets.text.cuts import CUTTING, cut
from llm_data_assets.text.cuts import KIND as CUT
from llm_data_assets.text.edits import Edit, apply_edits, compose, merged
from llm_data_assets.text.licenses import normalise
from llm_data_assets.text.lines import clean_lines
from llm_data_assets.text.personal_data import mask
from llm_data_assets.text.text_bytes import bytes_of

CODE_VERSION = "4"
_EMPTY_AFTER_EDITS = "empty_after_edits"
_REPEATED = "repeated_passages"


def run(context: Context) -> Outcome:
    """Judge the documents of each shard that changed; edit those of shards whose survivors did.

    Judging reads signals alone, so that another threshold re-reads no text but where it lets
    other documents stay.
    """
    partition = context.partition.values
    of_stage = {**partition, "stage": STAGE.name}
    came_in = tally(context, DEDUPED_CORPUS, partition, total="n_bytes")
    judging = judge_tasks(context)
    judged = judge(context.lake, judging)
    outputs = {
        STAGE.name: (FILTERED_CORPUS, partition),
        VERDICTS.name: (VERDICTS, of_stage),
        EDITS.name: (EDITS, of_stage),
    }
    editing = _edit_tasks(context, judging, judged)
    made = make_shards(context, edit_shard, editing, outputs, came_in.total)
    context.lake.replace_partition(VERDICTS, of_stage, sorted([*judged, *made[VERDICTS.name]]))
    context.lake.replace_partition(EDITS, of_stage, made[EDITS.name])
    context.lake.replace_partition(FILTERED_CORPUS, partition, made[STAGE.name])
    return _outcome(context, made[STAGE.name], came_in.rows)


def judge_tasks(context: Context) -> list[Task]:
    """A task a shard, named by its signals and by all that decides."""
    partition = context.partition.values
    settings = {**_settings(context.workspace, context.partition), "source": context.source}
    raw = {file.shard: file for file in context.lake.shards(RAW_CORPUS, partition)}
    met = context.lake.shards(CONTAMINATION, partition)
    tasks = []
    for signals in context.lake.shards(QUALITY_SIGNALS, partition):
        inputs = {
            RAW_CORPUS.name: (raw[signals.shard],),
            QUALITY_SIGNALS.name: (signals,),
            CONTAMINATION.name: tuple(file for file in met if file.shard == signals.shard),
        }
        contents = [file.content for files in inputs.values() for file in files]
        judging = {name: settings[name] for name in ("source", "domain", "rules", "refusals")}
        key = task_key(CODE_VERSION, contents, judging)
        tasks.append(Task(context.lake, partition, signals.shard, key, inputs, settings))
    return tasks


def _edit_tasks(
    context: Context, judging: Sequence[Task], judged: Sequence[ShardFile]
) -> list[Task]:
    """A task a shard, named by which documents stay and what is done to them."""
    verdicts = {file.shard: file for file in judged}
    repeated = context.lake.shards(REPEATED_SPANS, context.partition.values)
    tasks = []
    for task in judging:
        spans = tuple(file for file in repeated if file.shard == task.shard)
        inputs = {**task.inputs, VERDICTS.name: (verdicts[task.shard],), REPEATED_SPANS.name: spans}
        task = replace(task, inputs=inputs)
        editing = {name: task.settings[name] for name in ("domain", "edits", "decontamination")}
        made_from = [task.inputs[RAW_CORPUS.name][0].content, _names(_survivors(task)), editing]
        if editing["decontamination"]["rule"] in CUTTING:
            made_from += [file.content for file in task.inputs[CONTAMINATION.name]]
        if spans:  # the flag of a repeating document comes after those of its rules
            made_from += [file.content for file in (*spans, verdicts[task.shard])]
        tasks.append(replace(task, key=task_key(CODE_VERSION, "edit", made_from)))
    return tasks


def _survivors(task: Task) -> pa.Table:
    """doc_id and language of the documents of a judged shard that no rule drops."""
    (signals,), (judged,) = task.inputs[QUALITY_SIGNALS.name], task.inputs[VERDICTS.name]
    columns = ["doc_id", "language"]
    measured = task.lake.read_shard(QUALITY_SIGNALS, task.partition, signals, columns)
    gone = _judged_rows(task, judged)
    gone = gone.filter(pc.invert(gone["kept"]))["doc_id"].combine_chunks()
    return measured.filter(pc.invert(pc.is_in(measured["doc_id"], gone)))


def _judged_rows(task: Task, judged: ShardFile) -> pa.Table:
    of_stage = {**task.partition, "stage": FILTERED_CORPUS.name}
    return task.lake.read_shard(VERDICTS, of_stage, judged, ["doc_id", "kept"])


def _names(survivors: pa.Table) -> str:
    """Digest of documents and their languages, in order."""
    both = pc.binary_join_element_wise(survivors["doc_id"], survivors["language"], "\t")
    lines = pa.ListArray.from_arrays([0, len(both)], both.combine_chunks())
    return xxhash.xxh3_128_hexdigest(pc.binary_join(lines, "\n")[0].as_buffer() or b"")


def edit_shard(task: Task) -> dict[str, ShardFile]:
    """Edit and write what stays of one shard."""
    edits: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    # Editing fills `edits`, and `verdicts` where passages repeat or nothing was left of a text.
    filtered = task.write(FILTERED_CORPUS, _edited(task, edits, verdicts))
    judgements = pa.Table.from_pylist(verdicts, VERDICTS.schema)
    edited = pa.Table.from_pylist(edits, EDITS.schema)
    return {
        FILTERED_CORPUS.name: filtered,
        VERDICTS.name: task.write(VERDICTS, [judgements], stage=STAGE.name),
        EDITS.name: task.write(EDITS, [edited], stage=STAGE.name),
    }


def _edited(
    task: Task, edits: list[dict[str, Any]], verdicts: list[dict[str, Any]]
) -> Iterator[pa.Table]:
    (raw,), (judged,) = task.inputs[RAW_CORPUS.name], task.inputs[VERDICTS.name]
    survivors = _survivors(task)
    stays = survivors["doc_id"].combine_chunks()
    passages, repeats = _passages(task), _repeats(task)
    flags = Counter(_judged_rows(task, judged)["doc_id"].to_pylist()) if repeats else {}
    columns = ["doc_id", "text", "license", "url"]
    for rows in batches(task.lake, RAW_CORPUS, task.partition, raw, columns):
        kept = rows.filter(pc.is_in(rows["doc_id"], stays))
        place = pc.index_in(kept["doc_id"], stays)
        languages = survivors["language"].take(place).to_pylist()
        written = []
        for document, language in zip(kept.to_pylist(), languages, strict=True):
            name = document["doc_id"]
            text, made = edit(
                document["text"], task.settings, passages.get(name, ()), repeats.get(name, ())
            )
            edits += edit_rows(name, document["text"], text, made)
            if name in repeats:
                verdicts.append(_repeating(document, repeats[name], flags.get(name, 0)))
            if text and not text.isspace():
                size = len(bytes_of(text))
                written.append(
                    document
                    | {"text": text, "language": language, "n_bytes": size}
                    | {"license": normalise(document["license"])}
                )
            else:
                verdicts.append(_emptied(name, len(document["text"]), name in passages))
        yield pa.Table.from_pylist(written, FILTERED_CORPUS.schema)


def _passages(task: Task) -> dict[str, list[tuple[int, int]]]:
    """By document, the passages that are cut out: none under a rule that removes it whole."""
    if task.settings["decontamination"]["rule"] not in CUTTING:
        return {}
    passages: dict[str, list[tuple[int, int]]] = {}
    for row in ledger(task).select(["doc_id", "start", "length"]).to_pylist():
        passages.setdefault(row["doc_id"], []).append((row["start"], row["start"] + row["length"]))
    return passages


def _repeats(task: Task) -> dict[str, list[Edit]]:
    """By document, the passages that stood in the source before."""
    found: dict[str, list[Edit]] = {}
    for file in task.inputs[REPEATED_SPANS.name]:
        for row in task.lake.read_shard(REPEATED_SPANS, task.partition, file).to_pylist():
            edit = Edit(row["kind"], row["start"], row["length"], "")
            found.setdefault(row["doc_id"], []).append(edit)
    return found


def _repeating(document: dict[str, Any], repeats: list[Edit], position: int) -> dict[str, Any]:
    """The flag of a document that loses passages: which kinds, and what share of its text."""
    gone = merged(repeats)
    return {
        "doc_id": document["doc_id"],
        "kept": True,
        "reason": _REPEATED,
        "position": position,
        "value": sum(edit.length for edit in gone) / len(document["text"]),
        "threshold": None,
        "detail": ", ".join(sorted({edit.kind for edit in repeats})),
    }


def edit(
    text: str,
    settings: Mapping[str, Any],
    passages: Sequence[tuple[int, int]] = (),
    repeats: Sequence[Edit] = (),
) -> tuple[str, list[Edit]]:
    """Make the edits that the pipeline asks for; positions are those of `text`.

    Benchmark passages and `repeats` go first, then lines; personal data are masked in what is
    left. The text is empty if nothing worth keeping stays beside the passages.
    """
    edits: list[Edit] = []
    if passages:
        rule = settings["decontamination"]
        gone = cut(text, passages, rule["rule"], rule["share"])
        if gone is None:
            return "", [Edit(CUT, 0, len(text), "")]
        edits = gone
    if passages or repeats:
        edits = merged([*edits, *repeats])
        text = apply_edits(text, edits)
    wanted = settings["edits"]
    # In code, "[0]" is no citation and a line about javascript is no banner.
    kinds = [] if settings["domain"] == CODE_DOMAIN else wanted["lines"]
    own = frozenset(line.lower() for line in wanted.get("boilerplate", ()))
    cleaned, removed = clean_lines(text, kinds, own)
    edits = compose(edits, removed, text)
    masked, masks = mask(cleaned, wanted["personal_data"])
    return masked, compose(edits, masks, cleaned)


def _emptied(doc_id: str, length: int, held_question: bool) -> dict[str, Any]:
    return {
        "doc_id": doc_id,
        "kept": False,
        "reason": CUT if held_question else _EMPTY_AFTER_EDITS,
        "position": 0,
        "value": float(length),
        "threshold": None,
        "detail": "nothing stays beside the passages"
        if held_question
        else "every line was removed",
    }


def _outcome(context: Context, files: list[ShardFile], docs_in: int) -> Outcome:
    partition = context.partition.values
    of_stage = {**partition, "stage": STAGE.name}
    filtered = tally(context, FILTERED_CORPUS, partition, total="n_bytes")
    verdicts = tally(context, VERDICTS, of_stage, by=["kept", "position", "reason"])
    edits = tally(context, EDITS, of_stage, by=["kind"])
    return Outcome(
        files=files,
        docs_in=docs_in,
        docs=filtered.rows,
        n_bytes=filtered.total,
        drops={
            reason: rows
            for (kept, position, reason), rows in sorted(verdicts.by.items())
            if not kept and position == 0
        },
        figures={f"edits {kind}": rows for (kind,), rows in sorted(edits.by.items())},
    )


def _settings(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    assert partition.source is not None
    decontamination = workspace.pipeline.model.decontamination
    return {
        "rules": [
            rule.model_dump(mode="json")
            for rule in (*rules_of(workspace), *decontamination_rules(workspace))
        ],
        "refusals": refusals(workspace),
        "edits": workspace.pipeline.model.edits.model_dump(mode="json"),
        "decontamination": {"rule": decontamination.rule, "share": decontamination.share},
        "domain": workspace.catalog.model.sources[partition.source].domain,
    }


STAGE = Stage(
    name=FILTERED_CORPUS.name,
    description="""The documents that no rule drops, after the edits asked for: lines removed,
personal data masked. Every dropped document stands in `verdicts` with the rule, the value and the
threshold; all its failing rules are listed, the first one decides. Every edit is in `edits`.""",
    table=FILTERED_CORPUS,
    partitioning="source",
    upstream=(
        RAW_CORPUS.name,
        QUALITY_SIGNALS.name,
        CONTAMINATION.name,
        REPEATED_SPANS.name,
    ),
    code_version=CODE_VERSION,
    settings=_settings,
    run=run,
    checks=(
        FILTERED_SCHEMA,
        FILTERED_CONSERVATION,
        NO_EMPTY_FILTERED,
        RULES_LEAVE_DOCUMENTS,
        RULE_SHARE,
    ),
)
