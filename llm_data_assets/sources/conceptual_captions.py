"""Conceptual Captions 3M: TSV of caption and address, no header. Offset: byte of the row.

CC12M's list is the same with the columns the other way round: `columns: [url, caption]`.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.delimited import Dialect, rows
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.media_pair import MediaPair, Paired, documents


class Options(BaseModel):
    """Which column is which."""

    model_config = ConfigDict(extra="forbid")

    columns: list[Literal["caption", "url"]] = Field(
        default_factory=lambda: list[Literal["caption", "url"]](["caption", "url"]),
        min_length=2, max_length=2, description="In the order of the file",
    )  # fmt: skip


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the caption of every row as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Paired]:
    """Yield every row; the blank before a final full stop is the publisher's tokenizer's."""
    dialect = Dialect("\t", None, [*options.columns], None)
    for offset, row in rows(file, dialect, ["caption"]):
        if isinstance(row, Reject):
            yield row
        elif not row["caption"].strip() or "://" not in row["url"]:
            missing = "caption" if "://" in row["url"] else "address"
            yield Reject(offset, f"no {missing}: the cell is empty or no {missing}")
        else:
            yield MediaPair(offset, "image", row["caption"], url=row["url"].strip())
