"""Small files of instruction, preference and media sets, from the published schemas."""

import io
import json
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def oasst(folder: Path) -> Path:
    """A tree of two ranked answers, one of which goes on, and one without a text."""
    tree = {
        "message_tree_id": "t1",
        "tree_state": "ready_for_export",
        "prompt": {
            "message_id": "m1", "text": "What is a quay?", "role": "prompter", "lang": "en",
            "replies": [
                {"message_id": "m2", "parent_id": "m1", "text": "A landing place.",
                 "role": "assistant", "rank": 0, "labels": {"quality": {"value": 0.9}},
                 "replies": [{"message_id": "m4", "parent_id": "m2", "text": "Thanks.",
                              "role": "prompter", "replies": []}]},
                {"message_id": "m3", "parent_id": "m1", "text": "A key.", "role": "assistant",
                 "rank": 1, "replies": []},
            ],
        },
    }  # fmt: skip
    return _lines(folder / "trees.jsonl", [tree, {"prompt": {"role": "prompter"}}])


def oasst_flat(folder: Path) -> Path:
    """Flat messages: a whole tree, an orphan, two that answer one another."""
    messages = [
        {"message_id": "a", "parent_id": None, "message_tree_id": "a", "text": "Why?",
         "role": "prompter"},
        {"message_id": "b", "parent_id": "a", "message_tree_id": "a", "text": "So.",
         "role": "assistant"},
        {"message_id": "c", "parent_id": "gone", "message_tree_id": "a", "text": "Lost.",
         "role": "assistant"},
        {"message_id": "d", "parent_id": "e", "message_tree_id": "a", "text": "Round.",
         "role": "assistant"},
        {"message_id": "e", "parent_id": "d", "message_tree_id": "a", "text": "And round.",
         "role": "prompter"},
    ]  # fmt: skip
    return _lines(folder / "messages.jsonl", messages)


def dolly(folder: Path) -> Path:
    """An empty context, and a response that is missing."""
    rows = [
        {"instruction": "Name a knot.", "context": "", "response": "Bowline.", "category": "qa"},
        {"instruction": "How deep?", "context": "It is 6 m.", "response": "6 m.",
         "category": "closed_qa"},
        {"instruction": "Why?", "context": "", "response": None, "category": "qa"},
    ]  # fmt: skip
    return _lines(folder / "databricks-dolly-15k.jsonl", rows)


def alpaca(folder: Path) -> Path:
    """An array: with and without input, a copy that says `response`, an answer that is no text."""
    rows = [
        {"instruction": "Add.", "input": "1, 2", "output": "3"},
        {"instruction": "Greet.", "input": "", "output": "Hello."},
        {"instruction": "Greet again.", "response": "Hello."},
        {"instruction": "Count.", "output": 5},
    ]
    path = folder / "alpaca_data.json"
    path.write_text(json.dumps(rows))
    return path


def belle(folder: Path) -> Path:
    """Lines in a file named `.json`."""
    rows = [{"instruction": "小明有三个苹果。", "input": "", "output": "三个。"}]
    return _lines(folder / "school_math_0.25M.json", rows)


def self_instruct(folder: Path) -> Path:
    """A task of two instances, one of them broken, and a task of none."""
    rows = [
        {"id": "seed_task_0", "name": "knots", "instruction": "Name a knot.",
         "instances": [{"input": "", "output": "Bowline."}, {"input": "", "output": None}],
         "is_classification": False},
        {"id": "seed_task_1", "instruction": "Nothing.", "instances": []},
    ]  # fmt: skip
    return _lines(folder / "seed_tasks.jsonl", rows)


def sharegpt(folder: Path) -> Path:
    """A call of a tool, a preference, a dialogue without turns."""
    rows: list[Any] = [
        {"conversations": [
            {"from": "human", "value": "How high is the tide?"},
            {"from": "function_call", "value": '{"name": "tide"}'},
            {"from": "observation", "value": "6 m"},
            {"from": "gpt", "value": "Six metres."}],
         "tools": "[{}]"},
        {"conversations": [{"from": "human", "value": "Greet."}],
         "chosen": {"from": "gpt", "value": "Hello."}, "rejected": {"from": "gpt", "value": "No."}},
        {"conversations": []},
    ]  # fmt: skip
    path = folder / "dialogues.json"
    path.write_text(json.dumps(rows))
    return path


def ultrafeedback(folder: Path) -> Path:
    """Ratings as text, one N/A, an overall score of 10 that means 1."""

    def completion(response: str, overall: float, ratings: str) -> dict[str, Any]:
        names = ("helpfulness", "honesty", "instruction_following", "truthfulness")
        return {
            "model": "m", "principle": "helpfulness", "custom_system_prompt": "Be kind.",
            "response": response, "critique": "...", "overall_score": overall,
            "fine-grained_score": 3.0,
            "annotations": {name: {"Rating": rating, "Rationale": ""}
                            for name, rating in zip(names, ratings.split(), strict=True)},
        }  # fmt: skip

    rows: list[dict[str, Any]] = [
        {"source": "flan", "instruction": "Name a knot.", "models": ["m"] * 3,
         "completions": [completion("Bowline.", 8.0, "5 5 5 N/A"),
                         completion("Rope.", 10, "1 1 2 1"), completion("Reef.", 8.0, "5 5 5 5")],
         "correct_answers": ["None"], "incorrect_answers": ["None"]},
        {"source": "flan", "instruction": "Nothing.", "completions": []},
    ]  # fmt: skip
    return _lines(folder / "flan.jsonl", rows)


def hh_rlhf(folder: Path) -> Path:
    """A pair that shares its first three turns, and a text that is no dialogue."""
    start = "\n\nHuman: Hello\n\nAssistant: Yes?\n\nHuman: Which knot?\n\nAssistant: "
    rows = [
        {"chosen": start + "A bowline.", "rejected": start + "None."},
        {"chosen": "Hello", "rejected": "Hello"},
    ]
    return _lines(folder / "train.jsonl", rows)


def flan(folder: Path) -> Path:
    """TSV without a header, a line break of two characters, an empty answer."""
    path = folder / "gsm8k_train.tsv"
    path.write_text("Two and\\ntwo?\t4\t2 + 2 = 4.\nWhy?\t\tno\nSun?\tyes\t\n")
    return path


def lima(folder: Path) -> Path:
    """A dialogue that ends with a question, and one that holds a number."""
    rows = [
        {"conversations": ["Hello?", "Hello."], "source": "multi_turn"},
        {"conversations": ["Hello?", "Hello.", "And now?"], "source": "multi_turn"},
        {"conversations": ["Hello?", 3]},
    ]
    return _lines(folder / "train.jsonl", rows)


def laion(folder: Path) -> Path:
    """LAION2B-multi: sizes as floats, a null address."""
    rows = [
        {"SAMPLE_ID": 7, "URL": "https://example.org/a.jpg", "TEXT": "A quay", "HEIGHT": 480.0,
         "WIDTH": 640.0, "LICENSE": "?", "LANGUAGE": "en", "NSFW": "UNLIKELY", "similarity": 0.31},
        {"SAMPLE_ID": 8, "URL": None, "TEXT": "Nowhere", "HEIGHT": None, "WIDTH": None,
         "LICENSE": None, "LANGUAGE": None, "NSFW": None, "similarity": None},
    ]  # fmt: skip
    return _parquet(folder / "part-00000.parquet", rows)


def coyo(folder: Path) -> Path:
    """All columns of COYO-700M."""
    row = {
        "id": 4896263451343, "url": "https://example.org/a.jpg", "text": "A quay at dusk",
        "width": 640, "height": 480, "image_phash": "a1b2", "text_length": 14, "word_count": 4,
        "num_tokens_bert": 6, "num_tokens_gpt": 5, "num_faces": 0, "clip_similarity_vitb32": 0.2,
        "clip_similarity_vitl14": 0.3, "nsfw_score_opennsfw2": 0.01, "nsfw_score_gantman": 0.02,
        "watermark_score": 0.1, "aesthetic_score_laion_v2": 5.1,
    }  # fmt: skip
    return _parquet(folder / "part-00000.parquet", [row, {**row, "text": None}])


def conceptual_captions(folder: Path) -> Path:
    """No header, a cell too few, an empty caption."""
    path = folder / "Train_GCC-training.tsv"
    path.write_text(
        "an angler fishes .\thttps://example.org/a.jpg\nalone\n\thttps://example.org/b.jpg\n"
    )
    return path


def cc12m(folder: Path) -> Path:
    """Two triples, one without a caption, a member that climbs out."""
    path = folder / "00000.tar"
    members = {
        "000000000.jpg": b"\xff\xd8", "000000000.txt": b"<PERSON> at the quay",
        "000000000.json": b'{"url": "https://example.org/a.jpg", "width": 640, "height": 480}',
        "000000001.png": b"\x89PNG", "000000001.json": b"{}",
        "../climbs.txt": b"out",
    }  # fmt: skip
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
    return path


def webvid(folder: Path) -> Path:
    """The other order of columns, a quoted comma, a missing address."""
    path = folder / "results_2M_val.csv"
    path.write_text(
        "videoid,contentUrl,duration,page_dir,name\n"
        '1,https://example.org/1.mp4,PT00H01M17S,dir,"Quay, at dusk"\n'
        "2,,PT00H00M05S,dir,Nowhere\n"
    )
    return path


def librispeech(folder: Path) -> Path:
    """Two recordings, one of them missing, no final line break."""
    (folder / "1-2-0000.flac").write_bytes(flac(16_000, 40_000))
    path = folder / "1-2.trans.txt"
    path.write_text("1-2-0000 HE HOPED\n1-2-0001 FOR STEW")
    return path


def librilight(folder: Path) -> Path:
    """A recording and its JSON."""
    (folder / "tale.flac").write_bytes(flac(16_000, 16_000))
    about = {"speaker": "1", "book_meta": {"id": "9", "title": "A Tale"}, "snr": 8.5,
             "voice_activity": [[0.0, 0.9]]}  # fmt: skip
    path = folder / "tale.json"
    path.write_text(json.dumps(about))
    return path


def flac(rate: int, samples: int) -> bytes:
    """The head of a FLAC file: STREAMINFO alone."""
    block = struct.pack(">HH", 4096, 4096) + bytes(6)
    block += (rate << 44 | 15 << 36 | samples).to_bytes(8, "big") + bytes(16)
    return b"fLaC" + bytes([0x80]) + len(block).to_bytes(3, "big") + block


CONVERSATION_FIXTURES: dict[str, Callable[[Path], Path]] = {
    "oasst": oasst, "dolly": dolly, "alpaca": alpaca, "belle": belle,
    "self_instruct": self_instruct, "sharegpt": sharegpt, "ultrafeedback": ultrafeedback,
    "hh_rlhf": hh_rlhf, "flan": flan, "lima": lima, "laion": laion, "coyo": coyo,
    "conceptual_captions": conceptual_captions, "cc12m": cc12m, "webvid": webvid,
    "librispeech": librispeech, "librilight": librilight,
}  # fmt: skip


def _lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def _parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path
