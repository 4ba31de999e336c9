"""The datasheet of a recipe: the questions of Gebru et al. 2021 (arXiv:1803.09010), shortened.

What the tables know is answered from them; the rest is marked for a person to fill in.
"""

from collections.abc import Callable, Sequence

from llm_data_assets.studio.cards.facts import Facts
from llm_data_assets.studio.reader import Row
from llm_data_assets.studio.shown import cell
from llm_data_assets.text.licenses import NO_LICENSE

TO_FILL_IN = "**To fill in.**"
Answer = Callable[[Facts], str] | None


def datasheet(facts: Facts) -> list[tuple[str, list[tuple[str, str]]]]:
    """(section, its questions with their answers) in the paper's order; answers are Markdown."""
    return [
        (title, [(question, answer(facts) if answer else TO_FILL_IN) for question, answer in asked])
        for title, asked in _SECTIONS
    ]


def datasheet_markdown(facts: Facts) -> str:
    """The datasheet as one Markdown file."""
    sections = datasheet(facts)
    answers = [answer for _, asked in sections for _, answer in asked]
    open_ones = sum(answer == TO_FILL_IN for answer in answers)
    lines = [
        f"# Datasheet of the recipe {facts.recipe}",
        "",
        "Questions after Gebru et al., *Datasheets for Datasets* (arXiv:1803.09010). "
        f"{len(answers) - open_ones} answers come from the tables, {open_ones} are to fill in.",
    ]
    for title, asked in sections:
        lines += ["", f"## {title}"]
        for question, answer in asked:
            lines += ["", f"### {question}", "", answer]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Row], most: int = 40) -> str:
    if not rows:
        return "None."
    names = list(rows[0])
    lines = [" | ".join(name.replace("_", " ") for name in names), " | ".join("---" for _ in names)]
    for row in rows[:most]:
        lines.append(" | ".join(cell(row[name]).replace("|", "\\|") for name in names))
    told = "\n".join(f"| {line} |" for line in lines)
    return told + (f"\n\n{len(rows) - most:,} more rows." if len(rows) > most else "")


def _instances(facts: Facts) -> str:
    return (
        f"Documents of text from {len(facts.sources)} sources, tokenized and packed into "
        "sequences.\n\n" + _table(facts.by("source"))
    )


def _how_many(facts: Facts) -> str:
    sequences = sum(row["sequences"] for row in facts.plan)
    return (
        f"{facts.total('docs'):,} documents, {facts.total('bytes'):,} bytes, "
        f"{facts.total('tokens'):,} tokens counted once; {sequences:,} sequences in the run."
    )


def _sample(facts: Facts) -> str:
    return (
        "What is left after deduplication and filtering. Documents of the same sources that were "
        "removed, by reason:\n\n" + _table(facts.losses)
    )


def _labels(facts: Facts) -> str:
    return "The licence a publisher states and a detected language.\n\n" + _table(
        facts.by("language")
    )


def _missing(facts: Facts) -> str:
    unstated = sum(row["docs"] for row in facts.contents if row["license"] == NO_LICENSE)
    undetected = sum(row["docs"] for row in facts.contents if row["language"] == "und")
    return (
        f"{unstated:,} documents state no licence; of {undetected:,} no language was detected. "
        "Spans that were cut or masked stand under preprocessing."
    )


def _relations(facts: Facts) -> str:
    removed = sum(row["docs"] for row in facts.losses if row["stage"] == "deduped_corpus")
    return (
        f"{removed:,} documents were removed as duplicates; the table `duplicates` names the "
        "document that each repeats, and their similarity."
    )


def _splits(facts: Facts) -> str:
    phases = list(dict.fromkeys(row["phase"] for row in facts.plan))
    return "Phases of the run: " + ", ".join(f"`{phase}`" for phase in phases) + "."


def _errors(facts: Facts) -> str:
    failing = [row for row in facts.checks if not row["passed"]]
    told = f"{len(facts.checks):,} checks were evaluated; {len(failing):,} fail."
    exposed = (
        "\n\nBenchmark questions that stand in documents of the run, whole or in part:\n\n"
        + _table(facts.exposed)
        if facts.exposed
        else " No document of the run holds a benchmark question that was looked for."
    )
    shown = ("asset", "check", "partition", "severity", "observed", "expected")
    return (
        told
        + exposed
        + ("\n\n" + _table([{n: r[n] for n in shown} for r in failing]) if failing else "")
    )


def _self_contained(facts: Facts) -> str:
    return "Yes: token ids and their tokenizer are exported; addresses are kept as provenance."


def _personal(facts: Facts) -> str:
    return (
        "Texts are published ones and may name people. Spans that were masked or removed from "
        "the same sources, by kind:\n\n" + _table(facts.edits)
    )


def _acquired(facts: Facts) -> str:
    known = facts.workspace.catalog.model.sources
    return _table(
        [
            {"source": name, "format": known[name].format, "domain": known[name].domain,
             "description": known[name].description or ""}
            for name in facts.sources
            if name in known
        ]
    )  # fmt: skip


def _mixed(facts: Facts) -> str:
    return "Shares and passes that the plan gives to each source:\n\n" + _table(facts.plan)


def _preprocessing(facts: Facts) -> str:
    stages = list(dict.fromkeys(row["stage"] for row in facts.stats))
    return (
        "Stages in order of time: "
        + ", ".join(f"`{stage}`" for stage in stages)
        + ". Edits of texts by kind:\n\n"
        + _table(facts.edits)
    )


def _raw_kept(facts: Facts) -> str:
    return "Yes: `raw_corpus` holds every document as read, removed ones too."


def _software(facts: Facts) -> str:
    return "Yes: the stages are those of `llm_data_assets`; `lineage.jsonl` names every run."


def _licenses(facts: Facts) -> str:
    return (
        "Documents keep the terms of their publishers; `ATTRIBUTION.md`, `attribution.csv` and "
        "`licenses.spdx.json` list them.\n\n" + _table(facts.by("license"))
    )


def _distributed(facts: Facts) -> str:
    shown = ("file", "format", "n_bytes", "checksum")
    return _table([{name: row[name] for name in shown} for row in facts.exports])


def _when(facts: Facts) -> str:
    return f"The newest part was made on {facts.made[:10]}."


def _updated(facts: Facts) -> str:
    return (
        "Sources can be added, changed and removed; documents can be taken down. Versions are "
        "kept until they are collected, and pinned ones for good."
    )


_SECTIONS: tuple[tuple[str, tuple[tuple[str, Answer], ...]], ...] = (
    (
        "Motivation",
        (
            ("For what purpose was it made?", None),
            ("Who made it, on whose behalf?", None),
            ("Who paid for it?", None),
        ),
    ),
    (
        "Composition",
        (
            ("What is an instance?", _instances),
            ("How many instances are there?", _how_many),
            ("Is it a sample of something larger?", _sample),
            ("What does each instance consist of, and what labels it?", _labels),
            ("What is missing from instances?", _missing),
            ("How are instances related?", _relations),
            ("Which splits are recommended?", _splits),
            ("Which errors, noise and redundancies are known?", _errors),
            ("Does it rely on anything outside of it?", _self_contained),
            ("Does it hold confidential data?", None),
            ("Does it hold what may offend or frighten?", None),
            ("Which groups of people does it identify, and can persons be identified?", _personal),
            ("Does it hold sensitive data about persons?", None),
        ),
    ),
    (
        "Collection",
        (
            ("How was the data acquired?", _acquired),
            ("By which procedures, and were they validated?", None),
            ("How was it sampled?", _mixed),
            ("Who collected it, and how were they paid?", None),
            ("Over which time?", None),
            ("Was there an ethical review?", None),
            ("Did the persons concerned know and consent, and can they withdraw?", None),
            ("Was its effect on them assessed?", None),
        ),
    ),
    (
        "Preprocessing",
        (
            ("What was cleaned, and how?", _preprocessing),
            ("Is the raw data kept?", _raw_kept),
            ("Is the software available?", _software),
        ),
    ),
    (
        "Uses",
        (
            ("What has it been used for?", None),
            ("What else could it be used for?", None),
            ("What in its making may affect later uses?", None),
            ("What should it not be used for?", None),
        ),
    ),
    (
        "Distribution",
        (
            ("To whom is it given?", None),
            ("In which form?", _distributed),
            ("When?", _when),
            ("Under which terms?", _licenses),
            ("Do third parties or export controls restrict it?", None),
        ),
    ),
    (
        "Maintenance",
        (
            ("Who maintains it, and how are they reached?", None),
            ("Is there an erratum?", None),
            ("Is it updated, and are older versions kept?", _updated),
            ("How long may data about persons be kept?", None),
            ("How can others contribute?", None),
        ),
    ),
)
