"""Machine code that an installation brings along, and the wheel that holds it."""

import json
import os
import platform
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import llvmlite.binding
import pytest

from llm_data_assets import machine_code
from llm_data_assets.machine_code import LEVELS, level_here, levels_of

PROJECT = Path(__file__).parent.parent
V3 = dict.fromkeys(LEVELS["x86-64-v3"], True)
V4 = V3 | dict.fromkeys(LEVELS["x86-64-v4"], True)


@pytest.mark.parametrize(
    ("features", "levels"),
    [
        ({}, []),
        (V3, ["x86-64-v3"]),
        (V4, ["x86-64-v4", "x86-64-v3"]),
        (V4 | {"fma": False}, []),  # a level has all of those below it
        (V4 | {"avx512vl": False}, ["x86-64-v3"]),
    ],
)
def test_a_processor_has_a_level_with_all_that_it_asks_for(
    features: dict[str, bool], levels: list[str]
) -> None:
    assert levels_of(features) == levels


@pytest.mark.parametrize(
    ("brought", "level"),
    [
        (["x86-64-v4", "x86-64-v3"], "x86-64-v4"),
        (["x86-64-v3"], "x86-64-v3"),
        ([], None),
    ],
)
def test_the_best_level_that_was_brought_is_compiled_for(
    brought: list[str], level: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _bring(tmp_path, monkeypatch, brought, version("numba"))
    assert level_here() == level


def test_code_of_another_numba_is_not_reckoned_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _bring(tmp_path, monkeypatch, list(LEVELS), "0.1.0")
    assert level_here() is None


def test_a_checkout_brings_none() -> None:
    assert not machine_code.ABOUT.exists()
    assert level_here() is None


def _bring(folder: Path, monkeypatch: pytest.MonkeyPatch, levels: list[str], numba: str) -> None:
    about = folder / "machine_code.json"
    about.write_text(json.dumps({"numba": numba, "levels": levels}))
    monkeypatch.setattr(machine_code, "ABOUT", about)
    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_features", lambda: V4)


@pytest.mark.slow  # all kernels compiled once: two minutes
@pytest.mark.skipif(
    platform.machine() != "x86_64" or not levels_of(llvmlite.binding.get_host_cpu_features()),
    reason="the compiled wheel is for x86-64 from v3 on",
)
def test_whoever_installs_the_compiled_wheel_compiles_nothing(tmp_path: Path) -> None:
    level = levels_of(llvmlite.binding.get_host_cpu_features())[-1]
    build = [PROJECT / "deploy" / "compiled_wheel.py", tmp_path / "dist", "--levels", level]
    subprocess.run([sys.executable, *map(str, build)], check=True)
    (wheel,) = (tmp_path / "dist").glob("*-linux_x86_64.whl")
    installed = tmp_path / "installed"
    install = ["pip", "install", "--quiet", "--no-deps", "--target", installed, wheel]
    subprocess.run([sys.executable, "-m", *map(str, install)], check=True)
    with zipfile.ZipFile(wheel) as packed:
        (metadata,) = (each for each in packed.namelist() if each.endswith("/METADATA"))
        asked = packed.read(metadata).decode()
    assert f"Requires-Dist: numba=={version('numba')}\n" in asked
    brought = sorted(installed.rglob("*.nbc"))
    assert len(brought) > 100
    assert list(installed.rglob("*sign_shard*.compiled")), "a pool need not wait for the first"
    _run_sample(tmp_path, installed)
    assert sorted(installed.rglob("*.nbc")) == brought


def _run_sample(folder: Path, installed: Path) -> None:
    own = ("LLM_DATA_", "NUMBA_")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    environment = plain | {"PYTHONPATH": str(installed)}
    work = folder / "workspace"
    work.mkdir()
    for command in (["init", "."], ["run"]):
        whole = [sys.executable, "-m", "llm_data_assets.cli", *command]
        subprocess.run(whole, cwd=work, env=environment, check=True, capture_output=True)
