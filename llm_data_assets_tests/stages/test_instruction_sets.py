"""Every instruction and preference set of the mission, from its native file to the mix, twice."""

import json
from pathlib import Path

import pytest
import yaml

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets_tests.stages.test_instructions import contents, rows, run_branch


def workspace_of_sets(folder: Path, data: Path) -> Workspace:
    """Real files where there are some; Dolly, LIMA, UltraFeedback and BELLE in their layouts."""
    made = {
        "dolly": [{"instruction": "When did Virgin start?", "context": "It began in 2000.",
                   "response": "In the year 2000.", "category": "closed_qa"}],
        "lima": [{"conversations": ["How do plants drink?", "Through their roots."],
                  "source": "stackexchange"}],
        "belle": [{"instruction": "小明有12个苹果，给了小红3个，还剩几个？", "input": "",
                   "output": "12-3=9，所以还剩9个苹果。"}],
        "ultrafeedback": [{
            "source": "sharegpt", "instruction": "Name two rivers of Europe please",
            "completions": [
                {"model": model, "response": said, "overall_score": score,
                 "annotations": {"helpfulness": {"Rating": rating}}}
                for model, said, score, rating in (("a", "Rhine and Danube.", 8.0, "5"),
                                                   ("b", "Rhine.", 4.0, "N/A"),
                                                   ("c", "No.", 10, "1"))
            ],
        }],
    }  # fmt: skip
    sources = {
        "alpaca": {"format": "alpaca", "uris": [f"{data}/alpaca/alpaca_en_demo.json"]},
        "seeds": {"format": "self_instruct", "uris": [f"{data}/alpaca/seed_tasks.jsonl"]},
        "flan": {"format": "flan", "uris": [f"{data}/flan/strategyqa_train.tsv"]},
        "harmless": {"format": "hh_rlhf", "uris": [f"{data}/hh-rlhf/harmless-base/test.jsonl.gz"]},
        "oasst": {"format": "oasst", "uris": [f"{data}/oasst/en_100_tree.jsonl"]},
        "ranked": {"format": "oasst", "uris": [f"{data}/oasst/en_100_tree.jsonl"],
                   "options": {"records": "preferences"}},
        "vicuna": {"format": "sharegpt", "uris": [f"{data}/sharegpt/dummy_conversation.json"]},
        "glaive": {"format": "sharegpt",
                   "uris": [f"{data}/sharegpt/glaive_toolcall_en_demo.json"]},
        "rated": {"format": "ultrafeedback", "uris": ["ultrafeedback.jsonl"],
                  "options": {"records": "preferences"}},
    }  # fmt: skip
    for name, records in made.items():
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        sources.setdefault(name, {"format": name, "uris": [f"{name}.jsonl"]})
    (folder / "catalog.yaml").write_text(yaml.safe_dump({"sources": sources}), encoding="utf-8")
    (folder / "pipeline.yaml").write_text(
        f"evaluation_sets: {{gsm8k: {{uri: {data}/eval/gsm8k/test.jsonl, format: gsm8k}}}}\n"
        "instructions:\n"
        "  export: {formats: [messages, sharegpt, alpaca], validation_share: 0.1}\n",
        encoding="utf-8",
    )
    return open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")


@pytest.mark.slow  # 40 CPU-seconds: 13 sources, every stage, twice
def test_every_set_reaches_the_mix_and_twice_the_same(tmp_path: Path, shared_data: Path) -> None:
    runs = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        workspace = workspace_of_sets(tmp_path / name, shared_data)
        run_branch(workspace)
        runs.append(workspace)
    assert contents(runs[0]) == contents(runs[1])
    counted = dict(rows(runs[0], "SELECT source, count(*) FROM raw_instructions GROUP BY source"))
    assert counted == {
        "alpaca": 999, "belle": 1, "dolly": 1, "flan": 2061, "glaive": 300, "harmless": 1541,
        "lima": 1, "oasst": 392, "ranked": 486, "rated": 3, "seeds": 175, "ultrafeedback": 3,
        "vicuna": 500,
    }  # fmt: skip
    mixed = dict(rows(runs[0], "SELECT source, count(*) FROM instruction_mix GROUP BY source"))
    assert set(mixed) == set(counted)
    margins = rows(runs[0], "SELECT margin FROM scored_instructions WHERE source = 'rated' "
                   "ORDER BY margin")  # fmt: skip
    assert margins == [(3.0,), (4.0,), (7.0,)]
    best = rows(runs[0], "SELECT turns[2].content FROM raw_instructions SEMI JOIN instruction_mix "
                "USING (doc_id) WHERE source = 'ultrafeedback'")  # fmt: skip
    assert best == [("Rhine and Danube.",)]
