"""A document that is taken down is in no table, version or export, and stays out."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.takedowns import Kind, read_takedowns
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.lake.schemas import TOKENIZED_CORPUS
from llm_data_assets.stages import read_group
from llm_data_assets.stages.edit_rows import text_hash
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.takedown import effect_of, purge, record
from llm_data_assets_tests.conftest import sentence, write_workspace
from llm_data_assets_tests.stages.test_whole_flow import contents, copied, materialise_all
from llm_data_assets_tests.test_cli import call

SECRET = "The heliotrope ferryman keeps seventeen brass keys under the northern stair."
TEXT = f"{sentence(13)} {SECRET}"
BELL, BELL_URL = f"{sentence(51)} The bell has nine clappers of elm.", "https://example.org/bell"
LAMP = f"{sentence(52)} The lamp burns whale oil on odd Thursdays."


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two sources; one document stands in both, with a sentence that stands nowhere else."""
    url = "https://example.org/keys"
    workspace = write_workspace(
        tmp_path_factory.mktemp("whole"),
        {
            "first": [
                *({"id": f"a{i}", "text": sentence(i)} for i in range(8)),
                {"id": "keys", "text": TEXT, "url": url},
                {"id": "bell", "text": BELL, "url": BELL_URL},
            ],
            "second": [
                {"id": "copy", "text": TEXT, "url": f"{url}?copy"},
                {"id": "lamp", "text": LAMP},
                *({"id": f"b{i}", "text": sentence(i)} for i in range(20, 26)),
            ],
        },
    )
    materialise_all(workspace)
    return workspace


@pytest.fixture
def made(whole: Workspace, tmp_path: Path) -> Workspace:
    """A copy of one's own."""
    return copied(whole, tmp_path / "own")


def reopened(workspace: Workspace, home: Path | None = None) -> Workspace:
    return open_workspace(home or workspace.home, workspace.catalog.path, workspace.pipeline.path)


def holding(home: Path, needle: str) -> list[str]:
    """Every file below the home that holds a text: as bytes, or as a value of Parquet."""
    found = []
    for path in sorted(home.rglob("*")):
        if not path.is_file():
            continue
        held = needle.encode() in path.read_bytes()
        if path.suffix == ".parquet" and path.parent.name != "_delta_log":
            table = pq.read_table(path, partitioning=None)
            held = held or any(
                needle in str(value)
                for column in table.columns
                if pa.types.is_string(column.type) or pa.types.is_nested(column.type)
                for value in column.to_pylist()
            )
        if held:
            found.append(path.relative_to(home).as_posix())
    return found


def tokens_of(workspace: Workspace, doc_id: str) -> list[list[int]]:
    connection = connect(workspace.home)
    rows = connection.execute("SELECT tokens FROM tokenized_corpus WHERE doc_id LIKE ?", [doc_id])
    return [row[0] for row in rows.fetchall()]


def test_what_would_change_is_shown_before_it_does(made: Workspace) -> None:
    effect = effect_of(made, "doc_id", ["first/keys"])
    assert effect.met == [("first", "first.jsonl", "first/keys")]
    assert [row["doc_id"] for row in effect.promoted] == ["second/copy"]
    assert [(row["source"], row["going"], row["coming"]) for row in effect.shards] == [
        ("first", 1, 0),
        ("second", 0, 1),
    ]
    assert {row["shard"] for row in effect.shards} <= {
        file.shard
        for source in made.sources
        for file in lake_of(made).shards(TOKENIZED_CORPUS, {"source": source})
    }
    assert [row["recipe"] for row in effect.positions] == ["small"]
    assert any(file.endswith(".bin") for file in effect.exports)
    both = effect_of(made, "doc_id", ["first/keys"], with_duplicates=True)
    assert [doc_id for *_, doc_id in both.met] == ["first/keys", "second/copy"]
    assert both.promoted == []


def test_the_next_duplicate_comes_in_and_one_file_is_read(
    made: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    original = read_group.read_documents
    monkeypatch.setattr(
        read_group,
        "read_documents",
        lambda name, file, options: read.append(file.uri) or original(name, file, options),
    )
    record(made, "doc_id", ["first/keys"], "asked", effect_of(made, "doc_id", ["first/keys"]))
    after = reopened(made)
    materialise_all(after)
    assert read == ["first.jsonl"]
    names = connect(after.home).execute("SELECT doc_id FROM filtered_corpus").fetchall()
    assert ("second/copy",) in names and ("first/keys",) not in names
    error = connect(after.home).execute("SELECT error FROM rejects").fetchall()
    assert error == [("taken down: takedown 1 of the audit log",)]
    rebuilt = reopened(made, made.home.parent / "rebuilt")
    materialise_all(rebuilt)
    assert contents(rebuilt) == contents(after)


def test_after_a_purge_the_texts_are_nowhere_whatever_they_were_named_by(made: Workspace) -> None:
    named: dict[Kind, str] = {"doc_id": "first/keys", "url": BELL_URL, "hash": text_hash(LAMP)}
    secrets = [SECRET, BELL, LAMP]
    assert all(holding(made.home, secret) for secret in secrets)
    tokens = [tokens_of(made, doc_id)[0] for doc_id in ("first/keys", "first/bell", "second/lamp")]
    for kind, value in named.items():
        effect = effect_of(made, kind, [value], with_duplicates=True)
        record(made, kind, [value], "asked", effect)
    after = reopened(made)
    materialise_all(after)
    # Older versions have them until the purge.
    assert all(holding(after.home, secret) for secret in secrets)
    assert purge(after) > 0
    assert [holding(after.home, secret) for secret in secrets] == [[], [], []]
    left = tokens_of(after, "%")
    assert left and not any(each in left for each in tokens)
    materialise_all(reopened(made))
    assert [holding(after.home, secret) for secret in secrets] == [[], [], []]


def test_an_address_and_a_hash_meet_later_copies(made: Workspace) -> None:
    for kind, value in (("url", "https://example.org/keys"), ("hash", text_hash(TEXT))):
        record(made, kind, [value], "", effect_of(made, kind, [value]))  # type: ignore[arg-type]
    late = [
        {"id": "late", "text": sentence(40), "url": "https://example.org/keys"},
        {"id": "again", "text": TEXT},
        {"id": "good", "text": sentence(41)},
    ]
    path = made.catalog.path.parent / "first-late.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in late))
    after = reopened(made)
    materialise_all(after)
    rows = connect(after.home).execute(
        "SELECT doc_id FROM raw_corpus WHERE origin.file = 'first-late.jsonl'"
    )
    assert rows.fetchall() == [("first/good",)]


def test_a_record_that_was_touched_stops_everything(made: Workspace) -> None:
    for doc_id in ("first/a1", "first/a2"):
        record(made, "doc_id", [doc_id], "asked", effect_of(made, "doc_id", [doc_id]))
    whole = made.audit.read_text()
    assert [each.number for each in read_takedowns(made.audit)] == [1, 2]
    for broken in (
        whole.replace("first/a1", "first/a7"),
        "".join(whole.splitlines(keepends=True)[1:]),
        whole + "{}\n",
    ):
        made.audit.write_text(broken)
        with pytest.raises(ConfigError, match="audit log is broken"):
            materialise_all(reopened(made))


def test_a_value_that_meets_nothing_is_named(made: Workspace) -> None:
    with pytest.raises(ConfigError, match="first/nobody: is the doc_id of no document"):
        effect_of(made, "doc_id", ["first/a1", "first/nobody"])


@pytest.fixture
def chosen(made: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The workspace that the environment chooses for a command."""
    monkeypatch.setenv("LLM_DATA_HOME", str(made.home))
    monkeypatch.setenv("LLM_DATA_CATALOG", str(made.catalog.path))
    monkeypatch.setenv("LLM_DATA_PIPELINE", str(made.pipeline.path))
    return made


def test_the_command_asks_before_it_acts(
    chosen: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = call(capsys, "takedown", "first/keys")
    assert code == 0 and "comes in     second/copy" in text and "nothing was changed" in text
    assert "of second is made again: 0 go, 1 may come in" in " ".join(text.split())
    assert read_takedowns(chosen.audit) == []
    assert call(capsys, "takedown")[0] == 2


@pytest.mark.slow  # a run through Dagster
def test_the_command_takes_down_and_purges_at_once(
    chosen: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = call(capsys, "takedown", "first/keys", "--with-duplicates", "--yes", "--purge")
    assert code == 0 and "takedown 1 is in" in text
    assert holding(chosen.home, SECRET) == []
