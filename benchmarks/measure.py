"""What every benchmark says and counts alike: the machine, and CPU-seconds of this process."""

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")


def machine(*packages: str) -> str:
    """The processor, and the versions of Python and of the packages that are measured."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    versions = "".join(f", {package} {version(package)}" for package in packages)
    return f"machine: {os.cpu_count()} cores, {model}; Python {platform.python_version()}{versions}"


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """The answer, and the CPU-seconds it took."""
    started = time.process_time()
    answer = work()
    return answer, time.process_time() - started


def best(work: Callable[[], Result], repeats: int = 3) -> tuple[Result, float]:
    """The first answer, and the CPU-seconds of the fastest of some runs."""
    runs = [timed(work) for _ in range(repeats)]
    return runs[0][0], min(seconds for _, seconds in runs)
