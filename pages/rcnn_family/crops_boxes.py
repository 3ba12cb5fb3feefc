"""Box regression: from a region's features to its transform by ridge least squares, λ under the hand."""

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs import box_regression
from labs import boxes as box_lab
from labs.box_regression import PAPER_OVERLAP, PAPER_PENALTY, Regressor
from models import catalog
from pages.rcnn_family.crops_work import NETWORK
from pages.rcnn_family.shared import BLUE, ORANGE, VERMILION, WHITE, Look, xyxy
from scenes import Knobs, render, sample
from ui import figures, page
from ui.components import Box, Boxes, following, live_slider, stage, words

LEARN, NEW = range(3000, 3024), range(4000, 4012)  # seeds of the scenes to learn from, and of others
EACH, TRIES = 6, 60  # regions of a thing
PENALTIES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
SAME = 0.01  # mean IoUs that lie no further apart count as the same
WORSE, EQUAL, BETTER = "worse", "about the same", "better"


@dataclass(frozen=True, eq=False)
class Sample:
    """Regions near things of one class: `features` (n, 1152), scaled; `regions` and `truths` (n, 4) xyxy; `targets`
    (n, 4) the transforms between them; `seeds` (n,) the scenes that they are in."""

    features: Tensor
    regions: Tensor
    truths: Tensor
    targets: Tensor
    seeds: list[int]


@st.cache_resource(max_entries=16, show_spinner="Drawing scenes to learn from")  # shared and only read
def sample_of(category: str, seeds: range) -> Sample:
    """True boxes of the class in some scenes, each moved and stretched by chance so that the IoU stays above 0.6."""
    network, rng = catalog.load(NETWORK), np.random.default_rng(seeds.start)
    features, regions, truths, targets, where = [], [], [], [], []
    for seed in seeds:
        view = scene(category, seed)
        for thing in view.instances:
            truth = torch.from_numpy(np.array(thing.box, np.float32))
            moves = torch.from_numpy(rng.normal(0, 0.15, (TRIES, 4)).astype(np.float32))
            tried = box_lab.decode(moves, truth[None]).clamp(0, view.image.shape[0])
            tried = tried[(tried[:, 2:] - tried[:, :2]).amin(1) > 4]
            near, aims = box_regression.examples(tried, truth[None])
            mine = tried[near][:EACH]
            if len(mine):
                features.append(network.features(network.crops(view.image, mine)))
                regions.append(mine)
                truths.append(truth.expand_as(mine))
                targets.append(aims[:EACH])
                where += [seed] * len(mine)
    scale = float(network.module.head.scale)
    return Sample(torch.cat(features) * scale, torch.cat(regions), torch.cat(truths), torch.cat(targets), where)


def scene(category: str, seed: int):
    """A scene with one or two things of one class alone."""
    return render(sample(seed, Knobs(objects=(1, 2), classes=(category,))), 224)


@st.cache_resource(max_entries=64, show_spinner=False)  # shared and only read
def learned(category: str, penalty: float) -> Regressor:
    """The regressor of a class."""
    known = sample_of(category, LEARN)
    return box_regression.ridge(known.features, known.targets, penalty)


def fit_of(regressor: Regressor | None, some: Sample) -> Tensor:
    """(n,) IoU of the regions with their truths, moved by the regressor if there is one."""
    moved = some.regions if regressor is None else box_lab.decode(regressor(some.features), some.regions)
    return box_lab.iou(moved, some.truths)


@page.guard()
def boxes(look: Look) -> None:
    page.section(
        "Box regression",
        "Regions seldom fit. Four linear functions of the same features move them: what does λ do to them?",
    )
    regression(st.session_state["rcnn_class"])


@st.fragment
@page.guard()
def regression(category: str) -> None:
    """λ, one region before and after with the arithmetic, and the fit over all λ."""
    new, known = sample_of(category, NEW), sample_of(category, LEARN)
    with ExitStack() as sliders:
        left, right = st.columns(2, gap="large")
        with left:
            penalty = sliders.enter_context(
                live_slider("λ", options=PENALTIES, value=int(PAPER_PENALTY), key="rcnn_lambda", play=True)
            )
        with right:
            number = sliders.enter_context(
                live_slider("Region of a new scene", 1, len(new.regions), 1, key="rcnn_moved", window=2)
            )
        regressor = learned(category, float(penalty))
        one_region(category, new, regressor, number - 1)
        before, after = float(fit_of(None, new).mean()), float(fit_of(regressor, new).mean())
        with page.predict(
            "rcnn-ridge", f"The {len(new.regions)} regions of {category} in new scenes overlap their things with a mean"
            f" IoU of {before:.2f}. What does the regressor with λ = {penalty:,} make of that?", [WORSE, EQUAL, BETTER],
        ) as prediction:  # fmt: skip
            words(
                f"On the {len(known.regions)} regions it learned from **{float(fit_of(None, known).mean()):.3f}** → "
                f"**{float(fit_of(regressor, known).mean()):.3f}**, on new ones **{before:.3f}** → **{after:.3f}**.",
                "rcnn_ridge_said",
            )  # fmt: skip
            page.figure(curve(category, penalty), "rcnn_ridge", height=320,
                        alt=f"Mean IoU after box regression over λ, for {category}")  # fmt: skip
            prediction.outcome(
                EQUAL if abs(after - before) <= SAME else BETTER if after > before else WORSE,
                "A small λ learns the examples by heart; a huge one leaves the mean transform, which moves little.",
            )  # fmt: skip
    if not following():
        st.caption(
            f"Learned now, in closed form, from boxes shifted by chance in {len(LEARN)} scenes with {category} alone, "
            f"IoU above {PAPER_OVERLAP:g}. The shipped network has learned from selective search's boxes in crowded "
            f"scenes, with λ = {PAPER_PENALTY:,.0f} as in the paper. 1,152 features, so without λ there would be no "
            "single answer."
        )


def one_region(category: str, new: Sample, regressor: Regressor, index: int) -> None:
    """A region before and after, and the four lines that move it."""
    region, truth = new.regions[index], new.truths[index]
    t = regressor(new.features[index : index + 1])[0]
    moved = box_lab.decode(t, region)
    (px, py, pw, ph), (bx, by, bw, bh) = (box_lab.centre_form(each).tolist() for each in (region, moved))
    tx, ty, tw, th = t.tolist()
    canvas, side = st.columns([1, 1], gap="large")
    with canvas:
        stage("rcnn_moved_at", zoom=False, width=360, window=2).show(
            picture_of(category, new.seeds[index]),
            [Boxes([Box("truth", xyxy(truth), "", WHITE, dash=True, width=2),
                    Box("before", xyxy(region), "", BLUE, width=2.5), Box("after", xyxy(moved), "", ORANGE, width=3)])],
            alt="A region before and after", caption="Blue: the region. Orange: moved. White, dashed: the truth.",
        )  # fmt: skip
    with side:
        lines = [
            f"t = wᵀφ + b = ({tx:.3f}, {ty:.3f}, {tw:.3f}, {th:.3f})",
            f"centre x = {px:.1f} + {pw:.1f} · ({tx:.3f}) = **{bx:.1f}**",
            f"centre y = {py:.1f} + {ph:.1f} · ({ty:.3f}) = **{by:.1f}**",
            f"width = {pw:.1f} · exp({tw:.3f}) = **{bw:.1f}**",
            f"height = {ph:.1f} · exp({th:.3f}) = **{bh:.1f}**",
            f"IoU **{float(box_lab.iou(region, truth)):.2f}** before, **{float(box_lab.iou(moved, truth)):.2f}** after",
        ]
        words("\n\n".join(lines).replace("-", "−"), "rcnn_moved_said")


@st.cache_resource(max_entries=64, show_spinner=False)  # shared and only read
def picture_of(category: str, seed: int) -> np.ndarray:
    return scene(category, seed).image


def curve(category: str, penalty: float) -> go.Figure:
    """Mean IoU over λ: on what it learned from, and on new scenes."""
    figure = go.Figure()
    for name, seeds, colour, dash in (
        ("learned from", LEARN, BLUE, "dot"), ("new scenes", NEW, ORANGE, "solid"),
    ):  # fmt: skip
        some = sample_of(category, seeds)
        fits = [float(fit_of(learned(category, float(each)), some).mean()) for each in PENALTIES]
        figure.add_scatter(x=PENALTIES, y=fits, name=name, mode="lines+markers", line={"color": colour, "dash": dash})
    still = float(fit_of(None, sample_of(category, NEW)).mean())
    figures.across(figure, y=still, text="new scenes, not moved", at="top left", color=VERMILION, dash="dash")
    figures.across(figure, x=penalty, width=1, color=None)
    figure.update_layout(
        xaxis={"title": "λ", "type": "log", "tickvals": PENALTIES, "ticktext": [f"{each:,}" for each in PENALTIES]},
        yaxis={"title": "mean IoU"},
    )
    return figure
