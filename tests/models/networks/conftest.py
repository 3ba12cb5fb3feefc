"""A scene and its regions, for the networks that are given them."""

import numpy as np
import pytest

import scenes
from labs import selective_search


@pytest.fixture(scope="module")
def view():
    return scenes.render(scenes.sample(7), 224)


@pytest.fixture(scope="module")
def regions(view):
    boxes = selective_search.by_opencv(view.image)
    return boxes[np.lexsort(boxes.T)].astype(np.float32)
