"""A wheel with the kernels' machine code in it: whoever installs it compiles nothing.

    python deploy/compiled_wheel.py dist [--levels x86-64-v3]

Builds the wheel of this checkout, runs the sample workspace from it once for each level of x86-64
that this machine has (`llm_data_assets.machine_code`), and packs what Numba compiled beside the
modules. The result is for this version of Python, for Linux on x86-64, and asks for the very Numba
that compiled it; kernels that the sample does not run are compiled where they are first met, as
from any other wheel.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from llvmlite.binding import get_host_cpu_features

from llm_data_assets.machine_code import ABOUT, levels_of

PROJECT = Path(__file__).parent.parent
_OWN = ("LLM_DATA_", "NUMBA_")


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, PROJECT)
        (plain,) = folder.glob("*.whl")
        _run("wheel", "unpack", "--dest", folder, plain)
        (unpacked,) = (each for each in folder.iterdir() if each.is_dir())
        for level in options.levels:
            print(f"compiling for {level}", flush=True)
            _compile(unpacked, level, folder / level)
        for source in unpacked.rglob("*.pyc"):
            source.unlink()
        _describe(unpacked, options.levels)
        options.folder.mkdir(parents=True, exist_ok=True)
        python = f"cp{sys.version_info.major}{sys.version_info.minor}"
        _set(unpacked, "WHEEL", "Tag", f"{python}-{python}-linux_x86_64")
        _set(unpacked, "WHEEL", "Root-Is-Purelib", "false")
        _run("wheel", "pack", "--dest-dir", options.folder, unpacked)


def _compile(unpacked: Path, level: str, work: Path) -> None:
    """Run the sample workspace with the unpacked package."""
    # Nothing of a workspace or of Numba's that is set here.
    plain = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    target = {"NUMBA_CPU_NAME": level, "NUMBA_CPU_FEATURES": "", "PYTHONPATH": str(unpacked)}
    work.mkdir()
    for command in (["init", "."], ["run"]):
        subprocess.run(
            [sys.executable, "-m", "llm_data_assets.cli", *command],
            cwd=work,
            env=plain | target,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def _describe(unpacked: Path, levels: list[str]) -> None:
    """Say what was compiled, and ask for the Numba that did it."""
    numba = version("numba")
    about = {"numba": numba, "levels": levels}
    (unpacked / "llm_data_assets" / ABOUT.name).write_text(json.dumps(about), encoding="utf-8")
    _set(unpacked, "METADATA", "Requires-Dist", f"numba=={numba}", was=r"numba\b.*")


def _set(unpacked: Path, file: str, field: str, value: str, was: str = ".*") -> None:
    (path,) = unpacked.glob(f"*.dist-info/{file}")
    text, found = re.subn(f"(?m)^{field}: {was}$", f"{field}: {value}", path.read_text())
    if found != 1:
        sys.exit(f"{path.name} has {found} lines `{field}: {was}`, not one")
    path.write_text(text)


def _run(*command: object) -> None:
    subprocess.run([sys.executable, "-m", *map(str, command)], check=True)


def _options() -> argparse.Namespace:
    here = levels_of(get_host_cpu_features())
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the wheel is put")
    parser.add_argument("--levels", nargs="+", default=here, choices=here, help="of this machine")
    options = parser.parse_args()
    if not options.levels:
        sys.exit("this machine has no level of x86-64 from v3 on. Try: a machine with AVX2")
    return options


if __name__ == "__main__":
    main()
