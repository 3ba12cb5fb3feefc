"""The benchmark of the R-CNN family, small: networks that stand in are timed by part, and judged."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks import rcnn
from benchmarks.__main__ import main
from models import catalog
from models.recipes.scene_cache import CachedScenes, InstanceRecord

KEYS = ["method", "network", "regions", "ms_proposals", "ms_network", "ms_heads", "box_ap50", "card_box_ap50",
        "training_s", "scenes"]  # fmt: skip


@pytest.fixture
def family(monkeypatch):
    """Two scenes with a dog each; SPP-net finds the first dog alone, Faster R-CNN both; others are not trained."""
    panoptic = np.zeros((2, 224, 224), np.uint8)
    panoptic[:, 10:60, 10:60] = 1
    record = InstanceRecord(1, 3, [10.0, 10, 60, 60], 1.0, np.zeros((14, 3)).tolist())
    images = np.zeros((2, 224, 224, 3), np.uint8)
    images[:, 10:60, 10:60], images[1, 0, 0] = 255, 9
    data = CachedScenes(images, panoptic, panoptic, [[record], [record]])
    box = {"boxes": torch.tensor([[10.0, 10, 60, 60]]), "labels": torch.tensor([3]), "scores": torch.tensor([0.9]),
           "masks": None, "keypoints": None}  # fmt: skip
    nothing = box | {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0), "scores": torch.zeros(0)}

    def spp(image, boxes):
        there = nothing if image[0, 0, 0] == 9 else box
        return SimpleNamespace(**there, trunk_seconds=0.002, seconds=0.005)

    def walk(network, image):
        return SimpleNamespace(
            **box, regions=torch.zeros(300, 4), trunk_seconds=0.02, proposal_seconds=0.01, head_seconds=0.03
        )

    monkeypatch.setattr(rcnn, "cached_scenes", lambda seeds: data)
    monkeypatch.setattr(rcnn.two_stages, "walk", walk)
    monkeypatch.setattr(catalog, "shipped", lambda: ["spp", "detector-narrow"])
    monkeypatch.setattr(catalog, "load", {"spp": spp, "detector-narrow": None}.__getitem__)
    monkeypatch.setattr(
        catalog, "card", lambda name: {"metrics": {"box_ap50": 0.6}, "training_seconds": 74 if name == "spp" else 1355}
    )


def test_each_part_is_timed_and_what_is_found_is_judged(family, capsys):
    assert main(["rcnn", "--json", "--scenes", "2"]) == 0
    told = capsys.readouterr()
    spp, faster = json.loads(told.out)
    assert list(spp) == list(faster) == KEYS
    assert (spp["ms_network"], spp["ms_heads"], spp["box_ap50"], spp["training_s"]) == (2.0, 3.0, 0.505, 74)
    assert (faster["ms_proposals"], faster["ms_network"], faster["ms_heads"]) == (10.0, 20.0, 30.0)
    assert (faster["box_ap50"], faster["regions"], faster["scenes"], faster["card_box_ap50"]) == (1.0, 300, 2, 0.6)
    assert spp["ms_proposals"] > 0 and spp["regions"] < 300, "it is given the boxes of selective search"
    assert "R-CNN left out: rcnn has no weights yet" in told.err


def test_a_table_for_people(family, capsys):
    assert main(["rcnn", "--scenes", "1"]) == 0
    assert "| SPP-net" in capsys.readouterr().out


def test_what_r_cnn_runs_on_pixels_is_every_crop(monkeypatch):
    said = SimpleNamespace(steps={"crops": 1.0, "network": 2.0, "SVMs and boxes": 4.0}, seconds=7.0)
    monkeypatch.setattr(catalog, "load", lambda name: lambda image, boxes: said)
    image, boxes = np.zeros((8, 8, 3), np.uint8), np.zeros((1, 4), np.float32)
    assert rcnn.caller("rcnn")(image, boxes) == (said, None, 3.0, 4.0)
