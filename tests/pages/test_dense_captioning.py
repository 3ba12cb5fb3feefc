"""The dense captioning page: every sentence, probability and map on it is the network's own, and follows its controls."""

import math

import numpy as np
import pytest
import torch

from labs import caption_decoding, caption_scores
from models import catalog
from models.networks.caption_words import END, LONGEST, WORDS, sentence, tokens
from models.recipes.densecap import NEVER
from pages.dense_captioning import everywhere, scores, shared, unseen
from ui import components, pictures
from ui.components import Box

PAGE = "dense_captioning"
pytestmark = pytest.mark.skipif("densecap" not in catalog.shipped(), reason="it has no weights yet")
HELD = (40.0, 60.0, 150.0, 200.0)


def scene(seed: int = shared.SEED) -> pictures.Picture:
    return pictures.from_lab_world(seed, objects=(2, 6))


def hand(*xyxy: float) -> list[Box]:
    return [Box("region", xyxy, editable=True)]


@pytest.fixture(scope="module")
def network():
    return catalog.load("densecap")


@pytest.fixture(scope="module")
def region(network):
    looked = network(scene().image)
    return looked, network.regions(looked, torch.tensor([HELD]))


def test_the_page_opens(visit, sound):
    sound(visit(PAGE))
