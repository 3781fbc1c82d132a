"""The Mustache specification's own tests, through `tocsin render --data`.

They are not kept here: MUSTACHE_SPEC names the folder of their JSON files (the specification's
specs/). Without it there is nothing to collect. The optional modules (~lambdas.json and the like)
are left out: they are no part of what tocsin promises.
"""
import json
import os
import pathlib

import pytest

from support import tocsin

MODULES = ("comments", "delimiters", "interpolation", "inverted", "partials", "sections")
FOLDER = os.environ.get("MUSTACHE_SPEC")


def cases():
    """(the test's name, the test) of every core module."""
    for module in MODULES:
        path = pathlib.Path(FOLDER) / f"{module}.json"
        for case in json.loads(path.read_text(encoding="utf-8"))["tests"]:
            yield f"{module}: {case['name']}", case


def keep(folder, name, text):
    """A template's file; .html is the specification's own escaping. Line ends stay as they are."""
    path = folder / f"{name}.html.mustache"
    path.write_bytes(text.encode())
    return path


if FOLDER:

    @pytest.mark.parametrize("case", [pytest.param(c, id=name) for name, c in cases()])
    def test_the_specification_holds(tmp_path, case):
        for name, text in case.get("partials", {}).items():
            keep(tmp_path, name, text)
        data = tmp_path / "data.json"
        data.write_text(json.dumps(case["data"]), encoding="utf-8")
        template = keep(tmp_path, "x", case["template"])
        done = tocsin("render", "--data", data, template, conf=tmp_path / "none.conf", text=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode() == case["expected"], case["desc"]
