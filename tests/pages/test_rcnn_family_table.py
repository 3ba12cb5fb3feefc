"""The R-CNN Family's table: the lectures' figures as they stand there, and times that add up."""

import re
from types import SimpleNamespace

import pytest
import torch

from models import catalog
from pages.rcnn_family import fast, faster, pyramid, shared, table
from pages.rcnn_family.shared import FAST, FASTER, RCNN, SPP, Look
from ui import pictures


def test_the_lectures_figures():
    """84 hours of training and 47 seconds a picture for R-CNN, about 0.2 seconds for Faster R-CNN."""
    assert table.LECTURES[RCNN] == (84, 49, 47)
    assert table.LECTURES[FASTER][1] == 0.2
    rows = table.lectures().splitlines()
    assert rows[2] == "| R-CNN | 84 h | 49 s | 47 s |" and rows[5] == "| Faster R-CNN | – | 0.2 s | – |"
    assert list(table.LECTURES) == list(shared.DETECTORS)


@pytest.fixture
def timed(monkeypatch):
    """Networks that stand in, each with its own known times."""
    search = shared.Search(torch.tensor([[0.0, 0, 9, 9]]).expand(100, 4), 0.5)
    asked = []

    def crops(image, mode, most):
        asked.append(most)
        return SimpleNamespace(steps={"crops": 0.1, "network": 0.3, "SVMs and boxes": 0.1}, seconds=0.5)

    monkeypatch.setattr(shared, "searched", lambda image, mode: search)
    monkeypatch.setattr(table, "some_crops", crops)
    monkeypatch.setattr(
        pyramid, "seen", lambda image, boxes: SimpleNamespace(trunk_seconds=1.0, pool_seconds=2.0, head_seconds=3.0)
    )
    monkeypatch.setattr(fast, "seen", lambda image, boxes: SimpleNamespace(trunk_seconds=4.0, head_seconds=5.0))
    monkeypatch.setattr(
        faster, "walked",
        lambda name, image: SimpleNamespace(proposal_seconds=6.0, trunk_seconds=7.0, head_seconds=8.0),
    )  # fmt: skip
    return asked


@pytest.mark.parametrize("most, crops, times", [(100, 40, 2.5), (20, 20, 1.0)])
def test_every_part_is_counted_where_it_belongs(timed, most, crops, times):
    """R-CNN is timed on 40 crops, and the others take as long each."""
    found = table.costs(Look(pictures.from_lab_world(0), "fast", most))
    assert timed == [crops]
    assert found[RCNN] == table.Cost(0.5, pytest.approx(0.4 * times), pytest.approx(0.1 * times))
    assert found[SPP] == table.Cost(0.5, 1.0, 5.0) and found[FAST] == table.Cost(0.5, 4.0, 5.0)
    assert found[FASTER] == table.Cost(6.0, 7.0, 8.0) and found[FASTER].seconds == 21.0


@pytest.mark.skipif(not table.ready(), reason="some of the four have no weights yet")
def test_the_table_follows_the_number_of_proposals_and_shows_the_cards(visit, sound, said):
    text = said(sound(visit("rcnn_family", {"predict": "off"}, rcnn_count=20)))
    assert "20 proposals of selective search (fast), all counted" in text and "on 20 of them" in text
    for detector, name in table.NETWORKS.items():
        row = re.search(rf"\| {detector} \| (\d+) min \|.*\| \*\*.*\*\* \| ([\d.]+) \|", text)
        card = catalog.card(name)
        assert row and int(row[1]) == round(card["training_seconds"] / 60)
        assert float(row[2]) == round(card["metrics"]["box_ap50"], 3)
