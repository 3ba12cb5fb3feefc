"""One linear SVM a class: which regions it learns from, and the margin of one region as a sum over its cells."""

from collections.abc import Sequence
from contextlib import ExitStack
from time import perf_counter

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import region_svm
from labs.region_warp import PAPER_PADDING, WARP
from models import catalog
from models.networks.rcnn import GRID, LoadedRcnn
from pages.rcnn_family import crops_work
from pages.rcnn_family.crop_pictures import crop_of
from pages.rcnn_family.crops_work import NETWORK
from pages.rcnn_family.shared import BLUE, GREEN, GREY, ORANGE, VERMILION, Look, best_fit, numbered, truths, xyxy
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, Grid, following, live_slider, matrices, stage, words
from ui.pictures import KEPT

DRAWN = 150  # regions on the picture


def svms(look: Look) -> None:
    page.section(
        "One linear SVM per class",
        "The network's numbers for a region, weighed and summed: above 0 the SVM of that class says yes.",
    )
    category = st.selectbox("Class", THINGS, THINGS.index("car"), key="rcnn_class", width=200, **KEPT)
    learned_from(look, category)
    opened(look, category)


@st.fragment
@page.guard()
def learned_from(look: Look, category: str) -> None:
    """Positive, negative and left out: the paper's thresholds, movable."""
    if look.picture.view is None:
        st.info("Which regions are positive is only known where the truth is known: in a Lab World scene.",
                icon=":material/info:")  # fmt: skip
        return
    things = [thing.box for thing in look.picture.view.instances if thing.label == category]
    truth = torch.from_numpy(np.array(things, np.float32)).reshape(-1, 4)
    regions = torch.cat([truth, look.boxes])  # as in training, the true boxes are among the regions
    with ExitStack() as sliders:
        left, right = st.columns(2, gap="large")
        with left:
            low = sliders.enter_context(
                live_slider("Negative below IoU", 0.0, 0.5, region_svm.NEGATIVE, step=0.05, key="rcnn_negative",
                            format="%.2f", window=2)
            )  # fmt: skip
        with right:
            high = sliders.enter_context(
                live_slider("Positive from IoU", 0.5, 1.0, region_svm.POSITIVE, step=0.05, key="rcnn_positive",
                            format="%.2f", window=2)
            )  # fmt: skip
        label = region_svm.label_regions(regions, truth, high, low)
        yes, no, out = (int((label == each).sum()) for each in (1, -1, 0))
        hard = hard_ones(look, label[len(truth) :], category)
        with page.predict(
            "rcnn-negatives", f"{len(regions)} regions, {len(truth)} of them the true boxes of {category}: how many are"
            f" negative for its SVM, with an IoU below {low:.2f}?",
            page.Number(0, max(len(regions), 1), 1, "regions"),
        ) as prediction:  # fmt: skip
            picture, beside = st.columns([3, 2], gap="large")
            with picture:
                stage("rcnn_labels", zoom=False, width=440, window=2).show(
                    look.picture.image,
                    [Boxes(labelled(regions, label, [] if hard is None else [len(truth) + each for each in hard]))],
                    alt=f"What the SVM of {category} learns from",
                    caption="Blue: positive. Vermilion: negative, bold where it is hard. Grey, dashed: left out.",
                )
            with beside:
                words(
                    f"For **{category}**: **{yes}** positive, **{no}** negative, **{out}** left out.",
                    "rcnn_labels_said",
                )
                words(
                    "Run R-CNN above to see which of the negatives are hard."
                    if hard is None
                    else f"**{len(hard)}** of the negatives are hard: their margin is above −1, so they still cost.",
                    "rcnn_hard_said",
                )
            prediction.outcome(no, "because most regions hold something else, or nothing.")
    if not following():
        st.caption(
            "The paper's SVMs take the true boxes alone as positive (IoU 1) and regions below 0.3 as negative; what "
            "lies between is left out. Most negatives are easy, so only those that an SVM gets wrong are kept, the "
            "hard negatives. To fine-tune the network, the paper took regions from IoU 0.5 on as positive."
        )


def hard_ones(look: Look, label: Tensor, category: str) -> list[int] | None:
    """Which proposals are hard negatives of a class, the wrongest first; None before R-CNN has seen them all."""
    if not crops_work.finished(look):
        return None
    margins = crops_work.margins_of(look)[:, THINGS.index(category)]
    return region_svm.hard(margins, label).tolist()


def labelled(regions: Tensor, label: Tensor, hard: Sequence[int]) -> list[Box]:
    """Regions in the colour of what they are, those at `hard` bold; the positive ones on top."""
    looks = {-1: (VERMILION, False, 1.0), 0: (GREY, True, 1.5), 1: (BLUE, False, 3.0)}
    order = sorted(range(min(len(regions), DRAWN)), key=lambda i: (int(label[i]), i in hard))
    return [Box(f"region-{i}", xyxy(regions[i]), "", looks[int(label[i])][0], dash=looks[int(label[i])][1],
                width=3.0 if i in hard else looks[int(label[i])][2]) for i in order]  # fmt: skip


@st.fragment
@page.guard()
def opened(look: Look, category: str) -> None:
    """The margins of one region, and that of the class as a sum over the cells of the crop."""
    boxes = look.boxes
    if not len(boxes):
        return
    network = catalog.load(NETWORK)
    index = THINGS.index(category)
    with numbered("Region", len(boxes), best_fit(look), "rcnn_region") as number:
        box = boxes[number - 1]
        start = perf_counter()
        features = network.features(network.crops(look.picture.image, box[None]))
        seconds = perf_counter() - start
        margins = network.judge(features)[0][0]
        cells, bias = votes(network, features[0], index)
        where, crop, sums = st.columns([3, 2, 3], gap="medium")
        with where:
            stage("rcnn_region_at", zoom=False, width=300).show(
                look.picture.image, [Boxes([*truths(look), Box("region", xyxy(box), "", ORANGE, width=3)])],
                alt=f"Region {number}", caption=f"Region {number}",
            )  # fmt: skip
        with crop:
            stage("rcnn_region_crop", zoom=False, width=190).show(
                crop_of(look.picture.image, box, PAPER_PADDING, WARP), alt="The region, warped", caption="warped"
            )
        says = "yes" if margins[index] > 0 else "no"
        with sums:
            limit = float(cells.abs().max()) or 1.0
            matrices("rcnn_cells", window=2).show(
                [Grid("cells", cells.numpy(), title=f"what each cell of the crop adds for {category}", format="%.2f",
                      colour="diverging", vmin=-limit, vmax=limit, cell=64)],
            )  # fmt: skip
            words(
                f"Sum of the cells {signed(float(cells.sum()))}, bias {signed(bias)}: margin "
                f"**{signed(float(margins[index]))}**. The SVM of {category} says **{says}**.",
                "rcnn_margin",
            )  # fmt: skip
        best = int(margins.argmax())
        matrices("rcnn_margins", window=2).show(
            [Grid("margins", margins[None].numpy(), title="the margins of all eight SVMs", columns=list(THINGS),
                  format="%.2f", cell=84, colour=[[GREEN if i == best and margins[i] > 0 else None
                                                  for i in range(len(THINGS))]])],
        )  # fmt: skip
    if not following():
        st.caption(
            f"The network gives 128 maps of {GRID} × {GRID} cells, {GRID * GRID * 128:,} numbers. A margin is no "
            "probability: the SVMs do not know of each other, and several may say yes."
        )
        page.footer(network.name, network.device, seconds * 1000)


def votes(network: LoadedRcnn, features: Tensor, index: int) -> tuple[Tensor, float]:
    """w·φ of one SVM, summed over the 128 maps at each of the cells (3, 3), and its bias: together the margin."""
    head = network.module.head
    weights = head.svms.weight[index].float().cpu()
    products = weights * features * float(head.scale)
    return products.view(-1, GRID, GRID).sum(0), float(head.svms.bias[index])


def signed(value: float) -> str:
    """Two decimals, with a sign."""
    return f"{value:+.2f}".replace("-", "−")
