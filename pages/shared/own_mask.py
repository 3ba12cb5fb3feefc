"""The truth of an own picture, painted by hand: a class for every pixel, and what a segmenter is worth by it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from labs import annotator_agreement, segmentation_metrics
from labs.coco_file import Mark
from pages.shared import drawing_files, drawing_link
from pages.shared.swatches import swatches
from ui import page
from ui.components import Brush, Labels, address, brush, following, live_slider, resting, stage, words
from ui.pictures import KEPT, Picture

TOOLS = {"Brush": "brush", "Fill": "fill", "Erase": "erase"}
ORANGE, BLUE, GREY = "#D55E00", "#0072B2", "#8A8F98"
EMPTY = (
    ":gray[Paint the first class: pixels that you leave empty do not count, as at the borders of things in Pascal VOC.]"
)


@dataclass(frozen=True, eq=False)
class Seen:
    """What a network says of the picture: `labels` integers (H, W) over `classes`, a colour of `palette` for each."""

    name: str
    labels: np.ndarray
    classes: tuple[str, ...]
    palette: Sequence[str]


def opened(key: str, picture: Picture) -> bool:
    """The switch, where the picture has no truth; whether somebody wants to paint."""
    if picture.view is not None:
        drawing_link.waiting(
            f"{key}_truth", lambda text: drawing_link.values_of(text, picture.image.shape[:2], 256),
            "The link holds a truth painted on another picture: choose that picture, and it is there.",
        )  # fmt: skip
        return False
    page.section(
        "Paint the truth",
        "Paint what every pixel shows, and the functions that score on Lab World score here.",
    )
    return st.toggle("Paint the truth", key=f"{key}_draw", bind="query-params")


@st.fragment
@page.guard()
def paint(key: str, picture: Picture, *every: Seen) -> None:
    """The brush, what `every` network is worth by it, and a second painting. The networks know the same classes. `key`
    starts the names of all controls and of the link."""
    seen = every[0]
    key = f"{key}_truth"
    held, second, size = f"{key}_brush", f"{key}_second", picture.image.shape[:2]
    # Another list of classes has paints of its own.
    turned = drawing_link.turned_to(key, Picture(picture.image, f"{picture.name} {len(seen.classes)}"), (held, second))
    if turned == "first":
        st.session_state[held] = from_link(key, size, len(seen.classes) + 1)
        st.session_state[second] = from_link(f"{key}_2", size, len(seen.classes) + 1)
    with st.container(key=f"{key}_tools", horizontal=True, vertical_alignment="bottom"):
        tool = st.segmented_control("Tool", list(TOOLS), default="Brush", required=True, key=f"{key}_tool",
                                    bind="query-params")  # fmt: skip
        name = st.selectbox("Class", seen.classes, key=f"{key}_class", width=170, **KEPT)
        folder = st.popover("Files", icon=":material/folder_open:")
    with folder:
        files(key, picture, seen, held, second)
    left, right = st.columns(2, gap="medium")
    with left, live_slider("Brush size", 1, 40, 10, key=f"{key}_radius", unit="px", window=2) as radius:
        painted = brush(
            held, (size[1], size[0]), [None, *seen.palette], paint=seen.classes.index(name) + 1, name=name,
            tool=TOOLS[tool], radius=radius, sheet=st.session_state[f"_{key}_drawn_on"], window=2,
        )  # fmt: skip
        painted.show(picture.image, alt="The picture to paint on", caption=f"In hand: {tool.lower()}, {name}.")
        with right:
            scored(key, painted.values, every)
            other = st.session_state.get(second)
            if other is not None and other.any():
                compared(key, painted.values, other, seen)
    if not following():
        with folder:
            drawing_files.offered(key, picture, marks_of(painted.values, seen.classes))
        st.html(swatches(zip(seen.palette, seen.classes, strict=True)))
    remembered(key, painted, st.session_state.get(second))


def files(key: str, picture: Picture, seen: Seen, held: str, second: str) -> None:
    """Load a painting, and a second one."""
    size = picture.image.shape[:2]
    for name, label, into in (("load", "Load a painting", held), ("other", "A second painting to compare", second)):
        found = drawing_files.taken(f"{key}_{name}", label, picture, seen.classes, masks=True)
        if found is not None:
            st.session_state[into] = values_of(found.marks, seen.classes, size)
    without_second(key, second)


def without_second(key: str, second: str) -> None:
    """The button that puts the second painting away, which the session holds under the name `second`."""
    there = st.session_state.get(second)
    st.button("Without the second painting", icon=":material/close:", key=f"{key}_alone",
              disabled=there is None or not there.any(), on_click=alone, args=(second,))  # fmt: skip


def alone(second: str) -> None:
    st.session_state.pop(second, None)


def marks_of(values: np.ndarray, classes: Sequence[str]) -> list[Mark]:
    """Paint, uint8 (H, W), as one mark for each class, with its mask."""
    marks = []
    for paint in np.unique(values[values > 0]).tolist():
        mask = values == paint
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        box = float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
        marks.append(Mark(classes[paint - 1], box, mask))
    return marks


def values_of(marks: Sequence[Mark], classes: Sequence[str], size: tuple[int, int]) -> np.ndarray:
    """The paint of marks with masks; a later one covers an earlier one."""
    values = np.zeros(size, np.uint8)
    for mark in marks:
        values[mark.mask] = classes.index(mark.name) + 1
    return values


def from_link(link: str, size: tuple[int, int], paints: int) -> np.ndarray:
    """The paint in the address, below `paints`; none, with a sentence, where it is not of this picture."""
    try:
        return drawing_link.values_of(address.linked(link) or "", size, paints)
    except ValueError as refused:
        page.problem(str(refused))
        return np.zeros(size, np.uint8)


def remembered(key: str, painted: Brush, other: np.ndarray | None) -> None:
    """Once the hand rests, both paintings stand in the address."""
    if following() or not resting(painted.key):
        return
    texts = {key: painted.values, f"{key}_2": np.zeros(1, np.uint8) if other is None else other}
    if not all([drawing_link.keep(link, drawing_link.packed(values)) for link, values in texts.items()]):
        st.caption(drawing_link.TOO_LONG)


def confusion(values: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Of the pixels that are painted: their class down, what is said of them across."""
    there = values > 0
    return segmentation_metrics.confusion_matrix(values[there][None].astype(np.int64) - 1, labels[there][None], classes)


def scored(key: str, values: np.ndarray, every: Sequence[Seen]) -> None:
    """The networks against what is painted: figures of all, and where the one that is shown is right."""
    if not values.any():
        words(EMPTY, f"{key}_figures")
        return
    at, names = 0, [each.name for each in every]
    if len(every) > 1:
        which = st.segmented_control("Shown", names, default=names[0], required=True, key=f"{key}_shown", **KEPT)
        at = names.index(which)
    counts = [confusion(values, each.labels, len(each.classes)) for each in every]
    told = [
        f"**{name}**: mIoU **{segmentation_metrics.scene_mean_iou(count):.3f}** · pixel accuracy "
        f"**{segmentation_metrics.pixel_accuracy(count):.3f}**"
        for name, count in zip(names, counts, strict=True)
    ]
    seen, count = every[at], counts[at]
    ious = segmentation_metrics.class_iou(count)
    each = " · ".join(f"{seen.classes[c]} {ious[c]:.2f}" for c in np.flatnonzero(count.sum(1)).tolist())
    told.append(f"**{(values > 0).mean():.0%}** of the pixels painted. IoU of each class painted: {each}")
    words("\n\n".join(told), f"{key}_figures")
    fate = np.where(values == 0, 0, np.where(seen.labels == values.astype(np.int64) - 1, 1, 2)).astype(np.uint8)
    stage(f"{key}_fate", zoom=False, window=2).show(
        None, [Labels(fate, [GREY, BLUE, ORANGE], 1.0)], size=values.shape[::-1],
        alt="Where the network agrees with your painting",
        caption="Blue: the class that you painted. Orange: another one. Grey: not painted.",
    )  # fmt: skip


def compared(key: str, mine: np.ndarray, other: np.ndarray, seen: Seen) -> None:
    """Two paintings: agreement of the pixels that both have painted, and where they differ."""
    both = (mine > 0) & (other > 0)
    counts = confusion(np.where(both, mine, 0), other.astype(np.int64) - 1, len(seen.classes))
    overlap = segmentation_metrics.mean_iou(counts)
    kappa = annotator_agreement.kappa(counts)
    alone_mine, alone_other = ((a > 0) & (b == 0) for a, b in ((mine, other), (other, mine)))
    figures = "no pixel in common" if np.isnan(overlap) else (
        f"mIoU **{overlap:.3f}** · Cohen's kappa **{'undefined' if np.isnan(kappa) else f'{kappa:.3f}'}**"
    )  # fmt: skip
    words(
        f"**Two paintings**: {figures}, over {int(both.sum()):,} pixels that both painted · only yours "
        f"{int(alone_mine.sum()):,} · only the second {int(alone_other.sum()):,}",
        f"{key}_two",
    )
    fate = np.zeros(mine.shape, np.uint8)
    fate[both] = np.where(mine == other, 1, 2)[both]
    fate[alone_mine | alone_other] = 3
    stage(f"{key}_two_map", zoom=False, window=2).show(
        None, [Labels(fate, [GREY, BLUE, ORANGE, "#F0E442"], 1.0)], size=mine.shape[::-1],
        alt="Where both paintings agree",
        caption="Blue: both the same class. Orange: two classes. Yellow: only one of you painted. Grey: nobody.",
    )  # fmt: skip
