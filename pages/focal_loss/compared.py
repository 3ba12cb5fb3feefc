"""Three networks on one trunk that differ in how their classes were asked for: what they find, how sure they are."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from models import catalog
from models.networks.retinanet import LOWEST_SCORE
from pages.focal_loss.shared import FOCAL, LOOKS, NETWORKS, asked_of, look, shipped, truths, xyxy
from pages.shared.swatches import swatches
from scenes import PALETTE, THINGS
from ui import page
from ui.components import Box, Boxes, following, live_slider, stage, words
from ui.pictures import Picture

EDGES = np.linspace(0, 1, 21)
HOW = {
    "retinanet": "all anchors, −(1 − p)² log p",
    "retinanet-cross-entropy": "all anchors, −log p",
    "retinanet-sampled": "one anchor in four is positive, −log p",
}


@st.fragment
@page.guard()
def compared(picture: Picture) -> None:
    page.section(
        "Three networks",
        "Trunk, box head, start, pictures and steps are the same: only the loss of the classes differs.",
    )
    page.remind("AP", "NMS")
    networks = shipped()
    with live_slider("Score threshold", LOWEST_SCORE, 0.95, 0.3, step=0.01, key="focal_threshold", format="%.2f",
                     window=2) as threshold:  # fmt: skip
        found = {label: look(name, picture.image) for label, name in networks.items()}
        kept = {label: int((each.scores >= threshold).sum()) for label, each in found.items()}
        most = max(kept, key=lambda label: kept[label])
        tied = sum(count == kept[most] for count in kept.values()) > 1
        with page.predict(
            "focal-boxes", f"Which network draws the most boxes here at a threshold of {threshold:g}?",
            [*networks, "a tie"] if len(networks) > 1 else [],
        ) as prediction:  # fmt: skip
            for place, (label, each) in zip(st.columns(len(NETWORKS), gap="medium"), found.items(), strict=False):
                with place:
                    one(picture, label, networks[label], each, threshold)
            prediction.outcome(
                "a tie" if tied else most,
                ", ".join(f"{label}: {count}" for label, count in kept.items())
                + (f"; the scene has {len(picture.view.instances)} things." if picture.view else "."),
            )
    if following():
        return
    judged(networks)
    if picture.view is not None:
        histograms(picture, networks)
    page.footer(FOCAL, found[next(iter(found))].device, found[next(iter(found))].seconds * 1000)


def one(picture: Picture, label: str, name: str, found, threshold: float) -> None:
    shown = (found.scores >= threshold).nonzero()[:, 0].tolist()
    boxes = [
        Box(f"found-{i}", xyxy(found.boxes[i]), f"{THINGS[found.labels[i] - 1]} {found.scores[i]:.2f}",
            PALETTE[THINGS[found.labels[i] - 1]], width=2.5)
        for i in reversed(shown)
    ]  # fmt: skip
    words(f"**{label}**: {len(shown)} {'box' if len(shown) == 1 else 'boxes'}\n\n{HOW[name]}", f"focal_words_{name}")
    stage(f"focal_found_{name}", zoom=False, window=2).show(
        picture.image, [Boxes([*truths(picture), *boxes])], alt=f"{len(shown)} boxes of {name}",
        caption="Dashed white: truth." if picture.view else "",
    )  # fmt: skip


def judged(networks: dict[str, str]) -> None:
    """What the cards say of them, and by how much γ = 2 is ahead."""
    cards = {label: catalog.card(name)["metrics"] for label, name in networks.items()}
    cards = {label: told for label, told in cards.items() if told}  # one that is still being judged has none
    if not cards:
        return
    rows = ["| network | box AP | AP50 | small | medium | large |", "|---|---:|---:|---:|---:|---:|"]
    for label, told in cards.items():
        sizes = " | ".join(f"{told['box_ap_per_size'][each]:.3f}" for each in ("small", "medium", "large"))
        rows.append(f"| {label} | **{told['box_ap']:.3f}** | {told['box_ap50']:.3f} | {sizes} |")
    st.markdown("\n".join(rows))
    (first, best), *others = cards.items()
    gains = [f"{best['box_ap'] - told['box_ap']:+.3f}".replace("-", "−") + f" against {label}"
             for label, told in others]  # fmt: skip
    if gains:
        st.markdown(f"**{first}** changes the AP by {' and '.join(gains)}.")
        st.caption(why(best["box_ap"] - others[0][1]["box_ap"], others[0][0]))
    st.caption(
        f"COCO's AP@[.5:.95] over {best['scenes']} scenes that no network was trained on. All three stand on the "
        "frozen trunk of the lab's detector, which has learned the things of Lab World already."
    )


def why(gain: float, other: str) -> str:
    """Whether the paper's gain shows in this small world."""
    paper = "On COCO the paper's γ = 2 is 2.9 AP ahead of cross-entropy with its own best α, 0.75; here α stays .25."
    if gain >= 0.03:
        return f"{paper} The gain is there in this small world too."
    ahead = f"{gain:+.3f}".replace("-", "−")
    return (
        f"{paper} Here it is {ahead} ahead of {other}: a trunk that knows the things, 6,174 anchors instead of 100,000 "
        "and clean borders leave few hard negatives to fight for. The lead is one of speed: stopped after 800 of "
        "its 2,000 steps, γ = 2 was .035 ahead."
    )


def histograms(picture: Picture, networks: dict[str, str]) -> None:
    """How sure the anchors are: the surest class of negatives, and the right class of positives."""
    counts = {label: sureness(name, picture) for label, name in networks.items()}
    for place, index, title in zip(st.columns(2, gap="large"), (0, 1), (
        "Negatives: the surest class", "Positives: the right class"), strict=True):  # fmt: skip
        figure = go.Figure()
        for label, both in counts.items():
            figure.add_scatter(
                x=(EDGES[:-1] + EDGES[1:]) / 2, y=np.histogram(both[index].numpy(), EDGES)[0], name=label,
                mode="lines+markers", line={"color": LOOKS[label], "shape": "hvh", "width": 2},
            )  # fmt: skip
        figure.update_layout(
            title=title, xaxis={"title": "probability", "range": [0, 1]}, showlegend=False,
            yaxis={"title": "anchors", "type": "log" if index == 0 else "linear"},
        )  # fmt: skip
        with place:
            page.figure(figure, f"focal_histogram_{index}", height=340, alt=title)
    st.html(swatches((LOOKS[label], label) for label in networks))


def sureness(name: str, picture: Picture) -> tuple[Tensor, Tensor]:
    """Largest probability of each negative anchor, and the probability of its class of each positive one."""
    anchors = asked_of(name, picture)
    said = anchors.logits.sigmoid()
    return said[~anchors.positive].amax(1), said[anchors.right]
