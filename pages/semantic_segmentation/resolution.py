"""Why downsample, then upsample: what the same depth costs at full resolution, and how far it sees."""

from contextlib import ExitStack

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import nn

from labs import encoder_decoder
from models import catalog
from pages.semantic_segmentation.shared import BLUE, ORANGE
from pages.semantic_segmentation.windows import timed
from pages.shared.amounts import duration, millions
from ui import page
from ui.components import Box, Boxes, Points, following, live_slider, stage, words
from ui.pictures import Picture

SIZE = 224
REAL = "segmenter-bilinear"


@st.fragment
@page.guard()
def resolution(picture: Picture) -> None:
    page.section(
        "Why down, then up?",
        "Two stacks with the same number of 3 × 3 convolutions: one stays at full resolution, the other "
        "pools and upsamples.",
    )
    with ExitStack() as sliders:
        left, right = st.columns([2, 3], gap="large")
        with left:
            slide = lambda *args, **settings: sliders.enter_context(live_slider(*args, window=2, **settings))  # noqa: E731
            depth = slide("Convolutions", 9, 27, 14, key="segmentation_depth")
            downs = slide("Downsamplings", 0, 4, 4, key="segmentation_downs", play=True)
            width = slide("Channels at full resolution", options=(8, 16, 32, 64), value=16, key="segmentation_width")
            doubling = st.toggle("Twice the channels a level deeper", key="segmentation_doubling", bind="query-params")
        flat = encoder_decoder.plan(depth, 0, width, SIZE)
        steps = encoder_decoder.plan(depth, downs, width, SIZE, doubling)
        fields = [encoder_decoder.field(each, SIZE // 2, SIZE) for each in (flat, steps)]
        costs = [encoder_decoder.multiply_adds(each) for each in (flat, steps)]
        sides = [last - first + 1 for first, last in fields]
        with left:
            fields_picture(picture, fields)
        with right:
            bars(flat, steps)
            words(
                f"Full resolution: **{millions(costs[0])}** multiply-adds, sees **{sides[0]} × {sides[0]}** px "
                f"(1 + 2 · {depth} = {1 + 2 * depth}).\n\nEncoder-decoder: **{millions(costs[1])}** multiply-adds, "
                f"sees **{sides[1]} × {sides[1]}** px. That is {comparison(costs)}, and a field of "
                f"{(sides[1] / sides[0]) ** 2:.1f} times the area."
                + (" The picture ends before the field does." if sides[1] == SIZE else "")
                + (
                    f" At the bottom it has {max(step.outputs for step in steps)} channels, not {width}."
                    if doubling and downs
                    else ""
                )
                + (
                    " Networks do it all the same: for more channels and a larger field. Training keeps "
                    f"{millions(memory(steps))} numbers a picture; at full resolution {millions(memory(flat))}."
                    if costs[1] > costs[0]
                    else ""
                ),
                "segmentation_resolution",
            )
    if not following():
        measured(depth, downs, width, doubling)


def comparison(costs: list[int]) -> str:
    many, few = costs
    if many == few:
        return "the same cost"
    return f"**{many / few:.1f} times fewer**" if many > few else f"**{few / many:.1f} times more**"


def memory(steps: list[encoder_decoder.Step]) -> int:
    """Numbers that all layers together put out."""
    return sum(step.activations for step in steps)


def fields_picture(picture: Picture, fields: list[tuple[int, int]]) -> None:
    """The field of the middle pixel in both networks, drawn on the picture."""
    names = (("full resolution", ORANGE, False), ("encoder-decoder", BLUE, True))
    boxes = [
        Box(name, (float(first), float(first), last + 1.0, last + 1.0), name, colour, dash=dash, width=3)
        for (name, colour, dash), (first, last) in reversed(list(zip(names, fields, strict=True)))
    ]
    middle = Points(np.array([[SIZE / 2 + 0.5] * 2]), colour="#FFFFFF", radius=4)
    stage("segmentation_fields", zoom=False).show(
        picture.image, [Boxes(boxes), middle], alt="What the middle pixel's answer depends on in both networks",
        caption="What the answer at the white point can depend on.",
    )  # fmt: skip


def sides(layers: list[encoder_decoder.Step]) -> list[str]:
    """The side of the map for the first layer of each level, nothing for the others."""
    before = [0, *(step.size for step in layers)]
    return [f"{step.size}²" if step.size != last else "" for step, last in zip(layers, before, strict=False)]


def bars(flat: list[encoder_decoder.Step], steps: list[encoder_decoder.Step]) -> None:
    """Multiply-adds of each convolution in both networks."""
    figure = go.Figure()
    for name, each, colour, pattern in (("full resolution", flat, ORANGE, ""), ("encoder-decoder", steps, BLUE, "/")):
        layers = [step for step in each if step.kind == "conv"]
        figure.add_bar(
            x=list(range(1, len(layers) + 1)), y=[step.multiply_adds / 1e6 for step in layers], name=name,
            marker={"color": colour, "pattern": {"shape": pattern}},
            text=sides(layers) if name == "encoder-decoder" else None, textposition="outside",
            textfont={"size": 13}, textangle=0, constraintext="none", cliponaxis=False,
            customdata=[[step.inputs, step.outputs, step.size] for step in layers],
            hovertemplate="9 · %{customdata[0]} · %{customdata[1]} · %{customdata[2]}² = %{y:.1f} M",
        )  # fmt: skip
    figure.update_layout(
        xaxis={"title": "convolution", "dtick": 2},
        yaxis={"title": "multiply-adds, M", "rangemode": "tozero"}, barmode="group",
    )  # fmt: skip
    if not following():
        st.caption("Above a bar: the side of the maps from here on.")
    page.figure(figure, "segmentation_costs", height=340, alt="Multiply-adds of every convolution in both networks")


@st.fragment
@page.guard()
def measured(depth: int, downs: int, width: int, doubling: bool) -> None:
    """Both networks built and run, on demand; and the lab's own network without its pools."""
    if st.button("Time both on this machine", icon=":material/timer:", key="segmentation_time"):
        with st.spinner("One pass each"):
            seconds = times(depth, downs, width, doubling)
        st.markdown(
            f"One {SIZE} × {SIZE} picture: full resolution **{duration(seconds[0])}**, encoder-decoder "
            f"**{duration(seconds[1])}**, {seconds[0] / seconds[1]:.1f} times apart. Multiply-adds are not all: "
            "pooling and moving large maps cost time too."
        )
    own, full = real_network()
    st.markdown(
        f"The lab's *{REAL}* needs {millions(own)} multiply-adds for this size. The same convolutions, each at full "
        f"resolution, would need **{millions(full)}**: {full / own:.0f} times as many."
    )


@st.cache_data(max_entries=32, show_spinner=False)
def times(depth: int, downs: int, width: int, doubling: bool) -> tuple[float, float]:
    """Seconds of one pass of each, the quickest of two; weights are random, which time does not mind."""
    picture, found = torch.rand(1, 3, SIZE, SIZE), []
    for each in (
        encoder_decoder.plan(depth, 0, width, SIZE), encoder_decoder.plan(depth, downs, width, SIZE, doubling)
    ):  # fmt: skip
        network = encoder_decoder.build(each)
        with torch.inference_mode():
            found.append(timed(lambda network=network: network(picture), repeats=2)[1])
    return tuple(found)


@st.cache_data(show_spinner=False)
def real_network() -> tuple[int, int]:
    """Multiply-adds of the lab's segmenter as it is, and with each of its convolutions at full resolution."""
    own = full = 0
    module = catalog.family(REAL).build(REAL).eval()  # one of our own, to hook

    def count(conv: nn.Conv2d, _inputs, output: torch.Tensor) -> None:
        nonlocal own, full
        own += conv.weight.numel() * output.shape[-2] * output.shape[-1]
        full += conv.weight.numel() * SIZE * SIZE

    for each in module.modules():
        if isinstance(each, nn.Conv2d):
            each.register_forward_hook(count)
    with torch.inference_mode():
        module(torch.zeros(1, 3, SIZE, SIZE))
    return own, full
