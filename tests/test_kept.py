"""One small example of every kind of drawing is as it was kept; `python -m tests.kept renew` keeps new ones."""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from scenes.classes import CLASSES
from tests.kept import components
from tests.kept.comparison import DRAWINGS, HERE, difference, write
from ui.components.stage.layers import Layer


@pytest.mark.parametrize("kept", DRAWINGS, ids=lambda path: path.stem)
def test_a_drawing_is_as_kept(kept: Path, tmp_path: Path):
    found = difference(kept, DRAWINGS[kept](), tmp_path)
    if found:
        pytest.fail(found, pytrace=False)


def test_every_kind_of_drawing_is_kept_and_nothing_else():
    layers = {re.sub("(?<=[a-z])(?=[A-Z])", "_", layer.__name__).lower() for layer in get_args(Layer)}
    assert {f"stage_{layer}" for layer in layers} < set(components.EXAMPLES)
    kept = [path for folder in ("pictures", "sent") for path in (HERE / folder).iterdir()]
    assert set(kept) == set(DRAWINGS)
    assert {path.stem for path in kept if path.suffix == ".png"} == {label.replace(" ", "_") for label in CLASSES}
    assert sum(path.stat().st_size for path in kept) < 300_000


def test_one_pixel_of_a_picture_is_enough_and_today_s_lies_beside(tmp_path: Path):
    picture = np.full((4, 6, 3), 200, np.uint8)
    kept, folder = tmp_path / "duck.png", tmp_path / "today"
    write(picture, kept)
    assert difference(kept, picture, folder) is None and not folder.exists()
    picture[2, 5, 1] += 1
    found = difference(kept, picture, folder)
    assert "1 of 24 pixels differ, by up to 1 of 255, in columns 5 to 5, rows 2 to 2" in found
    assert str(folder / "duck.png") in found and difference(folder / "duck.png", picture, tmp_path) is None
    assert "was 6×4 pixels and is 6×3" in difference(kept, picture[:3], folder)


def test_one_value_of_what_is_sent_is_enough(tmp_path: Path):
    kept = tmp_path / "stage.json"
    write({"layers": [{"kind": "points", "xy": [[1.0, 2.0]] * 40}], "alt": "A cat"}, kept)
    today = {"layers": [{"kind": "points", "xy": [[1.0, 2.0]] * 40}], "alt": "A dog"}
    found = difference(kept, today, tmp_path / "new")
    assert '- "alt": "A cat"' in found and '+ "alt": "A dog"' in found and "points" not in found
    assert (tmp_path / "new" / "stage.json").exists()
    assert "is not kept yet" in difference(tmp_path / "new.json", {}, tmp_path)
