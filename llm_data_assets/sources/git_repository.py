"""A bare git repository as a set of files: its HEADs, and the files of a commit's tree."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from llm_data_assets.sources.archive import leaves
from llm_data_assets.sources.git_objects import (
    Bytes,
    GitError,
    Pack,
    check_name,
    is_file,
    is_folder,
    loose_object,
    tree_entries,
)
from llm_data_assets.sources.mapping import iso_date

# `refs/heads/HEAD/<id>` is the HEAD of each of the repositories that a rooted one holds.
_HEADS = "refs/heads/HEAD/"
_REMOTE = re.compile(r'\[remote "([^"]*)"\]')
_SETTING = re.compile(r"\s*(\w+)\s*=\s*(.*\S)")
_OBJECT_NAME = re.compile(r"[0-9a-f]{40}")
_MAX_TREE_BYTES = 64 << 20
_MAX_DEPTH = 256  # folders in folders; file systems allow about as many
_MAX_LINKS = 5  # refs that name refs, as in git


@dataclass(frozen=True)
class Remote:
    """Where a repository comes from."""

    name: str
    url: str | None = None
    is_fork: bool = False


@dataclass(frozen=True)
class Head:
    """The commit that a repository's HEAD names."""

    remote: Remote
    commit: str
    tree: bytes
    committed_at: str | None


@dataclass(frozen=True)
class Blob:
    """A file of a HEAD: its path, its object, and where that stands (see `Repository.place`)."""

    head: Head
    path: str
    name: bytes
    place: int
    is_copy: bool = False


@dataclass
class Fault:
    """What could not be read, and where it stands."""

    place: int
    error: str


@dataclass
class Repository:
    """The files of a bare repository, by path.

    `place(path, offset)` says where a byte of one of the files stands to the outside.
    """

    files: Mapping[str, Bytes]
    place: Callable[[str, int], int]
    _packs: dict[str, Pack] = field(init=False, default_factory=dict)

    def open_packs(self) -> Iterator[Fault]:
        """Open every pack; yields those that are damaged."""
        for path in sorted(self.files):
            if not (path.startswith("objects/pack/") and path.endswith(".idx")):
                continue
            pack = f"{path[:-4]}.pack"
            try:
                if pack not in self.files:
                    raise GitError(f"missing pack: {pack}")
                self._packs[pack] = Pack(self._whole(path), self.files[pack])
            except GitError as error:
                yield Fault(self.place(path, 0), f"{error} in {path}")

    def heads(self) -> list[Head | Fault]:
        """The HEAD of each repository, originals before forks; a fault where one is damaged."""
        refs, remotes = self._refs(), self._remotes()
        named = {
            ref.removeprefix(_HEADS): ref for ref in sorted(refs) if ref.startswith(_HEADS)
        } or {next(iter(sorted(remotes)), ""): "HEAD"}
        order = sorted(named, key=lambda each: (remotes.get(each, Remote(each)).is_fork, each))
        return [self._head(remotes.get(each, Remote(each)), named[each], refs) for each in order]

    def blobs(self, heads: list[Head], repeated: Callable[[str], bool]) -> Iterator[Blob | Fault]:
        """Every file of the heads' trees whose content was not there before; links are left out.

        Files with a name that is `repeated` come again, as copies, where another tree has them.
        """
        seen: set[bytes] = set()
        for head in heads:
            folders = [(head.tree, "", 0)]
            while folders:
                name, folder, depth = folders.pop()
                if name in seen:
                    continue
                seen.add(name)
                try:
                    entries = list(tree_entries(self.read(name, "tree", _MAX_TREE_BYTES)))
                except GitError as error:
                    yield Fault(self._place_of(name), f"{error} at {folder or '/'}")
                    continue
                for mode, part, child in entries:
                    path = folder + part.decode("utf-8", "replace")
                    if leaves(path) or b"/" in part:
                        fault = f"path leaves the repository: {path[:200]}"
                        yield Fault(self._place_of(name), fault)
                    elif depth >= _MAX_DEPTH:
                        fault = f"nested too deeply: over {_MAX_DEPTH} folders"
                        yield Fault(self._place_of(name), fault)
                    elif is_folder(mode):
                        folders.append((child, f"{path}/", depth + 1))
                    elif is_file(mode) and (child not in seen or repeated(path)):
                        yield Blob(head, path, child, self._place_of(child), child in seen)
                        seen.add(child)

    def read(self, name: bytes, kind: str, max_bytes: int) -> bytes:
        """The content of an object of the wanted kind.

        Raises:
            GitError: it is missing, damaged, larger than `max_bytes`, or of another kind.
        """
        found, content = self._find(name, max_bytes)
        check_name(name, found, content)
        if found != kind:
            raise GitError(f"damaged object: {name.hex()} is a {found}, not a {kind}")
        return content

    def _find(self, name: bytes, max_bytes: int) -> tuple[str, bytes]:
        for pack in self._packs.values():
            if (offset := pack.offset(name)) is not None:
                return pack.read(offset, max_bytes)
        if (path := _loose_path(name)) in self.files:
            return loose_object(self.files[path], max_bytes)
        raise GitError(f"missing object: {name.hex()}")

    def _place_of(self, name: bytes) -> int:
        for path, pack in self._packs.items():
            if (offset := pack.offset(name)) is not None:
                return self.place(path, offset)
        path = _loose_path(name)
        return self.place(path, 0) if path in self.files else 0

    def _whole(self, path: str) -> bytes:
        return self.files[path].at(0, self.files[path].size)

    def _text(self, path: str) -> str:
        return self._whole(path).decode("utf-8", "replace") if path in self.files else ""

    def _refs(self) -> dict[str, str]:
        """What each ref says: an object's name, or `ref: ` and another ref."""
        refs = {}
        for line in self._text("packed-refs").splitlines():
            name, _, ref = line.partition(" ")
            if _OBJECT_NAME.fullmatch(name):
                refs[ref] = name
        for path in self.files:
            if path == "HEAD" or path.startswith("refs/"):
                refs[path] = self._text(path).strip()
        return refs

    def _remotes(self) -> dict[str, Remote]:
        settings: dict[str, list[tuple[str, str]]] = {}
        section: list[tuple[str, str]] = []
        for line in self._text("config").splitlines():
            if line.lstrip().startswith("["):
                remote = _REMOTE.match(line.strip())
                section = settings.setdefault(remote[1], []) if remote else []
            elif setting := _SETTING.match(line):
                section.append((setting[1].lower(), setting[2]))
        return {
            name: Remote(
                name,
                _web_address([value for key, value in of if key == "url"]),
                ("isfork", "true") in of,
            )
            for name, of in settings.items()
        }

    def _head(self, remote: Remote, ref: str, refs: Mapping[str, str]) -> Head | Fault:
        target = refs.get(ref, "")
        for _ in range(_MAX_LINKS):
            if not target.startswith("ref:"):
                break
            target = refs.get(target.removeprefix("ref:").strip(), "")
        if not _OBJECT_NAME.fullmatch(target):
            return Fault(0, f"no commit: {ref} names none")
        try:
            return _commit(remote, target, self.read(bytes.fromhex(target), "commit", 1 << 20))
        except GitError as error:
            return Fault(self._place_of(bytes.fromhex(target)), f"{error} for {ref}")


def _commit(remote: Remote, name: str, content: bytes) -> Head:
    header = content.decode("utf-8", "replace").partition("\n\n")[0]
    fields = dict(line.split(" ", 1) for line in header.split("\n") if " " in line)
    if not _OBJECT_NAME.fullmatch(fields.get("tree", "")):
        raise GitError(f"damaged object: the commit {name} has no tree")
    moment = re.search(r"> (\d{1,10}) [+-]\d{4}$", fields.get("committer", ""))
    committed_at = iso_date(int(moment[1])) if moment else None
    return Head(remote, name, bytes.fromhex(fields["tree"]), committed_at)


def _loose_path(name: bytes) -> str:
    text = name.hex()
    return f"objects/{text[:2]}/{text[2:]}"


def _web_address(urls: list[str]) -> str | None:
    """The address to look at, of the addresses to fetch from: https where there is one."""
    for url in urls:
        if url.startswith("https://"):
            return url.removesuffix(".git")
    for url in urls:
        if found := re.fullmatch(r"(?:git|ssh)://(?:\w+@)?(.+)|\w+@([\w.-]+:.+)", url):
            place = found[1] or found[2].replace(":", "/", 1)
            return f"https://{place.removesuffix('.git')}"
    return urls[0] if urls else None
