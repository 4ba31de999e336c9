"""Machine code that an installation may bring along, so that its first run compiles nothing.

A wheel made by `deploy/compiled_wheel.py` holds Numba's cache of the kernels, compiled for levels
of x86-64 (x86-64 psABI, section 3.1.1) in place of one processor. Numba finds what was compiled for
the very target that it compiles for, so such an installation compiles for the best of its levels
that the processor has. Any other compiles for its processor, as Numba does.
"""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

# What a level asks for beyond the one below it, in LLVM's names; the best level first.
LEVELS = {
    "x86-64-v4": frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    "x86-64-v3": frozenset({"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}),
}
ABOUT = Path(__file__).with_name("machine_code.json")


def levels_of(features: Mapping[str, bool]) -> list[str]:
    """The levels that a processor has, the best first.

    Args:
        features: LLVM's names of what it can do, and whether it can.
    """
    has = {name for name, can in features.items() if can}
    found: list[str] = []
    for level in reversed(LEVELS):
        if not LEVELS[level] <= has:
            break
        found.insert(0, level)
    return found


def level_here() -> str | None:
    """The level to compile for; None for the processor itself, where no code was brought along
    or none that runs here."""
    if not ABOUT.exists():
        return None
    brought = json.loads(ABOUT.read_text(encoding="utf-8"))
    if brought["numba"] != version("numba"):  # its cache is another version's
        return None
    from llvmlite.binding import get_host_cpu_features

    usable = levels_of(get_host_cpu_features())
    return next((level for level in usable if level in brought["levels"]), None)
