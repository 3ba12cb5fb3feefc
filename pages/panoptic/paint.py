"""Paint a panoptic map of your own, and be scored by the same functions as the networks."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import streamlit as st

from labs import panoptic_quality
from labs.coco_file import Mark
from labs.panoptic_quality import VOID
from pages.panoptic import two_paintings
from pages.panoptic.quality import MISSED, THINGS, fate_of, means, painted
from pages.shared import drawing_files, drawing_link, own_mask
from pages.shared.swatches import swatches
from scenes import CLASSES, PALETTE, STUFF
from ui import page
from ui.components import brush, following, live_slider, stage, words
from ui.pictures import Picture

KEY, LINK, SECOND = "panoptic_paint", "panoptic_painting", "panoptic_second"
EACH = 9  # things of one class at most
TOOLS = {"Brush": "brush", "Fill": "fill", "Erase": "erase"}
PAINTS = (*STUFF, *(name for name in CLASSES[len(STUFF) :] for _ in range(EACH)))  # the class of each paint from 1


def paint_of(label: int, number: int) -> int:
    """Index in the palette of a class and, for things, of which one, from 1; 0 is nothing.

    >>> paint_of(0, 1), paint_of(5, 1), paint_of(5, 9), paint_of(6, 1)
    (1, 6, 14, 15)
    """
    return 1 + label if label < len(STUFF) else 1 + len(STUFF) + (label - len(STUFF)) * EACH + number - 1


def pairs_of(values: np.ndarray) -> np.ndarray:
    """Class and identity of every painted pixel, (H, W, 2); void where nothing is painted."""
    things = values > len(STUFF)
    which = np.maximum(values.astype(np.int64) - 1 - len(STUFF), 0)
    labels = np.where(things, len(STUFF) + which // EACH, values.astype(np.int64) - 1)
    labels[values == 0] = VOID
    return np.stack([labels, np.where(things, which % EACH + 1, 0)], -1)


def load(marks: Sequence[Mark], size: tuple[int, int], into: str) -> None:
    """Put a file's painting under the brush, or beside it, or say why not."""
    try:
        st.session_state[into] = values_of(marks, size)
    except ValueError as refused:
        page.problem(str(refused))


def values_of(marks: Sequence[Mark], size: tuple[int, int]) -> np.ndarray:
    """The paint of a file's marks; things of a class are numbered as they come. ValueError with a sentence for more
    than EACH of them."""
    values, count = np.zeros(size, np.uint8), Counter()
    for mark in marks:
        label = CLASSES.index(mark.name)
        count[label] += 1
        if label >= len(STUFF) and count[label] > EACH:
            raise ValueError(f"The file has more than {EACH} of {mark.name}, and there is paint for {EACH}.")
        values[mark.mask] = paint_of(label, count[label])
    return values


def palette() -> list[str | None]:
    """A colour per paint: that of its class, each further thing lighter, or darker where the class is bright."""
    made: list[str | None] = [None, *(PALETTE[name] for name in STUFF)]
    for name in CLASSES[len(STUFF) :]:
        colour = np.array([int(PALETTE[name][at : at + 2], 16) for at in (1, 3, 5)], float)
        towards = 0 if colour.mean() > 128 else 255
        for number in range(EACH):
            mixed = colour + (towards - colour) * 0.08 * number
            made.append("#" + "".join(f"{round(value):02x}" for value in mixed))
    return made


@st.fragment
@page.guard()
def paint(picture: Picture, said: np.ndarray) -> None:
    """`said`: what the networks make of the picture, (H, W, 2); without another truth, the painting judges it."""
    page.section("Paint your own", "Give every pixel a class, and every thing a number: paint, then be scored as the "
                 "networks are.")  # fmt: skip
    size = picture.image.shape[:2]
    if drawing_link.turned_to(LINK, picture, (KEY, SECOND)) == "first":
        st.session_state[KEY] = own_mask.from_link(LINK, size, len(PAINTS) + 1)
        st.session_state[SECOND] = own_mask.from_link(f"{LINK}_2", size, len(PAINTS) + 1)
    with st.container(key="line-panoptic-paint", horizontal=True, vertical_alignment="center"):
        tool = st.segmented_control("Tool", list(TOOLS), default="Brush", required=True, key="panoptic_tool",
                                    bind="query-params", label_visibility="collapsed")  # fmt: skip
        name = st.selectbox("Paint", CLASSES, key="panoptic_paint_class", bind="query-params",
                            label_visibility="collapsed", width=150)  # fmt: skip
        number = 1
        if name not in STUFF:
            number = st.number_input("Which one", 1, EACH, key="panoptic_paint_number", bind="query-params", width=130,
                                     label_visibility="collapsed", help="Two dogs are two segments.")  # fmt: skip
        folder = st.popover("Files", icon=":material/folder_open:")
    with folder:
        for each, label, into in (("load", "Load a painting", KEY), ("other", "A second painting to compare", SECOND)):
            found = drawing_files.taken(f"panoptic_{each}", label, picture, CLASSES, masks=True)
            if found is not None:
                load(found.marks, size, into)
        own_mask.without_second("panoptic_second", SECOND)
    left, right = st.columns(2, gap="large")
    with right, live_slider("Brush size", 1, 40, 10, key="panoptic_radius", unit="px", window=2) as radius:
        in_hand = paint_of(CLASSES.index(name), number)
        held = brush(
            KEY, (size[1], size[0]), palette(), paint=in_hand, name=name, tool=TOOLS[tool], radius=radius,
            sheet=st.session_state[f"_{LINK}_drawn_on"], window=2,
        )  # fmt: skip
        empty = int((held.values == 0).sum())
        segments = panoptic_quality.segments(pairs_of(held.values), THINGS)
        count = len(segments.labels)
        words(f"**{count}** {'segment' if count == 1 else 'segments'} painted · **{empty / held.values.size:.0%}** of "
              "the pixels empty", "panoptic_painted")  # fmt: skip
        with left:
            held.show(
                picture.image,
                alt="The picture to paint on",
                caption=f"In hand: {tool.lower()}, {name}{f' {number}' if name not in STUFF else ''}.",
            )
    if not following():
        right.html(swatches((PALETTE[each], each) for each in CLASSES))
        with folder:
            drawing_files.offered("panoptic", picture, own_mask.marks_of(held.values, PAINTS))
    second = st.session_state.get(SECOND)
    own_mask.remembered(LINK, held, second)
    with right:
        if second is not None and second.any():
            two_paintings.compared("panoptic_two", picture, pairs_of(held.values), pairs_of(second))
        if picture.view is None:
            as_truth(held.values, said)
        else:
            scored(picture, held.values)


def as_truth(values: np.ndarray, said: np.ndarray) -> None:
    """The networks' map of a picture whose truth nobody knows but who painted it."""
    if not values.any():
        words(":gray[This picture has no truth: paint one, and it judges the networks. Empty pixels do not count.]",
              "panoptic_painted_truth")  # fmt: skip
        return
    judged = panoptic_quality.judge(pairs_of(values), said, THINGS)
    found = panoptic_quality.quality(panoptic_quality.tally(judged, len(CLASSES)))
    words(
        f"**The networks by your painting**: {means(found)} :gray[Matches {len(judged.matches)}, missed "
        f"{int(judged.missed.sum())}, wrong {int(judged.wrong.sum())}. Empty pixels do not count.]",
        "panoptic_painted_truth",
    )


def scored(picture: Picture, values: np.ndarray) -> None:
    """The PQ of what is painted, and where it is right."""
    truth = np.stack([picture.view.semantic, picture.view.panoptic], -1).astype(np.int64)
    judged = panoptic_quality.judge(truth, pairs_of(values), THINGS)
    found = panoptic_quality.quality(panoptic_quality.tally(judged, len(CLASSES)))
    pq, _, rq = (0.0 if np.isnan(value) else value for value in found.mean())
    with page.predict("panoptic-painted", "How high is the PQ of your map?", page.Number(0.0, 1.0, 0.05)) as prediction:
        words(f"{means(found)} :gray[Matches {len(judged.matches)}, missed {int(judged.missed.sum())}, "
              f"wrong {int(judged.wrong.sum())}.]", "panoptic_painted_score")  # fmt: skip
        fate = fate_of(judged.missed, judged.matches[:, 0])
        stage("panoptic_painted_truth", zoom=False, window=2).show(
            picture.image, [painted(fate, judged.truth.numbers, MISSED)], alt="The truth: what you matched and missed",
            caption="The truth. Blue: you matched it. Orange: missed.",
        )  # fmt: skip
        forgiven = panoptic_quality.judge(truth, pairs_of(values), THINGS, forgive_void=True)
        lenient = panoptic_quality.quality(panoptic_quality.tally(forgiven, len(CLASSES))).mean()[0]
        words(f":gray[Empty pixels cost what they cover, as in COCO's code. torchmetrics forgives them and says "
              f"{0 if np.isnan(lenient) else lenient:.2f}.]", "panoptic_painted_void")  # fmt: skip
        prediction.outcome(
            round(pq, 2),
            f"because RQ is {rq:.2f}: what has no match counts as nothing.",
        )
