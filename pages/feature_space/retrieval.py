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
    PHOTOGRAPHIC,
    ORANGE,
    SKY,
    VERMILION,
    Gallery,
    Query,
    gallery_of,
    query_of,
    signature_of,
    things_in,
)
from ui import page
from ui.components import Box, Boxes, address, following, live_slider, stage, words
from ui.pictures import KEPT, Picture

ACROSS, SHOWN = 8, 24  # tiles in a row, and how many of the nearest are shown
K = 8
DISTANCES = {"Euclidean": nearest_neighbours.euclidean, "Cosine": nearest_neighbours.cosine}
AT, FROM = "space_thing", "space_from"  # in the address: which thing of the scene, or of the gallery, asks


def choose() -> tuple[Gallery, str]:
    """Draw the choice of a network and a distance, for the whole page."""
    page.section("Play", "A picture becomes a list of numbers, its signature. The nearest lists: are they its like?")
    with st.container(key="line-space", horizontal=True):
        chosen = st.segmented_control(
            "Network", list(NETWORKS), default="Trained", required=True, key="space_network", **KEPT
        )
        measure = st.segmented_control(
            "Distance", list(DISTANCES), default="Euclidean", required=True, key="space_distance", **KEPT
        )
    return gallery_of(NETWORKS[chosen]), measure


@st.fragment
@page.guard()
def play(picture: Picture, found: Gallery, measure: str) -> None:
    with ExitStack() as sliders:
        left, right = st.columns([3, 7], gap="medium")
        with left:
            view = stage("space_query", zoom=False)
            query = asks(picture, found, view)
            layer = sliders.enter_context(
                live_slider("Layer", options=found.layers, value=found.layers[-1], window=2,
                            key="space_stage" if found.network.name == PHOTOGRAPHIC else "space_layer")
            )  # fmt: skip
            k = sliders.enter_context(live_slider("Neighbours k", 1, SHOWN, K, key="space_k", window=2))
        with right:
            tiles = stage("space_nearest", zoom=False)
            if tiles.clicked and tiles.click.what:
                address.keep(FROM, tiles.click.what.removeprefix("n"))
                st.rerun(scope="fragment")
        distances = DISTANCES[measure](signature_of(found, query)[layer], found.signatures[layer])
        order = neighbours(distances, query, SHOWN)
        with right:
            show_nearest(found, query, tiles, order, distances[0], k)
            words(sentence(found, query, order[:k], distances[0], layer), "space_words")
    if not following():
        page.footer(found.network.name, str(found.network.device), timed(found, query))


def asks(picture: Picture, found: Gallery, view) -> Query:
    """The picture that asks, drawn on its stage: a thing of the scene, the whole picture, or one of the gallery."""
    things = things_in(picture)
    if view.clicked and view.click.what:
        address.keep(AT, view.click.what.removeprefix("thing-"))
        address.keep(FROM, None)
    start = chosen_number(FROM, len(found.tiles))
    if start is not None:
        query = Query(found.tiles[start], found.name(start), label_of(found, start), start)
        view.show(
            query.image, alt=f"The picture that asks: {query.name}", caption=f"From the gallery: {found.note(start)}"
        )
        st.button(
            "Ask with my picture", key="space_back", icon=":material/undo:", on_click=address.keep, args=(FROM, None)
        )
        return query
    at = chosen_number(AT, len(things)) or 0
    query = query_of(picture, things[at] if things else None)
    boxes = [
        Box(f"thing-{i}", tuple(map(float, thing.box)), thing.label if i == at else "", ORANGE if i == at else SKY,
            dash=i != at, width=3 if i == at else 2, note=f"click: ask with this {thing.label}")
        for i, thing in enumerate(things)
    ]  # fmt: skip
    caption = (
        "Orange: the thing that asks, with some of what is around it. Click another."
        if things
        else "It asks as a whole."
    )
    view.show(picture.image, [Boxes(boxes)], alt=f"{picture.name}, with the thing that asks", caption=caption)
    return query


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


def show_nearest(found: Gallery, query: Query, view, order: list[int], distances: Tensor, k: int) -> None:
    """The nearest in rows; the first k are framed, the rest is paled."""
    boxes = []
    for place, number in enumerate(order):
        x, y = place % ACROSS * TILE, place // ACROSS * TILE
        label = label_of(found, number)
        same = query.label is not None and label == query.label
        colour = SKY if query.label is None else BLUE if same else VERMILION
        boxes.append(
            Box(f"n{number}", (x + 2, y + 2, x + TILE - 2, y + TILE - 2),
                figure(float(distances[number])) if place < k else "", colour if place < k else "#808080",
                dash=place < k and query.label is not None and not same, width=3 if place < k else 1,
                fill=0.0 if place < k else 0.6, note=found.note(number))
        )  # fmt: skip
    legend = "" if query.label is None else f"Blue: also a {query.label}. Vermilion, dashed: another class. "
    view.show(
        mosaic(found, order), [Boxes(boxes)],
        alt=f"The {len(order)} nearest pictures, nearest first",
        caption=f"{legend}Numbers: distance. Gray: beyond k. Click a picture: it asks in its turn.",
    )  # fmt: skip


def mosaic(found: Gallery, order: list[int]) -> NDArray[np.uint8]:
    """The tiles in rows of ACROSS, uint8 (rows·TILE, ACROSS·TILE, 3)."""
    tiles = found.tiles[order]
    return np.ascontiguousarray(tiles.reshape(-1, ACROSS, TILE, TILE, 3).swapaxes(1, 2).reshape(-1, ACROSS * TILE, 3))


def figure(distance: float) -> str:
    """Three significant digits."""
    return f"{distance:.3g}"


def sentence(found: Gallery, query: Query, order: list[int], distances: Tensor, layer: str) -> str:
    """Who is near: how many numbers were compared, the classes found, the range of distances."""
    channels = found.signatures[layer].shape[1]
    names = Counter(found.name(number) for number in order)
    told = ", ".join(f"{count} {name}" for name, count in names.most_common(4))
    rest = len(order) - sum(count for _, count in names.most_common(4))
    near, far = figure(float(distances[order[0]])), figure(float(distances[order[-1]]))
    text = f"Layer **{layer}**: **{channels} numbers** a picture. The {len(order)} nearest: {told}"
    text += f", {rest} other" if rest else ""
    text += f"; distance {near} to {far}. "
    if query.label is not None:
        same = sum(label_of(found, number) == query.label for number in order)
        text += f"**Precision at {len(order)}: {same / len(order):.2f}** ({same} of {len(order)} are of class {query.label}). "
    if query.number is not None:
        text += "The picture is itself in the gallery; it is left out of its own neighbours."
    return text


def timed(found: Gallery, query: Query) -> float:
    """Milliseconds of one search through the last layer."""
    layer = found.layers[-1]
    vector = signature_of(found, query)[layer]
    start = perf_counter()
    neighbours(nearest_neighbours.euclidean(vector, found.signatures[layer]), query, SHOWN)
    return 1000 * (perf_counter() - start)
