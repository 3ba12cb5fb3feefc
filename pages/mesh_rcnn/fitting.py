"""Watch a ball become the thing: what the Chamfer distance alone does, and what the other two losses add."""

import threading

import streamlit as st
import torch
from torch import Tensor

from labs import mesh_losses
from labs.mesh_fitting import POINTS, Fit, Weights
from pages.mesh_rcnn.shared import GREY, ORANGE, SKY, Truth, chosen, to_unit, truth_of
from scenes import Instance
from ui import page
from ui.components import Solid, live_slider, solids, words
from ui.pictures import Picture

STEPS, EVERY = 200, 2  # the longest fit; one picture for so many steps
START = 120
ALONE = Weights()
JUDGED = 3000  # points on each surface for the figures
TIMES = (1, 2, 4, 8)  # answers
REACH = 0.72  # of the longest side: how far the pictures reach from the middle


class Film:
    """A fit that remembers its corners after every second step, as far as somebody has asked. Visitors share it."""

    def __init__(self, fit: Fit):
        self.fit = fit
        self.frames = [fit.vertices.detach().clone()]
        self.turn = threading.Lock()

    def after(self, steps: int) -> Tensor:
        """The corners (v, 3) after that many steps, an even number."""
        with self.turn:
            while len(self.frames) <= steps // EVERY:
                for _ in range(EVERY):
                    self.fit.step()
                self.frames.append(self.fit.vertices.detach().clone())
        return self.frames[steps // EVERY]


def film(truth: Truth, weights: Weights) -> Film:
    look = f"{truth.outline.corner} {truth.outline.cell} {len(truth.mesh.vertices)}"
    return _film(look, weights.normal, weights.edge, truth)


@st.cache_resource(max_entries=48, show_spinner=False)
def _film(_look: str, normal: float, edge: float, _truth: Truth) -> Film:
    points, normals = mesh_losses.sample_points(to_unit(_truth.mesh.vertices, _truth), _truth.mesh.faces, POINTS)
    return Film(Fit(points, normals, Weights(normal, edge)))


@st.fragment
@page.guard()
def fit(picture: Picture) -> None:
    page.section(
        "Pull a ball onto it",
        "Press play: the corners of a ball go where the losses of Mesh R-CNN send them, without any network.",
    )
    thing = chosen(picture)
    if thing is None:
        words("Without a solid there is nothing to fit: choose a scene of Lab World with a thing in it.", "mesh_no_fit")
        return
    truth = truth_of(picture, thing)
    first, second, third, body = *st.columns(3, gap="medium"), st.container()
    with (
        first,
        live_slider("Step", 0, STEPS, START, step=EVERY, key="mesh_step", play="once", play_seconds=6.0) as steps,
        second,
        live_slider("Weight of the edge loss", 0.0, 1.0, 0.2, step=0.05, key="mesh_edge", format="%.2f") as edge,
        third,
        live_slider(
            "Weight of the normal loss", 0.0, 0.05, 0.02, step=0.005, key="mesh_normal", format="%.3f"
        ) as normal,
        body,
    ):
        weights = Weights(normal, edge)
        reels = {"Chamfer alone": film(truth, ALONE), "with both others": film(truth, weights)}
        frames = {name: reel.after(steps) for name, reel in reels.items()}
        faces = next(iter(reels.values())).fit.faces
        whole = Solid("truth", to_unit(truth.mesh.vertices, truth).numpy(), truth.mesh.faces.numpy(), "truth", GREY)
        solids("mesh_fit", tall=300).show(
            [Solid(name, frame.numpy(), faces.numpy(), name, colour, flat=True, wires=True)
             for (name, frame), colour in zip(frames.items(), (ORANGE, SKY), strict=True)] + [whole],
            alt=f"The ball after {steps} steps, twice, and the {thing.label}", middle=(0, 0, 0), radius=REACH,
            caption=f"After {steps} steps of Adam: all three turn together.",
        )  # fmt: skip
        asked(thing, truth, frames, faces, reels["Chamfer alone"].fit.edges, steps)


def asked(thing: Instance, truth: Truth, frames: dict[str, Tensor], faces: Tensor, edges: Tensor, steps: int) -> None:
    """The figures of both shapes behind a question about one of them."""
    longest = {name: float((frame[edges[:, 0]] - frame[edges[:, 1]]).norm(dim=1).max())
               for name, frame in frames.items()}  # fmt: skip
    alone, both = longest.values()
    answer = min(TIMES, key=lambda times: abs(torch.tensor(alone / both / times).log().item()))
    with page.predict(
        "mesh-longest",
        f"The {thing.label} after {steps} steps: how many times as long is the longest edge of the shape on the left, "
        "compared with that of the middle one?", [f"about {times}" for times in TIMES],
    ) as prediction:  # fmt: skip
        target, target_normals = judged(truth)
        lines = []
        for name, frame in frames.items():
            points, normals = mesh_losses.sample_points(frame, faces, JUDGED, seed=1)
            pairs = mesh_losses.pair(points, target)
            distance = float(mesh_losses.chamfer(points, target, pairs))
            agreement = float(mesh_losses.normal_agreement(points, normals, target, target_normals, pairs))
            lines.append(
                f"**{name.capitalize()}**: Chamfer distance {1000 * distance:.2f} · 10⁻³, normals agree "
                f"{agreement:.3f}, longest edge {longest[name]:.2f} of the thing's longest side"
            )
        words("\n\n".join(lines), "mesh_fit_said")
        prediction.outcome(
            f"about {answer}", "The Chamfer distance looks at points only. It is nearly as small, whatever the "
            "triangles between them do; edges and normals are what the eye sees.",
        )  # fmt: skip


def judged(truth: Truth) -> tuple[Tensor, Tensor]:
    """Points on the true surface and the normals there, other ones than those that the fit has seen."""
    return mesh_losses.sample_points(to_unit(truth.mesh.vertices, truth), truth.mesh.faces, JUDGED, seed=2)
