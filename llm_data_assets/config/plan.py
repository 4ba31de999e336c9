"""The budget that the corpus is held against: `plan` in pipeline.yaml."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

Quantity = str | int | float


class Plan(BaseModel):
    """A budget, one or two of compute, size and tokens; without one, nothing is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flops: Quantity | None = Field(None, description="Training compute, as 5.76e23")
    gpu_hours: Quantity | None = Field(None, description="Hours of `device`, instead of flops")
    device: str | None = Field(None, description="A100, H100, ...")
    utilisation: float = Field(0.4, gt=0, le=1, description="Part of the device's peak")
    params: Quantity | None = Field(None, description="Parameters, as 70B")
    tokens: Quantity | None = Field(None, description="Training tokens, as 1.4T")
    inference_tokens: Quantity | None = Field(None, description="Tokens to be served")
    law: str = Field(
        "chinchilla_1", description="Whose tokens are wanted; `own` is that fitted to `runs`"
    )
    runs: str | None = Field(
        None, description="CSV of own runs (params, tokens or flops, loss) to fit a law to"
    )
    drop_highest: int | None = Field(
        None, ge=0, description="Highest losses left out of the fit; 2 % if absent"
    )
    resamples: int = Field(200, ge=0, description="Bootstrap fits behind the intervals")
    min_token_share: float = Field(
        1.0, ge=0, description="Least part of the wanted tokens that an exported run must have"
    )
    max_epochs: float = Field(
        16, gt=0, description="Most passes over a source in an exported run (Muennighoff et al. "
        "2023: beyond 16, repeated text is worth little)",
    )  # fmt: skip
    override: dict[str, str] = Field(
        default_factory=dict, description="Recipe and the reason to export it all the same"
    )

    @field_validator("override")
    @classmethod
    def _reasons_are_given(cls, override: dict[str, str]) -> dict[str, str]:
        for recipe, reason in override.items():
            if not reason.strip():
                raise ValueError(f"the override of {recipe!r} gives no reason. Try: say why")
        return override
