"""How large is what the RPN says: shapes and parameters, with the lectures' numbers and live ones."""

from contextlib import ExitStack

import streamlit as st

from labs import anchors
from labs.anchors import HeadShapes
from models.networks.detector import ANCHOR_RATIOS, ANCHOR_SIZES, FEATURES, LEVELS, SIZE
from pages.anchors.shared import STRIDES
from ui import page
from ui.components import live_slider

EXAMPLES = {
    "3×640×480, K = 6 (GEV6135)": {"height": 640, "width": 480, "stride": 32, "channels": 512, "k": 6},
    "3×640×480, K = 9 (Polimi)": {"height": 640, "width": 480, "stride": 32, "channels": 512, "k": 9},
    "Paper: 600×1000, VGG16": {"height": 600, "width": 1000, "stride": 16, "channels": 512, "k": 9},
}


def take_example(name: str) -> None:
    for control, value in EXAMPLES[name].items():
        st.session_state[f"shapes_{control}"] = value


def written(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


@st.fragment
@page.guard()
def shapes() -> None:
    page.section(
        "Output shapes",
        "The RPN is three convolutions; its answer is one large tensor of scores and one of transforms.",
    )
    with st.container(horizontal=True):
        for name in EXAMPLES:
            st.button(name, key=f"shapes_example_{name}", on_click=take_example, args=(name,))
    sliders_of = (
        (("Height", 64, 1024, 640), {"step": 8, "unit": "px", "key": "shapes_height"}),
        (("Width", 64, 1024, 480), {"step": 8, "unit": "px", "key": "shapes_width"}),
        (("Stride",), {"options": (4, 8, 16, 32, 64), "value": 32, "unit": "px", "key": "shapes_stride"}),
        (("Channels",), {"options": (64, 256, 512, 1024), "value": 512, "key": "shapes_channels"}),
        (("K", 1, 15, 6), {"key": "shapes_k", "help": "Anchors per position."}),
    )
    with ExitStack() as sliders:
        values = []
        for column, (numbers, options) in zip(st.columns(5), sliders_of, strict=True):
            with column:
                values.append(sliders.enter_context(live_slider(*numbers, window=2, **options)))
        height, width, stride, channels, k = values
        head = anchors.head_shapes(height, width, stride, channels, k)
        _, rows, columns = head.features
        with page.predict(
            "shapes_transforms", f"K = {k} anchors on a {rows}×{columns} map: what shape do the transforms have?",
            [f"K×{rows}×{columns}", f"2K×{rows}×{columns}", f"4K×{rows}×{columns}", f"4×{rows}×{columns}"],
        ) as prediction:  # fmt: skip
            picture(height, width, stride, channels, head)
            table(head, k)
            prediction.outcome(
                f"4K×{rows}×{columns}", f"because each anchor has four numbers tx, ty, tw, th: 4K = {4 * k} channels "
                f"at each of {rows * columns} positions."
            )  # fmt: skip
    own_detector()


def picture(height: int, width: int, stride: int, channels: int, head: HeadShapes) -> None:
    _, rows, columns = head.features
    st.latex(
        rf"\underset{{\text{{picture}}}}{{3 \times {height} \times {width}}} \;\longrightarrow\; "
        rf"\underset{{\text{{features}}}}{{{channels} \times {rows} \times {columns}}} \;\longrightarrow\; "
        rf"\underset{{\text{{objectness, }} 2K}}{{{head.objectness[0]} \times {rows} \times {columns}}} \;+\; "
        rf"\underset{{\text{{transforms, }} 4K}}{{{head.transforms[0]} \times {rows} \times {columns}}}"
    )
    if height % stride or width % stride:
        st.caption(f"{height}×{width} is no multiple of {stride}: padded convolutions round the map up.")


def table(head: HeadShapes, k: int) -> None:
    channels = head.features[0]
    names = list(head.parameters)
    rows = [
        (f"{names[0]}, {channels} filters", written(head.features), head.parameters[names[0]]),
        (f"{names[1]}, 2K = {2 * k} filters", written(head.objectness), head.parameters[names[1]]),
        (f"{names[2]}, 4K = {4 * k} filters", written(head.transforms), head.parameters[names[2]]),
    ]
    lines = ["| layer | output | parameters |", "|---|---:|---:|"]
    lines += [f"| {layer} | {shape} | {parameters:,} |" for layer, shape, parameters in rows]
    st.markdown("\n".join(lines))
    st.markdown(
        f"**{head.boxes:,} boxes** (K × rows × columns) from {head.total:,} parameters: "
        f"nearly all in the 3×3 convolution ({head.parameters[names[0]] / head.total:.1%})."
    )


def own_detector() -> None:
    """The five levels of the lab's detector; one head serves them all."""
    rows, total, k = [], 0, 0
    sides = [SIZE // stride for stride in STRIDES]
    for name, side, sizes in zip(LEVELS, [*sides, (sides[-1] + 1) // 2], ANCHOR_SIZES, strict=True):
        k = len(sizes) * len(ANCHOR_RATIOS)
        head = anchors.head_shapes(side, side, 1, FEATURES, k, per_anchor=1)
        rows.append(
            {
                "level": name,
                "stride": SIZE // side,
                "features": written(head.features),
                "objectness, K": written(head.objectness),
                "transforms, 4K": written(head.transforms),
                "boxes": head.boxes,
            }
        )
        total += head.boxes
    st.markdown(
        f"**The lab's detector** on 3×{SIZE}×{SIZE}: one head of {head.total:,} parameters for five levels, "
        f"{total:,} boxes."
    )
    st.dataframe(rows, hide_index=True)
    st.caption(
        f"K = {k}, not 2K, score channels: torchvision gives each anchor one number and a sigmoid. The two numbers and "
        "the softmax of the paper and the lectures mean the same, as only their difference counts."
    )
