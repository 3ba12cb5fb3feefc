"""The dense captioning page: every sentence, probability and map on it is the network's own."""

import math

import numpy as np
import pytest
import torch

from labs import caption_decoding, caption_scores, nms
from models import catalog
from models.networks.caption_words import END, LONGEST, WORDS, sentence, tokens
from models.recipes import caption_facts
from models.recipes.densecap import NEVER
from pages.dense_captioning import everywhere, scores, shared, unseen
from ui import components, pictures
from ui.components import Box

PAGE = "dense_captioning"
pytestmark = pytest.mark.skipif("densecap" not in catalog.shipped(), reason="it has no weights yet")
HELD = (40.0, 60.0, 150.0, 200.0)


def scene() -> pictures.Picture:
    return pictures.from_lab_world(shared.SEED, objects=(2, 6))


def hand(*xyxy: float) -> list[Box]:
    return [Box("region", xyxy, editable=True)]


@pytest.fixture(scope="module")
def network():
    return catalog.load("densecap")


@pytest.fixture(scope="module")
def asked(network):
    looked = network(scene().image)
    regions = network.regions(looked, torch.tensor([HELD]))
    return looked, regions, network.greedy(regions)[0]


@pytest.mark.parametrize("said", [0, 3, 30])
def test_the_sentence_its_next_words_and_the_look_are_those_of_the_hands_region(visit, sound, drawn, prose, asked,
                                                                              network, said):  # fmt: skip
    at = sound(visit(PAGE, densecap_scene=hand(*HELD), densecap_word=said))
    _, regions, caption = asked
    place = min(said, len(caption.words))
    over = place == len(caption.words)
    log_p, looks = network.follow(regions, caption.words)
    grid = drawn.grids["densecap_next"]["next"]
    p, best = log_p[place - over].exp().topk(8)
    np.testing.assert_allclose(grid.values[:, 0], p, atol=1e-5)
    assert grid.rows == [WORDS[word] for word in best]
    heat = drawn.layer("densecap_scene", components.Heat)
    np.testing.assert_allclose(heat.values, looks[place - over], atol=1e-5)
    assert heat.xyxy == pytest.approx((40 - 16.5, 60 - 21, 150 + 16.5, 200 + 21))
    plain = shared.spoken(caption, place)
    assert plain in prose(at) and plain.count(":gray[") == len(caption.words) - place


def test_a_changed_word_is_heard_and_the_rest_spoken_anew(visit, sound, prose, asked, network):
    _, regions, caption = asked
    begun = caption.words[:2]
    step = network.step(regions)
    second = [WORDS[word] for word in step(begun).topk(3).indices if word != caption.words[2]][1]
    state = {"densecap_changed": 3, "densecap_instead": second}
    told = prose(sound(visit(PAGE, {"predict-densecap-change": "Something"}, densecap_scene=hand(*HELD), **state)))
    begin = (*begun, WORDS.index(second))
    rest = caption_decoding.greedy(lambda said: step(begin + said), END, LONGEST - 3).words
    assert f"**{second}** {' '.join(WORDS[word] for word in rest)}" in told
    total = sum(float(step((begin + rest)[:n])[(begin + rest)[n]]) for n in range(3 + len(rest)))
    assert f"{total:.2f} after." in told
    changed = rest != caption.words[3:]
    assert ("words after it were chosen" in told) == changed


def test_temperature_and_beam_are_those_of_the_lab(visit, sound, drawn, prose, asked, network):
    _, regions, caption = asked
    step = network.step(regions)
    state = {"densecap_temperature": 1.7, "densecap_lot": 4, "densecap_width": 3, "densecap_power": 0.4}
    told = prose(sound(visit(PAGE, {"predict": "off"}, densecap_scene=hand(*HELD), densecap_beam_step=2, **state)))
    for seed in range(4, 9):
        one = caption_decoding.sampled(step, END, LONGEST, 1.7, seed)
        assert f"{' '.join(WORDS[w] for w in one.words)} :gray[log p = {one.log_probability:.1f}]" in told
    place = int(np.argmin(caption.log_probabilities))
    after = step(caption.words[:place])
    both = torch.stack([after.exp(), caption_decoding.tempered(after, 1.7).exp()], 1)[after.topk(6).indices]
    np.testing.assert_allclose(drawn.grids["densecap_tempered"]["tempered"].values, both, atol=1e-5)
    history = caption_decoding.beam_search(step, END, LONGEST, 3, 0.4)
    assert f"1. {' '.join(WORDS[w] for w in history[1][0].words)} :gray[{history[1][0].score(0.4):.2f}" in told
    won = history[-1][0]
    assert f"Beam, log p = {won.log_probability:.2f}: {' '.join(WORDS[w] for w in won.words)}" in told


def test_at_temperature_nought_all_lots_are_the_greedy_sentence(visit, sound, prose):
    told = prose(sound(visit(PAGE, {"predict-densecap-temperature": "5"}, densecap_temperature=0.0)))
    assert "Right] You said **5**" in told and "always falls on the most probable word" in told


def test_teacher_forcing_shows_the_true_words_and_their_mean_cost(visit, sound, drawn, prose, network):
    picture = scene()
    things = picture.view.instances
    chosen = f"1 {things[0].label}"
    told = prose(sound(visit(PAGE, {"predict": "off"}, densecap_thing=chosen)))
    truth = tokens(things[0].caption)
    regions = network.regions(network(picture.image), torch.tensor(things[0].box[None], dtype=torch.float32))
    costs, said = caption_decoding.teacher_forced(network.step(regions), truth)
    assert f"**{-float(costs.mean()):.3f}** nats" in told and f"**Truth.** {things[0].caption}" in told
    rows = drawn.grids["densecap_forced"]["forced"].text
    assert rows[0] == [WORDS[word] for word in truth][:12] and rows[1] == [WORDS[word] for word in said.tolist()][:12]


@pytest.mark.parametrize("number", [1, 4])
def test_where_a_word_looked(visit, sound, drawn, prose, asked, network, number):
    looked, _, caption = asked
    told = prose(sound(visit(PAGE, {"predict": "off"}, densecap_scene=hand(*HELD), densecap_looked=number)))
    counted = network.gradient(looked, torch.tensor(HELD), caption.words, number - 1).numpy()
    slope, look = (drawn.layer(f"densecap_{key}", components.Heat) for key in ("slope", "attention"))
    np.testing.assert_allclose(slope.values, counted, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(look.values, caption.looks[number - 1], atol=1e-5)
    upper = counted[:7].sum() / counted.sum()
    assert f"The upper half holds {upper:.0%} of the gradient" in told
    assert f"**“{'Upper' if upper >= 0.5 else 'Lower'}”**" in told


@pytest.mark.parametrize(("overlap", "weight", "least"), [(0.5, 0.5, 0.3), (0.95, 0.0, 0.0), (0.1, 1.0, 0.9)])
def test_every_region_that_stays_has_its_sentence(visit, sound, drawn, prose, network, overlap, weight, least):
    state = {"densecap_nms": overlap, "densecap_weight": weight, "densecap_least": least}
    told = prose(sound(visit(PAGE, {"predict": "off"}, **state)))
    looked = network(scene().image)
    boxes, sure = network.proposed(looked, overlap=0.95)
    captions = network.greedy(network.regions(looked, boxes))
    joint = sure.numpy().astype(float) ** (1 - weight) * np.array([each.mean for each in captions]) ** weight
    kept = nms.survivors(boxes, torch.tensor(joint).float(), overlap, torch.zeros(len(boxes), dtype=torch.int64))
    kept = [row for row in kept.tolist() if joint[row] >= least]
    drawn_boxes = [box for box in drawn.boxes("densecap_everywhere") if box.id.startswith("said")][::-1]
    assert [box.note for box in drawn_boxes] == [captions[row].text for row in kept]
    assert f"{len(kept)} of {len(boxes)} regions stay" in told
    if kept:
        assert f"**1** {captions[kept[0]].text} :gray[{joint[kept[0]]:.2f} = box" in told


@pytest.mark.parametrize(("colour", "label"), [*NEVER, ("red", "car")])
def test_a_pair_of_choice_is_painted_and_told(visit, sound, prose, network, colour, label):
    image, box, truth = unseen.painted(label, colour, 2)
    assert caption_facts.class_of(truth) == label and unseen.pair(truth) == (colour, label)
    state = {"densecap_class": label, f"densecap_colour_{label}": colour, "densecap_example": 2}
    told = prose(sound(visit(PAGE, {"predict": "off"}, **state)))
    said = network.greedy(network.regions(network(image), torch.tensor([box])))[0].text
    assert f"**It says:** {said}\n\n**Truth:** {truth}" in told
    assert (f"No training picture had a {colour} {label}" in told) == ((colour, label) in NEVER)


@pytest.mark.parametrize("label", unseen.OFFERED)
def test_every_colour_on_offer_can_be_painted(label):
    for colour in unseen.OFFERED[label]:
        assert unseen.pair(unseen.painted(label, colour, 1)[2]) == (colour, label)


def test_meteor_of_two_sentences(visit, sound, prose):
    state = {"densecap_true": scores.TRUTHS[1], "densecap_said": scores.SAID[3]}
    told = prose(sound(visit(PAGE, {"predict": "off"}, **state)))
    found = caption_scores.align(["a", "sitting", "dog", "with", "spots", "on", "the", "grass"],
                                 ["a", "spotted", "dalmatian", "dog", "sitting", "on", "the", "grass"])  # fmt: skip
    assert len(found.pairs) == 7 and found.score > 0.5
    assert f"**METEOR = {found.score:.3f}**" in told and ":blue[**spots**] (stem spot)" in told
    assert "7 pairs: precision 7 / 8, recall 7 / 8" in told
    assert scores.split("A (red) Ball, on it.") == ["a", "red", "ball", "on", "it"]


def test_the_figures_are_the_cards(visit, sound, prose):
    metrics = catalog.card("densecap")["metrics"]
    told = prose(sound(visit(PAGE, {"predict": "off"}, densecap_figures="dog")))
    assert f"| class word | {metrics['class_accuracy']:.3f} |" in told
    assert f"| dense captioning mAP | {metrics['dense_map']:.3f} |" in told
    own = {name: value for name, value in metrics["attributes"].items() if name.startswith("dog: ")}
    worst = min(own, key=lambda name: own[name])
    assert f"**“{worst.removeprefix('dog: ')}”**. {own[worst]:.2f} of its sentences" in told
    assert f"| pairs that no training had | {metrics['unseen_pairs']['things']} |" in told


def test_the_region_lives_in_the_address_and_nonsense_there_is_one_sentence(visit, sound, drawn):
    sound(visit(PAGE, {"densecap_box": "150,200,60,90"}))
    assert [box.xyxy for box in drawn.boxes("densecap_scene") if box.editable] == [(60, 90, 150, 200)]
    at = visit(PAGE, {"densecap_box": "here"})
    assert not at.exception and any("densecap_box is no box like" in error.value for error in at.error)
    sound(visit(PAGE, densecap_scene=[*hand(*HELD), Box("new", (10.0, 10.0, 80.0, 90.0), editable=True)]))
    assert [box.xyxy for box in drawn.boxes("densecap_scene") if box.editable] == [(10, 10, 80, 90)], "the newest"


def test_a_click_takes_the_smallest_region_found_there(network):
    boxes, sure = network.proposed(network(scene().image))
    box = boxes[0]
    x, y = ((box[:2] + box[2:]) / 2).tolist()
    found = shared.region_at(scene(), x, y)
    inside = [each for each, score in zip(boxes.tolist(), sure.tolist(), strict=True)
              if each[0] <= x <= each[2] and each[1] <= y <= each[3] and score >= 0.5]  # fmt: skip
    assert found == shared.grown(np.round(min(inside, key=shared.area)))
    assert shared.region_at(scene(), 1.0, 1.0) is None, "nothing but sky"


def test_a_photograph_has_no_true_sentence_and_a_scene_may_be_empty(visit, sound, drawn, said):
    at = sound(visit(PAGE, densecap_source="Photograph"))
    assert "drawn Lab World scenes only" in "\n".join(each.value for each in at.info)
    assert "no true sentence here" in said(at) and math.isclose(shared.area(shared.MIDDLE), 6400)
    assert [box.xyxy for box in drawn.boxes("densecap_scene") if box.editable] == [shared.MIDDLE]
    at = sound(visit(PAGE, densecap_objects=(0, 0)))
    assert "no true sentence here" in said(at) and "regions stay" in said(at)


def test_the_sentence_of_the_whole_picture(visit, sound, prose, network):
    looked = network(scene().image)
    whole = network.greedy(network.regions(looked, torch.tensor([everywhere.WHOLE])))[0]
    assert f"**The whole picture as one region:** {whole.text}" in prose(sound(visit(PAGE)))
    assert whole.text == sentence(whole.words)
