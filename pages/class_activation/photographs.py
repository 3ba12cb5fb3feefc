"""Published classifiers on photographs: the five best classes, Grad-CAM, and whether there is a CAM at all."""

from collections import Counter

import numpy as np
import streamlit as st

from models import catalog, choice
from models.inside import photograph_attribution
from models.inside.attribution import enlarged
from models.inside.photograph_attribution import Explained, Head
from models.networks.published import PretrainedClassifier, TopClasses
from pages.class_activation.shared import SIGNED, SKY, colour_bar, evidence, greyed, limit_of, number
from pages.shared import photograph_source as source
from ui import model_choice, page
from ui.components import Box, Boxes, Heat, stage
from ui.pictures import KEPT, Picture

FIRST = "most probable"
FINER = 16  # so many values a cell, bilinear; the stage smooths the rest


@st.cache_resource(max_entries=48, show_spinner=False)  # shared and only read
def classified(name: str, identity: int, _network: PretrainedClassifier, image: np.ndarray) -> TopClasses:
    """The forward pass of a network on a picture."""
    return _network(image)


@st.cache_resource(max_entries=96, show_spinner=False)
def explained(name: str, identity: int, _network: PretrainedClassifier, image: np.ndarray, target: int) -> Explained:
    """Forward and backward pass for one class."""
    return photograph_attribution.explain(_network, image, target)


@st.cache_data(show_spinner=False)
def head(name: str) -> Head:
    return photograph_attribution.head_of(catalog.pretrained(name).blank(name).eval())


def photographs(above: Picture) -> None:
    """The section; its choice of a network stands outside the fragment, as `model_choice` wants it."""
    page.section(
        "A network for photographs",
        "The same question to classifiers of a thousand ImageNet classes. Whether CAM exists is decided by their head.",
    )
    left, right = st.columns([3, 1])
    with right:
        picture = source.choose("cam_published", above, default="Cat")
    with left:
        network = model_choice.choose("cam_published", choice.offers("classification", lab=[]))
    heads()
    if network is not None:
        play(picture, network)


def heads() -> None:
    """What follows the last maps of every network on offer; known without their weights."""
    rows = ["| network | last maps | then | linear layers | CAM |", "|---|---|---|---|---|"]
    for name in catalog.pretrained_names("classification"):
        each = head(name)
        pooled = "global average" if each.pooled == (1, 1) else f"pooling to {each.pooled[0]}×{each.pooled[1]}"
        rows.append(
            f"| {name} | {shape(each.maps)} | {pooled} | {layers(each)} | "
            + (":material/check: exact |" if each.has_cam else ":material/close: does not exist |")
        )
    st.markdown("\n".join(rows))


@st.fragment
@page.guard()
def play(picture: Picture, network: PretrainedClassifier) -> None:
    with st.spinner(f"{network.name} looks at the picture", show_time=True):
        seen = classified(network.name, id(network), network, picture.image)
    names = unique(network.classes)
    asked, best = st.columns([2, 3], gap="large")
    with best:
        st.markdown(table(seen))
    with asked:
        wanted = st.selectbox(
            "Class", [FIRST, *names], key="cam_published_class", help="Type to search.", width=320, **KEPT
        )
        target = int(seen.logits.argmax()) if wanted == FIRST else names.index(wanted)
        name = network.classes[target]
        st.markdown(
            f"**{name}**: probability **{float(seen.probabilities[target]):.3f}**, score S = "
            f"**{number(float(seen.logits[target]), 4)}**"
        )
        if picture.view is not None:
            st.caption("Lab World is drawn, and these networks know photographs: expect odd answers.")
    with st.spinner("Forward and backward", show_time=True):
        found = explained(network.name, id(network), network, picture.image, target)
    maps(picture, network, found, name)
    page.footer(network.name, seen.device, seen.seconds * 1000)


def maps(picture: Picture, network: PretrainedClassifier, found: Explained, name: str) -> None:
    """The picture, Grad-CAM over it, and CAM beside it or why there is none."""
    rows, columns = found.grad_cam.shape
    divided = None if found.cam is None else found.cam / found.cam.numel()
    limit = limit_of(*(heat for heat in (found.grad_cam, divided) if heat is not None))
    panels = st.columns(3, gap="medium")
    with panels[0]:
        st.markdown("**Picture**")
        frame = Box("window", found.window, colour=SKY, dash=True, note="what the network is shown")
        stage("cam_published_picture", zoom=False).show(
            picture.image, [Boxes([frame])], alt=f"{picture.name}, with the part that the network is shown"
        )
        st.caption(f"Dashed: the middle that the network is shown, {photograph_attribution.SIZE} pixels a side.")
    with panels[1]:
        st.markdown(f"**Grad-CAM before its ReLU**, {rows}×{columns}")
        stage("cam_published_grad", zoom=False).show(
            greyed(picture.image),
            [layer(found.grad_cam, limit, found.window)],
            alt=f"Grad-CAM of {name} by {network.name}",
        )
        st.caption(f"{evidence(found.grad_cam, name, 'logit')}; {found.seconds * 1000:.0f} ms by captum")
    each = head(network.card["name"])
    with panels[2]:
        if divided is None:
            st.markdown("**CAM does not exist here**")
            st.info(no_cam(each), icon=":material/info:")
        else:
            st.markdown(f"**CAM / {divided.numel()}**, from the weights alone")
            stage("cam_published_cam", zoom=False).show(
                greyed(picture.image), [layer(divided, limit, found.window)], alt=f"Class activation map of {name}"
            )
            st.caption(evidence(divided, name, "logit"))
    colour_bar(SIGNED, limit, "logit per cell and pixel of the mean")
    if divided is not None:
        st.markdown(exact(found, each))


def exact(found: Explained, each: Head) -> str:
    """CAM against Grad-CAM in numbers."""
    cells = found.cam.numel()
    gap = float((found.grad_cam - found.cam / cells).abs().max())
    mean = float(found.cam.mean())
    return (
        f"**Largest difference between Grad-CAM and CAM / {cells}: {number(gap, 2)}**, of values up to "
        f"{number(limit_of(found.grad_cam))}. {each.maps[0]} maps, their means, one linear layer: ∂S/∂fₖ is "
        f"wₖ / {cells} in every cell. The mean of CAM plus the bias is {number(mean, 4)} + {number(found.bias, 2)} = "
        f"**{number(mean + found.bias, 4)}**; the score is **{number(found.score, 4)}**."
    )


def no_cam(each: Head) -> str:
    """Why this head has no class activation map."""
    return (
        f"Between the {each.maps[0]} maps and the classes stand {len(each.linear)} linear layers ({layers(each)}) with "
        "nonlinearities between them. No single weight joins a map to a class, so there is nothing to add the maps up "
        "with. Grad-CAM asks for gradients instead, and those every network has."
    )


def layer(heat, limit: float, window: tuple[float, float, float, float]) -> Heat:
    """A signed map over the part of the picture that it covers."""
    values = enlarged(heat, (heat.shape[0] * FINER, heat.shape[1] * FINER))
    return Heat(values.numpy(), SIGNED, -limit, limit, opacity=0.7, xyxy=window)


def table(seen: TopClasses) -> str:
    """The five most probable classes."""
    lines = ["| class | probability | score S |", "|---|---:|---:|"]
    best = seen.logits.topk(min(5, len(seen.classes))).indices.tolist()
    lines += [f"| {seen.classes[i]} | {float(seen.probabilities[i]):.3f} | {number(float(seen.logits[i]))} |"
              for i in best]  # fmt: skip
    return "\n".join(lines)


def unique(classes: tuple[str, ...]) -> list[str]:
    """Names that the address can hold: ImageNet has two cranes, the bird and the machine."""
    twice = {name for name, count in Counter(classes).items() if count > 1}
    return [f"{name} ({index})" if name in twice else name for index, name in enumerate(classes)]


def shape(maps: tuple[int, int, int]) -> str:
    return f"{maps[0]} of {maps[1]}×{maps[2]}"


def layers(each: Head) -> str:
    """ "2048 → 1000"."""
    return " → ".join(str(n) for n in (each.linear[0][0], *(outputs for _, outputs in each.linear)))
