"""The Pile: JSON lines of text and meta.pile_set_name. Offset: byte of the line's start."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.jsonl import objects
from llm_data_assets.sources.jsonl import split as split
from llm_data_assets.sources.mapping import FieldMapping, to_document

# Gao et al. 2020, table 1, as `pile_set_name` spells them
Subset = Literal[
    "Pile-CC", "PubMed Central", "Books3", "OpenWebText2", "ArXiv", "Github", "FreeLaw",
    "StackExchange", "USPTO Backgrounds", "PubMed Abstracts", "Gutenberg (PG-19)",
    "OpenSubtitles", "Wikipedia (en)", "DM Mathematics", "Ubuntu IRC", "BookCorpus2", "EuroParl",
    "HackerNews", "YoutubeSubtitles", "PhilPapers", "NIH ExPorter", "Enron Emails",
]  # fmt: skip
_FIELDS = FieldMapping(text="text", url=None, title=None, created_at=None)


class Options(BaseModel):
    """Which of the 22 sets are read."""

    model_config = ConfigDict(extra="forbid")

    subsets: list[Subset] = Field(
        default_factory=list, description="Values of `meta.pile_set_name`; all if none is named"
    )


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every line of the wanted sets.

    Copies without `meta` circulate; where sets are named, their lines are rejects.
    """
    for offset, record, first_bytes in objects(file):
        if isinstance(record, Reject):
            yield record
            continue
        meta = record.get("meta") if isinstance(record, dict) else None
        name = meta.get("pile_set_name") if isinstance(meta, dict) else None
        if options.subsets and name is None:
            yield Reject(offset, "no subset: meta.pile_set_name is missing", first_bytes)
        elif not options.subsets or name in options.subsets:
            document = to_document(record, _FIELDS, offset, first_bytes)
            if name is not None and isinstance(document, Document):
                document.meta = {**document.meta.pop("meta"), **document.meta}
            yield document
