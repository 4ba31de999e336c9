"""What storage (a disk, an object store) says when it fails, and faults met while reading."""

_CREDENTIALS = (
    "credential", "expiredtoken", "invalidaccesskeyid", "invalidtoken", "signaturedoesnotmatch",
    "accessdenied", "access denied", "forbidden", "unauthorized", "403", "401",
)  # fmt: skip
_BUSY = ("slowdown", "slow down", "throttl", "toomanyrequests", "reduce your request rate", "503")


class StorageError(OSError):
    """Storage could not be read or written: nothing is wrong with the data, and nothing is lost."""


def storage_error(place: str, error: BaseException, doing: str = "read") -> StorageError:
    """The message for an error of a disk or of any store's client: what, where, the way out.

    Args:
        place: the file or address, as the user named it.
        doing: read, listed, written ...
    """
    # `strerror` leaves out the path on this machine; `place` is the name that the user knows.
    said = f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"
    low = said.lower()
    if isinstance(error, PermissionError) or any(word in low for word in _CREDENTIALS):
        way_out = (
            "the store refuses these credentials, or there are none: set new ones "
            "(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, or the store's own) "
            "that may do this, then run again: finished shards are kept"
        )
    elif any(word in low for word in _BUSY):
        way_out = (
            "the store asks for fewer requests and went on doing so: fewer `engine.workers`, then "
            "run again: finished shards are kept"
        )
    else:
        way_out = (
            "check the disk, the network and the address, then run again: finished shards are kept"
        )
    return StorageError(f"{place} could not be {doing} ({said}). Try: {way_out}")


class Faults:
    """Errors of storage that this process met while it read, whatever became of them above.

    Readers take an error for damage, which is a property of the data: a reject, and the next file.
    What storage said is noted where it was said, so that it is never taken for that.
    """

    def __init__(self) -> None:
        self._first: StorageError | None = None

    def clear(self) -> None:
        self._first = None

    def note(self, place: str, error: BaseException) -> StorageError:
        """Keep an error in mind; returns it as it is to be raised."""
        found = storage_error(place, error)
        self._first = self._first or found
        return found

    def check(self) -> None:
        """Raise what was noted since `clear`, if anything was."""
        if self._first is not None:
            found, self._first = self._first, None
            raise found


faults = Faults()
