"""The lectures' classifier, window by window and at once: the same scores, at very different prices."""

from contextlib import ExitStack
from time import perf_counter

import cv2
import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import sliding_window
from models import catalog
from pages.semantic_segmentation.shared import ORANGE, duration, largest_thing, millions
from ui import page
from ui.components import Box, Boxes, Grid, Heat, address, following, live_slider, matrices, stage, words
from ui.pictures import Picture

AT = "segmentation_window"
SIDES = (28, 32, 224)
PATCH, PATCHES = 64, 24  # side of the patch around a pixel, and how many of them are timed
OUTPUTS = {"4 scores": 4, "4 scores + 4 coordinates": 8}


@st.cache_resource(max_entries=2, show_spinner=False)
def network_of(outputs: int):
    return sliding_window.classifier(outputs)


def tensor_of(image: np.ndarray, side: int) -> Tensor:
    """The picture at `side`×`side` pixels, float (3, side, side) in 0 to 1."""
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small).permute(2, 0, 1).float() / 255


@st.fragment
@page.guard()
def windows(picture: Picture) -> None:
    page.section(
        "From a sliding window to a fully convolutional network",
        "A classifier for 28 × 28 pixels can be slid over a larger picture, or run once over all of it: the scores are "
        "the same. This one has random weights, so its scores say nothing about the picture.",
    )
    with ExitStack() as sliders:
        left, right = st.columns(2, gap="large", vertical_alignment="bottom")
        with left:
            side = sliders.enter_context(
                live_slider("Side of the picture", 28, 224, 64, step=4, unit="px", key="segmentation_side", play=True)
            )
        with right:
            outputs = OUTPUTS[st.segmented_control(
                "Each window says", list(OUTPUTS), default="4 scores", required=True, key="segmentation_outputs",
                bind="query-params",
            )]  # fmt: skip
        per_axis = sliding_window.map_sizes(side)[-1]
        # One window too few along each axis, one at every fourth pixel, one at every pixel.
        options = sorted({per_axis**2, (per_axis - 1) ** 2, (side // 4) ** 2, (side - 27) ** 2})
        with page.predict(
            "segmentation-count", f"How many windows of 28 × 28 pixels, 4 apart, has a picture of {side} × {side}?",
            [f"{option:,}" for option in options],
        ) as prediction:  # fmt: skip
            slid(picture, side, outputs)
            if not following():
                table(side)
            prediction.outcome(
                f"{per_axis**2:,}", f"because ({side} − 28) / 4 + 1 = {per_axis} stand along each axis. One pixel "
                f"apart there would be {(side - 27) ** 2:,}.",
            )  # fmt: skip
    if following():
        return
    last = sliding_window.map_sizes(224)[-1]
    page.erratum(
        "A 224 × 224 picture gives 50 × 50 = 4 sets of outputs.",
        f"A 224 × 224 picture gives {last} × {last} = {last * last} sets of outputs. Four is the 32 × 32 "
        f"picture's: 2 × 2. With a box for every window each set has 4 class scores and 4 coordinates, {4 + 4} "
        "channels.",
    )
    same_scores(picture, side, outputs)


def slid(picture: Picture, side: int, outputs: int) -> None:
    """Picture and map of scores with the chosen window, its scores from the crop and from the map, and the price."""
    left, right = st.columns(2, gap="large")
    with left:
        view = stage("segmentation_windows", zoom=False)
    with right:
        score_view = stage("segmentation_scores", zoom=False)
    sizes, (window, stride) = sliding_window.map_sizes(side), sliding_window.window_on_each_map()[0]
    network, pixels = network_of(outputs), tensor_of(picture.image, side)
    with torch.inference_mode():
        scores = sliding_window.scores_at_once(network, pixels)
        row, column = chosen_window(view, score_view, scores.shape[1:], middle_window(picture, side))
        crop = pixels[:, row * stride : row * stride + window, column * stride : column * stride + window]
        alone = network(crop[None])[0, :, 0, 0]
    with left:
        place = (column * stride, row * stride, column * stride + window, row * stride + window)
        view.show(
            (pixels.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy(),
            [Boxes([Box("window", tuple(map(float, place)), colour=ORANGE, width=3)])],
            alt="The picture with the chosen window", smooth=False, pick=(window / 2, stride),
            caption=f"One of {scores.shape[1]} × {scores.shape[2]} windows of {window} × {window} px, "
            f"{stride} px apart.",
        )  # fmt: skip
    with right:
        score_view.show(
            None,
            [Heat(scores[0].numpy(), opacity=1.0, smooth=False),
             Boxes([Box("cell", (column, row, column + 1, row + 1), colour=ORANGE, width=3)])],
            size=(scores.shape[2], scores.shape[1]), alt="The first of the scores for every window", pick=(0.5, 1.0),
            caption=f"The first score of every window, from one pass. Weights are random: it finds no "
            f"{sliding_window.CLASSES[0]}. Click a cell.",
        )  # fmt: skip
        comparison(alone, scores[:, row, column])
    count = scores.shape[1] * scores.shape[2]
    words(
        f"{side}² → "
        + " → ".join(f"**{each}²**" for each in sizes[1:])
        + f", so {sizes[-1]} × {sizes[-1]} = **{count:,} windows** with {outputs} numbers each, "
        f"{outputs * count:,} in all. Multiply-adds: window by window **{millions(price(outputs, 28) * count)}**, "
        f"at once **{millions(price(outputs, side))}**: "
        f"{price(outputs, 28) * count / price(outputs, side):.1f} times fewer.",
        "segmentation_sizes",
    )


@st.cache_data(max_entries=256, show_spinner=False)
def price(outputs: int, side: int) -> int:
    return sliding_window.multiply_adds(network_of(outputs), 1, 3, side, side)


def middle_window(picture: Picture, side: int) -> tuple[int, int]:
    """Row and column of the window over the middle of what `largest_thing` finds, in a picture of `side` pixels."""
    window, stride = sliding_window.window_on_each_map()[0]
    x, y = (at * side / picture.image.shape[0] for at in largest_thing(picture))
    return tuple(max(round((at - window / 2) / stride), 0) for at in (y, x))


def chosen_window(view, score_view, shape: tuple[int, int], default: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the window: the last click on either picture, from the address, cut to what there is."""
    window, stride = sliding_window.window_on_each_map()[0]
    if score_view.clicked:
        address.keep(AT, f"{int(score_view.click.y)},{int(score_view.click.x)}")
    elif view.clicked:  # the window whose middle is nearest
        row, column = (max(round((at - window / 2) / stride), 0) for at in (view.click.y, view.click.x))
        address.keep(AT, f"{row},{column}")
    try:
        row, column = address.numbers(AT, 2, int) or default
    except ValueError:
        page.problem(f"The link's {AT} is not a window like 4,4: click on a picture instead.")
        row, column = default
    return tuple(min(max(at, 0), most - 1) for at, most in zip((row, column), shape, strict=True))


def comparison(alone: Tensor, from_map: Tensor) -> None:
    """The scores of one window, from the crop alone and from the map."""
    names = [*sliding_window.CLASSES, "x", "y", "w", "h"][: len(alone)]
    both = torch.stack([alone, from_map], dim=1).double().numpy()
    matrices("segmentation_same").show(
        [Grid("scores", both, title="this window, from its crop and from the map", rows=names,
              columns=["crop", "map"], format="%.4f", cell=34)],
        caption=f"Largest difference {float((alone - from_map).abs().max()):.1e}. The weights are random: the equality "
        "holds for any.",
    )  # fmt: skip


def table(side: int) -> None:
    """The lectures' inputs layer by layer, and what the sliding window is on every map."""
    shown = sorted({*SIDES, side})
    rows = [f"| map | window, stride on it | {' | '.join(f'{each}² input' for each in shown)} |",
            "| --- | --- |" + " --- |" * len(shown)]  # fmt: skip
    found = [sliding_window.map_sizes(each) for each in shown]
    on_maps = sliding_window.window_on_each_map()
    for depth, name in enumerate(("picture", *(f"after {layer}" for layer in sliding_window.NAMES))):
        seen = f"{on_maps[depth][0]} × {on_maps[depth][0]}, {on_maps[depth][1]}" if depth < len(on_maps) else "scores"
        rows.append(f"| {name} | {seen} | " + " | ".join(f"{sizes[depth]}²" for sizes in found) + " |")
    st.markdown("\n".join(rows))


@st.fragment
@page.guard()
def same_scores(picture: Picture, side: int, outputs: int) -> None:
    """The button that runs both for real."""
    st.subheader("Measured on this machine", anchor="measured")
    slot = measurement(picture.image, side, outputs)
    if st.button("Run every window", icon=":material/play_arrow:", key="segmentation_measure", disabled=bool(slot)):
        bar = st.progress(0.0)
        slot[:] = measure(picture.image, side, outputs, lambda share, text: bar.progress(share, text))
        bar.empty()
    if not slot:
        st.caption(
            f"All windows of the {side} × {side} picture through the classifier, one after the other; then one pass. "
            f"Then {PATCHES} patches of {PATCH} × {PATCH} px through the lab's segmenter, as if every pixel were "
            "labelled by looking at the patch around it."
        )
        return
    st.markdown("\n".join(slot))


@st.cache_resource(max_entries=32, show_spinner=False)
def measurement(image: np.ndarray, side: int, outputs: int) -> list[str]:
    """Where the table of a picture lies, once somebody has measured it."""
    return []


def measure(image: np.ndarray, side: int, outputs: int, tell) -> list[str]:
    """The table, as lines of Markdown."""
    network, pixels = network_of(outputs), tensor_of(image, side)
    window, stride = sliding_window.window_on_each_map()[0]
    every = max(1, sliding_window.windows_along(side, window, stride) ** 2 // 50)

    def report(done: int, total: int) -> None:
        if done % every == 0 or done == total:
            tell(0.7 * done / total, f"Window {done:,} of {total:,}")

    with torch.inference_mode():
        at_once, once = timed(lambda: sliding_window.scores_at_once(network, pixels), repeats=5)
        one_by_one, slid = timed(lambda: sliding_window.scores_by_window(network, pixels, window, stride, 1, report))
    difference = float((one_by_one - at_once).abs().max())
    count = at_once.shape[1] * at_once.shape[2]
    segmenter = catalog.load("segmenter-bilinear")
    whole, labels_at_once = timed(lambda: segmenter(image), repeats=3)
    rng = np.random.default_rng(0)
    corners = rng.integers(0, min(image.shape[:2]) - PATCH + 1, (PATCHES, 2))
    patch_seconds = []
    for done, (top, left) in enumerate(corners.tolist(), start=1):
        patch = np.ascontiguousarray(image[top : top + PATCH, left : left + PATCH])
        patch_seconds.append(timed(lambda patch=patch: segmenter(patch))[1])
        tell(0.7 + 0.3 * done / PATCHES, f"Patch {done} of {PATCHES}")
    per_pixel = whole.labels.size
    slid_labels = per_pixel * float(np.median(patch_seconds))
    by_pixel, in_one = (segmenter_price(size) for size in (PATCH, image.shape[0]))
    ratio = lambda many, one: f"{many / one:,.1f}" if many / one < 100 else f"{many / one:,.0f}"  # noqa: E731
    single = price(outputs, window)
    return [
        "| | passes | multiply-adds | time here |",
        "| --- | ---: | ---: | ---: |",
        f"| classifier, window by window | {count:,} | {millions(single * count)} | {duration(slid)} |",
        f"| classifier, at once | 1 | {millions(price(outputs, side))} | {duration(once)} |",
        f"| *times cheaper* | | {ratio(single * count, price(outputs, side))} | {ratio(slid, once)} |",
        f"| segmenter, a patch for every pixel | {per_pixel:,} | {millions(by_pixel * per_pixel)} "
        f"| about {duration(slid_labels)} |",
        f"| segmenter, at once | 1 | {millions(in_one)} | {duration(labels_at_once)} |",
        f"| *times cheaper* | | {ratio(by_pixel * per_pixel, in_one)} | {ratio(slid_labels, labels_at_once)} |",
        "",
        f"*About*: {PATCHES} patches were timed, and all would take so long. Over all {count:,} windows the "
        f"classifier's two ways differ by at most **{difference:.1e}** in any score: rounding. The segmenter's patches "
        "see less around each pixel than the whole picture does, and still cost more.",
    ]


@st.cache_data(show_spinner=False)
def segmenter_price(side: int) -> int:
    module = catalog.family("segmenter-bilinear").build("segmenter-bilinear").eval()  # one of our own: torch hooks it
    return sliding_window.multiply_adds(module, 1, 3, side, side)


def timed(call, repeats: int = 1) -> tuple:
    """What the call returns, and the seconds of its quickest run."""
    best = float("inf")
    for _ in range(repeats):
        start = perf_counter()
        result = call()
        best = min(best, perf_counter() - start)
    return result, best
