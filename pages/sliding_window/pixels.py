"""The window's class for its central pixel: the same machine as a segmenter, beside the fully convolutional one."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import streamlit as st
import torch

import scenes
from labs import image_pyramid, segmentation_metrics, sliding_window
from labs.sliding_window import CLASSES
from models import catalog
from models.networks.window import to_tensor
from models.recipes.scene_cache import SIZE, held_out_seeds
from pages.shared import offered
from pages.shared.swatches import swatches
from pages.sliding_window.searched import CLASSIFIER, HOW, WIDE, network_of
from ui import page
from ui.components import Labels, following, live_slider, stage, words
from ui.pictures import KEPT, Picture

SEGMENTER = "segmenter-bilinear"
STRIDES = (1, 2, 4, 8, 16)
COUNT = 20  # held-out scenes
OTHER = len(CLASSES) - 1
BANDS = {"up to 0.3": 0.3, "0.3 to 0.5": 0.5, "0.5 to 0.7": 0.7, "above 0.7": 1.0}
PALETTE = [*(scenes.PALETTE[name] for name in CLASSES[:-1]), None]
# Of Lab World's thirteen classes, what the windows call them.
FOLDED = np.array([CLASSES.index(name) if name in CLASSES else OTHER for name in scenes.CLASSES], np.uint8)


@dataclass(frozen=True, eq=False)
class Labelled:
    """A class for every pixel, uint8 (H, W) into CLASSES, and the seconds that it took."""

    labels: np.ndarray
    seconds: float


@st.cache_resource(max_entries=128, show_spinner=False)  # shared and only read
def by_windows(name: str, image: np.ndarray, side: int, stride: int) -> Labelled:
    """Every pixel's class is that of the window around it."""
    return label_by_windows(name, image, side, stride)


def label_by_windows(name: str, image: np.ndarray, side: int, stride: int) -> Labelled:
    """`side` is that of the window in pixels of the picture, `stride` is on the copy on which it is 28 pixels wide."""
    height, width = image.shape[:2]
    with torch.inference_mode():
        start = perf_counter()
        small = to_tensor(image_pyramid.pyramid(image, [size_for(image, side)])[0])
        scores = image_pyramid.scores_of_centres(network_of(name), small, HOW, stride)
        labels = scores.argmax(0)
        rows, columns = (
            (2 * torch.arange(n) + 1) * small.shape[1 + axis] // (2 * n) for axis, n in enumerate((height, width))
        )
        return Labelled(labels[rows][:, columns].to(torch.uint8).numpy(), perf_counter() - start)


def size_for(image: np.ndarray, side: int) -> tuple[int, int]:
    """(height, width) of the copy on which a window of `side` pixels has the size that the network takes."""
    height, width = (round(each * HOW.window / side) for each in image.shape[:2])
    return height, width


@st.cache_resource(max_entries=64, show_spinner=False)
def by_segmenter(image: np.ndarray) -> Labelled:
    found = catalog.load(SEGMENTER)(image)
    return Labelled(FOLDED[found.labels], found.seconds)


@st.cache_data(max_entries=256, show_spinner=False)
def price_of_windows(name: str, size: tuple[int, int], stride: int) -> int:
    """Multiply-adds of all passes; a stride below the network's own takes several."""
    module = catalog.family(name).build(name).eval()  # one of our own: torch hooks it
    wide = [each + HOW.window - 1 for each in size]
    passes = max(HOW.stride // stride, 1) ** 2
    return passes * sliding_window.multiply_adds(module, 1, 3, *wide)


@st.cache_data(max_entries=16, show_spinner=False)
def price_of_segmenter(size: tuple[int, int]) -> int:
    module = catalog.family(SEGMENTER).build(SEGMENTER).eval()
    return sliding_window.multiply_adds(module, 1, 3, *(-(-each // 16) * 16 for each in size))


@st.fragment
@page.guard()
def pixels(picture: Picture) -> None:
    """Both maps beside the truth."""
    page.section(
        "The label for the central pixel",
        "Give the class of each window to the pixel in its middle, and the detector becomes a segmenter: with a window "
        "at every pixel, every pixel has a class.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "Network", (WIDE, CLASSIFIER), default=WIDE, required=True, key="window_pixels_network", **KEPT
        )
        stride = st.segmented_control(
            "A window at every … pixels", STRIDES, default=2, required=True, key="window_pixels_stride", **KEPT,
            help="On the shrunken copy. Below 4, the network's own stride, it runs on shifted copies of the picture.",
        )  # fmt: skip
    with live_slider("Side of the window", HOW.window, 112, 48, step=4, unit="px", key="window_pixels_side") as side:
        # A fine stride takes several passes: under the hand the network's own will do.
        drawn = max(stride, HOW.stride) if following() else stride
        slid, whole = by_windows(name, picture.image, side, drawn), by_segmenter(picture.image)
        if picture.view is None:
            maps(picture, slid, whole, "")
        else:
            compared(picture, slid, whole, side)
    if following():
        return
    costs(picture.image, name, side, stride, slid, whole)
    over_scenes(name, side, stride)


def compared(picture: Picture, slid: Labelled, whole: Labelled, side: int) -> None:
    """The maps with their scores, behind the question how close they come."""
    truth = FOLDED[picture.view.semantic]
    scores = [score_of(truth, each.labels) for each in (slid, whole)]
    with page.predict(
        "window-pixels",
        f"On this picture the fully convolutional {SEGMENTER} has mIoU {scores[1]:.2f} over the windows' classes. And "
        f"the windows of {side} px?", list(BANDS),
    ) as prediction:  # fmt: skip
        maps(picture, slid, whole, f"mIoU windows **{scores[0]:.3f}** · {SEGMENTER} **{scores[1]:.3f}**")
        prediction.outcome(
            next(name for name, most in BANDS.items() if scores[0] <= most),
            f"{scores[0]:.3f} beside {scores[1]:.3f}. The window learned *what fills me*, not *what is in my middle*: "
            "its regions are blobs around the things. The segmenter learned the pixels.",
        )  # fmt: skip


def score_of(truth: np.ndarray, labels: np.ndarray) -> float:
    """mIoU of one scene over the classes of its truth, "other" among them."""
    return segmentation_metrics.scene_mean_iou(segmentation_metrics.confusion_matrix(truth, labels, len(CLASSES)))


def maps(picture: Picture, slid: Labelled, whole: Labelled, said: str) -> None:
    """The pictures under their labels; what is "other" stays clear."""
    views = [("slid", slid.labels, "The class of each window, at its central pixel"),
             ("whole", whole.labels, f"{SEGMENTER}, its other classes folded into one")]  # fmt: skip
    if picture.view is not None:
        views.append(("truth", FOLDED[picture.view.semantic], "The truth"))
    for (key, labels, caption), column in zip(views, st.columns(len(views), gap="medium"), strict=True):
        with column:
            stage(f"window_pixels_{key}", zoom=False).show(
                picture.image, [Labels(labels, PALETTE, 0.8)], alt=caption, caption=caption
            )
    words(said, "window_pixels_score")
    if not following():
        st.html(swatches((scenes.PALETTE[name], name) for name in CLASSES[:-1]))


def costs(image: np.ndarray, name: str, side: int, stride: int, slid: Labelled, whole: Labelled) -> None:
    """Multiply-adds and time of both."""
    many, one = price_of_windows(name, size_for(image, side), stride), price_of_segmenter(image.shape[:2])
    passes = max(HOW.stride // stride, 1) ** 2
    st.markdown(
        f"| | passes | multiply-adds | time here |\n| --- | ---: | ---: | ---: |\n"
        f"| {name} | {passes} | {many / 1e6:,.0f} M | {slid.seconds * 1000:,.0f} ms |\n"
        f"| {SEGMENTER} | 1 | {one / 1e6:,.0f} M | {whole.seconds * 1000:,.0f} ms |"
    )


@st.cache_resource(show_spinner=False)
def known() -> dict[tuple, np.ndarray]:
    """Confusions (2, 4, 4) over the held-out scenes, windows and segmenter, by network, side and stride."""
    return {}


def work(name: str, side: int, stride: int, done_before: dict[tuple, np.ndarray]) -> Iterator[tuple[int, int, str]]:
    """Label the held-out scenes in both ways, and write the counts into what is `known`."""
    segmenter = catalog.load(SEGMENTER)
    both = np.zeros((2, len(CLASSES), len(CLASSES)), np.int64)
    for done, seed in enumerate(held_out_seeds(COUNT), start=1):
        view = scenes.render(scenes.sample(seed), SIZE)
        truth = FOLDED[view.semantic]
        found = label_by_windows(name, view.image, side, stride).labels, FOLDED[segmenter(view.image).labels]
        both += [segmentation_metrics.confusion_matrix(truth, each, len(CLASSES)) for each in found]
        yield done, COUNT, "Scenes"
    done_before[name, side, stride] = both


def over_scenes(name: str, side: int, stride: int) -> None:
    """mIoU per class over scenes that no network has seen, once somebody asks."""
    what, table = (name, side, stride), known()
    if what not in table:
        st.caption(f"One picture proves little. On {COUNT} scenes that no network has seen, in the background:")
        offered.offer("window_pixels_judge", what, "Measure the mIoU", lambda: work(*what, table))
        return
    ious = [segmentation_metrics.class_iou(each) for each in table[what]]
    lines = [f"| IoU over {COUNT} scenes | {' | '.join(CLASSES)} | mIoU |", f"| --- |{' ---: |' * (len(CLASSES) + 1)}"]
    for label, iou, confusion in zip((name, SEGMENTER), ious, table[what], strict=True):
        mean = segmentation_metrics.mean_iou(confusion)
        lines.append(f"| {label} | {' | '.join(f'{each:.3f}' for each in iou)} | **{mean:.3f}** |")
    st.markdown("\n".join(lines))
