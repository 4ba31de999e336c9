"""The options of a format that has none."""

from pydantic import BaseModel, ConfigDict


class NoOptions(BaseModel):
    """One layout, told by the file itself."""

    model_config = ConfigDict(extra="forbid")
