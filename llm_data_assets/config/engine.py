"""Where shards run: processes of this machine, or tasks of a Ray cluster."""

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_ADDRESS = re.compile(r"auto|(ray://)?(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):\d{1,5}")


class Engine(BaseModel):
    """Where shards run. None of these settings changes a result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["local", "ray"] = Field(
        "local", description="Processes of this machine, or tasks of a Ray cluster (extra `ray`)"
    )
    address: str | None = Field(
        None,
        description="Of the cluster: auto (one that runs on this machine), HOST:PORT, or "
        "ray://HOST:PORT; without it a Ray of this machine's cores is started",
    )
    wait_seconds: float = Field(
        30, gt=0, le=3600, description="For a cluster that does not answer, or has no node left"
    )
    workers: int = Field(0, ge=0, le=1024, description="Processes of this machine; 0 is one a core")
    shard_mb: float = Field(256, gt=0, description="Megabytes of input text in one shard")

    @model_validator(mode="after")
    def _address_is_a_clusters(self) -> Self:
        if self.address is not None and self.kind != "ray":
            raise ValueError("an address belongs to a cluster. Try: kind: ray, or no address")
        if self.address is not None and not _ADDRESS.fullmatch(self.address):
            raise ValueError(
                f"{self.address!r} is no address of a cluster. "
                "Try: auto, HOST:PORT (6379 is Ray's own) or ray://HOST:10001"
            )
        return self
