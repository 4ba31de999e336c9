"""Synthetic instructions: templates times entities, and Self-Instruct with a model.

Every row is an Alpaca record whose `synthetic` says which generator and model wrote it and the hash
of the prompt; raw_instructions carries both as columns.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import xxhash

from llm_data_assets.instructions.client import Client, ModelError
from llm_data_assets.instructions.repeats import rouge_l
from llm_data_assets.instructions.words import words

Row = dict[str, Any]
_SLOT = re.compile(r"\{(\w+)\}")
# Wang et al. 2023, appendix A: what a text model cannot do.
_CANNOT = re.compile(
    r"\b(?:images?|graphs?|pictures?|files?|maps?|draw|plot|go to)\b", re.IGNORECASE
)
_NUMBERED = re.compile(r"^\s*\d+\s*[.):]\s*(.+?)\s*$", re.MULTILINE)
_SHOWN_SEEDS, _SHOWN_OWN = 6, 2


def expand(
    templates: Sequence[Mapping[str, str]], entities: Mapping[str, Sequence[str]]
) -> Iterator[Row]:
    """Every template (instruction, output) filled with every combination of its entities.

    Raises:
        ValueError: a template names a list that there is none of, or lacks a field.
    """
    for number, template in enumerate(templates):
        if not {"instruction", "output"} <= set(template):
            raise ValueError(
                f"template {number} lacks a field. Try: instruction and output, both text"
            )
        text = f"{template['instruction']}\n{template['output']}"
        names = sorted(set(_SLOT.findall(text)))
        for name in names:
            if name not in entities:
                raise ValueError(
                    f"template {number} names {{{name}}}, and there is no such list. "
                    f"Try: one of {', '.join(sorted(entities)) or 'none yet'}"
                )
        for values in product(*(entities[name] for name in names)):
            filled = dict(zip(names, values, strict=True))
            instruction, output = (
                _SLOT.sub(lambda slot: filled[slot[1]], template[field])  # noqa: B023
                for field in ("instruction", "output")
            )
            yield _row(instruction, output, "template", None, text)


def refuse(instruction: str, pool: Sequence[str], max_rouge: float = 0.7) -> str | None:
    """Why Self-Instruct refuses an instruction, or None: its section 2.2 and appendix A.

    Length of 4 to 150 words, nothing a text model cannot do, no `Write a program`, no leading
    punctuation, ROUGE-L of at most 0.7 to any other. (Its rule against non-ASCII text would refuse
    every language but English, and is left out.)
    """
    count = len(words(instruction))
    if not 3 < count <= 150:
        return "length"
    if _CANNOT.search(instruction):
        return "beyond_text"
    if instruction.startswith("Write a program"):
        return "write_a_program"
    if not instruction[0].isalnum():
        return "punctuation"
    if any(rouge_l(instruction, other) > max_rouge for other in pool):
        return "rouge"
    return None


def self_instruct(
    client: Client, seeds: Sequence[str], n: int, *, seed: int = 1, rounds: int | None = None
) -> Iterator[Row | ModelError]:
    """Up to `n` new instructions with answers, written by a model from examples.

    A round shows six seeds and two of its own instructions, asks for more, and refuses what
    `refuse` refuses. A round that fails yields its error and the next goes on; three failures in a
    row end the work. Equal seeds and equal answers give equal rows.

    Args:
        rounds: at most so many; four a row asked for if absent.
    """
    rng = random.Random(seed)
    pool, made, failed = list(seeds), 0, 0
    own: list[str] = []
    for _ in range(rounds or 4 * n):
        shown = rng.sample(seeds, min(_SHOWN_SEEDS, len(seeds)))
        shown += rng.sample(own, min(_SHOWN_OWN, len(own)))
        listed = "\n".join(f"{place}. {each}" for place, each in enumerate(shown, 1))
        prompt = (
            f"Here are instructions for an assistant that answers in text:\n{listed}\n"
            "Write 8 new and different ones as a numbered list."
        )
        try:
            answer = client.complete([{"role": "user", "content": prompt}])
            for instruction in _NUMBERED.findall(answer):
                if refuse(instruction, pool):
                    continue
                said = client.complete([{"role": "user", "content": instruction}])
                pool.append(instruction)
                own.append(instruction)
                yield _row(instruction, said, "self_instruct", client.model, prompt)
                made += 1
                if made == n:
                    return
            failed = 0
        except ModelError as error:
            yield error
            failed += 1
            if failed == 3:
                return


def _row(instruction: str, output: str, generator: str, model: str | None, prompt: str) -> Row:
    return {
        "instruction": instruction,
        "input": "",
        "output": output,
        "synthetic": {
            "generator": generator,
            "model": model or generator,
            "prompt_hash": xxhash.xxh3_128_hexdigest(prompt.encode()),
        },
    }
