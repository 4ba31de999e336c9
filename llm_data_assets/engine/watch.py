"""Looking after a cluster while tasks run: one that goes away must not be waited for."""

import time
from types import ModuleType

from llm_data_assets.config.engine import Engine
from llm_data_assets.engine.attach import lose, wait_for_answer
from llm_data_assets.engine.errors import EngineLostError, EngineUnreachableError

_LOOK_SECONDS = 5.0


class Watch:
    """Tells a cluster that is busy from one whose head is gone or that has no cores left."""

    def __init__(self, ray: ModuleType, engine: Engine) -> None:
        self._ray, self._engine = ray, engine
        self._looked = self._had_cores = time.monotonic()

    def look(self, answered: bool) -> None:
        """To be called now and then; `answered` says that a task has just ended.

        Raises:
            EngineLostError: the head does not answer, or there was no core for
                `engine.wait_seconds`.
        """
        now = time.monotonic()
        if answered:
            self._looked = self._had_cores = now
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        self._head_answers()
        if self._ray.cluster_resources().get("CPU", 0) >= 1:
            self._had_cores = now
        elif now - self._had_cores > self._engine.wait_seconds:
            raise EngineLostError(
                f"the cluster has had no core for {self._engine.wait_seconds:g} s. Try: start "
                "nodes (`ray start --address HOST:6379`), then run again: finished shards are "
                "kept. `engine.wait_seconds` waits longer"
            )

    def _head_answers(self) -> None:
        address = self._engine.address
        if address is None or address == "auto":
            address = self._ray.get_runtime_context().gcs_address
        try:
            wait_for_answer(address, min(_LOOK_SECONDS, self._engine.wait_seconds))
        except EngineUnreachableError as error:
            why = (
                f"the cluster's head at {address} went away while shards ran. Try: start it and "
                "run again: finished shards are kept"
            )
            lose(why)
            raise EngineLostError(why) from error
