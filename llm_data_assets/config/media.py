"""Pictures, films and recordings with captions: what is a repeat, what is measured, what leaves."""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    field_validator,
    model_validator,
)

from llm_data_assets.config.catalog import NAME
from llm_data_assets.config.rule import RuleEntry

Kind = Literal["image", "video", "audio"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MediaDedup(_Settings):
    """Which pairs repeat another; across all sources, the smaller priority stays."""

    url: bool = Field(True, description="Pairs of one address")
    phash_bits: int | None = Field(
        3,
        ge=0,
        le=16,
        description="Bits of 64 in which perceptual hashes may differ (Manku et al. 2007 take 3, "
        "of another hash); null: no",
    )
    captions_of: list[Kind] = Field(
        default_factory=lambda: list[Kind](["image", "video"]),
        description="Kinds whose equal captions are repeats: two speakers may read one sentence",
    )


class Score(_Settings):
    """A column from fields of the publisher's; of several fields the largest number."""

    fields: Annotated[list[str], Field(min_length=1)] = Field(description="Fields, by any name")
    min: FiniteFloat = Field(description="A smaller number is a fault")
    max: FiniteFloat = Field(description="A larger number is a fault")

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min >= self.max:
            raise ValueError(f"min {self.min:g} is not below max {self.max:g}. Try: swap them")
        return self


def _scores() -> dict[str, Score]:
    return {
        "similarity": Score(fields=["similarity", "clip_similarity_vitb32"], min=-1, max=1),
        "nsfw_score": Score(
            fields=["nsfw_score_opennsfw2", "nsfw_score_gantman", "punsafe"], min=0, max=1
        ),
        "watermark_score": Score(fields=["watermark_score", "pwatermark"], min=0, max=1),
        "aesthetic_score": Score(fields=["aesthetic_score_laion_v2", "aesthetic"], min=-10, max=20),
        "snr": Score(fields=["snr"], min=-100, max=200),
    }


class Media(_Settings):
    """From pairs of a reference and a caption to those worth fetching."""

    dedup: MediaDedup = MediaDedup()
    scores: dict[str, Score] = Field(
        default_factory=_scores, description="Columns of pair_signals from the publisher's scores"
    )
    tokenizer: str | None = Field(
        None,
        description="Counts the tokens of captions: a SentencePiece .model, tokenizer.json or "
        "tiktoken ranks, relative to this file",
    )
    rules: list[RuleEntry] = Field(
        default_factory=lambda: list[RuleEntry](["media"]),
        description="Rule sets by name and single rules, over pair_signals",
    )
    max_reject_share: FiniteFloat = Field(0.05, ge=0, le=1)

    @field_validator("scores")
    @classmethod
    def _names_are_usable(cls, scores: dict[str, Score]) -> dict[str, Score]:
        for name in scores:
            if not NAME.fullmatch(name):
                raise ValueError(
                    f"the score name {name!r} cannot be a column. "
                    "Try: a lower-case letter, then letters, digits and underscores"
                )
        return scores
