"""A picture asks, and the gallery answers with what lies nearest."""

from collections import Counter
from contextlib import ExitStack
from time import perf_counter

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from labs import nearest_neighbours
from models.inside.gallery import TILE
from pages.feature_space.shared import (
    BLUE,
    NETWORKS,
    ORANGE,
    PHOTOGRAPHIC,
    SKY,
    VERMILION,
    Gallery,
    Query,
    drawn_again,
    gallery_of,
    query_of,
    signature_of,
    things_in,
)
from ui import page, pictures
from ui.components import Box, Boxes, Stage, address, following, live_slider, stage, words
from ui.pictures import KEPT, Picture

ACROSS, SHOWN = 6, 12  # tiles in a row, and how many of the nearest are shown
STRIP, DARK = 34, (38, 42, 50)  # pixels above a row of tiles for the distances, and their colour
K = 8
NAMED = 4  # kinds of neighbours that the sentence counts one by one
DISTANCES = {"Euclidean": nearest_neighbours.euclidean, "Cosine": nearest_neighbours.cosine}
AT, FROM = "space_thing", "space_from"  # in the address: which thing of the scene, or of the gallery, asks


def choose() -> tuple[Gallery, str]:
    """Draw the choice of a network and a distance, for the whole page."""
    page.section("Play", "A picture becomes a list of numbers, its signature. The nearest lists: are they its like?")
    with st.container(key="line-space", horizontal=True):
        chosen = st.segmented_control(
            "Network", list(NETWORKS), default="Trained", required=True, key="space_network",
            help="Trained on Lab World, trained on the photographs of ImageNet, or with the weights of a seed.", **KEPT,
        )  # fmt: skip
        measure = st.segmented_control(
            "Distance", list(DISTANCES), default="Euclidean", required=True, key="space_distance", **KEPT
        )
    return gallery_of(NETWORKS[chosen]), measure


def layer_slider(found: Gallery):
    """The layers of this network, from early to late; the networks of one architecture share it."""
    key = "space_stage" if found.network.name == PHOTOGRAPHIC else "space_layer"
    return live_slider("Layer", options=found.layers, value=found.layers[-1], key=key, window=2)


@st.fragment
@page.guard()
def play(picture: Picture, found: Gallery, measure: str) -> None:
    with ExitStack() as sliders:
        with st.container(horizontal=True, key="controls-space"):
            layer = sliders.enter_context(layer_slider(found))
            k = sliders.enter_context(live_slider("Neighbours k", 1, SHOWN, K, key="space_k", window=2))
        near, asking = st.columns([7, 3], gap="medium")
        with near:
            tiles = stage("space_nearest", zoom=False, width=560)  # whole on a projector too
        if tiles.clicked and tiles.click is not None and tiles.click.what:
            address.keep(FROM, tiles.click.what.removeprefix("n"))
        with asking:
            query = asks(picture, found)
        distances = DISTANCES[measure](signature_of(found, query)[layer], found.signatures[layer])
        order = neighbours(distances, query, SHOWN)
        with near:
            show_nearest(found, query, tiles, order, distances[0], k)
            words(sentence(found, query, order[:k], distances[0], layer), "space_words")
    if not following():
        searched = f"{found.network.name}, one search among {len(found.tiles):,} signatures"
        page.footer(searched, found.network.device, timed(found, query))


def asks(picture: Picture, found: Gallery) -> Query:
    """The picture that asks, drawn on its stage: a thing of the scene, the whole picture, or one of the gallery."""
    view, things = stage("space_query", zoom=False, width=320), things_in(picture)
    if view.clicked and view.click is not None and view.click.what:
        address.keep(AT, view.click.what.removeprefix("thing-"))
    start = chosen_number(FROM, len(found.tiles))
    if start is not None:
        query = of_gallery(found, start)
        view.show(query.image, alt=f"The picture that asks: {query.name}", caption=f"Asks: {found.note(start)}.")
        back = "Ask with my picture again"
        st.button(back, key="space_back", icon=":material/undo:", on_click=address.keep, args=(FROM, None))
        return query
    at = chosen_number(AT, len(things)) or 0
    query = query_of(picture, things[at] if things else None)
    boxes = [
        Box(f"thing-{i}", tuple(map(float, thing.box)), thing.label if i == at else "", ORANGE if i == at else SKY,
            dash=i != at, width=3 if i == at else 2, note=f"click: ask with this {thing.label}")
        for i, thing in enumerate(things)
    ]  # fmt: skip
    caption = "Orange: the thing that asks. Click another one." if things else "It asks as a whole."
    view.show(picture.image, [Boxes(boxes)], alt=f"{picture.name}, with what asks", caption=caption)
    return query


def of_gallery(found: Gallery, number: int) -> Query:
    """A picture of the gallery that asks in its turn."""
    if number < len(found.things):
        return Query(drawn_again(number), found.name(number), found.name(number), number)
    return Query(pictures.photograph(found.name(number)).image, found.name(number), None, number)


def chosen_number(name: str, count: int) -> int | None:
    """A whole number below `count` from the address; None if there is none that means anything."""
    try:
        (number,) = address.numbers(name, 1, int) or (None,)
    except ValueError:
        return None
    return number if number is not None and 0 <= number < count else None


def label_of(found: Gallery, number: int) -> str | None:
    """The class of a thing of the gallery; None for a photograph."""
    return found.name(number) if number < len(found.things) else None


def neighbours(distances: Tensor, query: Query, count: int) -> list[int]:
    """The numbers of the nearest, the picture itself left out."""
    itself = torch.zeros(distances.shape, dtype=torch.bool)
    if query.number is not None:
        itself[0, query.number] = True
    return nearest_neighbours.nearest(distances, count, itself)[0].tolist()


def show_nearest(found: Gallery, query: Query, view: Stage, order: list[int], distances: Tensor, k: int) -> None:
    """The nearest in rows; the first k are framed, the rest is paled."""
    legend = "" if query.label is None else f"Blue: also a {query.label}. Dashed: something else. "
    view.show(
        mosaic(found, order), [Boxes(frames(found, query, order, distances, k))],
        alt=f"The {len(order)} nearest pictures, nearest first",
        caption=f"{legend}Numbers: distance. Gray: beyond k. Click a picture, and it asks in its turn.",
    )  # fmt: skip


def frames(found: Gallery, query: Query, order: list[int], distances: Tensor, k: int) -> list[Box]:
    """The frame of every tile of `mosaic`, with its distance up to the k-th."""
    boxes = []
    for place, number in enumerate(order):
        x, y = place % ACROSS * TILE, place // ACROSS * (TILE + STRIP) + STRIP
        where, note = (x + 2, y + 2, x + TILE - 2, y + TILE - 2), found.note(number)
        if place >= k:
            boxes.append(Box(f"n{number}", where, colour="#808080", width=1, fill=0.6, note=note))
            continue
        same = query.label is not None and label_of(found, number) == query.label
        colour = SKY if query.label is None else BLUE if same else VERMILION
        other = query.label is not None and not same
        label = digits(float(distances[number]))
        boxes.append(Box(f"n{number}", where, label, colour, dash=other, width=3, note=note))
    return boxes


def mosaic(found: Gallery, order: list[int]) -> NDArray[np.uint8]:
    """The tiles in rows of ACROSS, uint8 (rows·(STRIP + TILE), ACROSS·TILE, 3): a strip for words above each."""
    tiles = found.tiles[order].reshape(-1, ACROSS, TILE, TILE, 3).swapaxes(1, 2).reshape(-1, TILE, ACROSS * TILE, 3)
    strips = np.full((len(tiles), STRIP, ACROSS * TILE, 3), DARK, np.uint8)
    return np.concatenate([strips, tiles], 1).reshape(-1, ACROSS * TILE, 3)


def digits(distance: float) -> str:
    """Three significant digits, and as many zeros as they need."""
    return f"{distance:#.3g}".removesuffix(".")


def sentence(found: Gallery, query: Query, order: list[int], distances: Tensor, layer: str) -> str:
    """How many numbers were compared, who is near, and how far."""
    names = Counter(found.name(number) for number in order).most_common()
    told = [f"{count} × {name}" for name, count in names[:NAMED]]
    if rest := sum(count for _, count in names[NAMED:]):
        told.append(f"{rest} × other")
    near, far = (digits(float(distances[number])) for number in (order[0], order[-1]))
    text = (
        f"Layer **{layer}**: **{found.signatures[layer].shape[1]} numbers** a picture. The {len(order)} nearest of "
        f"{len(found.tiles) - (query.number is not None):,}: {', '.join(told)}; distance {near} to {far}."
    )
    if query.label is not None:
        same = sum(label_of(found, number) == query.label for number in order)
        share = f"**Precision at {len(order)}: {same / len(order):.2f}**"
        text += f" {share} ({same} of {len(order)} are of class {query.label})."
    if query.number is not None:
        text += " The picture that asks is in the gallery itself and left out."
    return text


def timed(found: Gallery, query: Query) -> float:
    """Milliseconds of one search by the last layer."""
    layer = found.layers[-1]
    vector = signature_of(found, query)[layer]
    start = perf_counter()
    neighbours(nearest_neighbours.euclidean(vector, found.signatures[layer]), query, SHOWN)
    return 1000 * (perf_counter() - start)
