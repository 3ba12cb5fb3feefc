"""The figures of the baseline for the pages of proposals and detectors: the lab's numbers, drawn by Plotly."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from benchmarks.baseline.figures import BLUE, GREEN, ORANGE, VERMILION, Chart, add_boxes, picture
from labs import default_boxes, focal_loss, speed_accuracy
from labs.hard_negative_mining import hardest_negatives
from labs.selective_search import SIMILARITIES
from models.networks import ssd
from pages.position_sensitive import shared as parts_shared
from pages.selective_search import shared as search_shared
from pages.shared.known_truth import truth_of
from pages.speed_accuracy import scatter
from pages.speed_accuracy import shared as trade_shared
from pages.ssd import mining as ssd_mining
from pages.ssd import shared as ssd_shared
from scenes import THINGS
from ui import pictures

SSD_SEED = 14  # the page's first scene


def merges(done: float) -> go.Figure:
    image = pictures.from_lab_world(search_shared.SEED).image
    tree, _ = search_shared.tree_of(image, search_shared.SPACE, search_shared.SCALE, search_shared.SIGMA, SIMILARITIES)
    count = min(int(done), len(tree.children))
    figure = make_subplots(1, 2, specs=[[{"type": "image"}, {"type": "image"}]])
    figure.add_trace(go.Image(z=search_shared.mean_colours(tree, count)), row=1, col=1)
    figure.add_trace(go.Image(z=image), row=1, col=2)
    add_boxes(figure, tree.boxes[max(tree.start + count - 30, 0) : tree.start + count], BLUE)
    return figure


def parts(shift: float) -> go.Figure:
    scene = pictures.from_lab_world(parts_shared.SEED)
    maps = parts_shared.maps_of(scene, parts_shared.TRAINED, 3)
    box = torch.tensor(parts_shared.grown(np.array([60.0, 60.0, 150.0, 150.0]) + shift), dtype=torch.float32)
    figure = make_subplots(1, 3, specs=[[{"type": "image"}, {"type": "heatmap"}, {"type": "heatmap"}]])
    figure.add_trace(go.Image(z=scene.image), row=1, col=1)
    add_boxes(figure, [box.tolist()], ORANGE)
    layout = torch.cat([torch.cat(list(row), dim=1) for row in maps.values], dim=0)
    figure.add_heatmap(z=layout.numpy()[::-1], showscale=False, row=1, col=2)
    figure.add_heatmap(z=maps.read(box[None])[0].numpy()[::-1], texttemplate="%{z:.1f}", row=1, col=3)
    return figure


def mining(ratio: float) -> go.Figure:
    scene = pictures.from_lab_world(SSD_SEED)
    truth, found = truth_of(scene), ssd_shared.look(scene.image)
    assert truth is not None, "A scene of Lab World knows its truth."
    owner = ssd_mining.match_of(scene, truth).owner.numpy()
    paid = ssd_mining.paid(scene.image, truth.boxes.numpy(), truth.labels.numpy(), owner)
    hard = hardest_negatives(paid.classes, paid.positive, ratio)
    figure = picture(scene.image)
    add_boxes(figure, found.defaults.boxes[hard][:100], VERMILION)
    add_boxes(figure, found.defaults.boxes[paid.positive], BLUE)
    return figure


def ssd_score(threshold: float) -> go.Figure:
    scene = pictures.from_lab_world(SSD_SEED)
    found = ssd_shared.look(scene.image)
    box, label, score = default_boxes.detect(found.raw_boxes, found.raw_scores, threshold, ssd.NMS_OVERLAP)
    figure = picture(scene.image)
    names = [f"{THINGS[int(name) - 1]} {float(value):.2f}" for name, value in zip(label, score, strict=True)]
    add_boxes(figure, found.raw_boxes[box], GREEN, names)
    return figure


def gamma(value: float) -> go.Figure:
    p = torch.linspace(0.001, 0.999, 200, dtype=torch.float64)
    figure = go.Figure()
    for each in (0.0, 0.5, 1.0, 5.0, value):
        figure.add_scatter(x=p.numpy(), y=(-((1 - p) ** each) * p.log()).numpy(), mode="lines", name=f"γ = {each:g}")
    return figure


def easy_negatives(value: float) -> go.Figure:
    from pages.focal_loss import count, shared

    anchors = count.asked_of(shared.FOCAL, pictures.from_lab_world(shared.SEED))
    losses = anchors.losses(value, focal_loss.ALPHA)
    sums, edges = np.histogram(anchors.difficulty.numpy(), bins=40, weights=losses.numpy())
    return go.Figure(go.Bar(x=edges[:-1], y=sums))


def budget(value: float) -> go.Figure:
    every = trade_shared.points()
    best = speed_accuracy.best_within(*trade_shared.as_tensors(every, "all"), value)
    return scatter.figure_of(every, best, value, "all", "milliseconds")


CHARTS = {
    "merges": Chart("Merges done", 0, 139, 120, 1, merges),
    "parts": Chart("Shift", -40.0, 40.0, 0.0, 1.0, parts),
    "mining": Chart("Negatives for each positive", 0, 20, 3, 1, mining),
    "ssd_score": Chart("Score threshold", 0.01, 0.99, 0.4, 0.01, ssd_score),
    "gamma": Chart("γ", 0.0, 5.0, 2.0, 0.1, gamma),
    "easy_negatives": Chart("γ of the loss", 0.0, 5.0, 2.0, 0.1, easy_negatives),
    "budget": Chart("Budget", 4, 500, 40, 1, budget),
}
