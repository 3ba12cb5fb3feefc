"""The section on landmarks: the truth of the face that is shown, errors that add up, a square that can be dragged."""

import functools
import re

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from labs import landmarks as lab
from models import catalog
from models.networks.face_landmarks import FaceLandmarks, LoadedFaceLandmarks
from models.recipes.scene_cache import held_out_seeds
from pages.localization import landmarks, landmarks_judged, landmarks_notebook
from scenes import faces
from tests.pages.arriving import arrived
from ui import components

STAGE = landmarks.KEY


def alone() -> None:
    """The section without the rest of its page."""
    from pages.localization import landmarks
    from ui import page

    page.begin("Localization")
    landmarks.landmarks()


@functools.cache
def fresh(name: str) -> LoadedFaceLandmarks:
    """The network as it is before training, its points some pixels apart."""
    torch.manual_seed(3)
    net = FaceLandmarks().eval().requires_grad_(False)
    net.head[-1].weight.mul_(3)
    return LoadedFaceLandmarks(name, net, torch.device("cpu"), {})


@pytest.fixture
def run(monkeypatch):
    """Function: a visit to the section, with a network that has learned nothing."""
    monkeypatch.setattr(catalog, "load", fresh)
    monkeypatch.setattr(catalog, "card", lambda name: {"name": name, "metrics": {"mean_error": 4.2, "scenes": 500}})

    def opened(query: dict | None = None, **state) -> AppTest:
        at = AppTest.from_function(alone, default_timeout=600)
        return arrived(at, query, state)

    return opened


def face(seed=landmarks.FIRST, tilt=0.0, eyes=landmarks.EYES, light=1.0) -> tuple[np.ndarray, torch.Tensor]:
    found = faces.close_up(seed, tilt, eyes / 192, light)
    return found.picture(), torch.from_numpy(found.landmarks()).float()


def middle(drawn) -> tuple[float, float]:
    x1, y1, x2, y2 = drawn.boxes(STAGE)[0].xyxy
    return (x1 + x2) / 2, (y1 + y2) / 2


def test_the_first_picture_shows_a_face_its_landmarks_and_the_networks(run, sound, drawn):
    sound(run())
    image, truth = face()
    assert np.array_equal(drawn.pictures[STAGE], image)
    theirs, ours = drawn.every(STAGE, components.Points)
    np.testing.assert_allclose(theirs.xy, truth)
    np.testing.assert_allclose(ours.xy, fresh("x")(image).landmarks)
    assert theirs.labels == ["", "", "nose", "", ""] and middle(drawn) == (96, 96)


@pytest.mark.parametrize("which", landmarks.NAMES)
def test_the_arithmetic_of_both_errors_is_written_out_and_right(run, sound, drawn, prose, which):
    said = prose(sound(run({"landmarks_guess": "90.5,100"}, landmarks_which=which)))
    image, truth = face()
    found = fresh("x")(image).landmarks
    index = landmarks.NAMES.index(which)
    written = re.findall(
        r"√\(\((\S+) − (\S+)\)² \+ \((\S+) − (\S+)\)²\) = (\S+) px\n\n(\S+) px / (\S+) px = \*\*(\S+) %\*\*", said
    )
    assert len(written) == 2
    for line, guess in zip(written, ((90.5, 100.0), tuple(found[index].tolist())), strict=True):
        x, a, y, b, miss, again, unit, share = map(float, line)
        assert (x, y) == pytest.approx(guess, abs=0.051) and (a, b) == pytest.approx(truth[index].tolist(), abs=0.051)
        assert miss == again == pytest.approx(float(np.hypot(x - a, y - b)), abs=0.15)
        assert unit == 40.0 and share == pytest.approx(100 * miss / unit, abs=0.06)


def test_all_five_errors_and_their_mean(run, sound, prose):
    said = prose(sound(run()))
    image, truth = face()
    each = lab.errors(fresh("x")(image).landmarks, truth)
    for name, error in zip(landmarks.NAMES, each.tolist(), strict=True):
        assert f"{name} {error:.1f}" in said
    assert f"Mean **{float(each.mean()):.1f} %**" in said


def test_every_control_moves_the_picture_and_its_truth(run, sound, drawn):
    for changed in ({"tilt": 30}, {"eyes": 60}, {"light": 0.0}, {"seed": 9}):
        names = {"seed": "face"}
        sound(run(**{f"landmarks_{names.get(key, key)}": value for key, value in changed.items()}))
        image, truth = face(**changed)
        assert np.array_equal(drawn.pictures[STAGE], image)
        np.testing.assert_allclose(drawn.layer(STAGE, components.Points).xy, truth)


def test_the_next_face_is_another_one(run, sound, drawn):
    at = sound(run())
    sound(at.button(key="landmarks_next").click().run())
    assert np.array_equal(drawn.pictures[STAGE], face(seed=landmarks.FIRST + 1)[0])


@pytest.mark.parametrize(("shown", "kinds"), [(["truth"], 1), (["network"], 1), ([], 0)])
def test_truth_and_network_can_be_hidden_for_a_guess(run, sound, drawn, prose, shown, kinds):
    said = prose(sound(run(landmarks_show=shown)))
    assert len(drawn.every(STAGE, components.Points)) == kinds
    assert ("√(" in said) == ("truth" in shown) != ("Put the square on the landmark first" in said)


def test_the_square_keeps_its_size_and_stays_in_the_picture_and_in_the_address(run, sound, drawn):
    at = sound(run())
    at.session_state[STAGE] = [components.Box("landmark", (100.0, 50.0, 140.0, 70.0), editable=True)]
    sound(at.run())
    x1, y1, x2, y2 = drawn.boxes(STAGE)[0].xyxy
    assert (x2 - x1, y2 - y1) == (landmarks.SIDE, landmarks.SIDE) and middle(drawn) == (120, 60)
    assert at.query_params["landmarks_guess"] in ("120,60", ["120,60"])
    at.session_state[STAGE] = [components.Box("landmark", (-40.0, 300.0, -20.0, 320.0), editable=True)]
    sound(at.run())
    assert middle(drawn) == (7, 185)


@pytest.mark.parametrize("place", ["900,-900", "7,185"])
def test_a_link_out_of_the_picture_is_put_inside(run, sound, drawn, place):
    sound(run({"landmarks_guess": place}))
    assert middle(drawn) in ((185, 7), (7, 185))


def test_a_link_with_nonsense_says_so_and_falls_back(run, drawn):
    at = run({"landmarks_guess": "here"})
    assert not at.exception and ["no place like 90,100" in each.value for each in at.error] == [True]
    assert middle(drawn) == (96, 96)


def test_the_curve_is_of_this_face_at_every_tilt(run, sound, prose):
    landmarks_judged.leaned.clear()
    sound(run(landmarks_face=9, landmarks_eyes=50))
    found = landmarks_judged.leaned(9, 50, 1.0)
    for tilt in (-60, 0, 60):
        image, truth = face(9, tilt, 50)
        theirs = float(lab.mean_error(fresh("x")(image).landmarks, truth))
        assert found[landmarks_judged.TILTS.index(tilt)] == pytest.approx(theirs, rel=1e-4)
    at = sound(run({"predict": "off"}, landmarks_face=9, landmarks_eyes=50))
    assert "no head leaned further than 42°" in prose(at), "30° as drawn, and 12° more as turned in training"
    assert landmarks_judged.band(found[-1]) in prose(at) and f"It is {found[-1]:.1f} %" in prose(at)


@pytest.mark.parametrize(("error", "band"), [(4.99, 0), (5, 1), (19.99, 1), (20, 2)])
def test_the_answers_do_not_overlap(error, band):
    assert landmarks_judged.band(error) == landmarks_judged.BANDS[band]


def test_faces_are_measured_when_asked(run, sound, prose, monkeypatch):
    monkeypatch.setattr(landmarks_judged, "COUNT", 3)
    landmarks_judged.judged.clear()
    at = run({"predict": "off"}, landmarks_bound=20.0)
    assert "all five" not in prose(at)
    said = prose(sound(at.button(key="landmarks_measure").click().run()))
    errors, numbers = [], []
    for seed in held_out_seeds(3):
        close = faces.close_up(seed)
        truth = torch.from_numpy(close.landmarks()).float()
        errors.append(lab.errors(fresh("x")(close.picture()).landmarks, truth))
        numbers.append(truth / 192)
    each, places = torch.stack(errors), torch.stack(numbers)
    assert f"all five **{float(each.mean()):.1f} %**" in said and "over 500 faces: 4.2 %" in said
    assert f"an eye **{float(each[:, :2].mean()):.1f} %**" in said
    constant = lab.mean_error(places.mean(0).expand_as(places), places).mean()
    assert f"would miss by **{float(constant):.0f} %**" in said
    assert f"Found: **{(each.mean(1) <= 20).double().mean():.0%}** of 3 faces" in said
    landmarks_judged.judged.clear()


def test_a_constant_answer_is_right_where_all_faces_are_one():
    same = torch.tensor([[0.4, 0.5, 0.6, 0.5, 0.5, 0.6, 0.45, 0.7, 0.55, 0.7]])
    assert landmarks_judged.always_the_mean(same.repeat(3, 1)).tolist() == pytest.approx([0, 0, 0], abs=1e-4)
    moved = torch.cat([same, same + torch.tensor([0.1, 0.0] * 5)])  # half a distance between the eyes to the right
    assert landmarks_judged.always_the_mean(moved).tolist() == pytest.approx([25, 25], abs=1e-3)


def test_the_notebook_computes_the_face_of_the_page(monkeypatch, capsys):
    monkeypatch.setattr(catalog, "load", fresh)
    state = {"landmarks_face": 9, "landmarks_tilt": 20, "landmarks_eyes": 50, "landmarks_light": 0.5}
    cells = [each.source for each in landmarks_notebook.cells(state) if each.kind == "code"]
    exec("import matplotlib\nmatplotlib.use('agg')\n" + "\n".join(cells), {})
    image, truth = face(9, 20, 50, 0.5)
    assert f"mean {float(lab.mean_error(fresh('x')(image).landmarks, truth)):.1f} %" in capsys.readouterr().out


def test_without_weights_one_sentence_says_so(run, monkeypatch):
    def refuse(name):
        raise ValueError(f"{name} has no weights yet.")

    monkeypatch.setattr(catalog, "load", refuse)
    at = AppTest.from_function(alone, default_timeout=600).run()
    assert not at.exception and [each.value for each in at.error] == ["face-landmarks has no weights yet."]
