"""What the sections share: the networks on offer, the gallery with its signatures, and the picture that asks."""

from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

import scenes
from models import catalog
from models.inside import gallery, signatures
from models.inside.gallery import TILE, Thing
from models.inside.signatures import UNTRAINED, Network
from ui import pictures
from ui.pictures import PHOTOGRAPHS, Picture

LAB, PHOTOGRAPHIC = "classifier-gap-28", "efficientnet-lite0"
# What the page calls them, and the catalogue.
NETWORKS = {"Trained": LAB, "ImageNet": PHOTOGRAPHIC, "Untrained": UNTRAINED}
BLUE, VERMILION, ORANGE, SKY = "#0072B2", "#D55E00", "#E69F00", "#56B4E9"


@dataclass(frozen=True, eq=False)
class Gallery:
    """All that can be found, and what a network makes of it.

    Attributes:
        network: the network.
        things: the things of Lab World; their numbers come first, then those of the photographs.
        photographs: their names in `ui.pictures`.
        signatures: by layer from early to late, float32 (n, channels).
        tiles: the small pictures, uint8 (n, TILE, TILE, 3).
        anew: whether the signatures were computed here, because the shipped ones are of other weights.
    """

    network: Network
    things: tuple[Thing, ...]
    photographs: tuple[str, ...]
    signatures: dict[str, Tensor]
    tiles: NDArray[np.uint8]
    anew: bool

    @property
    def layers(self) -> list[str]:
        """From the picture to the last maps."""
        return list(self.signatures)

    def name(self, number: int) -> str:
        """What lies there: the class of a thing, the name of a photograph."""
        if number < len(self.things):
            return self.things[number].label
        return self.photographs[number - len(self.things)]

    def note(self, number: int) -> str:
        """All that is known of it."""
        if number >= len(self.things):
            return f"photograph: {self.name(number)}"
        thing = self.things[number]
        words = [thing.colour, thing.label, thing.pose, thing.light, f"scene {thing.seed}"]
        return ", ".join(word for word in words if word)


@dataclass(frozen=True, eq=False)
class Query:
    """The picture that asks: `image` uint8 (H, W, 3), `name` for captions, `label` its class where Lab World knows it,
    and its `number` in the gallery, None if it is not there."""

    image: NDArray[np.uint8]
    name: str
    label: str | None
    number: int | None


def network_of(name: str) -> Network:
    """The network of that name in the catalogue, or the untrained one."""
    return signatures.untrained() if name == UNTRAINED else catalog.load(name)


@st.cache_resource(max_entries=8, show_spinner=False)
def _place(name: str, weights: str) -> list[Gallery]:
    """Where the one gallery of a network lies once it is there: a cached function cannot show its progress."""
    return []


def gallery_of(name: str) -> Gallery:
    """The gallery as a network sees it: its shipped signatures, or with progress those that it makes now."""
    network = network_of(name)
    place = _place(name, signatures.weights_of(network))
    if not place:
        shipped = signatures.shipped(network)
        things = computed(network) if shipped is None else shipped
        photographs = [pictures.photograph(label).image for label in PHOTOGRAPHS]
        seen = signatures.of_pictures(network, np.array(photographs))
        small = np.array([_small(each) for each in photographs])
        place.append(
            Gallery(
                network,
                gallery.things(),
                tuple(PHOTOGRAPHS),
                {layer: torch.cat([things[layer], seen[layer]]) for layer in seen},
                np.concatenate([gallery.thumbnails(), small]),
                shipped is None,
            )
        )
    return place[0]


def computed(network: Network) -> dict[str, Tensor]:
    """The gallery drawn again from its seeds and shown to a network, under a progress bar."""
    st.info(
        f"The shipped signatures were not made by the weights of {network.name}, so they are computed anew.",
        icon=":material/info:",
    )
    bar = st.progress(0.0, "Drawing the gallery")
    things = gallery.things()
    drawn = []
    for thing in things:
        drawn.append(gallery.picture(thing))
        bar.progress(len(drawn) / len(things) / 2, f"Drawing the gallery: {len(drawn)} of {len(things)}")
    found = signatures.compute(
        network,
        np.array(drawn),
        lambda done, count: bar.progress(0.5 + done / count / 2, f"{network.name}: {done} of {count}"),
    )
    bar.empty()
    return found


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, (TILE, TILE), interpolation=cv2.INTER_AREA))


@st.cache_resource(max_entries=256, show_spinner=False)
def signature(name: str, weights: str, _network: Network, image: NDArray[np.uint8]) -> dict[str, Tensor]:
    """The signatures of one picture by layer, float32 (1, channels) each."""
    return signatures.of_pictures(_network, image[None])


def signature_of(found: Gallery, query: Query) -> dict[str, Tensor]:
    """The signatures of the picture that asks: looked up if it is in the gallery, else one forward pass."""
    if query.number is not None:
        return {layer: each[query.number][None] for layer, each in found.signatures.items()}
    return signature(found.network.name, signatures.weights_of(found.network), found.network, query.image)


@st.cache_data(max_entries=256, show_spinner=False)
def drawn_again(number: int) -> NDArray[np.uint8]:
    """A thing of the gallery from its seed, larger than its tile."""
    return gallery.picture(gallery.things()[number])


@st.cache_data(max_entries=128, show_spinner=False)
def _drawn_large(seed: int, _scene: scenes.Scene, knobs: str) -> NDArray[np.uint8]:
    return scenes.render_image(_scene, gallery.DRAWN)


def things_in(picture: Picture) -> list[scenes.Instance]:
    """The things of a Lab World scene, the largest first; none of another picture."""
    if picture.view is None:
        return []
    return sorted(picture.view.instances, key=lambda each: -int(each.mask.sum()))


def query_of(picture: Picture, thing: scenes.Instance | None) -> Query:
    """A thing of a scene, cut out as those of the gallery are, or the whole picture."""
    if thing is None:
        number = None
        if picture.name in PHOTOGRAPHS and picture.scene is None:
            number = len(gallery.things()) + list(PHOTOGRAPHS).index(picture.name)
        return Query(picture.image, picture.name, None, number)
    window = gallery.window_around(thing.box * gallery.DRAWN / len(picture.image), gallery.DRAWN)
    large = _drawn_large(picture.scene.seed, picture.scene, repr(picture.scene))
    return Query(gallery.cut_out(large, window), thing.label, thing.label, None)
