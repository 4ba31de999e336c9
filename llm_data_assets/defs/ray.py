"""The Ray cluster of `engine:` as dagster-ray's resource: a run attaches to it before its steps."""

from typing import Any

from dagster_ray import RayResource

from llm_data_assets.config.engine import Engine
from llm_data_assets.engine.attach import attach


class EngineRay(RayResource):
    """Attaches a run to the cluster that pipeline.yaml names, or starts one where it names none.

    Assets of one's own beside these may ask for it (`ray: RayResource`). The process stays
    attached when a run ends: `llm-data run` makes many runs.
    """

    address: str | None = None
    workers: int = 0

    @property
    def host(self) -> str:
        """Where the cluster is; this machine, if it is started here."""
        return (self.address or "127.0.0.1").removeprefix("ray://").rsplit(":", 1)[0]

    @property
    def name(self) -> str:
        """What the log calls it."""
        return self.address or "Ray on this machine"

    @property
    def ray_address(self) -> str:
        """What `ray.init` takes."""
        return self.address or "local"

    @property
    def created(self) -> bool:
        """Whether there is something to attach to: `attach` starts what is not named."""
        return True

    @property
    def ready(self) -> bool:
        """Whether it may be attached to now."""
        return True

    def connect(self, context: Any) -> Any:  # type: ignore[override]  # theirs tries again by itself
        """Attach within `timeout` seconds, or raise `EngineUnreachableError`."""
        return attach(
            Engine(
                kind="ray",
                address=self.address,
                wait_seconds=self.timeout,
                workers=self.workers,
            )
        )


def ray_resource(engine: Engine) -> EngineRay:
    """The resource that every stage needs where the pipeline asks for Ray."""
    return EngineRay(address=engine.address, workers=engine.workers, timeout=engine.wait_seconds)
