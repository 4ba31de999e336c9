"""`llm-data plan`: numbers for programs, a plain word on the spread, errors with a way out."""

import csv
import json
import math
from pathlib import Path

import pytest

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.plan import known_tables, readable_known
from llm_data_assets.planning.laws import STANDARD
from llm_data_assets.sources.formats import all_formats
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise
from llm_data_assets_tests.test_cli import call


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home in which nothing was made."""
    monkeypatch.setenv("LLM_DATA_HOME", str(tmp_path / "nothing"))


def test_a_compute_under_every_law(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = call(capsys, "plan", "--flops", "5.76e23", "--json")
    report = json.loads(printed)
    assert code == 0
    assert list(report["laws"]) == list(STANDARD)
    assert all(set(p) == {"params", "tokens", "flops", "loss"} for p in report["laws"].values())
    assert all(point["flops"] == pytest.approx(5.76e23) for point in report["laws"].values())
    assert report["laws"]["data_constrained"]["params"] == pytest.approx(69962173313.52, rel=1e-9)
    assert report["laws"]["epoch"]["loss"] == pytest.approx(1.9744, abs=1e-4)
    assert report["inventory"]["sources"] == {}


def test_half_a_trillion_parameters_do_not_need_107_trillion_tokens(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = json.loads(call(capsys, "plan", "--params", "500B", "--json")[1])
    found = {name: point["tokens"] for name, point in report["laws"].items()}
    assert found["chinchilla_1"] == pytest.approx(10.66e12, rel=2e-3)
    assert found["chinchilla_2"] == pytest.approx(13.0e12, rel=1e-2)
    assert found["epoch"] == pytest.approx(8.36e12, rel=1e-2)
    assert found["chinchilla_3"] == pytest.approx(47.6e12, rel=1e-2)
    assert found["data_constrained"] == pytest.approx(9.8e12, rel=1e-2)
    assert report["inventory"]["wanted_high"] < 50e12


def test_the_vocabulary_is_a_range(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(call(capsys, "plan", "--params", "70B", "--json")[1])["vocabulary"]
    assert (found["low"], found["high"]) == (211860, 230861)
    assert found["extrapolated"]


def test_hours_are_compute(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--gpu-hours", "1M", "--device", "h100", "--utilisation", "0.5"]
    report = json.loads(call(capsys, "plan", *arguments, "--json")[1])
    assert report["laws"]["epoch"]["flops"] == pytest.approx(1e6 * 3600 * 989e12 * 0.5)


def test_serving_asks_for_a_smaller_model_of_the_same_loss(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["plan", "--flops", "1e23", "--law", "inference_aware", "--json"]
    alone = json.loads(call(capsys, *arguments)[1])["laws"]["inference_aware"]
    served = json.loads(call(capsys, *arguments, "--inference-tokens", "10T")[1])["laws"]
    assert served["inference_aware"]["params"] < 0.7 * alone["params"]
    assert served["inference_aware"]["loss"] == pytest.approx(alone["loss"])


def test_the_spread_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = call(capsys, "plan", "--flops", "5.76e23")
    assert code == 0
    assert "the laws do not agree" in printed
    assert "an extrapolation" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--law", "gopher", "--flops", "1e23"], "--law: 'gopher' is unknown. Try: one of kaplan"),
        (["--flops", "-1e23"], "--flops: -1e23 is not a positive number. Try: --flops 5.76e23"),
        (["--flops", "1e99"], "--flops: 1e99 is outside"),
        (["--params", "70"], "a number without a suffix counts ones. Try: --params 70B"),
        (["--tokens", "many"], "--tokens: 'many' is no quantity. Try: --tokens 1.4T"),
        ([], "plan: nothing was given. Try: one or two of --flops"),
        (["--flops", "1e23", "--params", "7B", "--tokens", "1T"], "were all given"),
        (["--gpu-hours", "1M"], "no device was named. Try: --device H100"),
        (["--gpu-hours", "1M", "--device", "abacus"], "'abacus' is not in the table"),
        (["--gpu-hours", "1M", "--device", "A100", "--utilisation", "40"], "--utilisation: 40"),
    ],
)
def test_bad_input_names_the_field_and_the_way_out(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    code, printed = call(capsys, "plan", *arguments)
    assert code == 2
    assert said in printed


def test_the_inventory_is_what_was_tokenized(
    small_workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stage in list(STAGES.values())[: list(STAGES).index("tokenized_corpus") + 1]:
        for partition in stage.partitions(small_workspace):
            materialise(stage, partition, small_workspace)
    monkeypatch.setenv("LLM_DATA_HOME", str(small_workspace.home))
    monkeypatch.setenv("LLM_DATA_CATALOG", str(small_workspace.catalog.path))
    monkeypatch.setenv("LLM_DATA_PIPELINE", str(small_workspace.pipeline.path))
    arguments = ["plan", "--params", "7B", "--recipe"]
    report = json.loads(call(capsys, *arguments, "small", "--json")[1])
    rows = report["recipe"]
    assert [row["source"] for row in rows] == ["first", "second"]
    total = report["laws"]["chinchilla_1"]["tokens"]
    assert sum(row["wanted"] for row in rows) == pytest.approx(total)
    assert all(row["effective"] <= 16.388 * row["there"] for row in rows)
    assert all(row["shortfall"] > 0 and row["epochs"] > 1e6 for row in rows)
    assert "shortfall" in call(capsys, *arguments, "small")[1]
    code, printed = call(capsys, *arguments, "big")
    assert (code, "--recipe: 'big' is unknown. Try: one of small" in printed) == (2, True)
    stock = report["inventory"]
    assert set(stock["sources"]) == {"first", "second"}
    assert all(tokens > 0 for tokens in stock["sources"].values())
    assert stock["tokens"] == sum(stock["sources"].values())
    assert stock["shortfall_low"] == pytest.approx(stock["wanted_low"] - stock["tokens"])


def test_the_published_runs_are_fitted(
    published_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = call(capsys, "plan", "--fit", str(published_runs), "--json")
    found = json.loads(printed)["parametric"]
    assert code == 0
    assert found["objective"] <= 1.01828e-3
    assert (found["runs"], found["left_out"], len(found["residuals"])) == (240, 5, 240)
    assert found["intervals"]["a"]["low"] < found["a"] < found["intervals"]["a"]["high"]
    printed = call(capsys, "plan", "--fit", str(published_runs), "--resamples", "0")[1]
    assert "objective 0.00101827" in printed


def test_a_fit_leaves_its_constants_residuals_and_pictures(
    capsys: pytest.CaptureFixture[str], published_runs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "fit"
    told = ["plan", "--fit", str(published_runs), "--resamples", "20", "--out", str(out), "--json"]
    report = json.loads(call(capsys, *told)[1])["parametric"]
    assert sorted(each.name for each in out.iterdir()) == [
        "constants.csv", "isoflop.svg", "loss_surface.svg", "residual_plot.svg", "residuals.csv",
    ]  # fmt: skip
    with (out / "constants.csv").open() as file:
        constants = {row["name"]: row for row in csv.DictReader(file)}
    assert float(constants["beta"]["value"]) == report["beta"]
    assert (
        float(constants["ln_A"]["low"]) < math.log(report["A"]) < float(constants["ln_A"]["high"])
    )
    assert len((out / "residuals.csv").read_text().splitlines()) == 1 + report["runs"]


def test_a_folder_without_a_fit_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = call(capsys, "plan", "--flops", "1e22", "--out", "somewhere")
    assert code == 2 and "--fit runs.csv" in printed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("params,tokens,loss\n1e8,1e9,3\n", "1 runs are too few"),
        ("size,loss\n1e8,3\n", "has columns size, loss. Try: name them params, tokens"),
        ("params,tokens,loss\n1e8,1e9,\n1e8,1e9,3\n", "has empty cells"),
    ],
)
def test_runs_that_cannot_be_fitted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (tmp_path / "runs.csv").write_text(text, encoding="utf-8")
    code, printed = call(capsys, "plan", "--fit", str(tmp_path / "runs.csv"))
    assert code == 2
    assert said in " ".join(printed.split())


def test_replay_is_added_to_new_text(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plan", "--continual", "weak", "--tokens", "100B", "--json"]
    advice = json.loads(call(capsys, *arguments)[1])
    assert advice["replay_tokens"] == pytest.approx(5.263e9, rel=1e-3)
    assert advice["warm_up_tokens"] + advice["decay_tokens"] == pytest.approx(100e9 / 0.95)
    assert "one of weak, strong" in call(capsys, "plan", "--continual", "odd")[1]
    assert "--tokens 100B" in call(capsys, "plan", "--continual", "weak")[1]


def test_a_recipe_for_continued_training_can_be_pasted(
    small_workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = small_workspace.pipeline.path
    monkeypatch.setenv("LLM_DATA_CATALOG", str(small_workspace.catalog.path))
    monkeypatch.setenv("LLM_DATA_PIPELINE", str(path))
    base = ["plan", "--continual", "strong", "--tokens", "3M", "--recipe"]
    block = call(capsys, *base, "small", "--new-source", "second")[1]
    assert "# 3M new and 1M replayed" in block
    text = path.read_text().replace("recipes: {small: {", "recipes:\n  small: {", 1)
    text = text.replace("parquet]}}", "parquet]}", 1)
    first, _, rest = text.partition("  small: {")
    line, _, rest = rest.partition("\n")
    pasted = block.partition("recipes:\n")[2].rstrip()
    path.write_text(f"{first}  small: {{{line}\n{pasted}\n{rest}")
    recipes = open_workspace(
        small_workspace.home, small_workspace.catalog.path, path
    ).pipeline.model.recipes
    assert recipes["small_continued"].total_tokens == 3_000_000
    assert recipes["small_continued"].sources == ["second"]
    assert "one of small" in call(capsys, *base, "big", "--new-source", "second")[1]
    assert "one of first, second" in call(capsys, *base, "small", "--new-source", "x")[1]
    assert "no source of new text" in call(capsys, *base, "small")[1]


def test_known_numbers_carry_their_mark(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(call(capsys, "plan", "--known", "--json")[1])
    sets = {row["name"]: row for row in found["known_datasets"]}
    models = {row["name"]: row for row in found["known_models"]}
    assert (sets["OASST1"]["records"], sets["OASST1"]["record_unit"]) == (161443, "message")
    assert (sets["The Pile"]["bytes"], sets["The Pile"]["bytes_mark"]) == (886e9, "verified")
    assert sets["UltraFeedback"]["licence"] == "MIT"
    assert models["Yuan2.0-M32"]["active_params"] == 3.7e9
    assert {row["name"] for row in found["known_numbers"]} <= sets.keys() | models.keys()
    marks = {row["mark"] for row in found["known_numbers"]}
    assert marks == {"verified", "transcribed", "unchecked"}


def test_known_sets_name_formats_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(call(capsys, "plan", "--known", "--json")[1])["known_datasets"]
    named = {each for row in found for each in row["formats"].split(", ") if each}
    assert named <= set(all_formats())


def test_known_sets_are_readable() -> None:
    tables = readable_known(known_tables())
    sets = {row["name"]: row for row in tables["known_datasets"]}
    models = {row["name"]: row for row in tables["known_models"]}
    assert sets["C4"]["numbers"].splitlines() == [
        "tokens 175B, verified: as counted by RedPajama and Dolma",
        "bytes 305B, unchecked",
        "records 365M, unchecked",
    ]
    note = "trained on RefinedWeb and curated text, not on RedPajama"
    assert models["Falcon-40B"]["note"] == note


def test_known_sets_are_printed_as_tables(capsys: pytest.CaptureFixture[str]) -> None:
    printed = call(capsys, "plan", "--known")[1]
    assert "ODC-By-1.0" in printed
