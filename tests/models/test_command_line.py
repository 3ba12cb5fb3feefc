import json
from types import SimpleNamespace

import pytest
import torch

from models import __main__ as command_line
from models import catalog
from models.networks.segmenter import Segmenter
from models.recipes import panoptic_fpn as panoptic_fpn_recipe
from models.recipes import segmenter as segmenter_recipe


def test_list_shows_every_network(capsys):
    assert command_line.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == catalog.names()


def test_list_as_a_markdown_table_for_each_task(capsys):
    assert command_line.main(["list", "--markdown"]) == 0
    tables = capsys.readouterr().out.strip().split("\n\n")
    assert "| segmentation |" in tables[0] and "miou" in tables[0]
    for table in tables:
        head, rule, *rows = table.splitlines()
        assert rule.startswith("| ---") and rows and all(row.count("|") == head.count("|") for row in rows)
    assert sum(len(table.splitlines()) - 2 for table in tables) == len(catalog.shipped())


def test_an_unknown_name_is_one_sentence_and_exit_2(capsys):
    for arguments in (["train", "nobody"], ["evaluate", "nobody"]):
        assert command_line.main(arguments) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith("There is no network 'nobody'") and "Traceback" not in captured.err


def test_evaluate_prints_one_json_object(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path))
    small = segmenter_recipe.evaluate
    monkeypatch.setattr(segmenter_recipe, "evaluate", lambda model, report: small(model, report, count=2))
    assert command_line.main(["evaluate", "segmenter-bilinear", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["name"] == "segmenter-bilinear"
    assert {"miou", "pixel_accuracy", "boundary_f", "forward_ms_p50"} <= set(printed["metrics"])


def test_evaluate_writes_the_card_when_asked(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path))
    written = {}
    monkeypatch.setattr(segmenter_recipe, "evaluate", lambda model, report: {"miou": 0.25})
    monkeypatch.setattr(catalog, "write_card", lambda name, facts: written.update({name: facts}))
    assert command_line.main(["evaluate", "segmenter-bilinear", "--json"]) == 0 and not written
    assert command_line.main(["evaluate", "segmenter-bilinear", "--json", "--write"]) == 0
    stated = catalog.card("segmenter-bilinear")
    assert written == {"segmenter-bilinear": stated | {"metrics": {"miou": 0.25}}}
    assert capsys.readouterr().out.count('"miou": 0.25') == 2


def test_a_network_is_judged_beside_the_one_that_its_recipe_names(monkeypatch):
    monkeypatch.setattr(catalog, "load", lambda name: SimpleNamespace(name=name, device="cpu"))
    monkeypatch.setattr(
        panoptic_fpn_recipe, "evaluate", lambda model, report, beside: {"of": [model.name, beside.name]}
    )
    assert command_line.measure("panoptic-fpn") == {"of": ["panoptic-fpn", "segmenter-bilinear"]}
    monkeypatch.setattr(segmenter_recipe, "evaluate", lambda model, report: {"of": [model.name]})
    assert command_line.measure("segmenter-nearest") == {"of": ["segmenter-nearest"]}


def test_train_saves_weights_and_a_whole_card(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path / "cache"))
    catalog._load.cache_clear()

    def train(name, device, folder, report, start):
        torch.manual_seed(0)
        report(1, 1, 0.5)
        return Segmenter("nearest").eval(), {"recipe": {"seed": 0}, "training_seconds": 1}

    measured = {"miou": 0.5, "forward_ms_p50": 1.0}
    monkeypatch.setattr(segmenter_recipe, "train", train)
    monkeypatch.setattr(segmenter_recipe, "evaluate", lambda model, report: measured)
    try:
        assert command_line.main(["train", "segmenter-nearest"]) == 0
        card = catalog.card("segmenter-nearest")
        assert card["metrics"] == measured and card["task"] == "segmentation"
        assert card["parameters"] == sum(p.numel() for p in Segmenter("nearest").parameters())
        assert catalog.load("segmenter-nearest").card["sha256"] == card["sha256"]
    finally:
        catalog._load.cache_clear()


@pytest.mark.parametrize("arguments", [[], ["frobnicate"]])
def test_wrong_words_show_the_usage(arguments, capsys):
    with pytest.raises(SystemExit):
        command_line.main(arguments)
    assert "usage" in capsys.readouterr().err
