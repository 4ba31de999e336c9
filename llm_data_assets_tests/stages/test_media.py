"""The media branch: from native files of seven sources to pairs worth fetching, all accounted."""

import json
import wave
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from llm_data_assets.config.catalog import MEDIA_FORMATS
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.media_report import explain_pair, pair_lines, report
from llm_data_assets.sources import silence
from llm_data_assets.sources.formats import FORMATS, load_reader
from llm_data_assets.stages import materialise as materialise_module
from llm_data_assets.stages import raw_pairs
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.prune import remove_dropped_sources
from llm_data_assets.stages.publication import publish_catalog
from llm_data_assets.stages.stage import Context, Partition
from llm_data_assets.stages.takedown import effect_of, record
from llm_data_assets.stages.versions import is_fresh
from llm_data_assets.tokens.tokenizer import train
from llm_data_assets_tests.conftest import sentence
from llm_data_assets_tests.sources import fixtures_conversations as fixtures

BRANCH = [name for name, stage in STAGES.items() if stage.branch == "media"]
COYO = {
    "id": 1, "url": "https://example.org/a.jpg", "text": "A quay at dusk in autumn",
    "width": 640, "height": 480, "image_phash": "a5f03c96a5f03c96", "clip_similarity_vitb32": 0.31,
    "nsfw_score_opennsfw2": 0.01, "nsfw_score_gantman": 0.02, "watermark_score": 0.1,
    "aesthetic_score_laion_v2": 5.1,
}  # fmt: skip


def coyo(folder: Path, *changes: dict[str, Any]) -> None:
    """COYO rows of different pictures, each with something changed; a missing key is null."""
    folder.mkdir()
    rows = []
    for number, change in enumerate(changes, start=1):
        own = {"id": number, "url": f"https://example.org/{number}.jpg",
               "image_phash": f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}",
               "text": f"A quay number {number} at dusk in autumn"}  # fmt: skip
        rows.append({**COYO, **own, **change})
    pq.write_table(pa.Table.from_pylist(rows), folder / "part.parquet")


def recording(path: Path, *parts: tuple[float, float]) -> None:
    """A WAV file of tones: seconds and loudness of each part."""
    rate = 8_000
    sound = np.concatenate(
        [loud * np.sin(np.arange(round(length * rate)) / 3) for length, loud in parts]
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound * 32_000).astype("<i2").tobytes())


def speech(folder: Path) -> None:
    """LibriSpeech: a sentence, one that is mostly silence, one too fast, a file cut short."""
    folder.mkdir()
    said = {"1-2-0000": "HE HOPED THERE WOULD BE STEW FOR DINNER",
            "1-2-0001": "TURNIPS AND CARROTS", "1-2-0002": "STUFF IT INTO YOU " * 9,
            "1-2-0003": "HIS BELLY COUNSELLED HIM"}  # fmt: skip
    recording(folder / "1-2-0000.wav", (2.0, 0.5), (1.0, 0.0))
    recording(folder / "1-2-0001.wav", (0.25, 0.5), (1.75, 0.0))
    recording(folder / "1-2-0002.wav", (2.0, 0.5))
    recording(folder / "1-2-0003.wav", (2.0, 0.5))
    whole = (folder / "1-2-0003.wav").read_bytes()
    (folder / "1-2-0003.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "1-2.trans.txt").write_text("".join(f"{k} {v}\n" for k, v in said.items()))


def workspace_of(folder: Path, sources: dict[str, Any], pipeline: str = "") -> Workspace:
    catalog = {"sources": {name: {"license": "CC-BY-4.0", **about}
                           for name, about in sources.items()}}  # fmt: skip
    (folder / "catalog.yaml").write_text(yaml.safe_dump(catalog), encoding="utf-8")
    text = pipeline or "media: {max_reject_share: 0.7}\n"
    (folder / "pipeline.yaml").write_text(text, encoding="utf-8")
    return open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")


def seven(folder: Path) -> Workspace:
    """Every media source in its native layout."""
    sources: dict[str, Any] = {}
    for priority, name in enumerate(
        ("laion", "conceptual_captions", "cc12m", "webvid", "librilight")
    ):
        (folder / name).mkdir()
        file = fixtures.CONVERSATION_FIXTURES[name](folder / name)
        sources[name] = {"format": name, "priority": priority,
                         "uris": [str(file.relative_to(folder))]}  # fmt: skip
    coyo(
        folder / "coyo",
        {},
        {"image_phash": f"{0x9E3779B97F4A7C15 ^ 0b101:016x}", "width": 1280},
        {"url": "http://EXAMPLE.org/a.jpg#x"},
        {"text": "A Quay, number 2: at dusk in autumn!"},
    )
    sources["coyo"] = {"format": "coyo", "uris": ["coyo"]}
    speech(folder / "librispeech")
    sources["librispeech"] = {"format": "librispeech", "uris": ["librispeech/*.trans.txt"]}
    return workspace_of(folder, sources)


def run_branch(workspace: Workspace, *, upto: str = BRANCH[-1]) -> None:
    """Every partition of the branch's stages; the catalog is published once, at the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(materialise_module, "publish_catalog", lambda workspace: None)
        for name in BRANCH[: BRANCH.index(upto) + 1]:
            stage = STAGES[name]
            for partition in stage.partitions(workspace):
                done = materialise(stage, partition, workspace, run_id="test")
                assert not done.blocked_by(stage), (name, partition, done.checks)
                assert done.outcome.docs_in == done.outcome.docs + sum(done.outcome.drops.values())
    publish_catalog(workspace)


def rows(workspace: Workspace, sql: str) -> list[tuple[Any, ...]]:
    return connect(workspace.home).execute(sql).fetchall()


def contents(workspace: Workspace) -> dict[str, bytes]:
    lake = lake_of(workspace)
    files = [path for name in BRANCH for path in lake.files(STAGES[name].table)]
    return {str(path.relative_to(workspace.home)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = seven(tmp_path_factory.mktemp("media"))
    run_branch(workspace)
    return workspace


def test_every_source_is_read_into_one_schema(made: Workspace) -> None:
    assert rows(made, "SELECT source, kind, says, count(*) FROM raw_pairs GROUP BY ALL "
                "ORDER BY ALL") == [
        ("cc12m", "image", "caption", 1), ("conceptual_captions", "image", "caption", 1),
        ("coyo", "image", "caption", 4), ("laion", "image", "caption", 1),
        ("librilight", "audio", "title", 1), ("librispeech", "audio", "transcript", 4),
        ("webvid", "video", "caption", 1),
    ]  # fmt: skip
    assert rows(made, "SELECT source, split_part(error, ':', 1) FROM rejects ORDER BY ALL") == [
        ("cc12m", "no caption"), ("cc12m", "path leaves the archive"),
        ("conceptual_captions", "no caption"), ("conceptual_captions", "wrong number of cells"),
        ("laion", "no address"), ("webvid", "no address"),
    ]  # fmt: skip


def test_a_repeat_names_what_it_repeats_and_by_what(made: Workspace) -> None:
    """One address over four sources: LAION's priority keeps it; the larger of two hashes stays."""
    found = rows(
        made,
        "SELECT doc_id, reason, value, threshold, detail FROM verdicts "
        "WHERE stage = 'deduped_pairs' ORDER BY ALL",
    )
    assert found == [
        ("cc12m/000000000", "url", 1.0, 1.0, "laion/7"),
        (rows(made, "SELECT doc_id FROM raw_pairs WHERE source = 'conceptual_captions'")[0][0],
         "url", 1.0, 1.0, "laion/7"),
        ("coyo/1", "phash", 62 / 64, 61 / 64, "coyo/2"),
        ("coyo/3", "url", 1.0, 1.0, "laion/7"),
        ("coyo/4", "caption", 1.0, 1.0, "coyo/2"),
    ]  # fmt: skip


def test_every_pair_stays_or_has_a_reason_with_number_and_bound(made: Workspace) -> None:
    pytest.importorskip("soundfile", reason="the extra `audio` is not installed")
    found = rows(
        made,
        "SELECT doc_id, reason, round(value, 3), threshold FROM verdicts "
        "WHERE stage = 'filtered_pairs' AND NOT kept AND position = 0 ORDER BY ALL",
    )
    assert found == [
        ("laion/7", "short_caption", 2.0, 3.0),
        ("librilight/tale", "broken_recording", None, None),
        ("librispeech/1-2-0001", "silent_recording", 0.87, 0.8),
        ("librispeech/1-2-0002", "fast_transcript", 18.0, 6.0),
        ("librispeech/1-2-0003", "broken_recording", None, None),
    ]
    assert rows(made, "SELECT doc_id, url, seconds, license FROM filtered_pairs ORDER BY ALL") == [
        ("coyo/2", "https://example.org/2.jpg", None, "CC-BY-4.0"),
        ("librispeech/1-2-0000", None, 3.0, "CC-BY-4.0"),
        ("webvid/1", "https://example.org/1.mp4", 77.0, "CC-BY-4.0"),
    ]
    assert rows(made, "SELECT stage, sum(docs)::INT FROM drops GROUP BY ALL ORDER BY ALL") == [
        ("deduped_pairs", 5), ("filtered_pairs", 5)
    ]  # fmt: skip
    assert rows(made, "SELECT silence_share, words_per_second FROM pair_signals "
                "WHERE doc_id = 'librispeech/1-2-0000'") == [(1 / 3, 8 / 3)]  # fmt: skip


def test_without_the_extra_recordings_are_not_listened_to_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speech(tmp_path / "said")
    source = {"said": {"format": "librispeech", "uris": ["said/*.trans.txt"]}}
    with monkeypatch.context() as without:
        for module in (silence, raw_pairs):
            without.setattr(module, "listener", lambda: None)
        run_branch(workspace_of(tmp_path, source))
    workspace = workspace_of(tmp_path, source)
    assert rows(workspace, "SELECT DISTINCT silence_share, recording_fault FROM pair_signals") == [
        (None, "not_installed")
    ]
    assert rows(workspace, "SELECT reason, kept, count(*) FROM verdicts GROUP BY ALL "
                "ORDER BY ALL") == [
        ("fast_transcript", False, 1), ("unheard_recording", False, 1),
        ("unheard_recording", True, 3),
    ]  # fmt: skip
    if silence.listener():
        run_branch(workspace)  # what was installed since listens to what was read before
        assert rows(workspace, "SELECT recording_fault, count(*) FROM pair_signals "
                    "GROUP BY ALL ORDER BY ALL") == [("broken", 1), ("none", 3)]  # fmt: skip


def test_a_recording_that_changed_is_read_again(tmp_path: Path) -> None:
    speech(tmp_path / "said")
    source = {"said": {"format": "librispeech", "uris": ["said/*.trans.txt"]}}
    workspace = workspace_of(tmp_path, source)
    run_branch(workspace)
    recording(tmp_path / "said" / "1-2-0000.wav", (4.0, 0.5))
    context = Context(workspace, lake_of(workspace), Partition(source="said"))
    assert not is_fresh(STAGES["raw_pairs"], context, STAGES)
    run_branch(workspace)
    assert rows(workspace, "SELECT seconds FROM filtered_pairs") == [(4.0,)]


def test_each_rule_of_a_picture_drops_or_flags_its_own(tmp_path: Path) -> None:
    changes: dict[str, dict[str, Any]] = {
        "": {},
        "nsfw_score": {"nsfw_score_gantman": 0.9},
        "watermark": {"watermark_score": 0.95},
        "low_similarity": {"clip_similarity_vitb32": 0.27},
        "small_picture": {"height": 199},
        "stretched_picture": {"width": 1921},
        "short_caption": {"text": "Quay"},
        "empty_caption": {"text": ""},
        "file_name_caption": {"text": "IMG_2031.jpg"},
        "boilerplate_caption": {"text": "royalty free stock photo of Bern"},
        "placeholder_caption": {"text": "<PERSON> <PERSON> <PERSON>"},
        "repeated_words": {"text": "sale sale sale sale sale now"},
    }
    flags: dict[str, dict[str, Any]] = {
        "low_aesthetic": {"aesthetic_score_laion_v2": 4.0},
        "placeholder_names": {"text": "A friend and <PERSON> sit on the old quay"},
        "address_in_caption": {"text": "A harbour at night, see www.example.org"},
        "broken_phash": {"image_phash": "zz"},
        "broken_score": {"watermark_score": 7.0},
    }
    coyo(tmp_path / "coyo", *changes.values(), *flags.values())
    workspace = workspace_of(tmp_path, {"coyo": {"format": "coyo", "uris": ["coyo"]}})
    run_branch(workspace)
    ids = {f"coyo/{at}": name for at, name in enumerate((*changes, *flags), start=1)}
    first = dict(rows(workspace, "SELECT doc_id, reason FROM verdicts WHERE position = 0"))
    assert {ids[doc_id]: reason for doc_id, reason in first.items()} == {
        name: "short_caption" if name in ("file_name_caption", "empty_caption") else name
        for name in ids.values()
        if name
    } | {"empty_caption": "empty_caption"}
    assert {ids[doc_id] for (doc_id,) in rows(workspace, "SELECT doc_id FROM filtered_pairs")} == {
        "", *flags
    }  # fmt: skip
    also = rows(workspace, "SELECT doc_id FROM verdicts WHERE reason = 'file_name_caption'")
    assert [ids[doc_id] for (doc_id,) in also] == ["file_name_caption"]


def test_scores_that_are_text_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    """A number in text is a number; text that is none is null, flagged, and fails the check."""
    coyo(tmp_path / "coyo", {"watermark_score": "0.9"}, {"watermark_score": "high"},
         {"watermark_score": None})  # fmt: skip
    workspace = workspace_of(tmp_path, {"coyo": {"format": "coyo", "uris": ["coyo"]}})
    run_branch(workspace, upto="deduped_pairs")
    done = materialise(STAGES["pair_signals"], Partition(source="coyo"), workspace)
    check = done.checks["scores_are_numbers"]
    assert (check.passed, check.observed) == (False, 1 / 3)
    assert check.samples[0]["score_fault"] == "watermark_score not_a_number"
    materialise(STAGES["filtered_pairs"], Partition(source="coyo"), workspace)
    assert rows(workspace, "SELECT doc_id, reason, kept FROM verdicts ORDER BY ALL") == [
        ("coyo/1", "watermark", False), ("coyo/2", "broken_score", True)
    ]  # fmt: skip


def test_labels_lists_and_licences_refuse(tmp_path: Path) -> None:
    (tmp_path / "laion").mkdir()
    whole = {"URL": "https://good.org/1", "TEXT": "A quay at dusk in autumn", "NSFW": "UNLIKELY",
             "LICENSE": "?"}  # fmt: skip
    changed: list[dict[str, Any]] = [
        {"SAMPLE_ID": 1},
        {"SAMPLE_ID": 2, "NSFW": "NSFW", "URL": "https://good.org/2", "TEXT": "A bay at dusk"},
        {"SAMPLE_ID": 3, "URL": "https://bad.org/3", "TEXT": "A hill at dusk"},
    ]
    table = pa.Table.from_pylist([{**whole, **each} for each in changed])
    pq.write_table(table, tmp_path / "laion" / "a.parquet")
    (tmp_path / "bad.txt").write_text("bad.org\n")
    pipeline = "url_lists: {bad: {uri: bad.txt, kind: domains}}\n"
    source = {"laion": {"format": "laion", "uris": ["laion"]}}
    workspace = workspace_of(tmp_path, source, pipeline)
    run_branch(workspace)
    assert rows(workspace, "SELECT doc_id, reason, detail FROM verdicts ORDER BY ALL") == [
        ("laion/2", "label_nsfw", "NSFW"), ("laion/3", "url_blocked", "bad: bad.org")
    ]  # fmt: skip


def test_scores_rules_and_tokens_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "own.model").write_bytes(train([sentence(n) for n in range(20)], vocab_size=400))
    coyo(tmp_path / "coyo", {"num_faces": 0}, {"num_faces": 3})
    source = {"coyo": {"format": "coyo", "uris": ["coyo"]}}
    pipeline = """
media:
  tokenizer: own.model
  scores: {faces: {fields: [num_faces], min: 0, max: 100}}
  rules:
    - {name: crowd, signal: faces, max: 2}
    - {name: many_tokens, signal: caption_tokens, max: 1, action: flag}
"""
    workspace = workspace_of(tmp_path, source, pipeline)
    run_branch(workspace)
    assert rows(workspace, "SELECT doc_id, reason, kept, value > 1 FROM verdicts ORDER BY ALL") == [
        ("coyo/1", "many_tokens", True, True), ("coyo/2", "crowd", False, True),
        ("coyo/2", "many_tokens", False, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("media", "said"),
    [
        ("{rules: [{name: x, signal: similarty, min: 0}]}", "media.rules.*similarity"),
        ("{scores: {language: {fields: [a], min: 0, max: 1}}}", "is a column already"),
        ("{scores: {a: {fields: [a], min: 1, max: 1}}}", "min 1 is not below max 1"),
        ("{scores: {A: {fields: [a], min: 0, max: 1}}}", "cannot be a column"),
        ("{tokenizer: none.model}", "none.model cannot be used"),
        ("{rules: [media, media]}", "two rules are named 'label_nsfw'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(
    made: Workspace, tmp_path: Path, media: str, said: str
) -> None:
    (tmp_path / "pipeline.yaml").write_text(f"media: {media}\n")
    with pytest.raises(ConfigError, match=said):
        workspace = open_workspace(made.home, made.catalog.path, tmp_path / "pipeline.yaml")
        for name in ("filtered_pairs", "pair_signals"):  # each refuses before it writes
            STAGES[name].run(Context(workspace, lake_of(workspace), Partition(source="coyo")))


def test_a_pair_is_explained_and_the_page_adds_up(made: Workspace) -> None:
    connection = connect(made.home)
    gone = explain_pair(connection, "coyo/1")
    assert gone is not None
    lines = "\n".join(pair_lines(gone))
    assert "deduped_pairs: removed: phash, value 0.96875, threshold 0.953125 coyo/2" in lines
    assert "size             640 x 480 pixels" in lines and "filtered_pairs: stays" not in lines
    kept = explain_pair(connection, "coyo/2")
    assert kept is not None
    lines = "\n".join(pair_lines(kept))
    assert "repeated by      coyo/1 (phash, 0.969)" in lines and "filtered_pairs: stays" in lines
    assert explain_pair(connection, "nobody") is None
    page = report(connection)
    assert {row["source"]: (row["raw_pairs"], row["filtered_pairs"]) for row in page["stages"]} == {
        "cc12m": (1, 0), "conceptual_captions": (1, 0), "coyo": (4, 1), "laion": (1, 0),
        "librilight": (1, 0), "librispeech": (4, 1), "webvid": (1, 1),
    }  # fmt: skip
    assert sum(row["pairs"] for row in page["left"]) == 10
    assert sum(row["records"] for row in page["rejects"]) == 6


def test_real_files_of_four_publishers(tmp_path: Path, shared_data: Path) -> None:
    """Conceptual Captions repeats captions of other pictures; LAION has file names for captions."""
    files = {
        "laion": ("laion", "laion/test_1000.parquet"),
        "captions": ("conceptual_captions", "conceptual-captions/*.tsv"),
        "films": ("webvid", "webvid/*.csv"),
        "speech": ("librispeech", "librispeech/**/*.trans.txt"),
    }
    workspace = workspace_of(
        tmp_path,
        {name: {"format": format, "uris": [f"{shared_data}/{uri}"]}
         for name, (format, uri) in files.items()},
    )  # fmt: skip
    run_branch(workspace)
    page = report(connect(workspace.home))
    stages = ("raw_pairs", "deduped_pairs", "filtered_pairs")
    assert {row["source"]: tuple(row[stage] for stage in stages) for row in page["stages"]} == {
        "captions": (10_555, 10_376, 10_376), "films": (9, 9, 9), "laion": (1000, 999, 950),
        "speech": (4, 4, 4),
    }  # fmt: skip
    assert {(row["source"], row["reason"]): row["pairs"] for row in page["left"]} == {
        ("captions", "caption"): 179, ("laion", "caption"): 1, ("laion", "short_caption"): 45,
        ("laion", "boilerplate_caption"): 4,
    }  # fmt: skip
    spoken = rows(workspace, "SELECT words_per_second FROM pair_signals WHERE source = 'speech'")
    assert all(2 < speed < 4 for (speed,) in spoken)


def test_an_address_that_is_taken_down_goes_and_its_repeat_comes_in(tmp_path: Path) -> None:
    coyo(tmp_path / "coyo", {"width": 1280}, {"image_phash": f"{0x9E3779B97F4A7C15:016x}"})
    workspace = workspace_of(tmp_path, {"coyo": {"format": "coyo", "uris": ["coyo"]}})
    run_branch(workspace)
    address = "https://example.org/1.jpg"
    effect = effect_of(workspace, "url", [address])
    assert [row["doc_id"] for row in effect.documents] == ["coyo/1"]
    assert [row["doc_id"] for row in effect.promoted] == ["coyo/2"]
    both = effect_of(workspace, "url", [address], with_duplicates=True)
    assert [row["doc_id"] for row in both.documents] == ["coyo/1", "coyo/2"]
    record(workspace, "url", [address], "asked", effect)
    run_branch(workspace)
    assert rows(workspace, "SELECT doc_id FROM filtered_pairs") == [("coyo/2",)]
    assert rows(workspace, "SELECT error FROM rejects") == [("taken down: see the audit log",)]


def test_a_second_run_gives_equal_bytes(made: Workspace, tmp_path: Path) -> None:
    again = seven(tmp_path)
    run_branch(again)
    assert contents(again) == contents(made)


def test_media_formats_are_those_whose_readers_give_pairs() -> None:
    readers = {name: getattr(load_reader(name), "read_records", None) for name in FORMATS}
    of_media = {
        name for name, read in readers.items() if read and "MediaPair" in repr(get_type_hints(read))
    }
    assert of_media == MEDIA_FORMATS


def test_what_a_publisher_broke_costs_no_other_row(tmp_path: Path) -> None:
    coyo(
        tmp_path / "coyo",
        {"image_phash": "a1b2", "width": -5},
        {"url": None},
        {"text": None},
        {"image_phash": None, "width": 2**50, "height": None},
    )
    workspace = workspace_of(tmp_path, {"coyo": {"format": "coyo", "uris": ["coyo"]}})
    run_branch(workspace, upto="deduped_pairs")
    assert rows(workspace, "SELECT doc_id, phash, phash_fault, width FROM raw_pairs "
                "ORDER BY ALL") == [
        ("coyo/1", None, "other_size", -5), ("coyo/4", None, "none", None),
    ]  # fmt: skip
    assert rows(workspace, "SELECT split_part(error, ':', 1) FROM rejects ORDER BY ALL") == [
        ("no address",), ("no text",)
    ]  # fmt: skip


def test_a_recipe_of_text_cannot_name_pairs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gives pairs, which stand in raw_pairs"):
        workspace_of(tmp_path, {"coyo": {"format": "coyo", "uris": ["coyo"]}},
                     "recipes: {all: {sources: [coyo]}}\n")  # fmt: skip


def test_a_source_that_becomes_text_leaves_the_branch(tmp_path: Path) -> None:
    coyo(tmp_path / "coyo", {}, {})
    source = {"format": "coyo", "uris": ["coyo"]}
    run_branch(workspace_of(tmp_path, {"coyo": source}), upto="deduped_pairs")
    changed = workspace_of(tmp_path, {"coyo": {**source, "branch": "text"}})
    assert "raw_pairs coyo" in remove_dropped_sources(changed, lake_of(changed))
    raw = STAGES["raw_corpus"]
    materialise(raw, raw.partitions(changed)[0], changed)
    assert rows(changed, "SELECT count(*) FROM raw_corpus") == [(2,)]
    meta = json.loads(rows(changed, "SELECT meta FROM raw_corpus LIMIT 1")[0][0])
    assert meta["kind"] == "image"


def test_a_format_without_pairs_is_told_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    source = {"format": "jsonl", "branch": "media", "uris": ["a.jsonl"]}
    with pytest.raises(ValueError, match="'jsonl' gives no pairs"):
        run_branch(workspace_of(tmp_path, {"lines": source}))
