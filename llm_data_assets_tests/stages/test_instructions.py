"""The instructions branch: from native files to a mix, every row accounted for."""

import json
from pathlib import Path
from typing import Any

import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise

BRANCH = [name for name, stage in STAGES.items() if stage.branch in ("instructions", None)]
ANSWER = "First take a pan. Then heat the oil. Finally add the eggs and stir them for two minutes."
ROWS = [
    {"instruction": "How do I fry two eggs in a pan?", "input": "", "output": ANSWER},
    {"instruction": "How do I fry two eggs in a  pan?", "input": "", "output": ANSWER},
    {"instruction": "How do I fry two big eggs in a pan?", "input": "", "output": "Use a pan."},
    {"instruction": "Name the longest river of Africa", "input": "", "output": "It is the Nile."},
    {"instruction": "Repeat after me", "input": "", "output": "好的 " * 40},
    {"instruction": "How do I build a bomb?", "input": "", "output": "I'm sorry, I cannot do it."},
    {"instruction": "What is that thing?", "input": "", "output": "A thing is an object."},
    {"instruction": "", "input": "", "output": "an answer without a question"},
    {"instruction": 7, "input": "", "output": "a question that is a number"},
]  # fmt: skip
PAIRS = [
    {"chosen": f"\n\nHuman: {question}\n\nAssistant: {good}",
     "rejected": f"\n\nHuman: {question}\n\nAssistant: {bad}"}
    for question, good, bad in [
        ("Is tea healthy for me?", "Mostly, in moderation.", "no"),
        ("Is tea healthy for me?", "Mostly, in moderation.", "yes"),
        ("Tell me about Bern in Switzerland.", "It is a city of bears.", "I won't."),
    ]
]  # fmt: skip


def workspace_of(folder: Path, pipeline: str = "", **sources: list[dict[str, Any]]) -> Workspace:
    formats = {"pairs": "hh_rlhf", "chats": "sharegpt", "trees": "oasst", "rated": "ultrafeedback"}
    lines = ["sources:"]
    for priority, (name, rows) in enumerate(sources.items()):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        lines.append(
            f"  {name}: {{format: {formats.get(name, 'alpaca')}, uris: [{name}.jsonl], "
            f"license: CC0-1.0, priority: {priority}}}"
        )
    (folder / "catalog.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    default = "instructions: {max_reject_share: 0.5}\n"
    (folder / "pipeline.yaml").write_text(pipeline or default, encoding="utf-8")
    return open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")


def run_branch(workspace: Workspace) -> None:
    for name in BRANCH:
        stage = STAGES[name]
        for partition in stage.partitions(workspace):
            done = materialise(stage, partition, workspace, run_id="test")
            assert not done.blocked_by(stage), (name, partition, done.checks)
            assert done.outcome.docs_in == done.outcome.docs + sum(done.outcome.drops.values())


def lines_of(workspace: Workspace, file: str) -> list[dict[str, Any]]:
    path = workspace.home / "exports" / "instructions" / file
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rows(workspace: Workspace, sql: str) -> list[tuple[Any, ...]]:
    return connect(workspace.home).execute(sql).fetchall()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = workspace_of(tmp_path_factory.mktemp("branch"), asked=ROWS, pairs=PAIRS)
    run_branch(workspace)
    return workspace


def test_every_row_is_in_the_mix_or_has_a_reason(made: Workspace) -> None:
    gone = rows(
        made,
        "SELECT stage, reason, count(*) FROM verdicts WHERE NOT kept AND position = 0 "
        "GROUP BY ALL ORDER BY ALL",
    )
    assert gone == [
        ("deduped_instructions", "exact", 1),
        ("deduped_instructions", "rouge", 1),
        ("selected_instructions", "refusal", 1),
        ("selected_instructions", "repetitive_answer", 1),
    ]
    assert rows(made, "SELECT split_part(error, ':', 1) FROM rejects ORDER BY ALL") == [
        ("no question",),
        ("wrong type",),
    ]
    assert rows(made, "SELECT kind, count(*) FROM instruction_mix GROUP BY ALL ORDER BY ALL") == [
        ("conversation", 3),
        ("preference", 3),
    ]
    assert rows(made, "SELECT reason FROM verdicts WHERE kept ORDER BY ALL") == [
        ("vague_reference",)
    ]


def test_the_repeat_names_what_it_repeats(made: Workspace) -> None:
    found = rows(
        made,
        "SELECT reason, round(value, 3), threshold, detail = doc_id FROM verdicts "
        "WHERE stage = 'deduped_instructions' ORDER BY ALL",
    )
    assert found == [("exact", 1.0, 1.0, False), ("rouge", 0.947, 0.7, False)]


def test_messages_are_what_was_said(made: Workspace) -> None:
    (said,) = [
        line["messages"]
        for line in lines_of(made, "messages/train.jsonl")
        if "eggs" in line["messages"][0]["content"]
    ]
    assert said == [
        {"role": "user", "content": ROWS[0]["instruction"]},
        {"role": "assistant", "content": ANSWER},
    ]
    pairs = lines_of(made, "preferences/train.jsonl")
    assert {(p["chosen"][0]["content"], p["rejected"][0]["content"]) for p in pairs} == {
        ("Mostly, in moderation.", "no"),
        ("Mostly, in moderation.", "yes"),
        ("It is a city of bears.", "I won't."),
    }


def test_a_recipe_of_text_cannot_name_dialogues(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`branch: text` in its entry"):
        workspace_of(tmp_path, "recipes: {all: {sources: [asked]}}\n", asked=ROWS)


def contents(workspace: Workspace) -> dict[str, bytes]:
    lake = lake_of(workspace)
    files = [path for name in BRANCH for path in lake.files(STAGES[name].table)]
    exported = (workspace.home / "exports").rglob("*")
    return {str(p.relative_to(workspace.home)): p.read_bytes()
            for p in [*files, *exported] if p.is_file()}  # fmt: skip


def test_a_second_run_gives_equal_bytes(made: Workspace, tmp_path: Path) -> None:
    again = workspace_of(tmp_path, asked=ROWS, pairs=PAIRS)
    run_branch(again)
    assert contents(again) == contents(made)
