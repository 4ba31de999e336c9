"""What may leave, by whose leave: restricted sources, and the entries of the audit log."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llm_data_assets.config.audit import append_audit
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import ROLES_VARIABLE, Workspace

_USERINFO = re.compile(r"(?<=://)[^/@]*@")


def refuse_restricted(workspace: Workspace, what: str, sources: Iterable[str]) -> None:
    """Raise ConfigError if `what` would carry texts of a source whose roles nobody here holds."""
    hidden = {name: workspace.hidden[name] for name in sources if name in workspace.hidden}
    if hidden:
        named = ", ".join(f"{name} ({' or '.join(roles)})" for name, roles in hidden.items())
        role = next(iter(hidden.values()))[0]
        raise ConfigError(
            what, "", f"holds texts of sources restricted to roles: {named}",
            f"`llm-data --role {role}`, or {ROLES_VARIABLE}={role} for Dagster, if you hold it; "
            "else leave the source out",
        )  # fmt: skip


def note_reveal(workspace: Workspace, by: str, *, personal_data: bool = False) -> None:
    """Put down that restricted texts or unmasked personal data can be seen from now on, if so."""
    opened = sorted(workspace.restricted.keys() - workspace.hidden.keys())
    if personal_data or opened:
        append_audit(
            workspace.audit,
            "reveal",
            {
                "by": by,
                "home": str(workspace.home),
                "personal_data": personal_data,
                "sources": opened,
                "roles": sorted(workspace.roles),
            },
        )


def note_export(
    workspace: Workspace, what: str, formats: Sequence[str], to: str, rows: Sequence[Mapping]
) -> None:
    """Put down which files left, each with its checksum; credentials in `to` are left out."""
    files: dict[str, Any] = {row["file"]: row["checksum"] for row in rows}
    told = {"what": what, "formats": list(formats), "to": _USERINFO.sub("", to), "files": files}
    append_audit(workspace.audit, "export", told)
