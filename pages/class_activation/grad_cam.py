"""Grad-CAM: the same map from gradients on this network, any layer, and what captum's other methods see."""

import streamlit as st
from torch import Tensor

from labs.class_activation import grad_cam_of_linear_head
from models import catalog
from models.inside import attribution
from models.inside.attribution import GRAD_CAM, METHODS
from pages.class_activation.shared import GAP, Focus, evidence, limit_of, positive_layer, signed_layer
from pages.shared.heat_maps import POSITIVE, SIGNED, colour_bar, greyed, number
from ui import page
from ui.components import Heat, stage
from ui.pictures import KEPT

OTHERS = METHODS[1:]
SATURATED = 0.99  # of the pixels lie below the end of the colours; single pixels would leave the rest dark


@st.cache_resource(max_entries=192, show_spinner=False)  # shared and only read
def attributed(image, target: int, method: str, layer: str | None = None, relu: bool = True) -> Tensor:
    """One map of the lab's network, once for all visitors."""
    return attribution.attribute(catalog.load(GAP), image, target, method, layer, relu)


@st.fragment
@page.guard()
def grad_cam(focus: Focus) -> None:
    page.section(
        "Grad-CAM", "Weights from gradients instead of from the head: the same map here, and a map for every layer."
    )
    image, model = focus.picture.image, catalog.load(GAP)
    cam = grad_cam_of_linear_head(focus.seen.features, focus.seen.weights[focus.target])
    signed = attributed(image, focus.target, GRAD_CAM, None, False)
    limit = limit_of(cam, signed)
    panels = st.columns(2, gap="medium")
    for panel, heat, title, key in (
        (panels[0], cam, f"CAM / {cam.numel()}", "cam_divided"),
        (panels[1], signed, "Grad-CAM before its ReLU", "cam_grad"),
    ):
        with panel:
            st.markdown(f"**{title}** · {evidence(heat, focus.name)}")
            stage(key, width=360, zoom=False).show(greyed(image), [signed_layer(heat, limit)], alt=title)
    colour_bar(SIGNED, limit, "logit per cell and pixel of the mean")
    st.markdown(
        f"**Largest difference: {number(float((cam - signed).abs().max()), 2)}**, of values up to {number(limit)}. The "
        f"mean over {cam.shape[0]}×{cam.shape[1]} cells spreads wₖ evenly, so ∂S/∂fₖ is wₖ / {cam.numel()} in every "
        "cell, and so is its mean αₖ: the backward pass returns what the head already holds."
    )
    any_layer(focus, attribution.layers(model))


def any_layer(focus: Focus, layers: list[str]) -> None:
    """Grad-CAM at a chosen layer beside another method."""
    st.subheader("At any layer, and other methods", anchor="any-layer")
    image = focus.picture.image
    layer = st.segmented_control("Layer of Grad-CAM", layers, default=layers[5], required=True, key="cam_layer", **KEPT)
    method = st.segmented_control("Other method", OTHERS, default=OTHERS[0], required=True, key="cam_method", **KEPT)
    heat = attributed(image, focus.target, GRAD_CAM, layer)
    with st.spinner(f"{method} asks the network many times …", show_time=True):
        other = attributed(image, focus.target, method)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Grad-CAM at {layer}**, {heat.shape[0]}×{heat.shape[1]}")
        stage("cam_layer_map", width=360, zoom=False).show(
            image, [positive_layer(heat, float(heat.max()))], alt=f"Grad-CAM at {layer}"
        )
        colour_bar(POSITIVE, float(heat.max()) or 1.0, "logit")
        st.caption(
            f"After the ReLU, {evidence(heat, focus.name, 'logit')}; layer {layers.index(layer) + 1} of {len(layers)}, "
            f"cells of {image.shape[0] // heat.shape[0]} pixels." + depth(layers.index(layer), len(layers))
        )
    with right:
        st.markdown(f"**{method}**, 224×224")
        end = float(other.abs().flatten().quantile(SATURATED)) or 1.0
        negative = float(other.min()) < 0
        shown = Heat(other.numpy(), SIGNED if negative else POSITIVE, -end if negative else 0, end, opacity=0.85)
        under = greyed(image) if negative else image
        stage("cam_method_map", width=360, zoom=False).show(under, [shown], alt=f"{method} of {focus.name}")
        colour_bar(SIGNED if negative else POSITIVE, end, "logit")
        st.caption(
            f"{evidence(other, focus.name, 'logit')}; colours end at {number(end)}, above which {1 - SATURATED:.0%} of "
            "the pixels lie."
        )


def depth(index: int, count: int) -> str:
    """What to expect of a layer: only where its place says it."""
    if index < count // 3:
        return " An early layer: edges and colours, and little that belongs to one class."
    return " The last layer: what the head weighs." if index == count - 1 else ""
