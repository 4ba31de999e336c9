"""What can happen to the engine itself, beside what shards raise."""


class WorkerDiedError(RuntimeError):
    """A worker process ended without an answer."""


class EngineUnreachableError(OSError):
    """The engine that the pipeline names does not answer, or cannot do the work."""


class EngineLostError(ConnectionError):
    """The engine went away while shards ran; what is finished is found again."""
