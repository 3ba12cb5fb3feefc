"""The dense captioner's recipe: what it is taught, what it is judged by, and that it learns only how to speak."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import scenes
from models.networks.caption_words import START, tokens
from models.networks.densecap import cut, placed
from models.networks.encoder import normalised
from models.recipes import caption_facts, densecap
from models.recipes.captions import of_scene
from models.recipes.scene_cache import InstanceRecord
from models.recipes.trunk_features import KEPT, TrunkFeatures
from scenes import THINGS, things

SAID = {
    11: "A black cat, sitting on the road.",
    12: "A blue duck, walking on the grass.",
    13: "A red tennis ball on the road.",
}
BOXES = {11: [60.0, 60.0, 130.0, 140.0], 12: [10.0, 10.0, 60.0, 60.0], 13: [150.0, 150.0, 190.0, 190.0]}
JOINTS = [[0.0] * 3] * 14


@pytest.fixture
def data() -> tuple[TrunkFeatures, np.ndarray, list[dict[int, str]]]:
    """Two scenes of noise: a cat, a blue duck that is not to be taught, and a ball that is all but hidden."""
    rng = np.random.default_rng(0)
    levels = {
        name: rng.normal(size=(2, 2, 64, 56 // 2**i, 56 // 2**i)).astype(np.float16) for i, name in enumerate(KEPT)
    }
    records = [
        InstanceRecord(number, 2, BOXES[number], seen, JOINTS) for number, seen in ((11, 1.0), (12, 1.0), (13, 0.1))
    ]
    return TrunkFeatures(levels, [records] * 2), rng.integers(0, 255, (2, 224, 224, 3)).astype(np.uint8), [SAID] * 2


@pytest.fixture
def small(monkeypatch, data) -> None:
    recipe = replace(densecap.Recipe(), steps=4, batch=3, scenes=2)
    monkeypatch.setattr(densecap, "Recipe", lambda: recipe)
    monkeypatch.setattr(densecap, "trunk_features", lambda detector, count: data[0])
    monkeypatch.setattr(densecap, "cached_scenes", lambda seeds: type("Cached", (), {"images": data[1]}))
    monkeypatch.setattr(densecap, "captions", lambda seeds, count: data[2])
    monkeypatch.setattr(densecap.training, "CHECKPOINT_EVERY", 2)


def test_what_is_taught(data):
    """Nothing all but hidden, no pair that is held out; and the mirror image of everything, cut out of its own map."""
    recipe = replace(densecap.Recipe(), jitter=0.0)
    cuttings = densecap.cuttings(recipe, *data)
    assert cuttings.sentences == [tokens(SAID[11])] * 4
    image = normalised(torch.from_numpy(data[1][1][:, ::-1].copy()).permute(2, 0, 1).float()[None] / 255)
    there = [torch.tensor([[224 - 130.0, 60, 224 - 60.0, 140]])]
    maps, crops = cut(torch.from_numpy(data[0].levels["P2"][1, 1]).float()[None], image, there)
    torch.testing.assert_close(cuttings.maps[3].float(), maps[0], atol=2e-3, rtol=1e-2)
    torch.testing.assert_close(cuttings.pixels[3].float(), crops[0], atol=2e-3, rtol=1e-2)
    torch.testing.assert_close(cuttings.where[3:], placed(image, there))
    jittered = densecap.cuttings(densecap.Recipe(), *data).where[:, :4] - cuttings.where[:, :4]
    assert 0 < float(jittered.abs().max()) <= 0.05 * 80 / 224 + 1e-6


def test_a_stopped_training_goes_on_and_the_detector_stays(small, start, tmp_path):
    cpu, seen = torch.device("cpu"), []
    whole, facts = densecap.train("densecap", cpu, tmp_path / "a", lambda *step: seen.append(step), start)

    def stop(step: int, _steps: int, _loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        densecap.train("densecap", cpu, tmp_path / "b", stop, start)
    resumed, _ = densecap.train("densecap", cpu, tmp_path / "b", lambda *_: None, start)
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], value, atol=1e-5, rtol=1e-4)
    for key, value in start.module.state_dict().items():
        torch.testing.assert_close(whole.detector.state_dict()[key], value)
    assert [step[0] for step in seen] == [1, 2, 3, 4] and all(np.isfinite(step[2]) for step in seen)
    assert not whole.training and facts["regions"] == 4 and facts["recipe"]["never"][0] == "blue duck"


def test_the_loss_is_the_mean_over_all_words_each_after_the_true_ones(data):
    torch.manual_seed(0)
    speaker = densecap.build("densecap").speaker.eval()
    cuttings = densecap.cuttings(densecap.Recipe(), *data)
    cuttings.sentences[1] = tokens("A grey cat, lying on the grass, partly hidden behind a dog.")
    maps, pixels, where, sentences = cuttings.of(np.array([0, 1]), torch.device("cpu"))
    assert [len(each) for each in sentences] == sorted(map(len, cuttings.sentences[:2]), reverse=True)
    with torch.no_grad():
        loss = float(densecap.loss_of(speaker, maps, pixels, where, sentences))
        costs = []
        for row, said in enumerate(sentences):
            one = speaker.regions(speaker.read(maps[row : row + 1], pixels[row : row + 1]), where[row : row + 1])
            logits, _, _ = speaker(one, torch.tensor([[START, *said[:-1]]]))
            costs += (-logits[0].log_softmax(-1)[range(len(said)), said]).tolist()
    assert loss == pytest.approx(np.mean(costs), rel=1e-4)


@pytest.mark.parametrize("seed", [3, 7, 42])
def test_the_sentences_are_those_of_the_picture(seed):
    scene = scenes.sample(seed)
    view = scenes.render(scene)
    said = of_scene(scene, view.panoptic.astype(np.uint8))
    assert said == {thing.id: thing.caption for thing in view.instances} and said


def test_a_sentence_tells_the_attributes_it_was_made_of():
    rng = np.random.default_rng(1)
    names = {"cat": {"pose": "pose"}, "dog": {"build": "build", "pose": "pose"}, "duck": {"pose": "pose"},
             "car": {"colour": "colour"}, "motorcycle": {"colour": "colour"},
             "street sign": {"colour": "colour", "pole": "pole"},
             "ball": {"colour": "colour"}, "person": {}}  # fmt: skip
    for label in THINGS:
        module = things.MODULES[label]
        for _ in range(200):
            look = module.sample(rng)
            phrase = module.phrase(look)
            said = phrase[0].upper() + phrase[1:] + " on the grass, partly hidden behind a car."
            told, truth = caption_facts.attributes_of(said), module.attributes(look)
            assert caption_facts.class_of(said) == label and set(told) == set(caption_facts.ATTRIBUTES[label])
            for ours, theirs in names[label].items():
                wanted = {"loaf": "sitting like a loaf"}.get(truth[theirs], truth[theirs])
                assert told[ours] == wanted, said
            assert caption_facts.place_of(said) == {
                "ground": "grass", "in the air": "", "hidden behind": "car", "cut off": ""
            }  # fmt: skip


def test_figures_by_hand():
    spoken = [
        ("A red tennis ball on the grass.", "A red tennis ball on the grass."),
        ("A blue duck, walking on the grass.", "A white duck, walking on the road."),
        ("A black cat, sitting on the road.", "A black tuxedo dog, sitting on the road."),
    ]
    found = densecap.sentence_metrics(spoken)
    assert found["class_accuracy"] == round(2 / 3, 4) and found["exact"] == round(1 / 3, 4) and found["things"] == 3
    assert found["attributes"]["ball: kind"] == found["attributes"]["duck: pose"] == 1.0
    assert found["attributes"]["duck: colour"] == found["attributes"]["cat: pose"] == 0.0, (
        "a wrong class: all are wrong"
    )
    assert found["attribute_accuracy"] == round(7 / 11, 4)
    assert found["place"]["ground"] == round(2 / 3, 4)
    assert found["unseen_pairs"] == {"things": 1, "class": 1.0, "colour": 0.0}
    assert found["seen_pairs"] == {"things": 1, "class": 1.0, "colour": 1.0}
    assert densecap.share([]) == 0.0
