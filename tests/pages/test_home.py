"""Home: the live scene, what every task makes of it beside the truth, and the map of the course."""

import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit
import torch
from streamlit.testing.v1 import AppTest

import scenes
from labs.localization import to_numbers
from labs.segmentation_metrics import confusion_matrix, scene_mean_iou
from models import catalog
from models.networks.classifier import Classification
from models.networks.detector import Detection
from models.networks.localizer import Head, Localization
from models.networks.segmenter import Segmentation
from pages.home import answers, networks, pair, panels, tasks
from pages.home.moment import moment
from scenes import CLASSES, THINGS
from ui import components, course

ROOT = Path(__file__).resolve().parents[2]
SEED = 14


@pytest.fixture(scope="module")
def view():
    """A scene with a person, and more things."""
    found = moment(SEED, 1.0, 0.0).view
    assert len(found.instances) >= 3 and any(thing.label == "person" for thing in found.instances)
    return found


def perfect_detection(view) -> Detection:
    """What a detector without fault would say."""
    things = view.instances
    joints = [thing.keypoints if thing.keypoints is not None else np.zeros((14, 3)) for thing in things]
    empty = torch.zeros(0, 4)
    return Detection(
        boxes=torch.tensor(np.array([thing.box for thing in things]), dtype=torch.float32),
        labels=torch.tensor([THINGS.index(thing.label) + 1 for thing in things]),
        scores=torch.linspace(0.9, 0.6, len(things)),
        masks=torch.tensor(np.array([thing.mask for thing in things]), dtype=torch.float32),
        keypoints=torch.tensor(np.array(joints), dtype=torch.float32),
        keypoint_scores=torch.ones(len(things), 14),
        proposals=empty, proposal_scores=empty, raw_boxes=empty, raw_scores=empty, levels=[], anchors=empty,
        decoded=empty, decoded_scores=empty, level_of=empty, roi_features=empty, seconds=0.01, device="cpu",
    )  # fmt: skip


def perfect_classification(view) -> Classification:
    """All classes right; the map of the surest class is the mask of its first thing."""
    there = {thing.label for thing in view.instances}
    logits = torch.tensor([9.0 - k if name in there else -9.0 for k, name in enumerate(THINGS)])
    mask = next(thing.mask for thing in view.instances if thing.label == THINGS[int(logits.argmax())])
    features = torch.tensor(mask[4::8, 4::8], dtype=torch.float32)[None]
    return Classification(logits, logits.sigmoid(), features, torch.ones(8, 1), 0.01, "cpu")


def perfect_localization(view) -> Localization:
    """The class and the box of the first thing."""
    thing, head = view.instances[0], Head(torch.zeros(64), torch.zeros(12, 64), torch.zeros(12))
    scores = 9.0 * torch.tensor([name == thing.label for name in THINGS])
    box = torch.tensor(thing.box, dtype=torch.float32)
    return Localization(scores, scores.softmax(0), to_numbers(box, 224, 224), box, head, head, 0.01, "cpu")


class Knowing:
    """A network that knows the truth of every moment it is asked about, and counts how often."""

    def __init__(self, name, known):
        self.name, self.known, self.calls = name, known, 0

    def __call__(self, image):
        self.calls += 1
        return self.known(next(view for view in self.views if np.array_equal(view.image, image)))


@pytest.fixture
def knowing(monkeypatch, tmp_path):
    """All networks are there and know the truth; returns them by name."""
    streamlit.cache_resource.clear()
    views = [moment(seed, light, fog).view for seed in (SEED, SEED + 1) for light, fog in ((1.0, 0.0), (1.0, 0.5))]
    known = {
        "classifier-gap": perfect_classification,
        "classifier-gap-28": perfect_classification,
        "localizer-joint": perfect_localization,
        "segmenter-bilinear": lambda view: Segmentation(view.semantic, torch.zeros(13, 1, 1), [], 0.01, "cpu"),
        "detector": perfect_detection,
    }
    made = {name: Knowing(name, function) for name, function in known.items()}
    for name, network in made.items():
        network.views = views
        (tmp_path / f"{name}.json").write_text("{}")
    monkeypatch.setattr(tasks, "WEIGHTS", tmp_path)
    monkeypatch.setattr(catalog, "load", lambda name: made[name])
    yield made
    streamlit.cache_resource.clear()


def home(**state) -> AppTest:
    at = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=120)
    for key, value in state.items():
        at.session_state[key] = value
    return at.run()


def filled(at: AppTest) -> AppTest:
    """The page once all networks have been loaded."""
    names = tuple(dict.fromkeys(task.network for task in tasks.available()))
    until = time.monotonic() + 100
    while len(networks.loaded(names)) < len(names):
        assert time.monotonic() < until
        time.sleep(0.1)
    at.run()
    assert not at.exception and not at.error
    return at


def test_another_detector_fills_the_panel_of_detection_alone(knowing, tmp_path, drawn):
    knowing["ssd"] = Knowing("ssd", lambda view: replace(perfect_detection(view), masks=None, keypoints=None))
    knowing["ssd"].views = knowing["detector"].views
    (tmp_path / "ssd.json").write_text("{}")
    filled(home())
    assert knowing["ssd"].calls == 0 and knowing["detector"].calls == 1
    at = filled(home(home_detector="ssd"))
    assert knowing["ssd"].calls == 1
    assert [box.value for box in at.selectbox if box.key == "home_detector"] == ["ssd"]
    assert len(drawn.boxes("home_pair_detection")) == 2 * len(moment(SEED, 1.0, 0.0).view.instances)
    assert "home_pair_instances" in drawn.layers, "masks and joints are the other detector's as before"


def test_first_paint_needs_no_torch():
    """What the first visitor of a cold server waits for: Streamlit runs the page in a process without torch."""
    script = (
        "import sys, app\n"
        "from streamlit.testing.v1 import AppTest\n"
        "from ui import warmup\n"
        "warmup.start = lambda: None\n"
        "at = AppTest.from_file('ui/main.py', default_timeout=100).run()\n"
        "assert not at.exception and not at.error, (at.exception, at.error)\n"
        "print(len(at.get('bidi_component')), 'torch' in sys.modules, flush=True)\n"
        "import os; os._exit(0)\n"  # the pool still waits for libraries that will never come
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    mounted, torch_there = ran.stdout.split()
    assert torch_there == "False"
    assert int(mounted) == 5 + 2 * len(tasks.available())  # bar, pin, scene, sliders; a stage and a line for each task


def test_map_has_every_lesson_with_question_and_topics(knowing):
    at = filled(home())
    lessons = [lesson for lesson in course.ready() if lesson.path]
    links = [link.value for link in at.page_link]
    assert links[-len(lessons) :] == [f"**{lesson.title}**" for lesson in lessons]
    questions, captions = ({each.value for each in kind} for kind in (at.markdown, at.caption))
    assert any(each.startswith("**10-minute demo:** *Receptive*, raise the fog") for each in questions)
    for lesson in lessons:
        assert f"{lesson.question} :gray[{lesson.minutes} min]" in questions
        assert lesson.topics and lesson.topics in captions


def test_every_panel_with_networks_that_know_the_truth(knowing, drawn, prose, view):
    text = prose(filled(home()))
    things = len(view.instances)
    joints = sum(int((thing.keypoints[:, 2] == 2).sum()) for thing in view.instances if thing.keypoints is not None)
    for line in (
        "**8 of 8** classes right", "**mIoU 1.00** · pixel accuracy 100.0% · no stray class",
        f"**{things} of {things}** found · 0 false",
        f"**mask IoU 1.00**, mean of {things} found", f"**{joints} of {joints}** visible joints within 5 pixels",
    ):  # fmt: skip
        assert line in text
    assert set(drawn.layers) == {"home_scene", *(f"home_pair_{task.key}" for task in tasks.TASKS)}
    assert all(drawn.options[key]["alt"] for key in drawn.layers)
    people = [thing.keypoints[:, :2] for thing in view.instances if thing.keypoints is not None]
    window = pair.window_around(people)
    assert window[2] < 224
    shown = np.concatenate([each.xy for each in drawn.every("home_pair_keypoints", components.Points)])
    expected = np.concatenate([pair.enlarged(each, window) for each in people])
    gaps = np.hypot(*(shown[:, None] - np.concatenate([expected, expected + [232, 0]])[None]).transpose(2, 0, 1))
    assert gaps.min(1).max() < 1e-3  # every joint that is drawn stands where it is in the window


def test_every_panel_links_to_a_page_that_is_there(knowing):
    at = filled(home())
    lessons = {lesson.file: lesson for lesson in course.ready()}
    shown = sorted(tasks.TASKS, key=lambda task: task.key not in ("semantic", "detection"))  # beside the scene: first
    expected = [next((lessons[file].title for file in task.pages if file in lessons), None) for task in shown]
    labels = [link.value for link in at.page_link]
    labels = labels[labels.index("Start with Lab World") :]  # the bar's are before them
    wanted = [f"Explained in: {title}" for title in expected if title]
    assert labels[1 : 1 + len(wanted)] == wanted


def test_a_network_without_weights_leaves_no_trace(knowing, drawn, tmp_path, prose):
    for name in ("classifier-gap", "localizer-joint"):
        (tmp_path / f"{name}.json").unlink()
    text = prose(filled(home()))
    assert set(drawn.layers) == {
        "home_scene",
        "home_pair_semantic",
        "home_pair_detection",
        "home_pair_instances",
        "home_pair_keypoints",
    }
    assert "classes right" not in text and "loaded" not in text


def test_no_networks_at_all(knowing, drawn, tmp_path):
    for file in tmp_path.iterdir():
        file.unlink()
    at = filled(home())
    assert set(drawn.layers) == {"home_scene"}
    assert "One scene, every task" not in str([each.value for each in at.header])


def test_a_network_that_fails_says_so_and_the_others_stay(knowing, drawn, monkeypatch):
    def load(name):
        if name == "detector":
            raise ValueError("The weights of detector are not those of its card.")
        return knowing[name]

    monkeypatch.setattr(catalog, "load", load)
    home()
    while len(networks.loaded(tuple(knowing))) < len(knowing):
        time.sleep(0.1)
    at = home()
    assert not at.exception
    assert {each.value for each in at.error} == {"The weights of detector are not those of its card."}
    assert "home_pair_semantic" in drawn.layers


def test_next_scene_and_once_for_all_visitors(knowing, drawn):
    at = filled(home())
    first = drawn.pictures["home_scene"]
    at.button[0].click().run()
    assert not at.exception and not at.error
    captions = [thing.caption for thing in moment(SEED + 1, 1.0, 0.0).view.instances]
    assert drawn.options["home_scene"]["alt"] == "; ".join(captions)
    assert not np.array_equal(drawn.pictures["home_scene"], first)
    counts = {name: network.calls for name, network in knowing.items()}
    assert counts == dict.fromkeys(knowing, 2)
    filled(home())
    assert {name: network.calls for name, network in knowing.items()} == counts


def test_fog_changes_picture_and_panels(knowing, drawn):
    filled(home())
    clear = {key: picture for key, picture in drawn.pictures.items() if picture is not None}
    assert clear
    filled(home(home_fog=0.5))
    assert all(not np.array_equal(drawn.pictures[key], picture) for key, picture in clear.items())


def test_a_slow_network_waits_for_the_hand(knowing, drawn, monkeypatch):
    """While a slider moves, panels beyond the time for one step keep the last picture and its answer."""
    at = filled(home())
    monkeypatch.setattr(panels, "FOLLOWING", -1.0)
    scene, before = drawn.pictures["home_scene"], drawn.pictures["home_pair_detection"]
    at.session_state["home_fog.live"] = {"message": {"sequence": 1, "value": 0.5, "settled": False}}
    at.run()
    assert not np.array_equal(drawn.pictures["home_scene"], scene)
    assert knowing["detector"].calls == 1 and np.array_equal(drawn.pictures["home_pair_detection"], before)
    at.session_state["home_fog.live"] = {"message": {"sequence": 2, "value": 0.5, "settled": True}}
    at.run()
    assert knowing["detector"].calls == 2 and not np.array_equal(drawn.pictures["home_pair_detection"], before)


def test_a_seed_out_of_range_or_nonsense_in_the_address(knowing):
    for text in ("-5", "cat", "99999999"):
        at = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=120)
        at.query_params["home_seed"] = text
        at.run()
        assert not at.exception and not at.error
        assert 0 <= at.number_input[0].value <= 999_999


def wrong(view) -> Detection:
    """Perfect, but the first thing is taken for a ball far away, and the joints of all persons are 6 pixels off."""
    found = perfect_detection(view)
    boxes, joints = found.boxes.clone(), found.keypoints.clone()
    boxes[0] = torch.tensor([0.0, 0.0, 3.0, 3.0])
    joints[:, :, 0] += 6
    return replace(found, boxes=boxes, keypoints=joints)


def test_mistakes_are_marked_on_both_sides(view):
    found = answers.answers(wrong(view), view)
    things = len(view.instances)
    assert found["detection"].line == f"**{things - 1} of {things}** found · 1 false"
    boxes = [box for layer in found["detection"].layers for box in layer.boxes]
    assert [box.id for box in boxes if box.dash] == ["0", "truth 0"]
    assert {box.colour for box in boxes if box.dash} == {pair.VERMILION}
    assert found["keypoints"].line.startswith("**0 of ")
    labels = found["instances"].layers[0].values
    assert (labels[:, : pair.SIZE] == pair.WRONG).any() and not (labels[:, pair.RIGHT :] == pair.WRONG).any()


def test_segmentation_figures_are_those_of_the_lab(view):
    noise = np.random.default_rng(0).random(view.semantic.shape) < 0.3
    labels = np.where(noise, (view.semantic + 1) % len(CLASSES), view.semantic).astype(np.uint8)
    answer = answers.answers(Segmentation(labels, torch.zeros(13, 1, 1), [], 0.0, "cpu"), view)["semantic"]
    expected = scene_mean_iou(confusion_matrix(view.semantic, labels, len(CLASSES)))
    assert f"**mIoU {expected:.2f}**" in answer.line and f"{(labels == view.semantic).mean():.1%}" in answer.line
    values = answer.layers[0].values
    assert np.array_equal(values[:, : pair.SIZE], labels) and np.array_equal(values[:, pair.RIGHT :], view.semantic)


def test_stray_classes_are_named_and_do_not_swing_the_score(view):
    labels = view.semantic.copy()
    absent = next(c for c in range(len(CLASSES)) if not (labels == c).any())
    labels[0, 0] = absent
    line = answers.answers(Segmentation(labels, torch.zeros(13, 1, 1), [], 0.0, "cpu"), view)["semantic"].line
    assert line == f"**mIoU 1.00** · pixel accuracy 100.0% · stray class: {CLASSES[absent]} 1 px"


def test_classification_marks_right_wrong_and_overlooked(view):
    there = sorted({thing.label for thing in view.instances})
    absent = next(name for name in THINGS if name not in there)
    said = {name: 0.9 for name in there[1:]} | {absent: 0.8, there[0]: 0.3}
    probabilities = torch.tensor([said.get(name, 0.01) for name in THINGS])
    result = Classification(probabilities.logit(), probabilities, torch.ones(1, 14, 14), -torch.ones(8, 1), 0.0, "cpu")
    answer = answers.classification(result, view)
    absences = [f"{name} 0.01" for name in THINGS if name not in there and name != absent]
    assert answer.line.startswith("**6 of 8** classes right") and len(absences) == 8 - len(there) - 1
    unnamed = answer.line.split("there: ")[1].rstrip("]").split(", ") if absences else []
    assert sorted(unnamed) == sorted(absences)
    names = [box.label for box in answer.layers[0].boxes]
    right = [f"✓ {name} 0.90" for name in THINGS if name in there[1:]]
    assert names == [*right, f"✗ {absent} 0.80", f"○ {there[0]} 0.30"]
    assert [box.label for box in answer.layers[1].boxes] == there
    weak = answers.localization(perfect_localization(view), result, view)
    assert "no cell speaks for" in weak.line and [box.id for box in weak.layers[1].boxes] == ["box"]


def test_localization_boxes_the_bright_cells(view):
    said = perfect_localization(view)
    answer = answers.localization(said, perfect_classification(view), view)
    taught, weak = map(float, re.findall(r"IoU (\d\.\d\d)", answer.line))
    assert taught == 1 > weak > 0.5
    heat, boxes, true = answer.layers
    assert heat.xyxy == (0.0, 0.0, 224.0, 224.0) and [box.id for box in boxes.boxes] == ["weak", "box"]
    assert boxes.boxes[1].xyxy == tuple(said.box.tolist()) and boxes.boxes[0].dash
    assert true.boxes and all(box.xyxy[0] >= pair.RIGHT for box in true.boxes)


def test_a_class_that_is_not_there_has_no_fit(view):
    absent = next(name for name in THINGS if name not in {thing.label for thing in view.instances})
    scores = 9.0 * torch.tensor([name == absent for name in THINGS])
    said = replace(perfect_localization(view), scores=scores)
    line = answers.localization(said, perfect_classification(view), view).line
    assert f"Learned from boxes: there is no {absent} in this scene" in line


def test_the_box_of_one_of_several_is_said_to_be_the_best_of_them(view):
    result = perfect_classification(view)
    name = THINGS[int(result.logits.argmax())]
    twin = next(thing for thing in view.instances if thing.label == name)
    line = answers.localization(
        perfect_localization(view), result, replace(view, instances=[*view.instances, twin])
    ).line
    there = sum(thing.label == name for thing in view.instances) + 1
    assert line.endswith(f"with the best fitting of {there} true boxes of {name}")


def test_the_map_of_classes_has_a_legend_of_what_is_there(knowing, view):
    html = "".join(each.proto.body for each in filled(home()).get("html"))
    for k, name in enumerate(CLASSES):
        assert (f"</i>{name}</span>" in html) == bool((view.semantic == k).any())


def test_a_scene_without_a_thing():
    empty = scenes.render(scenes.sample(SEED, scenes.Knobs(objects=0)), 224)
    nothing = perfect_detection(moment(SEED, 1.0, 0.0).view)
    found = answers.answers(replace(nothing, scores=nothing.scores * 0), empty)
    assert found["detection"].line == "**0 of 0** found · 0 false"
    assert found["instances"].line == "None found" and found["keypoints"].line == "No person in this scene"
    for task in tasks.TASKS:
        pair.truth_alone(task.key, empty)


@pytest.mark.skipif(
    not {"detector", "segmenter-bilinear"} <= set(catalog.shipped()), reason="the networks have no weights yet"
)
def test_the_trained_networks_on_a_clear_day(view):
    found = {}
    for name in ("segmenter-bilinear", "detector"):
        found |= answers.answers(catalog.load(name)(view.image), view)
    assert float(found["semantic"].line[7:11]) > 0.6
    right, total = found["detection"].line.split("**")[1].split(" of ")
    assert int(right) >= int(total) - 1 and float(found["instances"].line[11:15]) > 0.6


@pytest.mark.skipif(
    not {"detector", "segmenter-bilinear"} <= set(catalog.shipped()), reason="the networks have no weights yet"
)
def test_night_changes_little_and_fog_breaks_the_segmentation_as_the_page_says(prose):
    welcome = " ".join(prose(home()).split())
    assert "hardly anything happens" in welcome and "sees a road where scene 14 has none" in welcome
    segmenter, detector = catalog.load("segmenter-bilinear"), catalog.load("detector")
    accuracy, road, found = {}, {}, {}
    for name, light, fog in (("day", 1.0, 0.0), ("night", 0.0, 0.0), ("fog", 1.0, 1.0)):
        there = moment(SEED, light, fog).view
        labels = segmenter(there.image).labels
        accuracy[name] = (labels == there.semantic).mean()
        road[name] = int((labels == CLASSES.index("road")).sum())
        found[name] = answers.answers(detector(there.image), there)["detection"].line.split("**")[1]
    assert not (there.semantic == CLASSES.index("road")).any()
    assert accuracy["day"] - accuracy["night"] < 0.003 and accuracy["night"] - accuracy["fog"] > 0.08
    assert road["night"] < 20 and road["fog"] > 3000
    assert found == dict.fromkeys(found, "6 of 6")


def test_persons_are_enlarged_and_the_window_stays_in_the_scene():
    assert pair.window_around([]) == (0, 0, 224)
    small = np.full((14, 2), 100.0)
    assert pair.window_around([small]) == (72, 72, 56)  # a quarter of the scene at least
    tall = np.stack([np.full(14, 10.0), np.linspace(20, 120, 14)], 1)
    assert pair.window_around([tall]) == (0, 5, 130)
    assert pair.window_around([small, tall]) == pair.window_around([tall, small]) == (0, 5, 130)  # the largest
    np.testing.assert_allclose(pair.enlarged(np.array([[0.0, 5], [130, 135]]), (0, 5, 130)), [[0, 0], [224, 224]])
    edge = np.array([[0.0, 224], [-0.5, 3], [100, 224.5], [224, 0], *[[5.0, 5]] * 10])
    (points,) = (each for each in pair.skeleton(edge, np.ones(14, bool), ["#FFFFFF"] * 14) if hasattr(each, "xy"))
    assert len(points.xy) == 12  # nothing reaches into the picture beside it
