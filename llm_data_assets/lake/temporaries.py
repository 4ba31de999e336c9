"""Files on their way to their names: `.<for what>-<where>-<process>-<random>.tmp`.

A process id says something only where it was given. So *where* tells machine, boot and namespace of
process ids apart: a container, a node of a cluster or this machine before it was started again may
have had a process of the same id. What was written elsewhere is taken for left when nobody has
written to it for a day.
"""

import os
import socket
import time
import uuid
from pathlib import Path

import xxhash

ABANDONED_SECONDS = 24 * 3600
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


def beside(path: Path) -> Path:
    """A name in the same folder that no other writer has, to be renamed to `path`."""
    what = path.name[:40]
    return path.with_name(f".{what}-{where()}-{os.getpid()}-{uuid.uuid4().hex}.tmp")


def where() -> str:
    """Within what this process's id means this process, 8 hex digits."""
    boot = _BOOT.read_text().strip() if _BOOT.exists() else ""
    namespace = str(_NAMESPACE.readlink()) if _NAMESPACE.is_symlink() else ""
    return xxhash.xxh32_hexdigest(f"{socket.gethostname()} {boot} {namespace}".encode())


def is_left(path: Path) -> bool:
    """Whether the writer of a temporary file is gone, as far as can be told from here."""
    parts = path.name.rsplit("-", 3)
    if len(parts) == 4 and parts[1] == where():
        return not _is_running(int(parts[2]))
    try:
        return time.time() - path.stat().st_mtime > ABANDONED_SECONDS
    except FileNotFoundError:
        return False  # it has its name by now


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
