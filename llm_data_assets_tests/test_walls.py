"""Imports point one way: dagster only in `defs/`, and no room reaches up."""

import ast
import subprocess
import sys
from pathlib import Path

import llm_data_assets

PACKAGE = Path(llm_data_assets.__file__).parent
# From the bottom up; a room may import rooms of its own level and of those below it.
LEVELS = (
    {"config", "indices", "kernel", "machine_code"},
    {"lake"},
    {"engine"},
    {"text", "dedup", "tokens", "mixing", "planning", "instructions", "media"},
    {"sources"},
    {"stages"},
    {
        "versions",
        "explain",
        "explain_position",
        "doctor",
        "plan",
        "instruction_report",
        "media_report",
    },
    {"studio"},
    {
        "defs",
        "definitions",
        "cli",
        "cli_output",
        "cli_access",
        "cli_plan",
        "cli_show",
        "cli_sources",
        "cli_versions",
        "generate_command",
    },
)


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def level_of(room: str) -> int:
    return next(level for level, rooms in enumerate(LEVELS) if room in rooms)


def modules() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if room_of(path) != "__init__"]


def test_only_defs_imports_dagster() -> None:
    allowed = {"defs", "definitions"}
    wrong = [
        str(path.relative_to(PACKAGE))
        for path in modules()
        if room_of(path) not in allowed
        and any(name.split(".")[0] in ("dagster", "dagster_duckdb") for name in imports_of(path))
    ]
    assert wrong == []


def test_no_room_reaches_up() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in modules()
        for name in imports_of(path)
        if name.startswith("llm_data_assets.")
        and len(name.split(".")) > 1
        and name.split(".")[1] not in ("__version__",)
        and level_of(name.split(".")[1]) > level_of(room_of(path))
    ]
    assert wrong == []


def test_every_stage_is_known_without_the_libraries_that_fit_models() -> None:
    """They are 70 MB of every worker; who fits, clusters or plans imports them there."""
    code = (
        "import sys, llm_data_assets.stages.graph; "
        "heavy = 'sklearn scipy.optimize scipy.stats scipy.interpolate torch'; "
        "print([name for name in heavy.split() if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
