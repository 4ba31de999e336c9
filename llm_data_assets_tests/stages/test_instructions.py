"""The instructions branch: from native files to a mix, every row accounted for."""

import json
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_data_assets.config.catalog import CONVERSATION_FORMATS
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.instructions import TASK_TYPES
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.instruction_report import dialogue_lines, explain_dialogue, report
from llm_data_assets.instructions import scorers
from llm_data_assets.lake.catalog import connect
from llm_data_assets.sources.formats import FORMATS, load_reader
from llm_data_assets.stages import instruction_mix
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.prune import remove_dropped_sources

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


def test_a_dialogue_is_explained_and_the_page_adds_up(made: Workspace) -> None:
    ((doc_id, kept),) = rows(made, "SELECT doc_id, detail FROM verdicts WHERE reason = 'rouge'")
    passport = explain_dialogue(connect(made.home), doc_id)
    assert passport is not None and passport["mix"] == []
    lines = "\n".join(dialogue_lines(passport))
    assert f"removed: rouge, value 0.947368, threshold 0.7 {kept}" in lines
    stayed = explain_dialogue(connect(made.home), kept)
    assert stayed is not None and stayed["mix"][0]["split"] == "train"
    page = report(connect(made.home))
    assert [tuple(row.values()) for row in page["dialogues"]] == [
        ("asked", 7, 5, 3, 3, 0), ("pairs", 3, 3, 3, 3, 0), ("all", 10, 8, 6, 6, 0),
    ]  # fmt: skip
    (pairs,) = page["preferences"]
    assert (pairs["pairs"], pairs["with_margin"], pairs["chosen_is_longer"]) == (3, 0, 1.0)
    by_type = {row["source"]: sum(row[name] for name in TASK_TYPES)
               for row in page["selected by task type"]}  # fmt: skip
    assert by_type == {"asked": 3, "pairs": 3}
    assert {row["reason"] for row in page["unreadable records"]} == {"no question", "wrong type"}
    assert explain_dialogue(connect(made.home), "nobody") is None
    dropped = rows(
        made, "SELECT stage, sum(docs), min(bytes) > 0 FROM drops GROUP BY ALL ORDER BY 1"
    )
    assert dropped == [("deduped_instructions", 2, True), ("selected_instructions", 2, True)]


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


SELECTIONS = """
top: {method: top, n: 2, score: answer_words}
clusters: {method: clusters, n: 3, clusters: 2, dimensions: 4}
diverse: {method: diverse, max_cosine: 0.5, dimensions: 8}
quotas: {n: 4, method: top, quotas: true}
influence: {method: influence, n: 2, gains: gains.csv, dimensions: 4}
"""
VARIED = [
    {"instruction": question, "input": "", "output": answer}
    for question, answer in [
        ("Write a poem about the autumn rain", "Rain falls softly on the red leaves."),
        ("Write a poem about the summer sun", "The sun is high above the golden wheat."),
        ("What is the capital city of Peru?", "The capital of Peru is Lima."),
        ("What is the capital city of Chile?", "Santiago."),
        ("Solve the equation 3x + 5 = 20", "3x = 15, therefore x = 5."),
        ("Calculate the area of a square of side 4", "4 * 4 = 16"),
    ]
]  # fmt: skip


@pytest.mark.parametrize(
    "line", SELECTIONS.strip().splitlines(), ids=lambda line: line.split(":")[0]
)
def test_every_method_explains_every_row(line: str, tmp_path: Path) -> None:
    _, _, settings = line.partition(": ")
    (tmp_path / "gains.csv").write_text("doc_id,gain\n", encoding="utf-8")
    pipeline = f"instructions: {{dedup: {{rouge: null}}, select: {settings}}}\n"
    workspace = workspace_of(tmp_path, pipeline, varied=VARIED)
    for name in BRANCH[:-2]:
        for partition in STAGES[name].partitions(workspace):
            materialise(STAGES[name], partition, workspace)
    ids = [row[0] for row in rows(workspace, "SELECT doc_id FROM raw_instructions ORDER BY ALL")]
    (tmp_path / "gains.csv").write_text(
        "doc_id,gain\n" + "".join(f"{name},{place}\n" for place, name in enumerate(ids[:3])),
        encoding="utf-8",
    )
    run_branch(workspace)
    taken = [row[0] for row in rows(workspace, "SELECT doc_id FROM selected_instructions")]
    gone = rows(
        workspace,
        "SELECT doc_id, reason FROM verdicts WHERE stage = 'selected_instructions' AND NOT kept",
    )
    assert sorted(taken + [doc_id for doc_id, _ in gone]) == ids
    assert taken and {reason for _, reason in gone} <= {
        "not_in_top", "cluster_full", "too_similar", "no_quota"
    }  # fmt: skip
    assert rows(workspace, "SELECT count(*) FROM selection_report") != [(0,)]


def test_quotas_report_what_is_short(tmp_path: Path) -> None:
    pipeline = "instructions: {select: {n: 8, quotas: {tool_use: 0.5, recall: 0.5}}}\n"
    workspace = workspace_of(tmp_path, pipeline, varied=VARIED)
    run_branch(workspace)
    assert ("tool_use", 4.0) in rows(
        workspace, "SELECT key, value FROM selection_report WHERE metric = 'shortfall'"
    )


def test_tokens_with_a_loss_mask(tmp_path: Path) -> None:
    from llm_data_assets.tokens.tokenizer import load, train

    texts = [row["instruction"] + " " + row["output"] for row in VARIED]
    model = train(texts * 30, vocab_size=320)
    (tmp_path / "chat.model").write_bytes(model)
    pipeline = "instructions: {export: {formats: [messages, tokenized], tokenizer: chat.model}}\n"
    workspace = workspace_of(tmp_path, pipeline, varied=VARIED[:1])
    run_branch(workspace)
    path = workspace.home / "exports" / "instructions" / "tokenized" / "train.parquet"
    (row,) = pq.read_table(path).to_pylist()
    trained = [t for t, m in zip(row["input_ids"], row["loss_mask"], strict=True) if m]
    processor = load(model)
    assert "Rain falls softly on the red leaves." in processor.decode(trained)
    assert "poem" not in processor.decode(trained)
    assert "poem" in processor.decode(row["input_ids"])


class Words:
    """A scorer that counts, and chokes on poems."""

    meta: ClassVar[dict[str, str]] = {"model": "counting", "revision": "1"}

    def score(self, batch: Sequence[Any]) -> list[Any]:
        said = [row["turns"][-1]["content"] for row in batch]
        if any("Rain" in each for each in said):
            raise RuntimeError("no poems")
        return [len(each.split()) for each in said]


def test_a_scorer_of_ones_own_is_a_column_for_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint("n_said", f"{__name__}:Words", scorers.ENTRY_POINTS)
    monkeypatch.setattr(EntryPoint, "load", lambda self: Words)
    monkeypatch.setattr(scorers, "entry_points", lambda group: [entry])
    pipeline = (
        "instructions: {dedup: {rouge: null}, scorers: [n_said], rules: [instructions, "
        "{name: too_few, signal: n_said, min: 3}]}\n"
    )
    workspace = workspace_of(tmp_path, pipeline, varied=VARIED)
    run_branch(workspace)
    gone = rows(workspace, "SELECT reason, kept, value FROM verdicts "
                "WHERE reason IN ('too_few', 'scorer_failed') ORDER BY ALL")  # fmt: skip
    assert gone == [("scorer_failed", True, None), ("too_few", False, 1.0)]
    assert rows(workspace, "SELECT scorer_fault, count(*) FROM scored_instructions "
                "GROUP BY ALL ORDER BY ALL") == [("n_said failed", 1), ("none", 5)]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("{scorers: [reward]}", "there is no scorer 'reward'"),
        ("{terms: none.txt}", "none.txt cannot be read"),
        ("{select: {score: beauty}}", "'beauty' is no column of scored_instructions"),
        ("{rules: [{name: x, signal: beauty, max: 1}]}", "names 'beauty', which is not a signal"),
        ("{rules: [gophr]}", "there is no rule set 'gophr'"),
        ("{select: {method: influence, gains: none.csv}}", "none.csv"),
        ("{export: {formats: [tokenized], tokenizer: none.model}}", "none.model"),
    ],
)
def test_a_setting_that_cannot_be_names_file_line_and_way_out(
    settings: str, words: str, tmp_path: Path
) -> None:
    workspace = workspace_of(tmp_path, f"instructions: {settings}\n", varied=VARIED)
    with pytest.raises(ConfigError, match=words) as raised:
        run_branch(workspace)
    assert "pipeline.yaml:1" in str(raised.value) and "Try: " in str(raised.value)


def test_a_synthetic_row_carries_its_model_and_prompt(tmp_path: Path) -> None:
    synthetic = {"generator": "self_instruct", "model": "tiny", "prompt_hash": "ab"}
    workspace = workspace_of(tmp_path, made=[{**VARIED[0], "synthetic": synthetic}])
    run_branch(workspace)
    assert rows(workspace, "SELECT model, prompt_hash FROM raw_instructions") == [("tiny", "ab")]


def test_broken_trees_and_questions_nobody_answers(tmp_path: Path) -> None:
    def message(number: str, parent: str | None, role: str, text: str) -> dict[str, Any]:
        return {"message_id": number, "parent_id": parent, "message_tree_id": "t", "role": role,
                "text": text}  # fmt: skip

    trees = [
        message("a", None, "prompter", "Who walked on the moon first?"),
        message("b", "a", "assistant", "Neil Armstrong did."),
        message("c", "b", "prompter", "And who was second?"),
        message("d", "gone", "assistant", "an orphan"),
        message("e", "f", "assistant", "a cycle"),
        message("f", "e", "prompter", "of two"),
    ]
    pipeline = "instructions: {max_reject_share: 1}\n"
    workspace = workspace_of(tmp_path, pipeline, trees=trees)
    run_branch(workspace)
    assert rows(workspace, "SELECT len(turns), meta LIKE '%And who was second?%' "
                "FROM raw_instructions") == [(2, True)]  # fmt: skip
    reasons = rows(workspace, "SELECT split_part(error, ':', 1) FROM rejects ORDER BY ALL")
    assert reasons == [("cycle",), ("cycle",), ("orphan",)]


def test_broken_ranks_and_ratings_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    def reply(number: str, rank: Any) -> dict[str, Any]:
        return {"message_id": number, "role": "assistant", "text": f"It was {number}.",
                "rank": rank, "replies": []}  # fmt: skip

    asked = {"message_id": "a", "role": "prompter", "text": "Who walked on the moon first?"}
    given = {"b": 0, "c": 1, "d": "second", "e": -1, "f": True, "g": None}
    tree = {"message_tree_id": "t",
            "prompt": {**asked, "replies": [reply(*each) for each in given.items()]}}  # fmt: skip
    linked = {"message_id": ["x"], "parent_id": None, "role": "prompter", "text": "Who?"}
    rated = {
        "instruction": "Name two rivers of Europe please",
        "completions": [{"model": "m", "response": f"River {n}.", "overall_score": score}
                        for n, score in enumerate([8, "6.5", "ten", 11, "N/A", None])],
    }  # fmt: skip
    workspace = workspace_of(
        tmp_path, "instructions: {max_reject_share: 1}\n", trees=[tree, linked], rated=[rated]
    )
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(catalog.read_text().replace("}", ", options: {records: preferences}}"))
    workspace = open_workspace(tmp_path / "home", catalog, workspace.pipeline.path)
    run_branch(workspace)
    assert rows(workspace, "SELECT source, margin FROM scored_instructions ORDER BY ALL") == [
        ("rated", 1.5), ("trees", 1.0),
    ]  # fmt: skip
    assert rows(workspace, "SELECT error FROM rejects ORDER BY ALL") == [
        ("broken link: message_id or parent_id is no id",),
        ("broken rank: 'second' is no whole number from 0 on",),
        ("broken rank: -1 is no whole number from 0 on",),
        ("broken rank: True is no whole number from 0 on",),
        ("broken rating: overall_score 'ten' is no number from 0 to 10",),
        ("broken rating: overall_score 11 is no number from 0 to 10",),
    ]


def test_a_completion_without_a_usable_rating_is_flagged(tmp_path: Path) -> None:
    rated = {
        "instruction": "Name two rivers of Europe please",
        "completions": [{"model": "m", "response": f"The river {n}.", "overall_score": score}
                        for n, score in enumerate([8, "ten", 11, "N/A"])],
    }  # fmt: skip
    pipeline = "instructions: {dedup: {near: null, rouge: null}}\n"
    workspace = workspace_of(tmp_path, pipeline, rated=[rated])
    run_branch(workspace)
    assert rows(workspace, "SELECT rating, rating_fault FROM scored_instructions ORDER BY ALL") == [
        (8.0, "none"), (None, "none"), (None, "not_a_number"), (None, "out_of_range"),
    ]  # fmt: skip
    assert rows(workspace, "SELECT count(*) FROM verdicts WHERE reason = 'broken_rating'") == [(2,)]


def test_repeated_ids_leave_by_name(tmp_path: Path) -> None:
    said = [
        {"from": "human", "value": "Who wrote Faust?"},
        {"from": "gpt", "value": "Goethe wrote it."},
    ]
    chat = {"id": "one", "conversations": said}
    workspace = workspace_of(tmp_path, "instructions: {max_reject_share: 1}\n", chats=[chat, chat])
    run_branch(workspace)
    assert rows(workspace, "SELECT doc_id FROM raw_instructions") == [("chats/one",)]
    assert rows(workspace, "SELECT error FROM rejects") == [
        ("repeated id: chats/one stands earlier in this source",)
    ]


def test_a_question_in_two_splits_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = workspace_of(tmp_path, pairs=PAIRS)
    run_branch(workspace)
    asked_twice = rows(
        workspace,
        "SELECT list(doc_id ORDER BY doc_id) FROM instruction_mix "
        "GROUP BY question_hash HAVING count(*) = 2",
    )
    [([low, high],)] = asked_twice
    ordered = instruction_mix._ordered

    def leaking(*given: Any) -> pa.Table:
        listed = ordered(*given).to_pylist()
        for row in listed:
            row["split"] = "validation" if row["doc_id"] == low else "train"
        return pa.Table.from_pylist(listed)

    monkeypatch.setattr(instruction_mix, "_ordered", leaking)
    stage = STAGES["instruction_mix"]
    [partition] = stage.partitions(workspace)
    done = materialise(stage, partition, workspace, run_id="leak")
    assert [check.name for check in done.blocked_by(stage)] == ["no_leak"]
    seen = done.checks["no_leak"]
    assert seen.observed == 1
    assert [(row["train"], row["validation"]) for row in seen.samples] == [(high, low)]
    assert "materialise instruction_mix again" in seen.expected


def test_a_source_that_changes_its_branch_leaves_the_other(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, asked=VARIED)
    run_branch(workspace)
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(catalog.read_text().replace("priority: 0", "priority: 0, branch: text"))
    changed = open_workspace(tmp_path / "home", catalog, tmp_path / "pipeline.yaml")
    assert changed.sources == ["asked"] and changed.sources_of("instructions") == []
    raw = STAGES["raw_corpus"]
    materialise(raw, raw.partitions(changed)[0], changed)
    removed = remove_dropped_sources(changed, lake_of(changed))
    assert "raw_instructions asked" in removed and "rejects asked" not in removed
    assert rows(changed, "SELECT count(*) FROM raw_corpus") == [(len(VARIED),)]


def test_conversation_formats_are_those_that_read_records() -> None:
    readers = {name: getattr(load_reader(name), "read_records", None) for name in FORMATS}
    of_dialogues = {
        name
        for name, read in readers.items()
        if read and "Conversation" in repr(get_type_hints(read))
    }
    assert of_dialogues == CONVERSATION_FORMATS


def test_a_format_without_dialogues_is_told_the_way_out(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, asked=VARIED)
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(catalog.read_text().replace("alpaca", "jsonl, branch: instructions"))
    wrong = open_workspace(tmp_path / "home", catalog, workspace.pipeline.path)
    with pytest.raises(ValueError, match="'jsonl' gives no dialogues"):
        run_branch(wrong)
