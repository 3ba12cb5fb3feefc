"""The network drawn with its own features: down, up, and across; and what its skip connections bring back."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

from labs import segmentation_metrics
from models import catalog
from models.networks.segmenter import SKIPS, LoadedSegmenter
from pages.semantic_segmentation.network_drawing import HEIGHT, WIDTH, drawing
from pages.semantic_segmentation.shared import PALETTE, confusion_of, mistakes
from scenes import CLASSES
from ui import page
from ui.components import Heat, Labels, live_slider, stage, words
from ui.pictures import Picture

FALLBACK = "segmenter-bilinear"  # drawn where the chosen network is none of the lab's
LAYER = "segmentation_layer"
# How many are added, smallest maps first, by the sides of their maps at 224 pixels.
CHOICES = {"none": 0, "28": 1, "28 + 56": 2, "28 + 56 + 112": SKIPS}
MAPS = ("mean", "1st", "2nd", "3rd")
FIRST = "down, 112"
TOLERANCE = 1.0  # pixels, of the boundary F
SAID = {
    "picture": "Red, green and blue. No other channels of this network have a name.",
    "down": "3 × 3 convolutions. Then a 2 × 2 max pool halves the side: fewer places, and each of them sees more.",
    "bottom": "Each of these places sees most of the picture: it knows *what* is there, to 16 pixels exactly.",
    "upsampled": "The smaller map at twice the side, before anything is added. It has no sharp edge.",
    "up": "A 3 × 3 convolution has mixed the upsampled map with what came across.",
    "scores": "A 1 × 1 convolution: one map per class. The largest score of a pixel names its class.",
}


@dataclass(frozen=True, eq=False)
class Layer:
    """One map of the drawing: name, channels, side, and maps float16 (4, h, w): the mean strength of all channels and
    the three strongest channels."""

    name: str
    channels: int
    side: int
    maps: np.ndarray


@dataclass(frozen=True, eq=False)
class Inside:
    """A pass with the maps it made: `layers` in the order in which they are computed, labels uint8 (H, W)."""

    layers: tuple[Layer, ...]
    labels: np.ndarray


def inside(network: LoadedSegmenter, image: np.ndarray, skips: int) -> Inside:
    """Run the network, once per picture and number of skip connections."""
    return _inside(network.name, id(network), network, image, skips)


@st.cache_resource(max_entries=16, show_spinner=False)  # shared and only read
def _inside(name: str, identity: int, _network: LoadedSegmenter, image: np.ndarray, skips: int) -> Inside:
    found = _network(image, keep_stages=True, skips=skips)
    colours = np.moveaxis(image / 255, 2, 0)
    layers = [Layer("picture", 3, len(image), np.stack([colours.mean(0), *colours]).astype(np.float16))]
    for level, (_, features) in enumerate(found.encoded, start=1):
        layers.append(layer_of("down" if level < len(found.encoded) else "bottom", features))
    layers += [layer_of("up" if i % 2 else "upsampled", features) for i, (_, features) in enumerate(found.stages)]
    return Inside((*layers, layer_of("scores", found.logits)), found.labels)


def layer_of(kind: str, features: Tensor) -> Layer:
    """What is kept of features (C, h, w)."""
    strength = features.abs()
    strongest = strength.mean((1, 2)).topk(3).indices
    maps = np.stack([strength.mean(0).numpy(), *features[strongest].numpy()]).astype(np.float16)
    side = features.shape[-1]
    return Layer(kind if kind == "scores" else f"{kind}, {side}", len(features), side, maps)


@st.fragment
@page.guard()
def architecture(picture: Picture, network) -> None:
    page.section(
        "The whole network",
        "Down to see far, up to get the resolution back, and across to get the boundaries back.",
    )
    if not isinstance(network, LoadedSegmenter):
        network = catalog.load(FALLBACK)
        st.caption(f"This is the lab's *{FALLBACK}*, whichever model is chosen above.")
    above, beside = st.columns(2, gap="large", vertical_alignment="bottom")
    with above:
        added = st.segmented_control(
            "Skip connections, by the side of their maps", list(CHOICES), default=list(CHOICES)[-1], required=True,
            key="segmentation_skips", bind="query-params",
        )  # fmt: skip
    seen = inside(network, picture.image, CHOICES[added])
    names = [layer.name for layer in seen.layers]
    left, right = st.columns([3, 2], gap="medium")
    with left:
        view = stage("segmentation_network", zoom=False)
        if view.clicked and view.click.what in names:
            st.session_state[LAYER] = view.click.what
    with beside, live_slider("Layer", options=names, value=FIRST, key=LAYER, play=True, play_seconds=8) as name, right:
        channel = st.segmented_control("Channel, by its strength", MAPS, default=MAPS[0], required=True,
                                       key="segmentation_channel", bind="query-params")  # fmt: skip
        layer, shown = seen.layers[names.index(name)], MAPS.index(channel)
        words(
            f"**{layer.channels} × {layer.side} × {layer.side}** {SAID[name.split(',')[0]]}", "segmentation_layer_said"
        )
        enlarged = np.ascontiguousarray(picture.image) if name == "picture" and shown == 0 else None
        heat = Heat(layer.maps[shown].astype(np.float32), opacity=1.0, smooth=False)
        stage("segmentation_layer_map", zoom=False).show(
            enlarged, [] if enlarged is not None else [heat], size=(224, 224), alt=f"{layer.name}, {channel}",
        )  # fmt: skip
        with left:
            view.show(
                None, drawing(seen.layers, picture.image, seen.labels, shown, CHOICES[added], name),
                size=(WIDTH, HEIGHT), pick=(0, 10),
                alt="The network, map by map, from the picture to the class of every pixel",
                caption="Above each map: its channels. Dashed: a skip connection; it adds the map of the way down to "
                "the upsampled one of the same size. Click a map to enlarge it.",
            )  # fmt: skip
    bring(picture, network)


def bring(picture: Picture, network: LoadedSegmenter) -> None:
    """The same picture with none, one, two and all of the skip connections."""
    st.subheader("What the skip connections bring", anchor="skip-connections")
    if picture.view is None:
        ladder(picture, network, None)
        return
    truth = picture.view.semantic
    all_of_them, none = (boundary_f(truth, inside(network, picture.image, skips).labels) for skips in (SKIPS, 0))
    with page.predict(
        "segmentation-skips",
        f"With all skip connections the boundary F of this scene is {all_of_them:.2f}. What is it without any?",
        page.Number(0.0, 1.0, 0.05),
    ) as prediction:
        ladder(picture, network, truth)
        prediction.outcome(round(none, 2), "because a map of 14 × 14 places knows no edge finer than 16 pixels.")


def boundary_f(truth: np.ndarray, labels: np.ndarray) -> float:
    return segmentation_metrics.boundary_f(truth, labels, len(CLASSES), TOLERANCE)


def ladder(picture: Picture, network: LoadedSegmenter, truth: np.ndarray | None) -> None:
    for index, ((name, skips), column) in enumerate(zip(CHOICES.items(), st.columns(len(CHOICES)), strict=True)):
        labels = inside(network, picture.image, skips).labels
        said = ""
        if truth is not None:
            miou = segmentation_metrics.scene_mean_iou(confusion_of(truth, labels))
            said = f" · mIoU **{miou:.2f}** · boundary F **{boundary_f(truth, labels):.2f}**"
        with column:
            words(f"**{name}**{said}", f"segmentation_skips_said_{index}")
            stage(f"segmentation_skips_{index}", zoom=False).show(
                None, [Labels(labels, PALETTE, 1.0)], size=labels.shape[::-1],
                alt=f"The class of every pixel with these skip connections: {name}",
            )  # fmt: skip
            if truth is not None:
                stage(f"segmentation_skips_wrong_{index}", zoom=False).show(
                    None, [mistakes(truth, labels)], size=labels.shape[::-1],
                    alt=f"The truth and, in orange, the wrong pixels with these skip connections: {name}",
                )  # fmt: skip
    st.caption(
        "Every pool throws away where exactly things were. The features of the way down still know it: added on the "
        "way up, they **bring the boundaries back**, at 28, at 56, then at 112 pixels. This network was trained with "
        "all three and has never practised without. Where each was trained for itself, the order is the same and the "
        "steps are smaller: FCN-32s, -16s and -8s reach an mIoU of 59.4, 62.4 and 62.7 % on a part of PASCAL "
        "VOC 2011 (Long et al. 2015, table 2). U-Net joins the maps instead of adding them."
    )
