"""A workspace: one home, one catalog, one pipeline, found from the environment."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from llm_data_assets.config.audit import FILE as AUDIT
from llm_data_assets.config.catalog import Branch, Catalog
from llm_data_assets.config.digest import digest
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.loading import Loaded, load
from llm_data_assets.config.pipeline import Pipeline

# What the sources beside text give, and where it stands.
GIVES: Mapping[Branch, str] = MappingProxyType(
    {
        "instructions": "dialogues, which stand in raw_instructions",
        "media": "pairs, which stand in raw_pairs",
    }
)
DEFAULT_HOME = Path(".llm_data")
ROLES_VARIABLE = "LLM_DATA_ROLES"
# In a home: where its tables lie, if not in the folder of this file.
STORE_MARK = "lake/store.url"


@dataclass(frozen=True)
class Workspace:
    """Where tables lie and what they are made from.

    `home` holds everything the project writes; `catalog` and `pipeline` know the file and the
    line of each field, so that a later error can name them. `roles` are held by whoever reads;
    they change what is shown and what may leave, never what is made.
    """

    home: Path
    catalog: Loaded[Catalog]
    pipeline: Loaded[Pipeline]
    roles: frozenset[str] = frozenset()

    @property
    def kept_beside(self) -> Path:
        """Where what outlives a home lies: beside a catalog of one's own, else in the home."""
        folder = self.catalog.path.parent
        return self.home if folder == quickstart_folder() else folder

    @property
    def audit(self) -> Path:
        """The audit log: where the catalog says, else where pins lie too."""
        named = self.catalog.model.audit
        return self.catalog.path.parent / named if named else self.kept_beside / AUDIT

    @property
    def restricted(self) -> dict[str, list[str]]:
        """Source -> roles of which a reader of its texts needs one; sources open to all are not
        named."""
        sources = self.catalog.model.sources
        return {name: sources[name].restricted for name in self.all_sources
                if sources[name].restricted}  # fmt: skip

    @property
    def hidden(self) -> dict[str, list[str]]:
        """`restricted`, without the sources that a held role opens."""
        return {name: roles for name, roles in self.restricted.items()
                if self.roles.isdisjoint(roles)}  # fmt: skip

    @property
    def sources(self) -> list[str]:
        """Names of the sources of text, sorted: the order of every partition listing."""
        return self.sources_of("text")

    @property
    def all_sources(self) -> list[str]:
        """Names of the sources of every branch, sorted."""
        return sorted(self.catalog.model.sources)

    def sources_of(self, branch: Branch) -> list[str]:
        """Names of the sources of one branch of the graph, sorted."""
        return [name for name in self.all_sources
                if self.catalog.model.sources[name].goes_to == branch]  # fmt: skip

    @property
    def recipes(self) -> list[str]:
        """Names of the recipes, sorted."""
        return sorted(self.pipeline.model.recipes)


def open_workspace(
    home: Path | None = None, catalog: Path | None = None, pipeline: Path | None = None
) -> Workspace:
    """Open the workspace that arguments, else the environment, else the folder name.

    `LLM_DATA_HOME` (default `./.llm_data`), `LLM_DATA_CATALOG` and `LLM_DATA_PIPELINE` (default
    `./catalog.yaml` and `./pipeline.yaml`, else the embedded quickstart), `LLM_DATA_ROLES`.

    Raises:
        ConfigError: a file is missing or does not fit; a recipe names a source that is not there.
    """
    workspace = Workspace(
        home=(home or home_folder()).absolute(),
        catalog=load(catalog or _config_file("catalog"), Catalog),
        pipeline=load(pipeline or _config_file("pipeline"), Pipeline),
        roles=held_roles(),
    )
    _recipes_name_known_sources(workspace)
    _dedup_names_known_sources(workspace)
    return workspace


def home_folder() -> Path:
    """`LLM_DATA_HOME`, else `./.llm_data`; for a URL, the folder of this machine that serves it.

    The tables lie below the URL. Copies of their files, `catalog.duckdb`, exports and Dagster's
    own records lie in a folder of the user's cache, which says where the tables are.
    """
    named = os.environ.get("LLM_DATA_HOME") or str(DEFAULT_HOME)
    if "://" not in named:
        return Path(named).absolute()
    url = named.rstrip("/")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = caches / "llm_data" / digest(url)
    mark = home / STORE_MARK
    if not mark.exists():
        make_home(home)
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(f"{url}/lake\n", encoding="utf-8")
    return home


def keep_private() -> None:
    """Let nobody but owner and group read what this process writes, whatever the umask was."""
    os.umask(os.umask(0o077) | 0o007)


def make_home(home: Path) -> None:
    """Make the folder of a home, open to its owner alone; one that is there stays as it is."""
    home.parent.mkdir(parents=True, exist_ok=True)
    home.mkdir(mode=0o700, exist_ok=True)


def held_roles() -> frozenset[str]:
    """The roles that `LLM_DATA_ROLES` names, separated by commas."""
    named = os.environ.get(ROLES_VARIABLE, "").split(",")
    return frozenset(role.strip() for role in named if role.strip())


def init_workspace(folder: Path) -> list[Path]:
    """Write a catalog, a pipeline and sample files of one's own into `folder`; nothing is replaced.

    Raises:
        ConfigError: `folder` already has a catalog or a pipeline.
    """
    for name in ("catalog.yaml", "pipeline.yaml"):
        if (folder / name).exists():
            raise ConfigError(
                str(folder / name), "", "is there already", "another folder, or remove it first"
            )
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(quickstart_folder(), folder, dirs_exist_ok=True)
    return sorted(path for path in folder.rglob("*.yaml"))


def quickstart_folder() -> Path:
    """The embedded catalog: real text that every machine has."""
    return Path(str(resources.files("llm_data_assets.config") / "quickstart"))


def _config_file(kind: str) -> Path:
    named = os.environ.get(f"LLM_DATA_{kind.upper()}")
    if named:
        return Path(named).absolute()
    local = Path(f"{kind}.yaml").absolute()
    return local if local.is_file() else quickstart_folder() / f"{kind}.yaml"


def _recipes_name_known_sources(workspace: Workspace) -> None:
    known = workspace.catalog.model.sources
    for name, recipe in workspace.pipeline.model.recipes.items():
        named: list[tuple[str, Iterable[str]]] = [
            ("sources", recipe.sources or ()),
            ("weights", recipe.weights or ()),
            ("domains", [each for sources in recipe.domains.values() for each in sources]),
            ("phases", [each for phase in recipe.phases for each in phase.weights or ()]),
        ]
        for field, names in named:
            for source in names:
                if source not in known:
                    raise workspace.pipeline.error(
                        ("recipes", name, field),
                        f"there is no source {source!r} in {workspace.catalog.path.name}",
                        f"one of {', '.join(workspace.sources)}",
                    )
                if (branch := known[source].goes_to) != "text":
                    raise workspace.pipeline.error(
                        ("recipes", name, field),
                        f"{source!r} gives {GIVES[branch]}",
                        "`branch: text` in its entry of the catalog, or leave it out",
                    )
        _replays_an_earlier_recipe(workspace, name)


def _replays_an_earlier_recipe(workspace: Workspace, name: str) -> None:
    recipes = workspace.pipeline.model.recipes
    seen, each = [name], recipes[name].replay
    while each:
        if each.recipe not in recipes or each.recipe in seen:
            problem = "replays itself" if each.recipe in seen else "is no recipe"
            raise workspace.pipeline.error(
                ("recipes", name, "replay"),
                f"{each.recipe!r} {problem}",
                f"one of {', '.join(sorted(set(recipes) - set(seen)))}",
            )
        seen.append(each.recipe)
        each = recipes[each.recipe].replay


def _dedup_names_known_sources(workspace: Workspace) -> None:
    dedup = workspace.pipeline.model.dedup
    grouped = [source for sources in dedup.groups.values() for source in sources]
    for field, names in (("sources", dedup.sources), ("groups", grouped)):
        for source in names:
            if source not in workspace.catalog.model.sources:
                raise workspace.pipeline.error(
                    ("dedup", field),
                    f"there is no source {source!r} in {workspace.catalog.path.name}",
                    f"one of {', '.join(workspace.sources)}",
                )
