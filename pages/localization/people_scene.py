"""Crowds to look at: some persons of Lab World whom a slider pushes into each other, and what both networks say."""

from dataclasses import replace

import numpy as np
import streamlit as st

import scenes
from models import catalog
from models.networks.detector import Detection
from models.networks.pose_fields import LIMBS, People
from models.recipes.coco_metrics import PERSON
from models.recipes.pose_fields import Truth, truth_of
from models.recipes.scene_cache import InstanceRecord
from scenes import JOINTS, SKELETON, Knobs, Scene, View
from scenes.scene import FRAME
from ui.components import Lines, Points

NETWORK, DETECTOR = "pose-fields", "detector"
NAMES = tuple(joint.replace("_", " ") for joint in JOINTS)
LIMB_NAMES = tuple(f"{NAMES[first]} – {NAMES[second]}" for first, second in LIMBS)
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
COLOURS = (ORANGE, SKY, VERMILION, PURPLE, GREEN, BLUE)  # of one person after the other
APART = 10.0  # pixels between the feet of two neighbours when they overlap the most
SURE = 0.5  # the detector's score from which on a person is drawn


@st.cache_resource(max_entries=512, show_spinner=False)  # shared and only read
def crowd(seed: int, persons: int, overlap: float) -> View:
    """The persons with their truth."""
    return scenes.render(gathered(seed, persons, overlap))


@st.cache_data(max_entries=512, show_spinner=False)
def picture(seed: int, persons: int, overlap: float) -> np.ndarray:
    """The picture alone, in half the time: for a slider under the hand."""
    return scenes.render_image(gathered(seed, persons, overlap))


def gathered(seed: int, persons: int, overlap: float) -> Scene:
    """Persons of a scene with nothing else in it; `overlap` 0 to 1 moves each sideways, from where it stood, into the
    middle of all."""
    scene = scenes.sample(seed, Knobs(objects=persons, classes=("person",), occlusion=0.0, truncation=0.0))
    if not scene.objects:
        return scene
    order = sorted(range(len(scene.objects)), key=lambda i: scene.objects[i].x)
    middle = float(np.clip(np.mean([each.x for each in scene.objects]), FRAME * 0.3, FRAME * 0.7))
    moved = list(scene.objects)
    for place, i in enumerate(order):
        goal = middle + APART * (place - (len(order) - 1) / 2)
        moved[i] = replace(moved[i], x=moved[i].x + overlap * (goal - moved[i].x))
    return replace(scene, objects=tuple(moved))


@st.cache_resource(max_entries=256, show_spinner=False)  # shared and only read
def people_in(image: np.ndarray) -> People:
    """Bottom-up: all joints and limbs in one pass, and the persons they make."""
    return catalog.load(NETWORK)(image)


@st.cache_resource(max_entries=128, show_spinner=False)  # shared and only read
def detected(image: np.ndarray) -> Detection:
    """Top-down: the detector's boxes and, in each, the joints of its keypoint head."""
    return catalog.load(DETECTOR)(image, masks=False, keypoints=True)


def top_down(found: Detection, least: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The detector's persons from a score on, best first: joints float64 (n, 14, 3) and scores (n,)."""
    kept = (found.labels == PERSON) & (found.scores >= least)
    assert found.keypoints is not None, "It was asked for joints."
    return found.keypoints[kept].double().numpy(), found.scores[kept].double().numpy()


def bottom_up(found: People) -> tuple[np.ndarray, np.ndarray]:
    """The persons that fields have put together, best first: joints float64 (n, 14, 3) and scores (n,)."""
    return found.keypoints.double().numpy(), found.scores.double().numpy()


def skeletons(persons: np.ndarray) -> list[Lines | Points]:
    """Persons (n, 14, 3) as lines and dots, each in its colour; joints of which the third number is 0 are left out."""
    layers: list[Lines | Points] = []
    for i, person in enumerate(persons):
        colour, there = COLOURS[i % len(COLOURS)], person[:, 2] != 0
        limbs = [(*person[a, :2], *person[b, :2]) for a, b in SKELETON if there[a] and there[b]]
        if limbs:
            layers.append(Lines(np.array(limbs), colour, width=3))
        layers.append(
            Points(person[there, :2], colour, radius=3.5, notes=[f"{NAMES[j]} of person {i + 1}"
                   for j in np.flatnonzero(there)], ids=[f"joint-{i}-{j}" for j in np.flatnonzero(there)])
        )  # fmt: skip
    return layers


def truth_in(view: View) -> Truth:
    """The true persons of a scene."""
    persons = [each for each in view.instances if each.keypoints is not None]
    records = [
        InstanceRecord(each.id, PERSON, each.box.tolist(), each.visible, each.keypoints.tolist()) for each in persons
    ]
    return truth_of(records, view.panoptic)
