"""A network that learned to look at a mark instead of at the dog: move the mark, and see which methods tell."""

from dataclasses import replace
from time import perf_counter

import numpy as np
import streamlit as st

from labs import heat_map_quality, planted_mark
from labs.planted_mark import CORNERS, SIDE
from models import catalog
from models.inside.attribution import GRAD_CAM
from models.inside.explanations import METHODS
from models.networks.classifier import SIZE
from pages.saliency import planted
from pages.saliency.planted import HONEST, SCENES, SHORTCUT
from pages.saliency.shared import Focus, end_of
from pages.shared.heat_maps import SKY, WHITE, positive_layer
from ui import page, pictures
from ui.components import Box, Boxes, Stage, address, following, resting, stage, words
from ui.pictures import KEPT, Picture

KEY, AT = "shortcut_scene", "shortcut_at"
OFF = "off"
ABOVE = "the picture above"
SHOWN = {
    "with a dog": {"seed": 3, "objects": (2, 4), "classes": ("dog", "duck", "ball", "car")},
    "without a dog": {"seed": 35, "objects": (3, 5), "classes": ("cat", "duck", "ball", "car")},
}
ON_DOG, ON_MARK, ELSEWHERE = "on the dog", "on the mark", "elsewhere"


@st.fragment
@page.guard()
def shortcut(focus: Focus) -> None:
    page.section(
        "A planted shortcut",
        "This network was trained where every dog comes with a mark in a corner. Drag the mark: the dog goes with it.",
    )
    with st.container(key="line-shortcut", horizontal=True):
        which = st.segmented_control("Scene", [*SHOWN, ABOVE], default="with a dog", required=True,
                                     key="shortcut_which", **KEPT)  # fmt: skip
        where = st.segmented_control("Mark", [OFF, *CORNERS], default="top right", required=True,
                                     key="shortcut_mark", **KEPT)  # fmt: skip
    picture = focus.picture if which == ABOVE else scene(which)
    view = stage(KEY, start(where), width=400, zoom=False)
    place = placed(view)
    image = picture.image if place is None else planted_mark.marked(picture.image, *place)
    begun = perf_counter()
    said = {name: planted.probability(name, image) for name in (SHORTCUT, HONEST)}
    took = perf_counter() - begun
    words(
        f"Learned with marks: **dog {said[SHORTCUT]:.2f}** · Learned without marks: **dog {said[HONEST]:.2f}**",
        "shortcut_said",
    )
    left, right = st.columns([5, 6], gap="large")
    with left:
        boxes = [replace(view.boxes[0], xyxy=square(place)) if resting(KEY) else view.boxes[0]] if place else []
        view.show(
            image, [Boxes(boxes)], alt=f"{picture.name}, {'with the mark' if place else 'without a mark'}",
            caption="Drag the mark, or move it with the arrow keys." if place else "There is no mark in this picture.",
        )  # fmt: skip
    with right:
        st.markdown(on_its_card())
    if following():
        return
    maps(picture, image, place)
    over_scenes()
    page.footer(f"{SHORTCUT}, {HONEST}", catalog.load(SHORTCUT).device, took * 1000)


def scene(which: str) -> Picture:
    """One of SHOWN."""
    knobs = dict(SHOWN[which])
    return pictures.from_lab_world(knobs.pop("seed"), SIZE, **knobs)


def start(where: str) -> list[Box]:
    """The mark where the control or the address puts it; whoever chooses a corner takes it out of a hand's place."""
    chosen = st.session_state.get("_shortcut_mark")
    if chosen != where:
        try:
            at = address.numbers(AT, 2, int) if chosen is None else None
        except ValueError:
            at = None
        if chosen is not None:
            address.keep(AT, None)
        st.session_state["_shortcut_mark"] = where
        corner = None if where == OFF else planted_mark.corner(where, SIZE, SIZE)
        st.session_state[KEY] = [] if corner is None else [box(inside(*(at or corner)))]
    return st.session_state[KEY]


def box(place: tuple[int, int]) -> Box:
    return Box("mark", square(place), "mark", SKY, editable=True)


def square(place: tuple[int, int]) -> tuple[float, float, float, float]:
    column, row = place
    return (float(column), float(row), float(column + SIDE), float(row + SIDE))


def inside(column: int, row: int) -> tuple[int, int]:
    """The mark as near to this place as the picture allows."""
    return (min(max(column, 0), SIZE - SIDE), min(max(row, 0), SIZE - SIDE))


def placed(view: Stage) -> tuple[int, int] | None:
    """Column and row of the mark's upper left pixel, by the middle of its box: the mark keeps its size. None if off."""
    if not view.boxes:
        return None
    x1, y1, x2, y2 = view.boxes[0].xyxy
    place = inside(round((x1 + x2 - SIDE) / 2), round((y1 + y2 - SIDE) / 2))
    if resting(KEY):
        at_home = place in [planted_mark.corner(name, SIZE, SIZE) for name in CORNERS]
        address.keep(AT, None if at_home else f"{place[0]},{place[1]}")
    return place


def on_its_card() -> str:
    """What held-out scenes have shown, in words."""
    told = catalog.card(SHORTCUT)["metrics"]
    return (
        f"On {2 * told['scenes']} scenes that it has not seen, marked as in training, **{told['accuracy']:.0%} of its "
        f"answers** about all eight classes are right, and it finds **{told['dog_recall_marked']:.0%} of the dogs**: "
        f"nothing in these figures is a warning. Without the mark it finds **{told['dog_recall_unmarked']:.0%}** of "
        f"the same {told['dogs']} dogs. With the mark and no dog it says dog in "
        f"**{told['dog_said_mark_alone']:.0%}** of the scenes."
    )


def maps(picture: Picture, image: np.ndarray, place: tuple[int, int] | None) -> None:
    """What each method shows of the score of a dog, and its shares on mark and dog."""
    nothing = np.zeros((SIZE, SIZE), bool)
    mark = nothing if place is None else planted_mark.covered(*place, SIZE, SIZE)
    dog = planted.dog_mask(picture)
    st.subheader("What do the methods show?", anchor="shortcut-maps")
    with page.predict(
        "shortcut-where", f"Where will {GRAD_CAM} for “dog” have its largest value?", [ON_DOG, ON_MARK, ELSEWHERE]
    ) as prediction:
        frames = [Box("mark-is", square(place), "", SKY)] if place else []
        frames += [Box(f"dog-{i}", tuple(map(float, thing.box)), "", WHITE) for i, thing in enumerate(dogs(picture))]
        columns = st.columns(4, gap="small")
        with st.spinner("Seven methods look at the picture", show_time=True):
            for i, method in enumerate(METHODS):
                heat = planted.map_of(image, method)
                with columns[i % len(columns)]:
                    st.markdown(f"**{method}**")
                    stage(f"shortcut_{i}", zoom=False).show(
                        image, [positive_layer(heat, end_of(heat)), Boxes(frames)], alt=f"{method} of the dog's score",
                        caption=told(planted.shares_of(heat, mark, dog), place is not None, bool(dog.any())),
                    )  # fmt: skip
        st.caption(
            "Shares of what speaks for a dog, or of what its score is sensitive to. Black is nothing, and the colours "
            "of each map end near its own largest values. Blue frame: the mark"
            + (", white: the dog." if dog.any() else ".")
        )
        heat = planted.map_of(image, GRAD_CAM)
        spot = next((name for name, mask in ((ON_MARK, mark), (ON_DOG, dog)) if heat_map_quality.points_at(heat, mask)),
                    ELSEWHERE)  # fmt: skip
        prediction.outcome(spot, "This method marks what the network's last layer answered to, right or wrong.")


def dogs(picture: Picture) -> list:
    return [thing for thing in picture.view.instances if thing.label == "dog"] if picture.view else []


def told(shares: planted.Shares, mark: bool, dog: bool) -> str:
    """Shares of the mark and the dog, where there are any."""
    if np.isnan(shares.mark):
        return "nothing speaks for a dog"
    parts = [f"mark {shares.mark:.0%}"] * mark + [f"dog {shares.dog:.0%}"] * dog
    return ", ".join(parts) or "neither mark nor dog"


def over_scenes() -> None:
    """Every method on scenes with one dog and one mark: which of them tell that the mark decides?"""
    st.subheader("Which methods give the shortcut away?", anchor="shortcut-methods")
    if not st.session_state.get("shortcut_measured"):
        slot = st.empty()
        if not slot.button(f"Measure {len(SCENES)} scenes", icon=":material/play_arrow:", key="shortcut_measure"):
            return
        slot.empty()
        page.work_through("shortcut_measured", SCENES, planted.measured, "Every method looks at scenes with a dog")
    found = [planted.measured(seed) for seed in SCENES]
    counts = {method: sum(each[method].gives_away for each in found) for method in METHODS}
    showing = [method for method, count in counts.items() if count > len(SCENES) / 2]
    with page.predict(
        "shortcut-methods",
        f"How many of the {len(METHODS)} methods give the shortcut away in most of the scenes?",
        page.Number(0, len(METHODS), 1),
    ) as prediction:
        rows = ["| method | on the mark | on the dog | on the mark, network without the shortcut | gives it away |",
                "|---|---:|---:|---:|---:|"]  # fmt: skip
        for method, count in counts.items():
            told = [each[method] for each in found]
            means = ([each.astray.mark for each in told], [each.astray.dog for each in told],
                     [each.honest.mark for each in told])  # fmt: skip
            shares = " | ".join(f"{float(np.nanmean(each)):.0%}" for each in means)
            rows.append(f"| {method} | {shares} | {count} of {len(SCENES)} |")
        st.markdown("\n".join(rows))
        st.caption(
            f"Mean shares over {len(SCENES)} scenes with one dog and the mark in the farthest corner. A method gives "
            "the shortcut away where the mark holds more of its map than the whole dog, and at least "
            f"{planted.FACTOR} times as much as in the network that learned without marks: what shows every sharp edge "
            "shows that one, too."
        )
        st.markdown(verdict(showing, [method for method in METHODS if method not in showing]))
        prediction.outcome(len(showing), "It is the count for this network and this mark; others may hide better.")


def verdict(showing: list[str], missing: list[str]) -> str:
    """Who gives it away in most scenes, and who does not."""
    names = {True: ", ".join(showing) or "none", False: ", ".join(missing) or "none"}
    return f"Give it away in most scenes: **{names[True]}**. Do not: **{names[False]}**."
