import math

import pytest

from models import __main__ as command
from models import catalog
from models.inside.settings import Setting
from models.recipes import speed_accuracy as recipe


def test_every_size_with_every_number_of_proposals():
    wanted = recipe.all_settings(catalog.load("detector"))
    assert len(wanted) == len(set(wanted)) == len(recipe.SIDES) * len(recipe.PROPOSALS)
    assert Setting("detector", 224, 300) in wanted  # the network's own
    assert recipe.all_settings(catalog.load("yolo-anchor")) == [Setting("yolo-anchor", 224, None)]


def test_what_is_judged_says_what_a_point_needs():
    seen = []
    found = recipe.judge(catalog.load("yolo-anchor"), lambda done, count: seen.append((done, count)), count=2)
    assert seen == [(1, 2), (2, 2)]
    (only,) = found
    assert (only["side"], only["proposals"]) == (224, None)
    assert 0 < only["box_ap"] <= only["box_ap50"] <= 1
    assert set(only["box_ap_per_size"]) == {"small", "medium", "large"}
    assert only["milliseconds"] > 0 and only["multiply_adds"] > 1e8
    assert only["peak_bytes"] >= 64 * 112 * 112  # one of its first maps alone


def test_a_larger_picture_is_judged_by_the_same_truth(monkeypatch):
    monkeypatch.setattr(recipe, "SIDES", (224, 320))
    monkeypatch.setattr(recipe, "PROPOSALS", (300,))
    own, larger = recipe.judge(catalog.load("detector"), lambda *_: None, count=3)
    assert min(own["box_ap"], larger["box_ap"]) > 0.6
    assert larger["multiply_adds"] > 1.7 * own["multiply_adds"]
    assert larger["peak_bytes"] > 1.7 * own["peak_bytes"]


def test_bytes_are_those_of_the_numbers_in_memory():
    network = catalog.load("window-classifier")
    numbers = sum(value.numel() for value in network.module.state_dict().values())
    assert recipe.parameter_bytes(network) == 4 * numbers


def test_a_network_without_boxes_is_refused_in_words(capsys):
    assert command.main(["settings", "classifier-gap-28"]) == 2
    assert "finds no boxes" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in catalog.shipped() if "settings" in catalog.card(name)])
def test_cards_know_every_setting_of_their_network(name):
    kept = {(each["side"], each["proposals"]) for each in catalog.card(name)["settings"]}
    assert kept == {(each.side, each.proposals) for each in recipe.all_settings(catalog.load(name))}
    assert all(math.isfinite(each["box_ap"]) for each in catalog.card(name)["settings"])


def test_times_are_those_of_every_setting():
    seen = []
    found = recipe.times(catalog.load("yolo-anchor"), lambda done, count: seen.append((done, count)), count=2)
    assert list(found) == [Setting("yolo-anchor")] and found[Setting("yolo-anchor")] > 0 and seen == [(1, 1)]
