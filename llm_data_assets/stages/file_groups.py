"""Which files, or which parts of a file, are read together into one shard."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import xxhash

from llm_data_assets.config.digest import digest
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.formats import split_offsets

# Small files share a shard of an eighth: what a change to one of them costs downstream.
_SMALL_SHARE = 8


def group_files(
    files: Sequence[SourceFile], format: str, options: dict[str, Any], shard_bytes: int
) -> dict[str, list[SourceFile]]:
    """Cut the files, in order of uri, into groups that are read one after the other.

    A file of more than `shard_bytes` is cut into parts where its format can be entered in the
    middle. A large file, or part of one, is a group of its own. Between small files the cuts
    follow a hash of the uri, so that adding or removing a file moves hardly any other file to
    another group. A group is named by its first file, and by the offset where a part starts.
    """
    small = [file.size for file in files if not _is_large(file, shard_bytes)]
    mean = max(1, sum(small) // max(1, len(small)))
    files_per_group = 1 << max(0, round(shard_bytes / _SMALL_SHARE / mean).bit_length() - 1)
    groups: dict[str, list[SourceFile]] = {}
    current: list[SourceFile] = []
    for file in files:
        name = xxhash.xxh3_64(file.uri.encode()).intdigest()
        if _is_large(file, shard_bytes):
            for part in _parts(file, format, options, shard_bytes):
                groups[f"{name:016x}" + (f"at{part.start:013d}" if part.start else "")] = [part]
            current = []
            continue
        if not current or name % files_per_group == 0:
            current = groups.setdefault(f"{name:016x}", [])
        current.append(file)
    return groups


def group_digest(group: Sequence[SourceFile]) -> str:
    """Changes with the files of a group, their bytes, and where their parts start and stop."""
    return digest([(file.uri, file.checksum, file.start, file.stop) for file in group])


def _is_large(file: SourceFile, shard_bytes: int) -> bool:
    return file.size >= shard_bytes // (2 * _SMALL_SHARE)


def _parts(
    file: SourceFile, format: str, options: dict[str, Any], shard_bytes: int
) -> list[SourceFile]:
    starts = [0]
    if file.size > shard_bytes:
        starts += split_offsets(format, file, options, shard_bytes)
    stops = [*starts[1:], None]
    return [replace(file, start=a, stop=b) for a, b in zip(starts, stops, strict=True)]
