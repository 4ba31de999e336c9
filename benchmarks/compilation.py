"""What compiling the kernels costs a first run, kernel by kernel.

    python benchmarks/compilation.py [--top 20]

Runs `llm-data run` over the sample workspace (`llm-data init`) with an empty kernel cache, and
prints the CPU-seconds of compilation by module, the dearest kernels, and those that were compiled
for more than one set of argument types. Each of these beyond the first is paid for nothing where
it differs by a literal, by int32 beside int64, or by what a variable held before a loop
(`text.kernels` says how that is avoided). What a kernel's callees cost is counted with them.
"""

import argparse
import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from measure import machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--top", type=int, default=20)
    top = parser.parse_args().top
    print(machine("numba", "llvmlite"), flush=True)
    with tempfile.TemporaryDirectory() as name:
        # Numba reads it when it is imported.
        os.environ["NUMBA_CACHE_DIR"] = str(Path(name) / "kernels")
        costs, whole = _run(Path(name))
    by_module: dict[str, float] = defaultdict(float)
    by_kernel: dict[str, list[float]] = defaultdict(list)
    for (module, kernel, _), seconds in costs.items():
        by_module[module] += seconds
        by_kernel[f"{module}.{kernel}"].append(seconds)
    print(f"\n{whole:.1f} CPU-s, of which {sum(by_module.values()):.1f} compiled kernels")
    print(f"\n{'module':44}{'CPU-s':>8}")
    for module, seconds in sorted(by_module.items(), key=lambda each: -each[1]):
        print(f"{module:44}{seconds:8.1f}")
    print(f"\n{'kernel':60}{'types':>7}{'CPU-s':>8}{'beyond one':>12}")
    own = {kernel: each for kernel, each in by_kernel.items() if not kernel.startswith("numba.")}
    for kernel, each in sorted(own.items(), key=lambda item: -sum(item[1])):
        if top > 0 or len(each) > 1:
            print(f"{kernel:60}{len(each):7}{sum(each):8.1f}{sum(each) - max(each):12.1f}")
        top -= 1


def _run(folder: Path) -> tuple[dict[tuple[str, str, str], float], float]:
    """CPU-seconds of each kernel for each set of types, its callees left out; and of the run."""
    from numba.core import event

    costs: dict[tuple[str, str, str], float] = defaultdict(float)
    # One entry a compilation under way: when it began, and what it spent in those inside it.
    running: list[list[float]] = []

    class Listener(event.Listener):  # type: ignore[misc]  # numba has no types
        def on_start(self, event: Any) -> None:
            running.append([time.process_time(), 0.0])

        def on_end(self, event: Any) -> None:
            begun, inside = running.pop()
            spent = time.process_time() - begun
            if running:
                running[-1][1] += spent
            function = event.data["dispatcher"].py_func
            types = str(event.data["args"])
            costs[function.__module__, function.__name__, types] += spent - inside

    from llm_data_assets.config.workspace import init_workspace, open_workspace
    from llm_data_assets.defs.command import run_command

    init_workspace(folder / "workspace")
    os.environ["LLM_DATA_HOME"] = str(folder / "home")
    os.environ["LLM_DATA_CATALOG"] = str(folder / "workspace" / "catalog.yaml")
    os.environ["LLM_DATA_PIPELINE"] = str(folder / "workspace" / "pipeline.yaml")
    begun = time.process_time()
    with event.install_listener("numba:compile", Listener()):
        run_command(open_workspace(), [], None, True)
    return costs, time.process_time() - begun


if __name__ == "__main__":
    main()
