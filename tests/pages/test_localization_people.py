"""From joints to people: what is drawn is what the lab computes, and both ways are judged by the truth."""

import re

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from labs import keypoint_similarity as ks
from labs import part_affinity_fields as lab
from models import catalog
from models.networks.pose_fields import LIMBS, STRIDE, LoadedPoseFields, PoseFields
from models.recipes import pose_fields as recipe
from pages.localization import people, people_compared, people_integral, people_scene
from tests.pages.arriving import arrived
from ui import components

SCRIPT = "from pages.localization import people\npeople.people()"
LOAD, CARD = catalog.load, catalog.card
TRUTH = {"people_said_by": "Truth"}


@pytest.fixture(autouse=True)
def untrained(monkeypatch):
    """Pages do not depend on what training has made of the network."""
    torch.manual_seed(0)
    module = PoseFields().eval().requires_grad_(False)
    torch.nn.init.normal_(module.predict.weight, std=0.1)
    network = LoadedPoseFields(people_scene.NETWORK, module, torch.device("cpu"), {"parameters": 508_192})
    monkeypatch.setattr(catalog, "load", lambda name: network if name == people_scene.NETWORK else LOAD(name))
    monkeypatch.setattr(
        catalog, "card", lambda name: network.card if name == people_scene.NETWORK else CARD(name)
    )  # one that was never trained has none


@pytest.fixture
def run():
    """Function: the section alone, with this query in its address and this session state."""

    def opened(query: dict | None = None, **state) -> AppTest:
        at = AppTest.from_string(SCRIPT, default_timeout=600)
        return arrived(at, query, state)

    return opened


def view(seed=people.FIRST_SEED, count=people.FIRST_COUNT, overlap=people.FIRST_OVERLAP):
    return people_scene.crowd(seed, count, overlap)


def test_the_field_is_drawn_as_the_network_says_it(run, sound, drawn):
    sound(run())
    said = catalog.load(people_scene.NETWORK)(view().image)
    heat = drawn.layer("people_picture", components.Heat)
    field = said.fields[people.FIRST_LIMB]
    np.testing.assert_allclose(heat.values, field.norm(dim=0).numpy(), atol=1e-5)
    arrows = drawn.layer("people_picture", components.Lines)
    assert arrows.arrow and len(arrows.segments) == int((field.norm(dim=0) > people.SHORTEST).sum())


def test_the_true_field_points_from_shoulder_to_hip(run, sound, drawn):
    sound(run(**TRUTH))
    arrows = drawn.layer("people_picture", components.Lines).segments
    assert len(arrows) > 10
    down = arrows[:, 3] - arrows[:, 1]
    assert (down > 0).all(), "nobody stands on his head"


@pytest.mark.parametrize(("joint", "name"), [("neck", 12), ("left hand", 10)])
def test_a_joint_map_shows_its_peaks(run, sound, drawn, joint, name):
    sound(run(people_shown="Joint map", people_joint=joint, **TRUTH))
    seen = people.true_fields(people.FIRST_SEED, people.FIRST_COUNT, people.FIRST_OVERLAP)
    assert np.array_equal(drawn.layer("people_picture", components.Heat).values, seen.maps[name].numpy())
    peaks = lab.joint_candidates(seen.maps, STRIDE)[name]
    assert np.array_equal(drawn.layer("people_picture", components.Points).xy, peaks[:, :2].numpy()) and len(peaks)


def test_the_truth_is_put_together_again(run, sound, drawn, prose):
    at = sound(run(people_shown="Persons", people_overlap=0.0, **TRUTH))
    seen = people.true_fields(people.FIRST_SEED, people.FIRST_COUNT, 0.0)
    assert len(seen.assembled.persons) == len(view(overlap=0.0).instances)
    assert f"**{len(seen.assembled.persons)}** persons put together" in prose(at)
    points = drawn.every("people_picture", components.Points)
    assert sum(len(each.xy) for each in points) == int((seen.assembled.persons[..., 2] > 0).sum())


def test_the_picture_under_a_hand_is_that_of_the_crowd():
    assert np.array_equal(people_scene.picture(35, 3, 0.6), view(35, 3, 0.6).image)


def test_overlap_moves_persons_sideways_and_together():
    apart, half, close = (view(count=4, overlap=share) for share in (0.0, 0.5, 1.0))
    for before, after in zip(apart.scene.objects, close.scene.objects, strict=True):
        assert (before.y, before.scale, before.look) == (after.y, after.scale, after.look)
    feet = [sorted(each.x for each in scene.scene.objects) for scene in (apart, half, close)]
    assert np.diff(feet[2]) == pytest.approx([10.0] * (len(feet[2]) - 1))
    assert np.ptp(feet[0]) > np.ptp(feet[1]) > np.ptp(feet[2])
    assert feet[1] == pytest.approx(((np.array(feet[0]) + feet[2]) / 2).tolist())


def test_the_integral_adds_up(run, sound, drawn, prose):
    at = sound(run({"people_line": "100,60,100,120"}, **TRUTH))
    rows = drawn.grids["people_samples"]["samples"].values
    assert rows.shape == (5, 10)
    assert rows[0] == pytest.approx([100] * 10) and rows[1] == pytest.approx(np.linspace(60, 120, 10))
    assert rows[4] == pytest.approx(rows[3], abs=1e-6), "straight down: the product is the field's y"
    field = people.true_fields(people.FIRST_SEED, people.FIRST_COUNT, people.FIRST_OVERLAP).fields[people.FIRST_LIMB]
    line = lab.along_limbs(field, torch.tensor([[100.0, 60]]), torch.tensor([[100.0, 120]]), STRIDE)
    assert rows[4] == pytest.approx(line.products[0, 0].tolist(), abs=1e-5)
    written = re.search(r"/ 10 = \*\*(\S+)\*\*", prose(at))
    assert float(written[1].replace("−", "-")) == pytest.approx(float(line.products.mean()), abs=6e-4)


def test_the_ends_follow_the_hand_and_the_address_keeps_them(run, sound, drawn):
    at = sound(run(**TRUTH))
    assert "people_line" not in at.query_params
    at.session_state["people_line_stage"] = people_integral.handles((20.0, 30.0, 50.0, 70.0))
    at = sound(at.run())
    rows = drawn.grids["people_samples"]["samples"].values
    assert (rows[0, 0], rows[1, 0], rows[0, -1], rows[1, -1]) == pytest.approx((20, 30, 50, 70))
    assert at.query_params["people_line"] in ("20.0,30.0,50.0,70.0", ["20.0,30.0,50.0,70.0"])


def test_a_chosen_pair_puts_the_line_between_its_joints(run, sound, drawn):
    seen = people.true_fields(people.FIRST_SEED, people.FIRST_COUNT, people.FIRST_OVERLAP)
    first, second = (seen.assembled.candidates[joint] for joint in LIMBS[people.FIRST_LIMB])
    at = sound(run(**TRUTH))
    sound(run({"people_pairs_at": f"pairs,0,{len(second) - 1}"}, _people_line_of=at.session_state["_people_line_of"],
                   people_line_stage=people_integral.handles((1.0, 1.0, 9.0, 9.0)), **TRUTH))  # fmt: skip
    rows = drawn.grids["people_samples"]["samples"].values
    assert (rows[0, 0], rows[1, 0]) == pytest.approx(first[0, :2].tolist(), abs=0.051)
    assert (rows[0, -1], rows[1, -1]) == pytest.approx(second[-1, :2].tolist(), abs=0.051)  # to a tenth, as the address


def test_the_table_shows_all_pairs_and_marks_what_greedy_takes(run, sound, drawn, prose):
    at = sound(run(**TRUTH))
    seen = people.true_fields(people.FIRST_SEED, people.FIRST_COUNT, people.FIRST_OVERLAP)
    scores = seen.assembled.scores[people.FIRST_LIMB]
    assert np.array_equal(drawn.grids["people_pairs"]["pairs"].values, scores.numpy())
    greedy = lab.greedy_matching(scores)
    assert set(drawn.options["people_pairs"]["highlight"]) == {("pairs", p.start, p.end) for p in greedy}
    best = sum(pair.score for pair in lab.best_matching(scores))
    assert "Greedy: " in prose(at) and f"= **{best:.2f}**." in prose(at)


def test_a_link_with_nonsense_says_so(run):
    at = run({"people_line": "here"})
    assert not at.exception and ["no line like 80,80,90,120" in each.value for each in at.error] == [True]


@pytest.mark.parametrize("place", ["900,900,950,950", "-50,-50,-10,-10"])
def test_a_line_outside_is_cut_to_the_picture(run, sound, drawn, place):
    sound(run({"people_line": place}))
    rows = drawn.grids["people_samples"]["samples"].values
    assert (rows[:2] >= 0).all() and (rows[:2] <= 224).all() and np.isfinite(rows).all()


def test_without_a_peak_there_is_no_pair(run, sound, monkeypatch, prose):
    monkeypatch.setattr(lab, "joint_candidates", lambda maps, *_: [torch.zeros(0, 3)] * 14)
    people_scene.people_in.clear()
    at = sound(run(people_shown="Persons"))
    assert "No peak for left shoulder and left hip" in prose(at) and "**0** persons put together" in prose(at)
    people_scene.people_in.clear()


def test_both_ways_are_judged_by_the_truth(run, sound, prose):
    """The truth itself finds everybody and every joint, nobody finds nothing."""
    crowd = view(overlap=0.2)
    truth = people_scene.truth_in(crowd)
    scores = np.linspace(0.9, 0.5, len(truth.joints))
    whole = people_compared.verdict(truth.joints, scores, crowd, 0.1)
    counts = int((~truth.ignored).sum())
    assert whole.persons == f"{counts} of {counts}" and people_compared.hits(whole) == "100 %"
    nobody = people_compared.verdict(truth.joints[:0], scores[:0], crowd, 0.1)
    assert nobody.persons == f"0 of {counts}" and people_compared.hits(nobody) == "0 %"
    at = sound(run())
    boxes = people_scene.detected(view().image)
    down = people_compared.verdict(*people_scene.top_down(boxes, people_scene.SURE), view(), boxes.seconds)
    assert f"**Top-down** · {down.persons} persons found" in prose(at)


def test_an_empty_crowd_makes_sense():
    empty = people_scene.crowd(5, 0, 0.5)
    assert len(people_scene.truth_in(empty).joints) == 0
    nobody = people_compared.verdict(np.zeros((0, 14, 3)), np.zeros(0), empty, 0.1)
    assert nobody.persons == "0 of 0" and people_compared.hits(nobody) == "none"


def test_figures_over_crowds_are_those_of_the_recipe(run, sound, monkeypatch):
    monkeypatch.setattr(people_compared, "COUNTS", (2, 3))
    people_compared.judged.clear()
    at = run(people_crowds=2)
    assert not at.dataframe
    at = sound(at.button(key="people_judge").click().run())
    table = at.dataframe[0].value.set_index("way")
    judged = []
    for seed in range(recipe.CROWD_HELD_OUT, recipe.CROWD_HELD_OUT + 2):
        crowd = people_compared.scenes.render(people_compared.scenes.sample(seed, recipe.CROWD))
        found = LOAD("detector")(crowd.image, masks=False, keypoints=True)
        judged.append(recipe.judge(*people_scene.top_down(found), people_scene.truth_in(crowd)))
    assert table.loc["Top-down", "AP"] == pytest.approx(ks.mean_average_precision(judged), abs=6e-4)
    assert table.loc["Top-down", "AP"] > table.loc["Bottom-up", "AP"], "that one is not trained here"
    people_compared.judged.clear()


def test_without_weights_one_sentence_says_so(run, monkeypatch):
    def refuse(name):
        raise ValueError(f"{name} has no weights yet.")

    people_scene.people_in.clear()
    monkeypatch.setattr(catalog, "load", refuse)
    at = run()
    assert not at.exception and [each.value for each in at.error] == ["pose-fields has no weights yet."]
