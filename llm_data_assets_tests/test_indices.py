"""A kernel's variable indices are places: nothing asks whether one is negative."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from llm_data_assets.indices import KernelCompiler
from llm_data_assets.kernel import kernel

VALUES, PLACES = np.arange(5, 9), np.array([2, 0, 3], np.int32)


READ = """
import sys
import numpy as np
from llm_data_assets.kernel import kernel

@kernel
def read(values, place):
    return values[place]

print(read(np.arange(5, 9), int(sys.argv[1])))
"""


def total(values, places):  # type: ignore[no-untyped-def]
    found = 0
    for k in range(len(places)):
        found += values[places[k]]
    return found


def put(table, places, value):  # type: ignore[no-untyped-def]
    for k in range(len(places)):
        table[places[k], k] = value


def ends(values, table, row):  # type: ignore[no-untyped-def]
    table[row, -1] = values[-1]
    values[-2] = 7
    return values[1:][0] + table[1:, 0][0] + table[row][0]


def machine_code(function: Callable[..., Any]) -> str:
    """LLVM's text of what was compiled, without its wrappers for Python."""
    (text,) = function.inspect_llvm().values()  # type: ignore[attr-defined]
    return text[text.index("define") : text.index("\n}")]


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(total, (VALUES, PLACES)), (put, (np.zeros((4, 3), np.int64), PLACES, 1))],
)
def test_no_variable_index_is_asked_for_its_sign(function: Any, arguments: tuple[Any, ...]) -> None:
    numbas = njit(nogil=True, _nrt=False)(function)
    ours = njit(nogil=True, _nrt=False, pipeline_class=KernelCompiler)(function)
    ours(*arguments), numbas(*arguments)
    assert "select" in machine_code(numbas)
    assert "select" not in machine_code(ours)


def test_indices_name_the_same_places_as_in_python() -> None:
    assert kernel(total)(VALUES, PLACES) == total(VALUES, PLACES) == 7 + 5 + 8
    mine, theirs = np.zeros((2, 4, 3), np.int64)
    kernel(put)(mine, PLACES, 1)
    put(theirs, PLACES, 1)
    np.testing.assert_array_equal(mine, theirs)


def test_constants_and_slices_still_count_from_the_end() -> None:
    answers = []
    for function in (kernel(ends), ends):
        values, table = VALUES.copy(), np.arange(6).reshape(2, 3)
        answers.append((function(values, table, 0), values.tolist(), table.tolist()))
    assert answers[0] == answers[1] == (6 + 3 + 0, [5, 6, 7, 8], [[0, 1, 8], [3, 4, 5]])


def test_with_bounds_checked_a_negative_index_is_an_error(tmp_path: Path) -> None:
    script = tmp_path / "read.py"
    script.write_text(READ)
    checked = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    run = [sys.executable, str(script)]
    good = subprocess.run([*run, "1"], env=checked, capture_output=True, text=True, check=True)
    assert good.stdout == "6\n"
    bad = subprocess.run([*run, "-1"], env=checked, capture_output=True, text=True, check=False)
    assert "IndexError" in bad.stderr
