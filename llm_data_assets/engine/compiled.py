"""Which functions have run on this installation, so that their kernels lie compiled on its disk.

Numba compiles a kernel in whatever process meets it first: the signals of a text take a minute and
half a gigabyte. Sixty-four workers that begin at once would each do so.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llm_data_assets

_version = cache(version)  # a search through the installation; every stage asks


def is_new(function: Callable[..., Any]) -> bool:
    """Whether a function of this package has yet to run to its end, where that can be noted."""
    mark = _mark(function)
    is_ours = _plain(function).__module__.startswith(f"{llm_data_assets.__name__}.")
    can_be_noted = not mark.parent.exists() or os.access(mark.parent, os.W_OK)
    return is_ours and not mark.exists() and can_be_noted


def note(function: Callable[..., Any]) -> None:
    """Say that it has."""
    with suppress(OSError):
        _mark(function).parent.mkdir(parents=True, exist_ok=True)
        _mark(function).touch()


def _mark(function: Callable[..., Any]) -> Path:
    """A file beside Numba's own: compiled kernels and their marks go together."""
    beside = Path(llm_data_assets.__file__).parent / "__pycache__"
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or beside)
    versions = f"{llm_data_assets.__version__}-numba-{_version('numba')}"
    plain = _plain(function)
    return folder / f"{plain.__module__}.{plain.__qualname__}-{versions}.compiled"


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function without the arguments that it is given already."""
    return _plain(function.func) if isinstance(function, partial) else function
