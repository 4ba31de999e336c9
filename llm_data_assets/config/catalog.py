"""The catalog: which sources there are, where their files lie, and what is known of them."""

import re
from datetime import date as Date  # noqa: N812 - a field has the name
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

# Dagster stops following staleness through a fan-in of 100 partitions
# (SKIP_PARTITION_DATA_VERSION_DEPENDENCY_THRESHOLD, dagster 1.13).
MAX_SOURCES = 99
# The domain of source code: what is measured or edited as prose leaves it alone.
CODE_DOMAIN = "code"
Branch = Literal["text", "instructions", "media"]
# Formats whose readers give dialogues or preferences; a test holds them to the readers.
CONVERSATION_FORMATS = frozenset(
    {"alpaca", "belle", "dolly", "flan", "hh_rlhf", "lima", "oasst", "self_instruct", "sharegpt",
     "ultrafeedback"}
)  # fmt: skip
# Formats whose readers give references to media with captions; held to the readers likewise.
MEDIA_FORMATS = frozenset(
    {"cc12m", "conceptual_captions", "coyo", "laion", "librilight", "librispeech", "webvid"}
)
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Source(BaseModel):
    """Where one source's files lie and what is known of them. Only format and uris are needed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str = Field(description="Native format, one of `llm-data sources formats`")
    uris: Annotated[list[str], Field(min_length=1)] = Field(
        description="Files, folders, globs (`**` too) or fsspec URLs; relative to this file; "
        "${NAME} stands for an environment variable"
    )
    license: str | None = Field(None, description="SPDX expression for documents that state none")
    language: str | None = Field(None, description="Language code for documents that state none")
    date: Date | None = Field(
        None, description="Day its text is of, as a crawl's or a dump's; recipes bound shares by it"
    )
    domain: str = Field("web", description="web, encyclopedia, book, code, documentation, chat ...")
    priority: int = Field(
        100, description="Of two duplicates the one with the smaller number stays"
    )
    description: str | None = Field(None, description="One sentence for the reader of the lineage")
    branch: Branch | None = Field(
        None,
        description="text: documents for raw_corpus; instructions: dialogues for "
        "raw_instructions; media: pairs for raw_pairs. By default what the format gives",
    )
    restricted: list[str] = Field(
        default_factory=list,
        description="Roles of which one is needed to see its texts and to export them; empty is "
        "open to all. See docs/access.md",
    )
    options: dict[str, Any] = Field(default_factory=dict, description="Options of the format")

    @field_validator("restricted")
    @classmethod
    def _roles_are_names(cls, restricted: list[str]) -> list[str]:
        for role in restricted:
            if not NAME.fullmatch(role):
                raise ValueError(
                    f"{role!r} cannot be a role. "
                    "Try: a lower-case letter, then letters, digits and underscores"
                )
        return restricted

    @property
    def goes_to(self) -> Branch:
        """The branch of the graph that reads the source."""
        if self.branch:
            return self.branch
        if self.format in MEDIA_FORMATS:
            return "media"
        return "instructions" if self.format in CONVERSATION_FORMATS else "text"


class Licenses(BaseModel):
    """Which licences the corpus may hold, as SPDX identifiers; `OR` takes the best, `AND` all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow: list[str] = Field(
        default_factory=list, description="Let in; empty is every licence that is not denied"
    )
    deny: list[str] = Field(default_factory=list, description="Kept out, also if allowed")
    unknown: Literal["drop", "keep"] = Field(
        "keep", description="Documents whose licence is not stated, or neither listed nor SPDX's"
    )


class Catalog(BaseModel):
    """The sources of a workspace, by name, and the licences that are let in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    licenses: Licenses = Licenses()
    audit: str | None = Field(
        None, description="Where the audit log lies, if this file's folder is not to be written to"
    )
    sources: Annotated[dict[str, Source], Field(min_length=1)]

    @field_validator("sources")
    @classmethod
    def _names_are_usable(cls, sources: dict[str, Source]) -> dict[str, Source]:
        for name in sources:
            if not NAME.fullmatch(name):
                raise ValueError(
                    f"the source name {name!r} cannot be a partition. "
                    "Try: a lower-case letter, then letters, digits and underscores"
                )
        if len(sources) > MAX_SOURCES:
            raise ValueError(
                f"{len(sources)} sources, and Dagster follows staleness through fewer than 100. "
                "Try: one source with several uris where license and format agree"
            )
        return sources
