"""How far shards under way have come, in bytes of input, told across worker processes."""

import time
from collections.abc import Callable
from multiprocessing.sharedctypes import Synchronized

Listener = Callable[[int, int], None]

# Between two calls of a listener; a screen needs no more.
INTERVAL_SECONDS = 0.5

# Whoever shows progress on a terminal stands here, since a stage runs inside Dagster and cannot
# be handed a screen.
listeners: list[Listener] = []


class Counter:
    """Bytes read by this process, or, once shared, by all processes of a pool together."""

    def __init__(self) -> None:
        self.done, self.total = 0, 0
        self.shared: Synchronized[int] | None = None
        self._listener: Listener | None = None
        self._told = 0.0

    def start(self, total: int, listener: Listener | None) -> None:
        self.done, self.total, self._listener = 0, total, listener
        self._told = time.monotonic()

    def advance(self, n_bytes: int) -> None:
        if self.shared is not None:
            with self.shared.get_lock():
                self.shared.value += n_bytes
            return
        self.done += n_bytes
        if time.monotonic() - self._told >= INTERVAL_SECONDS:
            self.tell()

    def reach(self, done: int) -> None:
        """At least `done` bytes are behind us: what shards that never `advance` tell by ending."""
        self.done = max(self.done, done)
        self.tell()

    def tell(self) -> None:
        self._told = time.monotonic()
        for listener in (self._listener, *listeners):
            if listener:
                listener(min(self.done, self.total), self.total)


counter = Counter()


def advance(n_bytes: int) -> None:
    """A shard under way has read `n_bytes` more of its input."""
    counter.advance(n_bytes)
