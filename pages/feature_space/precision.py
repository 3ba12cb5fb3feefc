"""Of which kind are the neighbours: the same class, colour, pose, light? Layer by layer, over the whole gallery."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs.nearest_neighbours import chance, nearest, precision_at_k
from models.inside.gallery import Thing
from models.inside.signatures import weights_of
from pages.feature_space.retrieval import DISTANCES, SHOWN, K
from pages.feature_space.shared import BLUE, NETWORKS, ORANGE, VERMILION, Gallery, gallery_of
from ui import page
from ui.components import Grid, live_slider, matrices

Curves = dict[str, dict[str, list[float]]]  # by layer and kind, precision at 1, 2, ...
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


def by_layer(found: Gallery, measure: str) -> Curves:
    """`measured`, for every layer."""
    weights = weights_of(found.network)
    return {layer: measured(found.network.name, weights, layer, measure, found) for layer in found.layers}


@st.fragment
@page.guard()
def precision(found: Gallery, measure: str) -> None:
    page.section(
        "Precision at k",
        "Each of the thousand things asks once and is left out of its own neighbours: how many share its class, light, "
        "colour or pose?",
    )
    curves, by_chance = by_layer(found, measure), blind(found.things)
    with live_slider("k, nearest that count", 1, SHOWN, K, key="space_precision_k", window=2) as k:
        left, right = st.columns(2, gap="large")
        with left:
            class_and_light(found, curves, by_chance, k)
        with right:
            colour_and_pose(found, curves, by_chance, k)
        compared(found, measure, by_chance, k)


def class_and_light(found: Gallery, curves: Curves, by_chance: dict[str, float], k: int) -> None:
    """Class against light, behind the question which layer finds most of a class."""
    with page.predict(
        "space-layer", f"k = {k}: whose neighbours are most often of the same class?", found.layers
    ) as prediction:
        draw("space_class", ("class", "light"), curves, by_chance, k)
        at = {kind: [curves[layer][kind][k - 1] for layer in found.layers] for kind in ("class", "light")}
        best = found.layers[max(range(len(found.layers)), key=lambda i: at["class"][i])]
        prediction.outcome(
            best,
            f"From the first to the last layer the class goes from {at['class'][0]:.2f} to {at['class'][-1]:.2f} "
            f"(blindly {by_chance['class']:.2f}), the light (night, dusk or day) from {at['light'][0]:.2f} to "
            f"{at['light'][-1]:.2f} (blindly {by_chance['light']:.2f}).",
        )


def colour_and_pose(found: Gallery, curves: Curves, by_chance: dict[str, float], k: int) -> None:
    """The thing's own colour and pose, behind the question how many have its colour."""
    last = found.layers[-1]
    with page.predict(
        "space-colour", f"Last layer: how many of {k} neighbours have the thing's own colour, on average?",
        page.Number(0.0, float(k), k / 20),
    ) as prediction:  # fmt: skip
        draw("space_colour", ("colour", "pose"), curves, by_chance, k)
        share, best = curves[last]["colour"][k - 1], max(curves, key=lambda layer: curves[layer]["colour"][k - 1])
        prediction.outcome(
            round(share * k, 2),
            f"A precision of {share:.2f}, where blind neighbours have {by_chance['colour']:.2f}; layer {best} finds "
            f"most, {curves[best]['colour'][k - 1]:.2f}. Poses, looked for among things of one class: "
            f"{curves[last]['pose'][k - 1]:.2f}, blindly {by_chance['pose']:.2f}.",
        )


def draw(key: str, kinds: tuple[str, ...], curves: Curves, by_chance: dict[str, float], k: int) -> None:
    """Precision at k over the layers, and that of blind neighbours as a thin line."""
    drawing, layers = go.Figure(), list(curves)
    for kind in kinds:
        dash, symbol = LOOKS[kind]
        drawing.add_scatter(
            x=layers, y=[curves[layer][kind][k - 1] for layer in layers], name=kind, mode="lines+markers",
            line={"color": KINDS[kind], "dash": dash}, marker={"symbol": symbol, "color": KINDS[kind]},
        )  # fmt: skip
        drawing.add_scatter(
            x=layers, y=[by_chance[kind]] * len(layers), name=f"{kind}, blindly", mode="lines", showlegend=False,
            line={"color": KINDS[kind], "width": 1.5, "dash": "dot"},
        )  # fmt: skip
    drawing.update_layout(
        yaxis_title="precision at k", yaxis_range=[0, 1.02], xaxis_title="layer, early to late (dotted: blindly)",
        margin={"t": 34, "b": 60, "l": 56, "r": 10},
    )  # fmt: skip
    page.figure(drawing, key, height=320, alt=f"Precision at {k} by {' and '.join(kinds)}, layer by layer")


def compared(found: Gallery, measure: str, by_chance: dict[str, float], k: int) -> None:
    """The last layers of all networks, and blind neighbours."""
    st.subheader("By which network?", anchor="space-networks")
    rows = {}
    for called, name in NETWORKS.items():
        each = found if name == found.network.name else gallery_of(name)
        rows[called] = measured(name, weights_of(each.network), each.layers[-1], measure, each)
    with page.predict(
        "space-network", f"k = {k}, last layers: whose neighbours are most often of the same class?", list(NETWORKS)
    ) as prediction:
        values = [[rows[called][kind][k - 1] for kind in KINDS] for called in NETWORKS]
        values.append([by_chance[kind] for kind in KINDS])
        table = Grid(
            "space_networks", np.array(values), title=f"precision at {k}, last layer", colour="sequential", vmin=0,
            vmax=1, format="%.2f", rows=[*NETWORKS, "blindly"], columns=list(KINDS), cell=64,
        )  # fmt: skip
        matrices("space_networks", window=2).show([table])
        best = max(rows, key=lambda called: rows[called]["class"][k - 1])
        prediction.outcome(best, told(rows, k))


def told(rows: dict[str, dict[str, list[float]]], k: int) -> str:
    """The classes in words, with what the untrained network says of chance and structure."""
    each = ", ".join(f"{called} {values['class'][k - 1]:.2f}" for called, values in rows.items())
    return (
        f"Class: {each}. The untrained network has the same layers, but nobody has told it what to forget: it still "
        f"knows the light ({rows['Untrained']['light'][k - 1]:.2f})."
    )
