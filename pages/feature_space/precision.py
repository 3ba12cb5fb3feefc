"""Of which kind are the neighbours: the same class, colour, pose, light? Layer by layer, over the whole gallery."""

import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs.nearest_neighbours import chance, nearest, precision_at_k
from models.inside.gallery import Thing
from models.inside.signatures import weights_of
from pages.feature_space.retrieval import DISTANCES, K, SHOWN
from pages.feature_space.shared import BLUE, ORANGE, VERMILION, Gallery
from ui import page
from ui.components import live_slider, words

GREEN = "#009E73"
KINDS = {"class": BLUE, "light": ORANGE, "colour": VERMILION, "pose": GREEN}
LOOKS = {"class": ("solid", "circle"), "light": ("dash", "square"), "colour": ("solid", "circle"),
         "pose": ("dash", "square")}  # fmt: skip


def kind_of(thing: Thing, kind: str) -> str:
    """What two things must share to be of one kind."""
    return thing.label if kind == "class" else getattr(thing, kind)


def numbered(names: list[str]) -> Tensor:
    """Words as numbers, int64 (n,)."""
    order = {name: i for i, name in enumerate(sorted(set(names)))}
    return torch.tensor([order[name] for name in names])


@st.cache_data(show_spinner=False)
def blind(_things: tuple[Thing, ...]) -> dict[str, float]:
    """Precision of neighbours drawn blindly, by kind; for poses among the things of one class."""
    found = {kind: chance(numbered([kind_of(each, kind) for each in _things])) for kind in KINDS if kind != "pose"}
    posed = [each for each in _things if each.pose]
    total = 0.0
    for label in {each.label for each in posed}:
        poses = [each.pose for each in posed if each.label == label]
        total += len(poses) * chance(numbered(poses))
    return found | {"pose": total / len(posed)}


@st.cache_resource(max_entries=64, show_spinner=False)
def measured(name: str, weights: str, layer: str, measure: str, _found: Gallery) -> dict[str, list[float]]:
    """Precision at 1 to SHOWN over the things of the gallery by one layer, by kind; each leaves itself out."""
    things = _found.things
    vectors = _found.signatures[layer][: len(things)]
    distances = DISTANCES[measure](vectors, vectors)
    itself = torch.eye(len(things), dtype=torch.bool)
    order = nearest(distances, SHOWN, itself)
    found = {}
    for kind in KINDS:
        names = numbered([kind_of(each, kind) for each in things])
        if kind == "pose":
            posed = torch.tensor([bool(each.pose) for each in things])
            labels = numbered([each.label for each in things])
            among = nearest(distances[posed], SHOWN, (itself | (labels[:, None] != labels))[posed])
            same = names[among] == names[posed][:, None]
        else:
            same = names[order] == names[:, None]
        found[kind] = precision_at_k(same).tolist()
    return found


def by_layer(found: Gallery, measure: str) -> dict[str, dict[str, list[float]]]:
    """`measured`, for every layer."""
    weights = weights_of(found.network)
    return {layer: measured(found.network.name, weights, layer, measure, found) for layer in found.layers}


@st.fragment
@page.guard()
def precision(found: Gallery, measure: str) -> None:
    page.section(
        "Precision at k",
        "Each of the thousand things asks once, and is left out of its own neighbours: how many share its class, its "
        "colour, its pose, its light?",
    )
    curves = by_layer(found, measure)
    by_chance = blind(found.things)
    with live_slider("k, neighbours that count", 1, SHOWN, K, key="space_precision_k", window=2) as k:
        left, right = st.columns(2, gap="large")
        with left:
            class_and_light(found, curves, by_chance, k)
        with right:
            colour_and_pose(found, curves, by_chance, k)


def class_and_light(found: Gallery, curves: dict, by_chance: dict, k: int) -> None:
    layers = found.layers
    with page.predict(
        "space-layer", f"With k = {k}: whose neighbours are most often of the same class?", layers
    ) as prediction:
        draw("space_class", ("class", "light"), curves, by_chance, k)
        best = max(layers, key=lambda layer: curves[layer]["class"][k - 1])
        first, last = layers[0], layers[-1]
        prediction.outcome(
            best,
            f"Precision of the class goes from {curves[first]['class'][k - 1]:.2f} to "
            f"{curves[last]['class'][k - 1]:.2f}; chance is {by_chance['class']:.2f}. That of the light (night, dusk, "
            f"day) goes from {curves[first]['light'][k - 1]:.2f} to {curves[last]['light'][k - 1]:.2f}.",
        )


def colour_and_pose(found: Gallery, curves: dict, by_chance: dict, k: int) -> None:
    last = found.layers[-1]
    with page.predict(
        "space-colour",
        f"By the last layer, how many of {k} neighbours have the thing's own colour, on average?",
        page.Number(0.0, float(k), k / 20),
    ) as prediction:
        draw("space_colour", ("colour", "pose"), curves, by_chance, k)
        share = curves[last]["colour"][k - 1]
        best = max(found.layers, key=lambda layer: curves[layer]["colour"][k - 1])
        prediction.outcome(
            round(share * k, 2),
            f"That is a precision of {share:.2f}, where chance is {by_chance['colour']:.2f}; layer {best} keeps most, "
            f"{curves[best]['colour'][k - 1]:.2f}. Poses are looked for among things of one class: "
            f"{curves[last]['pose'][k - 1]:.2f}, chance {by_chance['pose']:.2f}.",
        )


def draw(key: str, kinds: tuple[str, ...], curves: dict, by_chance: dict, k: int) -> None:
    """Precision at k over the layers, and chance as a thin line."""
    drawing = go.Figure()
    layers = list(curves)
    for kind in kinds:
        dash, symbol = LOOKS[kind]
        values = [curves[layer][kind][k - 1] for layer in layers]
        drawing.add_scatter(x=layers, y=values, name=kind, mode="lines+markers", line={"color": KINDS[kind], "dash": dash},
                            marker={"symbol": symbol, "color": KINDS[kind]})  # fmt: skip
        drawing.add_scatter(x=layers, y=[by_chance[kind]] * len(layers), name=f"{kind}, by chance", mode="lines",
                            line={"color": KINDS[kind], "width": 1, "dash": "dot"}, hoverinfo="skip", showlegend=False)  # fmt: skip
    drawing.update_layout(
        yaxis_title=f"precision at {k}", yaxis_range=[0, 1.02], xaxis_title="layer, early to late",
        margin={"t": 34, "b": 60, "l": 56, "r": 10},
    )  # fmt: skip
    page.figure(drawing, key, height=330, alt=f"Precision at {k} by {' and '.join(kinds)}, layer by layer")
    words("Dotted: neighbours drawn blindly.", f"{key}_chance")
