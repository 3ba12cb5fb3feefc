"""Two points on one scene: what each finds, and where they differ."""

import numpy as np
import streamlit as st
import torch

import scenes
from labs import speed_accuracy
from models.inside.settings import Found
from pages.shared import own_truth
from pages.shared.drawn_scores import Said
from pages.shared.truths import truths_of
from pages.speed_accuracy.scatter import CHOSEN
from pages.speed_accuracy.shared import LOOKS, ONE, Point, milliseconds, points, seen
from scenes import THINGS
from ui import outside_lab_world, page, pictures
from ui.components import Box, Boxes, address, following, live_slider, stage, words
from ui.pictures import Picture

BLUE, ORANGE, WHITE = "#0072B2", "#E69F00", "#FFFFFF"
PINNED = "trade_pin"
SEED = 31


@st.fragment
@page.guard()
def compare() -> None:
    page.section("What does the money buy?", "Two of the points on the same scene: what both find, and what only one.")
    every = points()
    picture = pictures.choose("trade", seed=SEED)
    accurate = max(range(len(every)), key=lambda i: every[i].ap)
    single = max(range(len(every)), key=lambda i: (LOOKS[every[i].setting.network][1] == ONE, every[i].ap))
    left, right = st.columns(2, gap="large")
    with left:
        first = chosen("The chosen point", CHOSEN, accurate)
    with right:
        second = chosen("The pinned point", PINNED, single)
    outside_lab_world.warn(picture, dict.fromkeys(every[index].setting.network for index in (first, second)))
    with live_slider("Score threshold", 0.05, 0.95, 0.5, step=0.05, key="trade_threshold") as threshold:
        for column, index, colour, name in ((left, first, BLUE, "chosen"), (right, second, ORANGE, "pinned")):
            with column:
                drawn(picture, every[index], threshold, colour, name)
        words(differences(picture, every[first], every[second], threshold), "trade_differ")
    both = [at_size(picture, every[index]) for index in (first, second)]
    names = " and ".join(dict.fromkeys(every[index].setting.network for index in (first, second)))
    page.footer(names, both[0].device, 1000 * sum(found.seconds for found in both))
    if not following() and own_truth.opened("trade", picture):
        once = {
            every[index].name: said(every[index], found) for index, found in zip((first, second), both, strict=True)
        }
        own_truth.draw("trade_truth", picture, list(once.values()))


def said(point: Point, found: Found) -> Said:
    """What the point has found, for a truth drawn by hand."""
    names = [THINGS[label - 1] for label in found.labels.tolist()]
    return Said(point.name, found.boxes.numpy(), names, found.scores.numpy())


def chosen(label: str, key: str, default: int) -> int:
    """The point of a select box; a click on the scatter moves it."""
    every = points()
    try:
        linked = address.numbers(key, 1, int)
    except ValueError:
        linked = None
    index = linked[0] if linked and 0 <= linked[0] < len(every) else default
    name = f"{key}_box"
    if name not in st.session_state or st.session_state.get(f"_{key}") != index:
        st.session_state[f"_{key}"] = st.session_state[name] = index
    found = st.selectbox(label, range(len(every)), key=name, format_func=lambda i: every[i].name)
    if found != index:
        st.session_state[f"_{key}"] = found
        address.keep(key, None if found == default else str(found))
    return found


def drawn(picture: Picture, point: Point, threshold: float, colour: str, name: str) -> None:
    """The detections of a point on the scene."""
    found = at_size(picture, point)
    shown = [i for i, score in enumerate(found.scores.tolist()) if score >= threshold]
    boxes = [
        Box(f"{name}-{i}", tuple(found.boxes[i].tolist()), f"{THINGS[found.labels[i] - 1]} {found.scores[i]:.2f}",
            colour, width=3) for i in shown
    ]  # fmt: skip
    stage(f"trade_{name}").show(
        picture.image, [Boxes(truth_boxes(picture)), Boxes(boxes)], alt=f"What {point.name} finds",
        caption=f"{point.name}: {len(shown)} boxes from a score of {threshold:g} on, {milliseconds(point):.1f} ms.",
    )  # fmt: skip


def at_size(picture: Picture, point: Point):
    """What the point says of the picture; a scene is drawn again at the size that the network sees."""
    side, own = point.setting.side, picture.image.shape[0]
    image = picture.image
    if picture.scene is not None and side != own:
        image = rendered(picture.scene, side)
    found = seen(image, point.setting)
    return type(found)(found.boxes * (own / image.shape[0]), found.labels, found.scores, found.seconds, found.device)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs={scenes.Scene: repr})
def rendered(scene: scenes.Scene, side: int) -> np.ndarray:
    """The scene at so many pixels a side."""
    return scenes.render(scene, side).image


def truth_boxes(picture: Picture) -> list[Box]:
    """The truth, dashed; of a drawing only."""
    if picture.view is None:
        return []
    truths = truths_of(picture.view)
    return [
        Box(f"truth-{i}", tuple(map(float, box)), "", WHITE, dash=True, width=1.5,
            note=f"{THINGS[label - 1]}, the truth")
        for i, (box, label) in enumerate(zip(truths.boxes, truths.labels, strict=True))
    ]  # fmt: skip


def differences(picture: Picture, first: Point, second: Point, threshold: float) -> str:
    """Which things both find, only one, or none."""
    if picture.view is None:
        return "This picture has no truth, so nothing is judged: draw it below, or compare with your own eyes."
    truths = truths_of(picture.view)
    boxes, labels = torch.from_numpy(truths.boxes).float(), torch.from_numpy(truths.labels)
    both = [
        speed_accuracy.found(said.boxes, said.labels, said.scores, boxes, labels, threshold)
        for said in (at_size(picture, first), at_size(picture, second))
    ]
    groups = (
        ("Both find", both[0] & both[1]), ("only the chosen one", both[0] & ~both[1]),
        ("only the pinned one", both[1] & ~both[0]), ("neither", ~both[0] & ~both[1]),
    )  # fmt: skip
    parts = [f"{name}: **{listed(labels[which].tolist())}**" for name, which in groups if bool(which.any())]
    return (". ".join(part[0].upper() + part[1:] for part in parts) + ".") if parts else "There is nothing to find."


def listed(labels: list[int]) -> str:
    """Names of things, each with its number."""
    names = [THINGS[label - 1] for label in labels]
    return ", ".join(
        f"{names.count(name)} × {name}" if names.count(name) > 1 else name for name in dict.fromkeys(names)
    )
