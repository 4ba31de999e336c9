"""The vocabulary law on the published runs, and on runs that say nothing."""

import json
from pathlib import Path

import pytest

from llm_data_assets_tests.test_cli import call


@pytest.mark.slow  # 400 starts of a fit: about ten CPU-seconds
def test_the_published_runs_give_the_published_law(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shared_data.parent / "reference" / "data" / "vocab_scaling_exp_data_1200.csv"
    code, printed = call(capsys, "plan", "--fit", str(data), "--json")
    found = json.loads(printed)["vocabulary"]
    assert code == 0
    assert found["k_nv"] == pytest.approx(-2.48465, abs=2e-3)
    assert found["k_v"] == pytest.approx(-1.58903, abs=5e-3)
    assert found["alpha_v"] == pytest.approx(0.416363, abs=2e-4)
    assert found["k_h"] == pytest.approx(1.859585, abs=2e-3)
    assert found["r2"] == pytest.approx([0.916, 0.874, 0.940], abs=1e-3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vocab_size,lossu\n4096,-1\n", "has no column non_vocab_parameters"),
        (
            "non_vocab_parameters,vocab_size,num_characters,lossu\n1e8,4096,1e9,-1\n",
            "1 model sizes and 1 vocabularies are too few. Try: at least 3 and 4",
        ),
    ],
)
def test_too_few_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (tmp_path / "runs.csv").write_text(text)
    code, printed = call(capsys, "plan", "--fit", str(tmp_path / "runs.csv"))
    assert (code, said in " ".join(printed.split())) == (2, True)
