"""Attaching this process to a Ray cluster, within a bounded time."""

import os
from pathlib import Path
from types import ModuleType
from typing import Any

from llm_data_assets.config.engine import Engine
from llm_data_assets.engine.errors import EngineUnreachableError

_CLIENT = "ray://"
_attached_to: list[str | None] = []  # the address, while this process is attached by `attach`
_lost: list[str] = []  # why the cluster of this process is gone


def attach(engine: Engine) -> ModuleType:
    """Ray, attached to the cluster that the pipeline names, or started here where it names none.

    A process stays attached: to the same cluster this costs nothing again. A Ray that somebody
    else attached, such as a job that runs on the cluster, is used as it is.

    Raises:
        EngineUnreachableError: Ray is not installed, or nothing answers in `engine.wait_seconds`.
    """
    # The dashboard of a cluster that is started here would report its use.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise EngineUnreachableError(
            "pipeline.yaml asks for the engine Ray, which is not installed. "
            "Try: pip install 'llm_data_assets[ray]', or engine: {kind: local}"
        ) from error
    if _lost:
        raise EngineUnreachableError(_lost[0])
    if ray.is_initialized() and (not _attached_to or _attached_to == [engine.address]):
        return ray
    leave()
    options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    try:
        if engine.address is None:
            # Without "local" Ray would join what its note of a last cluster names, dead or alive.
            options |= {"num_cpus": engine.workers or None, "include_dashboard": False}
            ray.init(address="local", **options)
        else:
            wait_for_answer(engine.address, engine.wait_seconds)
            ray.init(address=engine.address, **options)
    except EngineUnreachableError:
        raise
    except Exception as error:
        # Ray raises what it finds on its way, from ConnectionError to RuntimeError.
        raise EngineUnreachableError(
            f"the engine at {engine.address or 'this machine'} cannot be used: {error}. "
            "Try: `ray status --address HOST:PORT`; the same Ray and Python on both sides; "
            "HOST:PORT only from a node of the cluster, ray://HOST:10001 from elsewhere"
        ) from error
    _attached_to[:] = [engine.address]
    return ray


def _last_started() -> str:
    """The cluster that `auto` means: Ray's own variable, or its note of what was started here."""
    if named := os.environ.get("RAY_ADDRESS"):
        return named
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"  # as Ray does
    note = Path(folder, "ray", "ray_current_cluster")
    if not note.exists():
        raise EngineUnreachableError(
            "no cluster was started on this machine, and RAY_ADDRESS names none. Try: "
            "`ray start --address HEAD:6379` here, or `engine.address` as ray://HEAD:10001"
        )
    return note.read_text(encoding="utf-8").strip()


def leave() -> None:
    """Let go of the cluster that `attach` attached to; one that it started ends."""
    if _attached_to:
        import ray

        _attached_to.clear()
        ray.shutdown()


def lose(why: str) -> None:
    """Remember that the cluster is gone.

    A process cannot leave a cluster whose head is gone: Ray waits for a minute, and then ends it.
    What is still to be said must be said before.
    """
    _lost[:] = [why]


def is_lost() -> bool:
    """Whether the cluster of this process is gone."""
    return bool(_lost)


def wait_for_answer(address: str, seconds: float) -> None:
    """Return once the cluster answers at an address.

    A port that is open and says nothing is no answer: both ends of Ray speak gRPC.

    Raises:
        EngineUnreachableError: it did not within `seconds`.
    """
    import grpc

    if address == "auto":
        address = _last_started()

    channel = grpc.insecure_channel(address.removeprefix(_CLIENT))
    try:
        grpc.channel_ready_future(channel).result(timeout=seconds)
    except grpc.FutureTimeoutError as error:
        port = "10001, Ray's client server" if address.startswith(_CLIENT) else "6379, Ray's head"
        raise EngineUnreachableError(
            f"nothing answered at {address} within {seconds:g} s. Try: see that the cluster runs "
            f"(`ray start --head`, `kubectl get raycluster`), that the port is right ({port}) and "
            "open from here; `engine.wait_seconds` waits longer, engine: {kind: local} runs here"
        ) from error
    finally:
        channel.close()
