"""Objects of a bare git repository, read from its files wherever they lie, each within a bound.

Reads packs (version 2, gitformat-pack) with their index (version 2) and loose objects. Nothing is
unpacked or written; no object larger than its bound is inflated, and none nests deltas without
end. Every object is checked against its name, which is the SHA-1 of its content.
"""

import hashlib
import struct
import zlib
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Protocol

_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFS_DELTA, _REF_DELTA = 6, 7
_MAX_DELTAS = 4_096  # in a row; git itself makes at most 50, or 250 when asked to
_MAX_HELD_BYTES = 64 << 20  # of deltas, and of each object on the way to the wanted one
_CACHE_BYTES = 48 << 20
_CHUNK = 1 << 12
_TREE = "40000"


class GitError(ValueError):
    """An object that is not there, is damaged or too large; starts with a short, stable reason."""


class Bytes(Protocol):
    """Part of a file: its bytes by place."""

    @property
    def size(self) -> int: ...

    def at(self, start: int, length: int) -> bytes: ...


class Pack:
    """A pack and its index.

    Raises:
        GitError: the index is damaged or of another version.
    """

    def __init__(self, index: bytes, pack: Bytes) -> None:
        if index[:8] != b"\xfftOc\x00\x00\x00\x02" or len(index) < 8 + 1024 + 40:
            raise GitError("damaged pack index: not of version 2")
        self._fanout = struct.unpack(">256I", index[8:1032])
        count = self._fanout[255]
        names, offsets = 1032, 1032 + 24 * count
        if len(index) < offsets + 4 * count + 40 or list(self._fanout) != sorted(self._fanout):
            raise GitError("damaged pack index: cut short")
        self._names = index[names : names + 20 * count]
        self._offsets = index[offsets : offsets + 4 * count]
        self._far = index[offsets + 4 * count : -40]
        if pack.at(0, 8) != b"PACK\x00\x00\x00\x02":
            raise GitError("damaged pack: not of version 2")
        self._pack = pack
        self._cache: OrderedDict[int, tuple[str, bytes]] = OrderedDict()
        self._cached = 0

    def offset(self, name: bytes) -> int | None:
        """Where the object of a 20-byte name stands in the pack."""
        low = self._fanout[name[0] - 1] if name[0] else 0
        names = _Names(self._names)
        at = bisect_left(names, name, low, self._fanout[name[0]])
        if at >= len(names) or names[at] != name:
            return None
        (offset,) = struct.unpack_from(">I", self._offsets, 4 * at)
        if offset >> 31:  # packs over 2 GiB
            (offset,) = struct.unpack_from(">Q", self._far, 8 * (offset & 0x7FFFFFFF))
        return int(offset)

    def read(self, offset: int, max_bytes: int) -> tuple[str, bytes]:
        """(kind, content) of the object that stands at `offset`.

        Raises:
            GitError: it is damaged, or it or one that it is made from is too large.
        """
        deltas: list[tuple[int, bytes]] = []
        at, held, bound = offset, 0, max_bytes
        while at not in self._cache:
            kind, size, head = self._header(at)
            if kind in _KINDS:
                _check_size(size, bound)
                self._keep(at, (_KINDS[kind], self._inflate(at + head, size)))
                break
            bound = _MAX_HELD_BYTES
            held += size
            _check_size(held, bound)
            if len(deltas) >= _MAX_DELTAS:
                raise GitError(f"damaged pack: over {_MAX_DELTAS} deltas in a row")
            base, head = self._base(at, kind, head)
            deltas.append((at, self._inflate(at + head, size)))
            at = base
        self._cache.move_to_end(at)
        kind_name, content = self._cache[at]
        for at, delta in reversed(deltas):
            content = _patched(content, delta, max_bytes if at == offset else bound)
            self._keep(at, (kind_name, content))
        _check_size(len(content), max_bytes)
        return kind_name, content

    def _header(self, at: int) -> tuple[int, int, int]:
        """(kind, size of the content, length of the header)."""
        data = self._pack.at(at, 16)
        if not 12 <= at < self._pack.size - 20 or not data:
            raise GitError("damaged pack: an object outside of it")
        kind, size, shift, length = data[0] >> 4 & 7, data[0] & 15, 4, 1
        while data[length - 1] & 0x80:
            if length >= len(data):
                raise GitError("damaged pack: a size without end")
            size |= (data[length] & 0x7F) << shift
            shift, length = shift + 7, length + 1
        return kind, size, length

    def _base(self, at: int, kind: int, head: int) -> tuple[int, int]:
        """(offset of the object that a delta changes, length of the header up to the delta)."""
        data = self._pack.at(at + head, 20)
        if kind == _REF_DELTA:
            base = self.offset(data)
            if base is None:
                raise GitError(f"missing object: {data.hex()}")
            return base, head + 20
        if kind != _OFS_DELTA:
            raise GitError(f"damaged pack: an object of kind {kind}")
        back, length = data[0] & 0x7F, 1
        while data[length - 1] & 0x80:
            if length >= 10:
                raise GitError("damaged pack: a distance without end")
            back = ((back + 1) << 7) | (data[length] & 0x7F)
            length += 1
        if not 0 < back <= at:
            raise GitError("damaged pack: a delta of nothing")
        return at - back, head + length

    def _inflate(self, at: int, size: int) -> bytes:
        return _inflated(lambda start, length: self._pack.at(at + start, length), size)

    def _keep(self, at: int, made: tuple[str, bytes]) -> None:
        self._cache[at] = made
        self._cached += len(made[1])
        while self._cached > _CACHE_BYTES and len(self._cache) > 1:
            _, (_, dropped) = self._cache.popitem(last=False)
            self._cached -= len(dropped)


class _Names:
    """The sorted names of an index as a sequence, without a Python object for each."""

    def __init__(self, names: bytes) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names) // 20

    def __getitem__(self, index: int) -> bytes:
        return self._names[20 * index : 20 * index + 20]


def loose_object(stored: Bytes, max_bytes: int) -> tuple[str, bytes]:
    """(kind, content) of a loose object's file.

    Raises:
        GitError: it is damaged or too large.
    """
    try:
        head = zlib.decompressobj().decompress(stored.at(0, 128), 64)
        kind, _, size = head.partition(b"\0")[0].decode("ascii").partition(" ")
        length = int(size)
    except (zlib.error, ValueError) as error:
        raise GitError(f"damaged object: {error}") from error
    _check_size(length, max_bytes)
    prefix = len(kind) + len(size) + 2
    return kind, _inflated(stored.at, length + prefix)[prefix:]


def check_name(name: bytes, kind: str, content: bytes) -> None:
    """Raises GitError if `name` is not the SHA-1 of the object."""
    digest = hashlib.sha1(b"%s %d\0" % (kind.encode(), len(content)), usedforsecurity=False)
    digest.update(content)
    if digest.digest() != name:
        raise GitError(f"damaged object: {name.hex()} has another content")


def tree_entries(content: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """(mode, file name, object name) of every entry of a tree.

    Raises:
        GitError: the tree is cut short.
    """
    at = 0
    while at < len(content):
        space = content.find(b" ", at, at + 8)
        end = content.find(b"\0", space)
        if space < 0 or end < 0 or end + 21 > len(content):
            raise GitError("damaged object: a tree that is cut short")
        mode = content[at:space].decode("ascii", "replace")
        yield mode, content[space + 1 : end], content[end + 1 : end + 21]
        at = end + 21


def is_folder(mode: str) -> bool:
    """Whether a tree's entry is a tree; some writers put a zero in front."""
    return mode.lstrip("0") == _TREE


def is_file(mode: str) -> bool:
    """Whether a tree's entry is a regular file: no symlink, no submodule."""
    return mode.startswith("100")


def _inflated(at: Callable[[int, int], bytes], size: int) -> bytes:
    """Exactly `size` bytes of what a zlib stream holds."""
    inflate = zlib.decompressobj()
    pieces, left, start = [], size, 0
    chunk = min(max(_CHUNK, size // 2), 1 << 20)
    try:
        while not inflate.eof:
            data = at(start, chunk)
            if not data:
                raise GitError("damaged object: cut short")
            start += len(data)
            piece = inflate.decompress(data, left + 1)
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise GitError("damaged object: longer than it says")
    except zlib.error as error:
        raise GitError(f"damaged object: {error}") from error
    if left:
        raise GitError("damaged object: shorter than it says")
    return b"".join(pieces)


def _patched(base: bytes, delta: bytes, max_bytes: int) -> bytes:
    """The object that a delta makes of its base (gitformat-pack, "Deltified representation")."""
    try:
        base_size, at = _varint(delta, 0)
        size, at = _varint(delta, at)
        _check_size(size, max_bytes)
        if base_size != len(base):
            raise GitError("damaged object: a delta of another base")
        pieces, held = [], 0
        while at < len(delta):
            command = delta[at]
            at += 1
            if command & 0x80:
                start = length = 0
                for bit in range(4):
                    if command >> bit & 1:
                        start |= delta[at] << 8 * bit
                        at += 1
                for bit in range(3):
                    if command >> (4 + bit) & 1:
                        length |= delta[at] << 8 * bit
                        at += 1
                length = length or 0x10000
                piece = base[start : start + length]
            else:
                length = command
                piece = delta[at : at + length]
                at += length
            held += len(piece)
            if len(piece) < length or not length or held > size:
                raise GitError("damaged object: a delta that does not fit its base")
            pieces.append(piece)
    except IndexError as error:
        raise GitError("damaged object: a delta that is cut short") from error
    if held != size:
        raise GitError("damaged object: a delta that is cut short")
    return b"".join(pieces)


def _check_size(size: int, bound: int) -> None:
    if size > bound:
        raise GitError(f"too large: an object of {size} bytes")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
