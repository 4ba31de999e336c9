"""What the installed packages may do to a user: their licences, and advisories against them.

    python .ci/dependencies.py FOLDER

Writes FOLDER/licenses.csv, reads FOLDER/advisories.json (what pip-audit wrote), and fails on a
licence that is not known to be acceptable or an advisory against an installed version.

A package states its licence as an SPDX expression (metadata 2.4), as a classifier, or as text; the
first that is there is taken. Acceptable is what lets a program use a package without coming under
its licence.
"""

import csv
import json
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

# Words of which a statement has to hold one, in any case.
ACCEPTABLE = (
    "MIT", "BSD", "Apache", "ISC", "PSF", "Python Software Foundation", "MPL", "Mozilla Public",
    "Zlib", "Unlicense", "CC0", "Public Domain", "HPND", "0BSD",
)  # fmt: skip
# Packages that were looked at, with what was found.
LOOKED_AT = {
    "python-stdnum": "LGPL-2.1-or-later: imported as it is, not changed and not shipped",
    "mlcroissant": "states none; only the tests import it",
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


def advisories(file: Path) -> int:
    """Print what pip-audit found and what it could not look up; returns how many packages have
    an advisory against them."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))["dependencies"]
    except (FileNotFoundError, ValueError):
        print("advisories: none were looked up, no service was reached. Try: again with a network")
        return 0
    hit = [each for each in told if each.get("vulns")]
    for each in hit:
        for one in each["vulns"]:
            mended = ", ".join(one["fix_versions"]) or "no version yet"
            print(f"{each['name']} {each['version']}: {one['id']}, mended in {mended}")
    passed_over = sum("skip_reason" in each for each in told)
    print(f"advisories: {len(told)} packages, {len(hit)} with one, {passed_over} not looked up")
    return len(hit)


def main(folder: Path) -> int:
    """The exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    return min(1, licenses(folder / "licenses.csv") + advisories(folder / "advisories.json"))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
