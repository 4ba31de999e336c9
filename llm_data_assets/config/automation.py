"""What happens without a person: retries, and who hears of a failure."""

from pydantic import BaseModel, ConfigDict, Field


class Automation(BaseModel):
    """Retries, failures and freshness. None of these settings changes a result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    retries: int = Field(
        2, ge=0, le=10, description="Times a step is run again after a worker or network died"
    )
    retry_seconds: float = Field(
        5, ge=0, description="Seconds before the first of them; twice as long each time after"
    )
    on_failure: str | None = Field(
        None,
        min_length=1,
        description="A shell command that reads the failure as JSON, or a URL it is posted to",
    )
    fresh_hours: float | None = Field(
        None, gt=0, description="Dagster warns of a source that was not read for as long"
    )
