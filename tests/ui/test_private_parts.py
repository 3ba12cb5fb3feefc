"""Streamlit's private parts: each is listed, guarded, and the lab runs without it and says so once.

Parts that the same files touch are needed together and lost together: one of each such set is taken away here, and
each of the others by `make sweep`.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ui.hidden_parts import find

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "ui" / "components" / "README.md"
FILES = [ROOT / "app.py", *sorted((ROOT / "ui").rglob("*.py"))]
PUBLIC = {"streamlit"}  # modules that the lab may import anywhere
OTHERS = {"_safe_read"}  # Pillow's


def listed() -> dict[str, set[str]]:
    """The parts in the tables of the README, by the file that touches them: dotted names below `streamlit.`"""
    found: dict[str, set[str]] = {}
    file = ""
    for line in README.read_text().splitlines():
        if heading := re.fullmatch(r"### `(.+)`", line):
            file = heading[1]
        elif row := re.fullmatch(r"\| (?:`([\w.]+)`|\(itself\)) \| (`.+`) \|", line):
            place = f"{row[1]}." if row[1] else ""
            found.setdefault(file, set()).update(place + name for name in re.findall(r"`(\w+)`", row[2]))
    return found


LISTED = listed()
USERS: dict[str, frozenset[str]] = {
    part: frozenset(file for file in LISTED if part in LISTED[file]) for part in sorted(set().union(*LISTED.values()))
}
# The lab is served once for each set of files that lose something; what a rerun saves at one place counts as a file.
SERVED = {
    users | {part.rpartition(".")[0]} if "ui/lighter_reruns.py" in users else users: part
    for part, users in USERS.items()
}.values()


@pytest.fixture(scope="module")
def runs(request) -> dict[str, dict]:
    """What became of the lab, by the part that was hidden, of those asked for; "" for none."""
    asked = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    parts = [f"+{part}" if part in SERVED else part for part in (each.params["part"] for each in asked if each)]
    command = [sys.executable, "-m", "tests.ui.hidden_parts", "+", *parts]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=2400, check=True)
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {each["part"].removeprefix("+"): each for each in results}


def test_with_all_parts_nothing_is_said_and_everything_works(runs):
    found = runs[""]
    assert found["log"] == [] and "raised" not in found, found
    assert found["alone"] == {"broken": [], "value": 7, "address": "7"}
    works = {"broken": 0, "followed": True, "value": 7, "quiet": True, "asleep": True, "external": None}
    assert found["served"] == works


EACH = [pytest.param(part, marks=() if part in SERVED else pytest.mark.sweep) for part in USERS]


@pytest.mark.parametrize("part", EACH)
def test_without_a_part_the_lab_runs_and_says_so_once(runs, part):
    found = runs[part]
    assert "raised" not in found, found["raised"]
    [line] = found["log"]
    assert f"{part.rpartition('.')[2]!r}" in line and line.startswith("Streamlit ")
    assert found["alone"] == {"broken": [], "value": 7, "address": "7"}
    if part in SERVED:
        assert (found["served"]["broken"], found["served"]["value"]) == (0, 7)
        assert found["served"]["followed"] == ("ui/components/script_runs.py" not in USERS[part])


def test_every_import_from_inside_is_guarded_and_listed():
    for file in FILES:
        name, tree = file.relative_to(ROOT).as_posix(), ast.parse(file.read_text())
        blocks = [node for node in ast.walk(tree) if isinstance(node, ast.With) and "Inside(" in opened(node, tree)]
        guarded = {id(node) for block in blocks for node in ast.walk(block)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert all(each.name in PUBLIC or not each.name.startswith("streamlit") for each in node.names), name
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "streamlit":
                assert id(node) in guarded, f"{name} imports from {node.module} outside a block"
                place = node.module.removeprefix("streamlit").removeprefix(".")
                parts = {f"{place}.{each.name}".removeprefix(".") for each in node.names}
                assert parts <= LISTED.get(name, set()), f"{name} is not listed with {parts}"


def opened(block: ast.With, tree: ast.Module) -> str:
    """What the block opens; a name stands for what it is set to."""
    text = ast.unparse(block.items[0].context_expr)
    set_to = [node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == text]
    return ast.unparse(set_to[-1].value) if set_to else text


def test_every_need_is_listed_and_every_part_of_the_list_is_needed():
    script = """
import json, sys
from ui import streamlit_inside
wanted = set()
def needs(owner, *names, real=streamlit_inside.Inside.needs):
    file = sys._getframe(1).f_globals["__name__"].replace(".", "/") + ".py"
    place = f"{owner.__module__}.{owner.__qualname__}" if isinstance(owner, type) else owner.__name__
    wanted.update((file, place, name) for name in names)
    real(owner, *names)
streamlit_inside.Inside.needs = staticmethod(needs)
import app
print(json.dumps(sorted(wanted)))
import os; sys.stdout.flush(); os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=300)
    needed = {(file, place, name) for file, place, name in json.loads(done.stdout.splitlines()[-1])}
    attributes = set()
    for file, parts in LISTED.items():
        for part in parts:
            place, _, name = f"streamlit.{part}".rpartition(".")
            owner = find(place)
            if isinstance(owner, type):
                attributes.add((file, f"{owner.__module__}.{owner.__qualname__}", name))
            else:
                imported = re.search(rf"\b{name}\b", (ROOT / file).read_text())
                assert imported, f"{file} does not touch {part}"
    places = {place for _, place, _ in attributes}
    assert {each for each in needed if each[1] in places} == attributes
    assert {(file, f"{place}.{name}".removeprefix("streamlit.")) for file, place, name in needed - attributes} <= {
        (file, part) for file, parts in LISTED.items() for part in parts
    }


def test_no_private_attribute_is_touched_that_is_not_listed():
    """Names that begin with an underscore: the lab's own are those that one of its classes or functions gives."""
    trees = {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text()) for file in FILES}
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and of_itself(node)}
    for name, tree in trees.items():
        touched = {each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute) and not of_itself(each)}
        private = {attr for attr in touched - own - OTHERS if attr.startswith("_") and not attr.startswith("__")}
        assert private <= {part.rpartition(".")[2] for part in LISTED.get(name, ())}, name


def of_itself(node: ast.Attribute) -> bool:
    """True for what a method of the lab's own sets or reads on its object; wrapped methods of Streamlit's are none."""
    return ast.unparse(node.value) == "self" and isinstance(node.ctx, ast.Store)


def test_the_tests_that_the_readme_names_are_there():
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", README.read_text()))
    assert len(named) >= 9 and all((ROOT / path).is_file() for path in named)
