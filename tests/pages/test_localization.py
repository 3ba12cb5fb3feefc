"""The localization page: losses follow the box, the last layer adds up, α weighs, heads learn, one box is no detector."""

import functools
import re

import numpy as np
import pytest
import torch

from labs import boxes, localization
from models import catalog
from models.networks.classifier import Classifier, LoadedClassifier
from models.networks.localizer import LoadedLocalizer, Localizer
from pages.localization import composed, multitask, shared
from scenes import THINGS
from ui import components, pictures

PAGE = "localization"


@functools.cache
def fresh(name):
    """A network as it is before training, with a box that is not the same for every picture."""
    torch.manual_seed(3)
    if name == multitask.STARTS_FROM:
        return LoadedClassifier(name, Classifier("average", 8).eval().requires_grad_(False), torch.device("cpu"), {})
    net = Localizer().eval().requires_grad_(False)
    with torch.no_grad():
        net.heads.box_last.weight.mul_(5)
        net.heads.class_last.weight.mul_(10)
    return LoadedLocalizer(name, net, torch.device("cpu"), {})


@pytest.fixture
def untrained(monkeypatch):
    monkeypatch.setattr(catalog, "load", fresh)


@pytest.fixture
def run(visit, untrained):
    """Function: a visit to the page."""
    return lambda query=None, **state: visit(PAGE, query, **state)


def scene(seed=4, **knobs):
    return pictures.from_lab_world(seed, **({"objects": (1, 1)} | knobs))


def test_the_first_picture_shows_the_networks_box_and_the_truth(run, sound, drawn, prose):
    at = sound(run())
    picture = scene()
    said = fresh(shared.NETWORKS["Joint"])(picture.image)
    truth, guess = drawn.boxes("localization_stage")
    assert truth.xyxy == tuple(picture.view.instances[0].box) and not truth.editable
    assert guess.xyxy == pytest.approx(said.box.tolist(), abs=0.051) and guess.editable
    text = prose(at)
    assert f"**{said.label} {float(said.probabilities.max()):.2f}**" in text
    assert f"true: **{picture.view.instances[0].label}**" in text
