"""Masking of personal data: score on the labelled set, speed beside datatrove's PIIFormatter.

    python benchmarks/masking.py [FOLDER]

FOLDER is searched for text (`*.py *.txt *.md *.rst`); without it, the Python standard library's
own sources. The labelled set is `llm_data_assets_tests/text/labelled.py`. datatrove knows e-mail
and IPv4 addresses; it is run on the same texts if it is installed (`pip install datatrove`).
CPU-seconds on one core, interleaved, best of three.
"""

import platform
import sys
import sysconfig
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from llm_data_assets.text.candidates import candidates
from llm_data_assets.text.personal_data import KINDS, mask
from llm_data_assets.text.repair import repair
from llm_data_assets_tests.text.labelled import PER_KIND, score


def main() -> None:
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(f"\nlabelled set: {PER_KIND} snippets with and {PER_KIND} without, for each kind")
    print(f"{'kind':14}{'precision':>10}{'recall':>10}{'hits':>7}{'wrong':>7}{'missed':>7}")
    for kind, (hits, wrong, missed) in sorted(score(_found).items()):
        precision, recall = hits / (hits + wrong), hits / (hits + missed)
        print(f"{kind:14}{precision:10.3f}{recall:10.3f}{hits:7}{wrong:7}{missed:7}")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_paths()["stdlib"])
    texts = _texts(folder)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(f"\nspeed: {folder}, {len(texts)} files, {megabytes:.1f} MB")
    runs: dict[str, Callable[[str], object]] = {
        "scan alone": lambda text: candidates(text.encode()),
        "all kinds": lambda text: mask(text, KINDS),
        "email and ip": lambda text: mask(text, ("email", "ip")),
        "repair": repair,
    }
    try:
        runs[f"datatrove {version('datatrove')}, email and ip"] = _datatrove()
    except ImportError as error:
        print(f"datatrove is not here: {error}")
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(3):
        for name, run in runs.items():
            start = time.process_time()
            for text in texts:
                run(text)
            best[name] = min(best[name], time.process_time() - start)
    for name, seconds in best.items():
        print(f"{name:40}{megabytes / seconds:9.1f} MB/s")


def _found(text: str) -> list[tuple[str, int, int]]:
    return [(edit.kind, edit.start, edit.start + edit.length) for edit in mask(text, KINDS)[1]]


def _datatrove() -> Callable[[str], object]:
    from datatrove.pipeline.formatters import PIIFormatter

    formatter = PIIFormatter()
    return lambda text: formatter.format(text)


def _texts(folder: Path) -> list[str]:
    paths = sorted(p for end in ("py", "txt", "md", "rst") for p in folder.rglob(f"*.{end}"))
    return [path.read_text("utf-8", errors="replace") for path in paths[:2000]]


if __name__ == "__main__":
    main()
