"""selected_instructions of every source -> instruction_mix: splits, an order, and files."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash
from filelock import FileLock

from llm_data_assets.config.digest import file_checksum
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.instructions import chat
from llm_data_assets.instructions.dialogue import question_text
from llm_data_assets.instructions.words import words
from llm_data_assets.lake.catalog import relation
from llm_data_assets.lake.instruction_tables import (
    INSTRUCTION_FILES,
    INSTRUCTION_MIX,
    RAW_INSTRUCTIONS,
    SELECTED_INSTRUCTIONS,
)
from llm_data_assets.stages.access import note_export, refuse_restricted
from llm_data_assets.stages.checks import SAMPLES, query
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Stage
from llm_data_assets.tokens.given import open_tokenizer

CODE_VERSION = "1"
FOLDER = "exports/instructions"
_LAYOUTS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]] = {
    "messages": chat.messages,
    "sharegpt": chat.sharegpt,
    "alpaca": chat.alpaca,
    "preferences": chat.preference,
}
_TOKENS = pa.schema(
    [
        pa.field("doc_id", pa.string()),
        pa.field("input_ids", pa.list_(pa.int32())),
        pa.field("loss_mask", pa.list_(pa.int8())),
    ]
)


def run(context: Context) -> Outcome:
    """Split, order and write the selected dialogues of all sources."""
    rows, came_in = _selected(context)
    sources = sorted({row["source"] for row in rows.values()})
    refuse_restricted(context.workspace, "export instructions", sources)
    settings = context.workspace.pipeline.model.instructions.export
    index = _ordered(rows, settings.validation_share, settings.seed)
    columns = [index.column(name).to_pylist() for name in INSTRUCTION_MIX.schema.names]
    key = task_key(CODE_VERSION, columns)
    mix = context.lake.write_shard(
        INSTRUCTION_MIX, {}, "all", key, [index.select(INSTRUCTION_MIX.schema.names)]
    )
    # Two runs at once would write into one folder; the later one finds the same and says so again.
    with FileLock(context.workspace.home / ".instructions.lock"):
        files = _write(context, rows, index)
    formats = sorted({row["format"] for row in files})
    to = str(context.workspace.home / FOLDER)
    note_export(context.workspace, "instructions", formats, to, files)
    listed = pa.Table.from_pylist(files, INSTRUCTION_FILES.schema)
    made = context.lake.write_shard(
        INSTRUCTION_FILES, {}, "all", task_key(CODE_VERSION, files), [listed]
    )
    context.lake.replace_partition(INSTRUCTION_FILES, {}, [made])
    context.lake.replace_partition(INSTRUCTION_MIX, {}, [mix])
    dropped = came_in - index.num_rows
    return Outcome(
        files=[mix],
        docs_in=came_in,
        docs=index.num_rows,
        n_bytes=sum(file["n_bytes"] for file in files),
        drops={"over_max_rows": dropped} if dropped else {},
        figures={"files": len(files), "folder": FOLDER},
    )


def _selected(context: Context) -> tuple[dict[str, dict[str, Any]], int]:
    """Rows of raw_instructions that were selected, by id, and how many there were."""
    limits = context.workspace.pipeline.model.instructions.export.max_rows
    rows: dict[str, dict[str, Any]] = {}
    came_in = 0
    for source in STAGE.sources(context.workspace):
        taken = context.lake.read(SELECTED_INSTRUCTIONS, {"source": source}).sort_by("rank")
        came_in += taken.num_rows
        wanted = taken["doc_id"].slice(0, limits.get(source)).combine_chunks()
        raw = context.lake.read(RAW_INSTRUCTIONS, {"source": source})
        for batch in raw.filter(pc.is_in(raw["doc_id"], wanted)).to_batches(max_chunksize=4096):
            rows |= {row["doc_id"]: row for row in batch.to_pylist()}
    return rows, came_in


def _ordered(rows: Mapping[str, Mapping[str, Any]], share: float, seed: int) -> pa.Table:
    """The rows of instruction_mix: a split by question, an order by keyed hash of the id."""
    listed = []
    for doc_id, row in rows.items():
        question = xxhash.xxh3_128_hexdigest(" ".join(words(question_text(row))).encode())
        chance = int(xxhash.xxh3_64_hexdigest(f"{seed} {question}".encode()), 16) / 2**64
        listed.append(
            {
                "split": "validation" if chance < share else "train",
                "doc_id": doc_id,
                "source": row["source"],
                "kind": row["kind"],
                "question_hash": question,
                "turn": xxhash.xxh3_128_hexdigest(f"{seed} {doc_id}".encode()),
            }
        )
    listed.sort(key=lambda row: (row["split"], row["turn"], row["doc_id"]))
    counted = {"train": 0, "validation": 0}
    for row in listed:
        row["position"] = counted[row["split"]]
        counted[row["split"]] += 1
    return pa.Table.from_pylist(listed, INSTRUCTION_MIX.schema)


def _write(
    context: Context, rows: Mapping[str, Mapping[str, Any]], index: pa.Table
) -> list[dict[str, Any]]:
    """Write every format and split beside, and swap the whole folder in."""
    home = context.workspace.home
    beside = home / f"{FOLDER}.tmp"
    shutil.rmtree(beside, ignore_errors=True)
    formats: list[tuple[str, str]] = [
        (form, "conversation")
        for form in context.workspace.pipeline.model.instructions.export.formats
    ]
    found = []
    for form, kind in [*formats, ("preferences", "preference")]:
        for split in ("train", "validation"):
            chosen = index.filter(
                pc.and_(pc.equal(index["split"], split), pc.equal(index["kind"], kind))
            )
            mine = [rows[doc_id] for doc_id in chosen["doc_id"].to_pylist()]
            if not mine:
                continue
            ending = "parquet" if form == "tokenized" else "jsonl"
            path = beside / form / f"{split}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if form == "tokenized":
                written = _write_tokens(context.workspace, path, mine)
            else:
                written = _write_lines(path, map(_LAYOUTS[form], mine))
            found.append(
                {
                    "file": f"{FOLDER}/{form}/{split}.{ending}",
                    "format": form,
                    "split": split,
                    "rows": written,
                    "n_skipped": len(mine) - written,
                    "n_bytes": path.stat().st_size,
                    "checksum": file_checksum(path),
                }
            )
    beside.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(home / FOLDER, ignore_errors=True)
    beside.replace(home / FOLDER)
    return found


def _write_lines(path: Path, lines: Iterator[dict[str, Any] | None]) -> int:
    written = 0
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for line in lines:
            if line is not None:
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
                written += 1
    return written


def _write_tokens(workspace: Workspace, path: Path, rows: Sequence[Mapping[str, Any]]) -> int:
    """Rows as ids and a mask of what is trained on; each part is encoded on its own."""
    settings = workspace.pipeline.model.instructions.export
    folder = workspace.pipeline.path.parent
    try:
        tokenizer = open_tokenizer((folder / (settings.tokenizer or "")).read_bytes())
        source = (
            (folder / settings.template).read_text("utf-8") if settings.template else chat.CHATML
        )
        template = chat.Template(source)
    except (OSError, ValueError) as error:
        problem, _, way_out = str(error).partition(" Try: ")
        raise workspace.pipeline.error(
            ("instructions", "export"), problem, way_out or "correct the path"
        ) from error
    written = []
    for row in rows:
        try:
            segments = template.segments(row)
        except ValueError:
            continue  # counted in n_skipped
        encoded = tokenizer.encode(pa.array([text for text, _ in segments]), add_eos=False)
        ids = [
            encoded.tokens[a:b] for a, b in zip(encoded.offsets, encoded.offsets[1:], strict=False)
        ]
        mask = [
            int(trained) for (_, trained), part in zip(segments, ids, strict=True) for _ in part
        ]
        if segments and len(mask) <= settings.max_tokens:
            flat = [int(token) for part in ids for token in part]
            written.append({"doc_id": row["doc_id"], "input_ids": flat, "loss_mask": mask})
    pq.write_table(pa.Table.from_pylist(written, _TOKENS), path, compression="zstd")
    return len(written)


def _no_leak(context: Context) -> CheckResult:
    """No question stands in two splits."""
    shared = query(
        f"""SELECT question_hash, count(*) AS rows,
                min(doc_id) FILTER (split = 'train') AS train,
                min(doc_id) FILTER (split = 'validation') AS validation
            FROM {relation(context.lake, INSTRUCTION_MIX)}
            GROUP BY question_hash HAVING count(DISTINCT split) > 1 ORDER BY question_hash"""
    )
    expected = "0 questions in two splits; if not, materialise instruction_mix again"
    return CheckResult(not shared, len(shared), expected, shared[:SAMPLES])


def _files_stand(context: Context) -> CheckResult:
    wrong = [
        {"file": row["file"]}
        for row in context.lake.read(INSTRUCTION_FILES).to_pylist()
        if file_checksum(context.workspace.home / row["file"]) != row["checksum"]
    ]
    return CheckResult(not wrong, len(wrong), "0 files that are not as listed", wrong[:SAMPLES])


def _ties(context: Context) -> CheckResult:
    """Preferences whose two answers were rated alike say nothing."""
    found = query(
        f"""SELECT count(*) FILTER (said.margin = 0) / greatest(1, count(*)) AS share
            FROM {relation(context.lake, INSTRUCTION_MIX)} AS mixed
            JOIN {relation(context.lake, _scored())} AS said USING (source, doc_id)
            WHERE mixed.kind = 'preference'"""
    )
    share = found[0]["share"] or 0.0
    return CheckResult(share <= 0.1, share, "at most 0.1 of preferences tied")


def _scored() -> Any:
    from llm_data_assets.stages.scored_instructions import SCORED_INSTRUCTIONS

    return SCORED_INSTRUCTIONS


STAGE = Stage(
    name=INSTRUCTION_MIX.name,
    description="""The selected dialogues of all sources in one order, split by question, and
written under `exports/instructions` in the home: messages, ShareGPT, Alpaca or tokens with a loss
mask;
preferences in files of their own.""",
    table=INSTRUCTION_MIX,
    partitioning="none",
    upstream=(RAW_INSTRUCTIONS.name, SELECTED_INSTRUCTIONS.name),
    code_version=CODE_VERSION,
    branch="instructions",
    settings=lambda workspace, partition: _settings(workspace),
    run=run,
    checks=(
        Check("no_leak", "No question stands in two splits.", _no_leak, True),
        Check("files_stand", "The files are as listed.", _files_stand, True),
        Check("ties", "Few preferences are tied.", _ties),
    ),
)


def _settings(workspace: Workspace) -> dict[str, Any]:
    settings = workspace.pipeline.model.instructions.export
    folder = workspace.pipeline.path.parent
    named = [folder / name for name in (settings.template, settings.tokenizer) if name]
    return {
        **settings.model_dump(),
        "files": [file_checksum(path) for path in named if path.is_file()],
    }
