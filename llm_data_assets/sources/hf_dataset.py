"""A Hugging Face data set: its card, and the data files of its configs. Offset: the data file's.

The folder is a clone, a download or `hf://datasets/...`. Licence and language come from the
card's YAML (README.md), config and split of a file from its `configs`, else from its name. The
card yields no document, and a reject for every file it lists that is not there.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import yaml
from pydantic import Field

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.sources.licenses import one_license, spdx
from llm_data_assets.sources.mapping import FieldMapping
from llm_data_assets.sources.nearby import above, below, stamp
from llm_data_assets.sources.table_file import read_table, split_table

_CARD = "README.md"
_MAX_CARD_BYTES = 4 << 20
# Words in the names of files, as `datasets` reads them where the card lists none.
_SPLITS = (
    ("train", ("train", "training")),
    ("validation", ("validation", "valid", "val", "dev")),
    ("test", ("test", "testing", "eval", "evaluation")),
)
# What lies beside the data and is none.
_BESIDE = re.compile(
    r"(?:readme|licen[cs]e|notice|changelog|citation|datapackage)\b.*"
    r"|dataset_infos?\.json|dataset_dict\.json|state\.json|requirements\.txt|croissant\.json",
    re.IGNORECASE,
)


class Options(FieldMapping):
    """Mapping of columns, and which part of the data set."""

    config: str | None = Field(None, description="Only the files of this config of the card")
    split: str | None = Field(None, description="Only the files of this split")


@dataclass(frozen=True)
class Card:
    """What a card's YAML says; `files` are (config, split, glob) as listed."""

    license: str | None = None
    language: str | None = None
    files: tuple[tuple[str, str, str], ...] = ()
    fault: str | None = None
    has_header: bool = False


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every row of a data file that is wanted."""
    if posixpath.basename(file.uri) == _CARD:
        yield from _missing(file, options)
        return
    if _BESIDE.fullmatch(posixpath.basename(file.uri)):
        return
    card, root = _card_of(file)
    config, split = _part(posixpath.relpath(file.uri, root or "."), card)
    if options.config not in (None, config) or options.split not in (None, split):
        return
    if file.uri.endswith(".py"):
        yield Reject(0, f"loading script: {file.uri} is code, which is never run")
        return
    for record in read_table(file, options):
        if isinstance(record, Document):
            record.license = record.license or card.license
            record.language = record.language or card.language
            record.meta = {"config": config, "split": split, **record.meta}
        yield record


def split(file: SourceFile, options: Options, part_bytes: int) -> list[int]:
    """Where the data file's own format can be entered."""
    return split_table(file, part_bytes)


def companions(file: SourceFile) -> list[SourceFile]:
    """The cards above a file, the nearest first; for a card, the files that it lists."""
    if posixpath.basename(file.uri) == _CARD:
        return [each for _, _, glob in _read_card(file).files for each in below(file, glob)]
    return [card for (card,) in above(file, _is_card)]


def _is_card(name: str) -> bool:
    return name == _CARD


def _missing(card_file: SourceFile, options: Options) -> Iterator[Reject]:
    card = _read_card(card_file)
    if card.fault:
        yield Reject(0, f"broken card: {card_file.uri}: {card.fault}")
    configs = sorted({config for config, _, _ in card.files})
    if options.config and options.config not in configs and configs:
        yield Reject(0, f"no such config: {options.config}. Try: {', '.join(configs)}")
    for config, split, glob in card.files:
        wanted = options.config in (None, config) and options.split in (None, split)
        if wanted and not below(card_file, glob):
            yield Reject(
                0, f"missing resource: {card_file.uri} lists {glob} ({config}, {split}), not there"
            )


def _card_of(file: SourceFile) -> tuple[Card, str]:
    """(card, folder of the data set); a README without YAML in a folder of data is no card."""
    cards = [(_read_card(each), posixpath.dirname(each.uri)) for each in companions(file)]
    described = [each for each in cards if each[0].has_header]
    return next(iter(described or cards), (Card(), posixpath.dirname(file.uri)))


def _part(relative: str, card: Card) -> tuple[str, str]:
    """(config, split) of a data file."""
    for config, split, glob in card.files:
        if _matches(relative, glob):
            return config, split
    words = set(re.split(r"[^a-z0-9]+", relative.lower()))
    for split, names in _SPLITS:
        if words & set(names):
            return "default", split
    return "default", "train"


def _matches(path: str, glob: str) -> bool:
    globs = (glob, glob.replace("**/", ""), f"{glob.rstrip('/')}/*")
    return any(fnmatchcase(path, each) for each in globs)


def _read_card(file: SourceFile) -> Card:
    return _parsed_card(file.uri, file.path, stamp(file))


@lru_cache(256)
def _parsed_card(uri: str, path: str, changed: str) -> Card:
    try:
        with open_raw(SourceFile(uri, path, 0, "")) as stream:
            text = stream.read(_MAX_CARD_BYTES).decode("utf-8-sig", "replace")
        header = re.match(r"---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", text, re.DOTALL | re.MULTILINE)
        said = yaml.safe_load(header[1]) if header else {}
        card = _card(said if isinstance(said, dict) else {})
        return replace(card, has_header=header is not None)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return Card(fault=" ".join(str(error).split())[:200], has_header=True)


def _card(said: dict[str, Any]) -> Card:
    licenses = [each for each in _texts(said.get("license")) if spdx(each)]
    languages = _texts(said.get("language"))
    return Card(
        one_license(licenses),
        languages[0] if len(languages) == 1 else None,
        tuple(_files(said.get("configs"))),
    )


def _files(configs: Any) -> Iterator[tuple[str, str, str]]:
    for config in configs if isinstance(configs, list) else ():
        if not isinstance(config, dict):
            continue
        name = str(config.get("config_name", "default"))
        listed = config.get("data_files")
        for each in listed if isinstance(listed, list) else [listed]:
            if isinstance(each, dict):
                for glob in _texts(each.get("path")):
                    yield name, str(each.get("split", "train")), glob
            elif isinstance(each, str):
                yield name, "train", each


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]
