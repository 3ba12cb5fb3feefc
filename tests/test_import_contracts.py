"""The rooms of the house: every contract in pyproject.toml breaks when its arrow is drawn back."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("labs", "models", "pages", "scenes", "ui")


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """The Python files of all rooms, and the contracts."""
    folder = tmp_path_factory.mktemp("house")
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=lambda at, names: [
            name for name in names if not (name.endswith(".py") or (Path(at) / name).is_dir()) or name == "__pycache__"
        ])  # fmt: skip
    for name in ("pyproject.toml", "app.py"):
        shutil.copy(ROOT / name, folder)
    return folder


def check(house: Path) -> str:
    """What import-linter says of it."""
    program = "import sys; from importlinter.cli import lint_imports_command as lint; sys.exit(lint())"
    command = [sys.executable, "-c", program, "--no-cache"]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, timeout=300).stdout


def test_they_hold(house):
    assert ", 0 broken." in check(house)


DRAWN_BACK = (
    ("models/recipes/yolo.py", "from models import catalog", "models: catalog"),
    ("models/recipes/segmenter.py", "from models.pretrained import fetching", "models: catalog"),
    ("models/inside/augmented.py", "from models.recipes import training", "models: catalog"),
    ("models/networks/detector.py", "from models.inside import attribution", "models: catalog"),
    ("models/device.py", "from models import catalog", "models: catalog"),
    ("models/networks/encoder.py", "from models.networks import yolo", "No circle of imports"),
    ("pages/anchors/page.py", "from pages.roi_pooling import shift", "No page imports another page"),
    ("pages/newcomer/page.py", "from pages.upsampling import numbers", "No page imports another page"),
    ("pages/shared/photograph_found.py", "from pages.yolo_grid import losses", "No page imports another page"),
    ("labs/nms.py", "from models import device", "nobody imports upwards"),
    ("ui/page.py", "from labs import nms", "ui imports no other room"),
    ("models/choice.py", "import streamlit", "No Streamlit below pages and ui"),
    ("pages/home/page.py", "import app", "Nobody imports the door"),
)


def test_every_arrow_drawn_back_is_found(house):
    for file, line, _ in DRAWN_BACK:
        (house / file).parent.mkdir(exist_ok=True)  # a new page is a folder with a page.py, and no more
        with (house / file).open("a") as end:
            end.write(f"\n\ndef late():\n    {line}\n")  # inside a function, where circles hide
    said = check(house)
    for file, line, contract in DRAWN_BACK:
        assert [each for each in said.splitlines() if contract in each and "BROKEN" in each], contract
        importer, words = file.removesuffix(".py").replace("/", "."), line.split()
        imported = f"{words[1]}.{words[3]}" if len(words) > 2 else words[1]
        assert f"{importer} -> {imported}" in said or contract == "No circle of imports", (importer, imported)
    assert ", 7 broken." in said
