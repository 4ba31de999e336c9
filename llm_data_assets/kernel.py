"""How a kernel is compiled: by Numba, without the GIL, kept on disk.

Numba counts the references to each array that a function is handed, by two atomic additions an
array and call, and finds them superfluous only where no loop has a second way out. In functions
called once a word or a line they are a fifth of all time, and two threads wait for each other's
counters. A `kernel` therefore borrows its arrays: it allocates none (Numba says so if it does) and
returns none (`test_kernel.py` holds all of them to that, since whoever called it would release an
array it does not own). What allocates is `allocating`, and is called once a chunk, not once a word.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from numba import config, njit

from llm_data_assets.indices import KernelCompiler
from llm_data_assets.machine_code import level_here

_level = None if config.CPU_NAME else level_here()  # type: ignore[attr-defined]  # set at run time
if _level:
    config.CPU_NAME, config.CPU_FEATURES = _level, ""  # type: ignore[attr-defined]


_compiled = partial(njit, nogil=True, cache=True, pipeline_class=KernelCompiler)


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that works on arrays of its caller."""
    return _compiled(_nrt=False)(function)


def allocating(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that makes arrays, or calls one that does."""
    return _compiled()(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a few lines of a kernel into whatever kernel calls them."""
    return _compiled(forceinline=True, _nrt=False)(function)
