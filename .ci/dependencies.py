"""What the installed packages may do to a user: their licences, and advisories against them.

    python .ci/dependencies.py FOLDER [ADVISORIES]

Writes FOLDER/licenses.csv, reads FOLDER/advisories.json (what pip-audit wrote), and fails on a
licence that is not known to be acceptable, an advisory against an installed version, or advisories
that could not be looked up. Without a network, ADVISORIES is a folder of advisories in OSV's form
(a JSON file each, https://ossf.github.io/osv-schema/); advisories.json is then made from it.

A package states its licence as an SPDX expression (metadata 2.4), as a classifier, or as text; the
first that is there is taken. Acceptable is what lets a program use a package without coming under
its licence.
"""

import csv
import json
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

# Words of which a statement has to hold one, in any case.
ACCEPTABLE = (
    "MIT", "BSD", "Apache", "ISC", "PSF", "Python Software Foundation", "MPL", "Mozilla Public",
    "Zlib", "Unlicense", "CC0", "Public Domain", "HPND", "0BSD",
)  # fmt: skip
# Packages that were looked at, with what was found.
LOOKED_AT = {
    "python-stdnum": "LGPL-2.1-or-later: imported as it is, not changed and not shipped",
    "mlcroissant": "states none; only the tests import it",
    "psycopg2-binary": "LGPL-3.0-or-later, may be linked with OpenSSL: imported as it is by "
    "dagster-postgres (extra kubernetes), not changed and not shipped",
}


def stated_license(package: Distribution) -> str:
    """The licence as the package's metadata states it; empty if it does not."""
    told = package.metadata
    if expression := told.get("License-Expression"):
        return expression
    classified = [
        line.rpartition(" :: ")[2]
        for line in told.get_all("Classifier") or ()
        if line.startswith("License :: ") and line != "License :: OSI Approved"
    ]
    return " AND ".join(classified) or (told.get("License") or "").strip().partition("\n")[0]


def licenses(file: Path) -> int:
    """Write the list of licences; returns how many packages have to be looked at."""
    packages = {each.metadata["Name"]: each for each in distributions()}
    rows = [(name, packages[name].version, stated_license(packages[name]))
            for name in sorted(packages, key=str.lower)]  # fmt: skip
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["package", "version", "license"])
        writer.writerows((name, version, LOOKED_AT.get(name, said)) for name, version, said in rows)
    unknown = [
        (name, said)
        for name, _, said in rows
        if name not in LOOKED_AT and not any(each.lower() in said.lower() for each in ACCEPTABLE)
    ]
    for name, said in unknown:
        print(f"{name}: {said or 'states no licence'}. Try: look, then name it in {__file__}")
    print(f"licences: {len(rows)} packages, {len(unknown)} to be looked at; {file}")
    return len(unknown)


def is_affected(version: Version, affected: dict[str, Any]) -> bool:
    """Whether an advisory's entry for a package means this version.

    As the schema's section on evaluation has it: a version that is listed, or one after an event
    `introduced` that no `fixed` or `last_affected` has ended.
    """
    if version in _parsed(affected.get("versions", ())):
        return True
    for span in affected.get("ranges", ()):
        if span["type"] not in ("ECOSYSTEM", "SEMVER"):
            continue  # commits of a repository
        inside = False
        events = [(_version(at), kind) for each in span["events"] for kind, at in each.items()]
        for at, kind in sorted(events, key=lambda event: event[0]):
            if kind == "introduced":
                inside = inside or version >= at
            elif kind == "fixed":
                inside = inside and version < at
            elif kind == "last_affected":
                inside = inside and version <= at
        if inside:
            return True
    return False


def _parsed(texts: Iterable[str]) -> set[Version]:
    found = set()
    for text in texts:
        try:
            found.add(Version(text))
        except InvalidVersion:  # of before versions had a form; none such can be installed now
            continue
    return found


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")  # an event without a place in the order holds from the start


def match(folder: Path, installed: dict[str, str]) -> list[dict[str, Any]]:
    """Advisories of a folder against installed versions, in the form of pip-audit's report.

    Args:
        installed: name -> version.

    Raises:
        ValueError: the folder holds no advisory of a Python package.
    """
    names = {canonicalize_name(name): name for name in installed}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in installed}
    read = 0
    for file in sorted(folder.rglob("*.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        of_python = [each for each in told.get("affected", ())
                     if each.get("package", {}).get("ecosystem") == "PyPI"]  # fmt: skip
        read += bool(of_python)
        for each in [] if told.get("withdrawn") else of_python:
            name = names.get(canonicalize_name(each["package"]["name"]))
            if name and is_affected(Version(installed[name]), each):
                fixed = [event["fixed"] for span in each.get("ranges", ())
                         if span["type"] != "GIT"
                         for event in span["events"] if "fixed" in event]  # fmt: skip
                found[name].append({"id": told["id"], "fix_versions": fixed})
    if not read:
        raise ValueError(
            f"{folder}: no advisory of a Python package in it. Try: a folder of OSV's JSON files, "
            "as its export of the ecosystem PyPI unpacks to"
        )
    print(f"advisories: {read} read from {folder}")
    return [{"name": name, "version": installed[name], "vulns": vulns}
            for name, vulns in sorted(found.items())]  # fmt: skip


def advisories(file: Path) -> int:
    """Print what was found and what could not be looked up; returns how many packages have an
    advisory against them, or 1 if nothing was looked up at all."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))["dependencies"]
    except (FileNotFoundError, ValueError):
        told = []
    # pip-audit skips a package that its service does not know, and finds nothing against it.
    skipped = [each["skip_reason"] for each in told if "skip_reason" in each]
    if len(skipped) == len(told):
        why = skipped[0] if skipped else "no advisory service was reached"
        print(
            f"advisories: NONE WERE LOOKED UP ({why}): nothing is known of these versions. Try: "
            "again with a network, or `make audit ADVISORIES=FOLDER` with a folder of OSV's JSON "
            "files"
        )
        return 1
    hit = [each for each in told if each.get("vulns")]
    for each in hit:
        for one in each["vulns"]:
            mended = ", ".join(one["fix_versions"]) or "no version yet"
            print(f"{each['name']} {each['version']}: {one['id']}, mended in {mended}")
    print(f"advisories: {len(told)} packages, {len(hit)} with one, {len(skipped)} not looked up")
    return len(hit)


def main(folder: Path, known: Path | None = None) -> int:
    """The exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "advisories.json"
    if known:
        installed = {each.metadata["Name"]: each.version for each in distributions()}
        try:
            report = {"dependencies": match(known, installed)}
        except ValueError as error:
            print(error)
            return 1
        file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return min(1, licenses(folder / "licenses.csv") + advisories(file))


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3])))
