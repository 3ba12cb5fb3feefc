"""CONTRIBUTING.md followed to the letter in a copy of the repository: its concept is added, passes, and is served."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import torch
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from torch.nn.functional import cross_entropy
from websockets.sync.client import connect

from benchmarks import protocol
from benchmarks.servers import serve

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
FILES = re.compile(r"^\*\*`([^`]+)`\*\*(?:, above `([^`]+)`)?\n\n```python\n(.*?)^```$", re.M | re.S)
COMMANDS = re.search(r"^```sh\n(.*?)^```$", TEXT, re.M | re.S)[1].splitlines()
PLACES = re.findall(r"^\| [^|]+ \| `([\w/]+\.py)` \| (`[^|]+`) \|$", TEXT, re.M)
# Nothing of it is asked for, and it may be large.
LEFT_OUT = (".git", ".venv", "__pycache__", ".*_cache", "checkpoints", "cache", "exports", "*.safetensors")
PATIENCE = 300.0  # seconds; no test depends on speed


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The repository with the concept of the document: its files written, its entry put where the document says."""
    folder = tmp_path_factory.mktemp("contributing") / "receptive"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name, above, text in FILES.findall(TEXT):
        file = folder / name
        if above:
            there = file.read_text()
            assert there.count(above) == 1, f"{name} has not one place for the entry"
            file.write_text(there.replace(above, text + above))
        else:
            assert not file.exists(), f"{name} is there already"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
    return folder


def test_a_concept_takes_three_files_and_one_entry():
    written = [(name, above) for name, above, _ in FILES.findall(TEXT)]
    assert [name for name, above in written if not above] == [
        "labs/label_smoothing.py", "pages/label_smoothing/page.py", "tests/pages/test_label_smoothing.py",
    ]  # fmt: skip
    assert [name for name, above in written if above] == ["ui/course.py"]
    (entry,) = [text for _, above, text in FILES.findall(TEXT) if above]
    assert entry.count("Lesson(") == 1 and entry.count("\n") == 3


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_pass(copy, command):
    program, *arguments = shlex.split(command)
    program = Path(sysconfig.get_path("scripts")) / program.removeprefix(".venv/bin/")
    # Of the outer pytest nothing may reach the inner one, and its modules are those of the copy.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run([program, *arguments], cwd=copy, env=environment | {"PYTHONPATH": str(copy)},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]


def received(socket, key: str) -> tuple[list[str], protocol.Slider | None]:
    """What a run writes on the page until it ends, in order, and the live slider `key`."""
    said, slider = [], None
    while True:
        answer = ForwardMsg.FromString(socket.recv(PATIENCE))
        assert not protocol.failed(answer)
        slider = protocol.find_slider(answer, key) or slider
        element = answer.delta.new_element
        match element.WhichOneof("type"):
            case "heading":
                said.append(element.heading.body)
            case "markdown":
                said.append(element.markdown.body)
            case "bidi_component":
                data = json.loads(element.bidi_component.json)[0]
                said.append(data.get("text") or "")
        if protocol.ends(answer):
            return said, slider


def loss_at(lead: float) -> str:
    logits = torch.tensor([[lead, 0.0, 0.0, 0.0]])
    return f"**Loss {cross_entropy(logits, torch.tensor([0]), label_smoothing=0.1):.3f}** nats"


def test_the_running_lab_shows_the_page_and_it_follows_the_slider(copy):
    page, key = "label_smoothing", "smoothing_lead"
    with serve("app.py", "/api/ready", root=copy) as server:
        target = server.address.replace("http://", "ws://") + "/_stcore/stream"
        with connect(target, subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE) as socket:
            socket.send(protocol.visit(page, ""))
            said, slider = received(socket, key)
            assert "Label Smoothing" in said and "How sure should a network be?" in said
            assert loss_at(slider.value) in said
            socket.send(protocol.move(slider, 2.0, page, ""))
            assert loss_at(2.0) in received(socket, key)[0]
            assert loss_at(2.0) != loss_at(slider.high)


def test_every_path_that_it_names_is_there(copy):
    named = re.findall(r"`([\w.]+/[\w./]+)`", TEXT)
    assert len(named) > 20
    assert [path for path in named if not (copy / path).exists()] == []


@pytest.mark.parametrize(("file", "names"), PLACES)
def test_what_is_looked_for_is_where_it_says(file, names):
    text = (ROOT / file).read_text()
    for name in re.findall(r"`(\w+)`", names):
        assert re.search(rf"^(?:def|class) {name}\b|^{name} = ", text, re.M), f"{file} has no {name}"
