"""A benchmark that arrives late: what it touches in the embedded corpus, and how long that takes.

    python benchmarks/late_benchmark.py [FILE FORMAT]

Makes the embedded corpus without any evaluation set in a temporary folder, then adds one: FILE in
FORMAT (a path, and one of `gsm8k humaneval mmlu arc piqa winogrande`), else the embedded one.
Prints the stages that ran, their CPU-seconds, the recipes that were exposed, and what is stale.
Then the speed of the search on the standard library's sources, beside the hashing of n-grams that
datatrove's decontamination does (xxhash of joined words), if that is installed.
"""

import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from llm_data_assets.config.workspace import Workspace, init_workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import Materialised, lake_of, materialise
from llm_data_assets.stages.stage import Context
from llm_data_assets.stages.versions import is_fresh
from llm_data_assets.text.passages import build_index, gram_hashes, scan


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        late(Path(folder) / "workspace")


def late(folder: Path) -> None:
    """Make the corpus, add the set, and print what happens."""
    init_workspace(folder)
    pipeline = folder / "pipeline.yaml"
    text = pipeline.read_text(encoding="utf-8")
    first, rest = text.split("evaluation_sets:\n")
    embedded, _, rest = rest.partition("\n\n")
    pipeline.write_text(f"{first}\n{rest}\nengine: {{workers: 1}}\n", encoding="utf-8")
    workspace = opened(folder)
    start = time.process_time()
    made = run(workspace, "training_export")
    print(f"without a benchmark: {len(made)} partitions, {time.process_time() - start:.1f} CPU-s")

    added = embedded
    if len(sys.argv) > 2:
        added = f"  late: {{uri: {Path(sys.argv[1]).absolute()}, format: {sys.argv[2]}}}"
    text = pipeline.read_text(encoding="utf-8")
    pipeline.write_text(f"{text}evaluation_sets:\n{added}\n", encoding="utf-8")
    workspace = opened(folder)
    start = time.process_time()
    made = run(workspace, "contamination", only=("evaluation_sets", "contamination"))
    seconds = time.process_time() - start
    bytes_read = sum(done.outcome.n_bytes for _, done in made) / 1e6
    print(f"late benchmark: {len(made)} partitions, {bytes_read:.1f} MB, {seconds:.2f} CPU-s")
    for row in connect(workspace.home).execute("FROM exposure").fetchall():
        print(f"  exposed: {row}")
    stale = [
        f"{stage.name} {partition.key}"
        for stage in STAGES.values()
        for partition in stage.partitions(workspace)
        if not is_fresh(stage, Context(workspace, lake_of(workspace), partition), STAGES)
    ]
    print(f"stale now: {', '.join(stale)}")
    start = time.process_time()
    made = run(workspace, "training_export")
    names = ", ".join(name for name, _ in made)
    print(f"brought up to date: {names}; {time.process_time() - start:.1f} CPU-s")
    print(f"exposed now: {connect(workspace.home).execute('FROM exposure').fetchall()}")
    speed(workspace)


def run(
    workspace: Workspace, last: str, only: tuple[str, ...] = ()
) -> list[tuple[str, Materialised]]:
    """Every partition that is not fresh, in order: (its name, what was done)."""
    made = []
    for stage in STAGES.values():
        for partition in stage.partitions(workspace):
            context = Context(workspace, lake_of(workspace), partition)
            wanted = not only or stage.name in only
            if wanted and not is_fresh(stage, context, STAGES):
                done = materialise(stage, partition, workspace)
                made.append((f"{stage.name} {partition.key}".strip(), done))
        if stage.name == last:
            break
    return made


def speed(workspace: Workspace) -> None:
    """Search alone, on Python sources."""
    from llm_data_assets.lake.schemas import EVALUATION_SETS

    rows = lake_of(workspace).read(EVALUATION_SETS).to_pylist()
    start = time.process_time()
    index = build_index((r["question_id"], r["text"], r["width"], r["grams"]) for r in rows)
    print(f"\nindex: {len(rows)} questions, {len(index.owners)} grams, "
          f"{time.process_time() - start:.2f} CPU-s")  # fmt: skip
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    texts = [file.read_text("utf-8", errors="replace") for file in files]
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    array = pa.array(texts)
    ours = best(lambda: scan(array, index))
    print(f"search: {megabytes:.1f} MB at {megabytes / ours:.0f} MB/s")
    sample = texts[:20]
    sample_megabytes = sum(len(text.encode()) for text in sample) / 1e6
    plain = best(lambda: [gram_hashes(text, 13) for text in sample])
    print(f"plain reference: {sample_megabytes / plain:.1f} MB/s")
    try:
        from datatrove.utils.hashing import HashConfig, create_hash_func
        from datatrove.utils.text import TextNormConfig, ngrams, simplify_text
    except ImportError as error:
        print(f"datatrove is not here: {error}")
        return
    # What its NGramsDecontFilter does to each document, with split() for its word tokenizer.
    hashed = create_hash_func(HashConfig())
    norm = TextNormConfig()

    def theirs() -> None:
        for text in sample:
            words = simplify_text(text, norm).split()
            {hashed(" ".join(gram).encode()) for gram in ngrams(words, 13)}

    peer = best(theirs)
    rate = sample_megabytes / peer
    print(f"datatrove: {rate:.1f} MB/s; ours is {megabytes / ours / rate:.0f} times that")


def best(work: Callable[[], object]) -> float:
    """CPU-seconds, the best of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def opened(folder: Path) -> Workspace:
    """The workspace of a folder."""
    return open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")


if __name__ == "__main__":
    main()
