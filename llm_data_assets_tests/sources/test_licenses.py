"""Licences are named as SPDX does, from names, from texts and from notices."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.sources.licenses import licenses_of_text, one_license, spdx
from llm_data_assets_tests.conftest import PROJECT
from llm_data_assets_tests.sources.fixtures_code import MIT

DEBIAN = Path("/usr/share/common-licenses")
BSD = (
    "Redistribution and use in source and binary forms, with or without modification, are "
    "permitted provided that the following conditions are met:"
)
MIT_0 = MIT.partition("without restriction")[0] + (
    "without restriction, and to permit persons to whom the Software is furnished to do so.\n\n"
    'THE SOFTWARE IS PROVIDED "AS IS"'
)
GPL_NOTICE = (
    " * it under the terms of the GNU {kind}General Public License as published by\n"
    " * the Free Software Foundation; {version}"
)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("mit", "MIT"), ("Apache-2.0", "Apache-2.0"), (" apache 2.0 ", "Apache-2.0"),
        ("gpl-2.0", "GPL-2.0-only"), ("deprecated_AGPL-3.0", "AGPL-3.0-only"),
        ("lgpl-2.1+", "LGPL-2.1-or-later"), ("odc-by", "ODC-By-1.0"), ("bsl-1.0", "BSL-1.0"),
        ("CC0: Public Domain", "CC0-1.0"), ("other", None), ("unknown", None), ("", None),
    ],
)  # fmt: skip
def test_the_names_that_publishers_use(name: str, identifier: str | None) -> None:
    assert spdx(name) == identifier


@pytest.mark.parametrize(
    ("names", "license"),
    [
        ([], None),
        (["MIT"], "MIT"),
        (["MIT", "mit"], "MIT"),
        (["MIT", "Apache-2.0"], "NOASSERTION"),
        (["ImageMagick"], "ImageMagick"),
        (["deprecated_Nunit"], "Nunit"),
    ],
)
def test_several_licences_assert_none(names: list[str], license: str | None) -> None:
    assert one_license(names) == license


@pytest.mark.parametrize(
    ("text", "licenses"),
    [
        (MIT, ["MIT"]),
        (MIT_0, ["MIT-0"]),
        (BSD, ["BSD-2-Clause"]),
        (BSD + " used to endorse or promote products", ["BSD-3-Clause"]),
        (BSD + " All advertising materials mentioning", ["BSD-4-Clause"]),
        ("// Licensed under the Apache License,\n// Version 2.0 (the \"License\")", ["Apache-2.0"]),
        (GPL_NOTICE.format(kind="", version="either version 2 of the License, or\n"
                           " * (at your option) any later version."), ["GPL-2.0-or-later"]),
        (GPL_NOTICE.format(kind="Lesser ", version="version 2.1 of the License."),
         ["LGPL-2.1-only"]),
        ("GNU Affero General Public License, version 3,\nas published by the Free Software "
         "Foundation.", ["AGPL-3.0-only"]),
        ("Permission to use, copy, modify, and/or distribute this software for any purpose with or "
         "without fee is hereby granted, provided that the above copyright notice", ["ISC"]),
        ("Permission to use, copy, modify, and/or distribute this software for any purpose with or "
         "without fee is hereby granted.", ["0BSD"]),
        ("This is free and unencumbered software released into the public domain.", ["Unlicense"]),
        (MIT + BSD, ["BSD-2-Clause", "MIT"]),
        ("Licensed under the GNU General Public License.", []),
        ("All rights reserved.", []),
    ],
)  # fmt: skip
def test_the_words_of_a_licence(text: str, licenses: list[str]) -> None:
    assert licenses_of_text(text) == licenses


@pytest.mark.parametrize(
    ("name", "licenses"),
    [
        ("Apache-2.0", ["Apache-2.0"]), ("BSD", ["BSD-3-Clause"]), ("CC0-1.0", ["CC0-1.0"]),
        ("GPL-2", ["GPL-2.0-only"]), ("GPL-3", ["GPL-3.0-only"]), ("LGPL-2", ["LGPL-2.0-only"]),
        ("LGPL-2.1", ["LGPL-2.1-only"]), ("LGPL-3", ["LGPL-3.0-only"]), ("MPL-2.0", ["MPL-2.0"]),
    ],
)  # fmt: skip
def test_whole_licences_as_debian_ships_them(name: str, licenses: list[str]) -> None:
    if not DEBIAN.is_dir():
        pytest.skip(f"{DEBIAN} not present: whole licence texts skipped")
    assert licenses_of_text((DEBIAN / name).read_text(encoding="utf-8")) == licenses


def test_this_projects_own_licence() -> None:
    assert licenses_of_text((PROJECT / "LICENSE").read_text(encoding="utf-8")) == ["Apache-2.0"]


def test_the_licence_of_python_contains_those_of_its_history() -> None:
    text = (
        "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2\n BEOPEN.COM LICENSE AGREEMENT\n Permission "
        "to use, copy, modify, and/or distribute this software for any purpose with or without fee"
    )
    assert licenses_of_text(text) == ["PSF-2.0"]


@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    found = licenses_of_text(text)
    assert found == sorted(set(found))
