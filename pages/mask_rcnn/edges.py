"""How fine is 28x28? A head that makes no mistake still draws with M x M cells, and where the real one's errors lie."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs import region_masks as rm
from pages.mask_rcnn.shared import BLUE, ORANGE, SIZE, compared, said_of, thing_names, truths, xyxy
from pages.shared.heat_maps import greyed
from ui import page
from ui.components import following, live_slider, stage, words
from ui.pictures import KEPT, Picture

GRIDS = (7, 14, 28, 56, 112)
WITHIN = [1.0, 2.0, 3.0, 5.0]  # pixels from the exact edge
WHOLE, EXACT = RULES = ("Whole pixels, as torchvision", "No rounding, as Detectron2")
PERFECT, HEAD = "Without mistakes, M × M", "The detector's head, 28 × 28"


@st.fragment
@page.guard()
def edges(picture: Picture) -> None:
    page.section("How fine are 28 × 28 cells?", "Cut every exact mask to M × M cells and paste it back: what is lost "
                 "is lost to the grid alone.")  # fmt: skip
    if picture.view is None or not len(picture.view.instances):
        st.info("This section needs exact masks: choose a Lab World scene with things above.")
        return
    boxes, labels, masks = truths(picture)
    names = thing_names(picture)
    rule = st.segmented_control("How it is cut and pasted", RULES, default=RULES[0], required=True, key="mask_rule",
                                **KEPT)  # fmt: skip
    with live_slider("Cells a side, M", options=list(GRIDS), value=28, key="mask_grid") as size:
        perfect = pasted_back(picture.image, boxes.numpy(), masks.numpy(), size, rule == EXACT)
        mine = head_masks(picture.image, boxes, labels)
        fits = torch.tensor([rm.mask_iou(found, truth) for found, truth in zip(perfect, masks, strict=True)])
        own = torch.tensor([rm.mask_iou(found, truth) for found, truth in zip(mine, masks, strict=True)])
        left, right = st.columns(2, gap="large")
        for place, key, found, title in ((left, "mask_perfect", perfect, f"Without mistakes, {size} × {size}"),
                                         (right, "mask_own", mine, HEAD)):  # fmt: skip
            with place:
                stage(key, window=1).show(
                    greyed(picture.image), [compared(found.any(0), masks.any(0))], alt=f"{title} on the exact masks",
                    caption=f"{title}. Blue: both. Orange: missing. Red: too much.",
                )  # fmt: skip
        words(f"Mean IoU over {len(names)} {'thing' if len(names) == 1 else 'things'}: **{float(fits.mean()):.3f}** "
              f"for the exact masks through {size} × {size} cells, **{float(own.mean()):.3f}** for the head.",
              "mask_grid_said")  # fmt: skip
    sides = masks.flatten(1).sum(1).float().sqrt()
    worst = int(fits.argmin())
    with page.predict("mask-worst", f"Which thing loses most to the grid of {size} × {size} cells?",
                      names) as prediction:  # fmt: skip
        chart, bars = st.columns(2, gap="large")
        with chart:
            page.figure(by_size(sides, fits, own, names), "mask_by_size", height=320, alt="IoU against size of things")
        with bars:
            share = wrong_shares(mine.numpy(), masks.numpy())
            page.figure(where_wrong(share), "mask_where_wrong", height=320, alt="Wrong pixels by distance to the edge")
        prediction.outcome(names[worst], f"IoU {float(fits[worst]):.3f}: {int(masks[worst].sum())} pixels, and much "
                           "of it is edge or finer than a cell.")  # fmt: skip
    if not following():
        st.caption(
            f"Of the head's wrong pixels {float(share[0]):.0%} lie within 1 pixel of the exact edge, "
            f"{float(share[2]):.0%} within 3. With whole pixels, as in the code of Mask R-CNN's first years, the truth "
            "is cut half a pixel too far down and right and pasted into a box that is up to a pixel too large: for "
            "small things that costs more than the grid, and a finer grid does not help. This head was trained so."
        )


@st.cache_resource(max_entries=64, show_spinner=False)  # shared and only read
def pasted_back(image: np.ndarray, boxes: np.ndarray, masks: np.ndarray, size: int, exact: bool) -> Tensor:
    """Every exact mask through a grid of size x size cells in its own box, and back, bool (T, 224, 224)."""
    where = torch.from_numpy(boxes)
    cut = rm.targets(torch.from_numpy(masks).float(), where, size, aligned=exact)
    back = rm.paste_exactly if exact else rm.paste
    return torch.stack([rm.above(back(each, box, (SIZE, SIZE)), 0.5) for each, box in zip(cut, where, strict=True)])


def head_masks(image: np.ndarray, boxes: Tensor, labels: Tensor) -> Tensor:
    """The detector's masks in the true boxes, of the true classes, bool (T, 224, 224)."""
    logits = said_of(image, tuple(xyxy(box) for box in boxes)).logits[torch.arange(len(labels)), labels]
    return torch.stack([
        rm.above(rm.paste(each.sigmoid(), box, (SIZE, SIZE)), 0.5) for each, box in zip(logits, boxes, strict=True)
    ])  # fmt: skip


@st.cache_resource(max_entries=64, show_spinner=False)  # shared and only read
def wrong_shares(found: np.ndarray, masks: np.ndarray) -> Tensor:
    """Of the wrong pixels of all things together, the share within each of WITHIN pixels of their exact edges."""
    pairs = [(torch.from_numpy(mine), torch.from_numpy(truth)) for mine, truth in zip(found, masks, strict=True)]
    wrong = torch.tensor([float((mine != truth).sum()) for mine, truth in pairs])
    near = torch.stack([rm.wrong_by_distance(mine, truth, WITHIN) for mine, truth in pairs])
    return (near * wrong[:, None]).sum(0) / wrong.sum().clamp(min=1)


def by_size(sides: Tensor, fits: Tensor, own: Tensor, names: list[str]) -> go.Figure:
    """IoU of every thing against the square root of its pixels."""
    figure = go.Figure([
        go.Scatter(x=sides.numpy(), y=values.numpy(), mode="markers", name=name, text=names,
                   marker={"size": 10, "color": colour, "symbol": symbol})
        for name, values, colour, symbol in ((PERFECT, fits, BLUE, "circle"), (HEAD, own, ORANGE, "diamond"))
    ])  # fmt: skip
    figure.update_xaxes(title="√ pixels of the thing", rangemode="tozero")
    figure.update_yaxes(title="IoU with the exact mask", range=[0, 1.03])
    return figure


def where_wrong(share: Tensor) -> go.Figure:
    """How much of the head's wrong pixels lies within so many pixels of the exact edge."""
    figure = go.Figure(go.Bar(x=[f"{each:g}" for each in WITHIN], y=share.numpy(), marker={"color": ORANGE},
                              text=[f"{float(each):.0%}" for each in share]))  # fmt: skip
    figure.update_xaxes(title="pixels from the exact edge, at most", type="category")
    figure.update_yaxes(title="share of the head's wrong pixels", range=[0, 1.08], tickformat=".0%")
    return figure
