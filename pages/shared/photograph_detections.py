"""Detectors of the catalogue on any picture: one stage beside two, and what RoI Align feeds."""

import numpy as np
import streamlit as st

from models import choice
from models.choice import Offer
from pages.shared import own_truth
from pages.shared import photograph_source as source
from pages.shared.photograph_found import Found, knows, layers_of, look, stages
from ui import model_choice, page
from ui.components import live_slider, stage, words
from ui.pictures import Picture

ONE_STAGE = ("retinanet_resnet50_fpn_v2",)
KINDS = {
    1: "**One stage**: every place of the feature maps says class and box at once.",
    2: "**Two stages**: an RPN proposes regions, then heads look at each of them.",
}


def one_stage() -> list[Offer]:
    """The lab's YOLO networks, then published ones."""
    lab = choice.offers("grid detection", lab=["yolo-anchor", "yolo-cell"])
    return [*lab, *(offer for offer in choice.offers("detection", lab=[]) if offer.name in ONE_STAGE)]


def two_stages(first: tuple[str, ...] = ()) -> list[Offer]:
    """The lab's detector, then published ones, those that also do the tasks of `first` before the others."""
    lab, *published = choice.offers("detection", lab=["detector"])
    wanted = [offer for task in first for offer in choice.offers(task, lab=[])]
    every = {offer.name: offer for offer in (lab, *wanted, *published)}
    return [offer for offer in every.values() if offer.name not in ONE_STAGE]


@page.guard()
def one_against_two(key: str, above: Picture) -> None:
    """A section: two networks of the visitor's choice on one picture."""
    page.section(
        "Published networks: one stage beside two",
        "Choose a network of each kind. A published one looks at a photograph. The slider filters what they found.",
    )
    place = st.container()
    one, two = st.columns(2, gap="medium")
    with one:
        st.markdown("**One stage**")
        single = model_choice.choose(f"{key}_one", one_stage(), "Model of one stage")
    with two:
        st.markdown("**Two stages**")
        double = model_choice.choose(f"{key}_two", two_stages(), "Model of two stages")
    picture = suited(key, above, {"one": single, "two": double}, place)
    networks = [network for network in (single, double) if network is not None]
    side_by_side(key, picture, networks)
    own_truth.beside(key, picture, networks)


@page.guard()
def what_align_feeds(key: str, above: Picture) -> None:
    """A section: one network with all its heads, and what RoI Align hands to each."""
    page.section(
        "Published networks: what RoI Align feeds",
        "Boxes, masks and keypoints all come from pooled features. Choose a published network, and it looks at a "
        "photograph; until then it is the lab's.",
    )
    left, right = st.columns([3, 1])
    with left:
        network = model_choice.choose(key, two_stages(("instance segmentation", "keypoints")))
    picture = suited(key, above, {"": network}, right)
    if network is not None:
        all_heads(key, picture, network)
    own_truth.beside(key, picture, [] if network is None else [network])


def suited(key: str, above: Picture, networks: dict, place) -> Picture:
    """The picture, chosen at `place`: after a change of network of the kind that the new one knows."""
    photograph = source.FIRST if above.view is not None else source.ABOVE  # an own picture is one already
    source.suit(key, networks, f"{key}_photo", source.ABOVE, photograph)
    with place:
        return source.choose(key, above)


@st.fragment
@page.guard()
def side_by_side(key: str, picture: Picture, networks: list) -> None:
    if not networks:
        return
    found = [looked(network, picture.image, heads=False) for network in networks]
    with live_slider("Show scores from", 0.05, 0.95, 0.5, step=0.05, key=f"{key}_score", format="%.2f") as least:
        places = st.columns(2, gap="medium")
        for place, network, each in zip(places, networks, found):
            with place:
                draw(f"{key}_{stages(network)}", picture, network, each, least)
                st.markdown(f"{KINDS[stages(network)]} {knows(network)}")
    if len(networks) == 2:
        first, second = networks
        ratio = found[1].seconds / found[0].seconds
        st.markdown(
            f"Two stages took **{ratio:.1f} times** the time of one on this picture: {second.name} "
            f"{found[1].seconds * 1000:.0f} ms, {first.name} {found[0].seconds * 1000:.0f} ms, boxes alone, one pass "
            "each. Backbone and picture size count as much as the number of stages: compare like with like."
        )
    hint(picture, networks)


@st.fragment
@page.guard()
def all_heads(key: str, picture: Picture, network) -> None:
    found = looked(network, picture.image, heads=True)
    with live_slider("Show scores from", 0.05, 0.95, 0.5, step=0.05, key=f"{key}_score", format="%.2f") as least:
        left, right = st.columns(2, gap="large")
        with left:
            draw(key, picture, network, found, least)
        with right:
            st.markdown(knows(network))
            st.markdown(fed(network))
    hint(picture, [network])


def looked(network, image: np.ndarray, heads: bool) -> Found:
    """What a network says; the slider moves over it and never asks again."""
    with st.spinner(f"{network.name} looks at the picture", show_time=True):
        return look(network, image, heads)


def draw(key: str, picture: Picture, network, found: Found, least: float) -> None:
    """Count, picture, classes and footer of one network; the list of classes, which wraps, comes below the picture."""
    chosen = found.above(least)
    counts = {name: sum(found.names[i] == name for i in chosen) for name in dict.fromkeys(found.names)}
    listed = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    every = len(found.scores)
    words(f"**{len(chosen)} of {every}** {'detection reaches' if every == 1 else 'detections reach'} {least:.2f}",
          f"{key}_count")  # fmt: skip
    stage(f"{key}_found", zoom=False).show(
        picture.image, layers_of(found, chosen), alt=f"{len(chosen)} objects that {network.name} found",
        caption=seen(found),
    )  # fmt: skip
    words(listed, f"{key}_classes")
    page.footer(network.name, found.device, found.seconds * 1000)


def seen(found: Found) -> str:
    """What is drawn beside the boxes."""
    parts = ["masks"] * (found.masks is not None)
    parts += ["the joints of persons that the network is sure of (logit above 0)"] * (found.joints is not None)
    return f"Boxes, {' and '.join(parts)}." if parts else ""


def fed(network) -> str:
    """A row per head: what RoI Align hands to it, read off the network."""
    heads = network.module.roi_heads
    classes = heads.box_predictor.cls_score.out_features
    rows = ["| head | RoI Align | returns for each region |", "|---|---|---|"]
    absent = []
    for name, returned in (
        ("box", lambda side: f"{classes} scores, one of them background’s, and boxes"),
        ("mask", lambda side: f"{2 * side}×{2 * side} for each class"),
        ("keypoint", lambda side: f"a {4 * side}×{4 * side} heat map for each joint"),
    ):
        pool = getattr(heads, f"{name}_roi_pool")
        if pool is None:
            absent.append(name)
            continue
        side = pool.output_size[0]
        rows.append(f"| {name} | {side}×{side} | {returned(side)} |")
    samples = heads.box_roi_pool.sampling_ratio
    told = f"\n\nEach bin is the mean of {samples}×{samples} samples."
    missing = f" This network has no {' and no '.join(absent)} head." if absent else ""
    return "\n".join(rows) + told + missing


def hint(picture: Picture, networks: list) -> None:
    """Where picture and networks do not belong together."""
    ours = [network.name for network in networks if not hasattr(network, "classes")]
    theirs = [network.name for network in networks if hasattr(network, "classes")]
    if picture.view is None and ours:
        whose = "its" if len(ours) == 1 else "their"
        st.caption(f"{' and '.join(ours)} know{'s' * (len(ours) == 1)} only Lab World, which is drawn: on a photograph "
                   f"{whose} answers are guesses. Choose a published network above.")  # fmt: skip
    if picture.view is not None and theirs:
        st.caption(f"{' and '.join(theirs)} know{'s' * (len(theirs) == 1)} photographs, and Lab World is drawn: choose "
                   "a photograph above.")  # fmt: skip
