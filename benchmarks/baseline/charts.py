"""The figures of the baseline: the same numbers as the lab's views, from the same functions, drawn by Plotly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from plotly.subplots import make_subplots

import scenes
from benchmarks.baseline import beyond, detectors, instances
from benchmarks.baseline.figures import BLUE, GREEN, ORANGE, VERMILION, Chart, add_boxes, picture
from labs import anchors, boxes, checkerboard, image_pyramid, localization, nms, yolo_grid
from labs import transposed_convolution as tc
from labs.transposed_convolution import Geometry
from models import catalog
from models.inside import detector_cache
from pages.feature_space import retrieval, shared
from pages.iou_nms_precision_recall.shared import raw_boxes
from pages.iou_nms_precision_recall.suppression import GREEDY, suppress
from pages.saliency import covering
from pages.sliding_window import every as all_windows
from pages.sliding_window import searched
from pages.sliding_window import shared as windows_shared
from pages.upsampling import field_of_view, networks
from scenes import THINGS, Knobs
from ui import lab_world as room
from ui import pictures

room.register(lambda: scenes)
FILTER = torch.outer(torch.tensor([1.0, 2, 1]), torch.tensor([1.0, 2, 1])).double()


@st.cache_data(max_entries=512, show_spinner=False)
def scene(seed: int, light: float | None = None):
    if light is None:
        return scenes.render(scenes.sample(seed), 224)
    knobs = Knobs(objects=5, classes=THINGS, occlusion=0.35, light=light, fog=0.0, noise=0.1)
    return scenes.render(scenes.sample(seed, knobs), 224)


def grids(*values, texts: bool = True) -> go.Figure:
    """Number grids side by side."""
    figure = make_subplots(1, len(values))
    for column, each in enumerate(values, start=1):
        array = np.atleast_2d(np.asarray(each, float))
        template = "%{z:.3g}" if texts else None
        figure.add_heatmap(z=array, texttemplate=template, showscale=False, colorscale="Cividis", row=1, col=column)
    figure.update_yaxes(autorange="reversed", scaleanchor="x")
    return figure


def lab_world(light: float) -> go.Figure:
    view = scene(7, light)
    figure = picture(view.image)
    add_boxes(figure, [each.box for each in view.instances], ORANGE, [each.label for each in view.instances])
    for each in view.instances:
        if each.keypoints is not None:
            seen = each.keypoints[each.keypoints[:, 2] > 0]
            figure.add_scatter(x=seen[:, 0], y=seen[:, 1], mode="markers")
    return figure


def receptive_field(count: int) -> go.Figure:
    figure = make_subplots(1, 3)
    for column, every in enumerate((None, 2), start=1):
        layers = tuple(field_of_view.receptive_field.stack(count, every))
        heat, _ = field_of_view.influence(layers, "random + ReLU")
        figure.add_heatmap(z=heat, colorscale="Inferno", showscale=False, row=1, col=column)
        figure.add_scatter(y=field_of_view.sizes(field_of_view.MOST, every), row=1, col=3)
    return figure


def five_segmenters(fog: float) -> go.Figure:
    given, truth = scenes.sample(11), scenes.render(scenes.sample(11), 224).semantic
    image = networks.rendered(replace(given, fog=given.fog + fog * (1 - given.fog)))
    figure = make_subplots(3, 2)
    shades = np.array([[int(shade[i : i + 2], 16) for i in (1, 3, 5)] for shade in networks.SHADES], np.uint8)
    pictures = [image]
    for each in networks.looks_of(image, maps=False).values():
        pictures.append(shades[networks.beside(each.labels, truth)])
    for place, each in enumerate(pictures):
        figure.add_trace(go.Image(z=each), row=place // 2 + 1, col=place % 2 + 1)
    return figure


def stamping(done: int) -> go.Figure:
    source = torch.arange(1.0, 10.0).double().reshape(3, 3)
    steps = tc.scatter_steps(source, FILTER, Geometry(2, 1, 1))
    canvas = steps[done - 1].canvas if done else torch.zeros_like(steps[0].canvas)
    return grids(source, FILTER, canvas, tc.trim(canvas, Geometry(2, 1, 1)))


def matrix(kernel: int) -> go.Figure:
    weight, g = torch.arange(1.0, kernel + 1).double(), Geometry(2, 0)
    length = g.transposed_size(2, kernel)
    x = tc.convolution_matrix(weight, length, g)
    u, v = torch.arange(length).double() % 5 - 1, torch.tensor([2.0, -1]).double()
    return grids(x, u[:, None], (x @ u)[:, None], x.T, v[:, None], (x.T @ v)[:, None])


def inverse(length: int) -> go.Figure:
    u, g = torch.arange(1.0, length + 1).double(), Geometry(2, 1)
    x = tc.convolution_matrix(torch.tensor([1.0, 2, 1]).double(), length, g)
    return grids([g.convolved_size(n, 3) for n in range(4, 13)], u, x @ u, x.T @ (x @ u))


def overlap(kernel: int) -> go.Figure:
    return grids(checkerboard.overlap_counts_2d(8, kernel, 2), texts=False)


def anchor_grid(smallest: int) -> go.Figure:
    view = scene(7)
    base = anchors.base_anchors(tuple(smallest * 2**i for i in range(3)), (0.5, 1.0, 2.0))
    places = anchors.centres(14, 14, 16).numpy()
    every = anchors.grid_anchors(base, 14, 14, 16)
    truths = torch.from_numpy(np.array([each.box for each in view.instances], np.float32).reshape(-1, 4))
    given = anchors.label_anchors(boxes.iou_matrix(truths, every))
    figure = picture(view.image)
    figure.add_scatter(x=places[:, 0], y=places[:, 1], mode="markers", marker={"size": 3})
    middle = 7 * 14 + 7
    add_boxes(figure, every[middle * len(base) : (middle + 1) * len(base)], BLUE)
    add_boxes(figure, every[given.label == 1], ORANGE)
    return figure


def iou(shift: float) -> go.Figure:
    view = scene(9)
    truth = torch.from_numpy(max(view.instances, key=lambda each: each.mask.sum()).box).double()
    guess = truth + torch.tensor([shift, 0.0, shift, 0.0])
    figure = picture(view.image)
    add_boxes(figure, truth, BLUE, ["truth"])
    add_boxes(figure, guess, ORANGE, [f"IoU {float(boxes.iou(truth, guess)):.3f}"])
    add_boxes(figure, boxes.intersection_box(truth, guess), GREEN)
    return figure


def suppressed(nms_threshold: float, score_threshold: float) -> go.Figure:
    image = scene(11).image
    raw = raw_boxes(image)
    outcome = suppress(raw, GREEDY, nms_threshold, score_threshold)
    figure = picture(image)
    add_boxes(figure, raw.boxes[list(outcome.winner)], VERMILION, dash="dash", width=1)
    labels = [f"{THINGS[raw.labels[i] - 1]} {raw.scores[i]:.2f}" for i in outcome.kept]
    add_boxes(figure, raw.boxes[outcome.kept], BLUE, labels)
    return figure


def roi_box(shift: float) -> go.Figure:
    view = scene(7)
    box = torch.from_numpy(view.instances[0].box).double() + torch.tensor([shift, 0.0, shift, 0.0])
    level = detector_cache.look(catalog.load("detector"), view.image).levels[2]
    figure = make_subplots(1, 2)
    figure.add_trace(go.Image(z=view.image), row=1, col=1)
    figure.add_heatmap(z=level.features.mean(0).numpy(), row=1, col=2)
    for column, (x1, y1, x2, y2) in enumerate((box, box / level.stride), start=1):
        figure.add_shape(type="rect", x0=x1, y0=y1, x1=x2, y1=y2, line_color=ORANGE, row=1, col=column)
    return figure


def saliency_patch(shift: float) -> go.Figure:
    view, patch = scene(448), (int(80 + shift), 80, int(128 + shift), 128)
    probability = covering.covered("classifier-gap-28", view.image, patch, "grey").sigmoid().max()
    image = view.image.copy()
    image[patch[1] : patch[3], patch[0] : patch[2]] = 128
    return picture(image).update_layout(title=f"{float(probability):.3f}")


@st.cache_resource(show_spinner=False)
def grid_detection():
    return catalog.load("yolo-anchor")(scene(7).image)


def yolo(threshold: float) -> go.Figure:
    found = grid_detection()
    placed, labels, scores = yolo_grid.detect(found.prediction, found.grid, threshold, 0.5)
    figure = picture(scene(7).image)
    add_boxes(figure, placed, BLUE, [f"{THINGS[label - 1]} {score:.2f}" for label, score in zip(labels, scores)])
    return figure


def nearest(k: int, layer: int = -1) -> go.Figure:
    found, view = shared.gallery_of(shared.LAB), pictures.from_lab_world(577)
    query = shared.query_of(view, shared.things_in(view)[0])
    vectors = found.signatures[found.layers[layer]]
    distances = retrieval.DISTANCES["Euclidean"](shared.signature_of(found, query)[found.layers[layer]], vectors)
    order = retrieval.neighbours(distances, query, retrieval.SHOWN)
    figure = picture(retrieval.mosaic(found, order))
    boxes_of = retrieval.frames(found, query, order, distances[0], k)
    add_boxes(figure, [box.xyxy for box in boxes_of], BLUE, [box.label for box in boxes_of])
    return figure


@st.cache_resource(show_spinner=False)
def localized():
    return catalog.load("localizer-joint")(pictures.from_lab_world(141, objects=(1, 1)).image)


def localization_box(shift: float) -> go.Figure:
    view = pictures.from_lab_world(141, objects=(1, 1))
    truth = localization.to_numbers(torch.tensor(view.view.instances[0].box).float(), 224, 224)
    box = localized().box + shift
    guess = localization.to_numbers(box, 224, 224)
    add_boxes(figure := picture(view.image), box[None], ORANGE)
    losses = (localization.l2_loss, localization.l1_loss, localization.smooth_l1_loss, localization.giou_loss)
    return figure.update_layout(title=", ".join(f"{float(loss(guess, truth)):.4f}" for loss in losses))


def loss_weight(alpha: float) -> go.Figure:
    truth = pictures.from_lab_world(141, objects=(1, 1)).view.instances[0]
    numbers = localization.to_numbers(torch.tensor(truth.box).float(), 224, 224)
    s = localization.class_loss(localized().scores[None], torch.tensor([THINGS.index(truth.label)]))[0]
    r = localization.l2_loss(localized().numbers, numbers)
    return go.Figure(go.Bar(y=[float(alpha * s), float((1 - alpha) * r)]))


def pyramid(score: float) -> go.Figure:
    image, how = pictures.from_lab_world(windows_shared.SEED).image, searched.HOW
    sizes = image_pyramid.level_sizes(*image.shape[:2], 5, 1.4, how.window)
    found = image_pyramid.together(
        [searched.candidates_on(searched.LOCALIZER, image, size, number, how.stride)
         for number, size in enumerate(sizes)]
    )  # fmt: skip
    add_boxes(figure := picture(image), searched.suppressed(searched.sure(found, score), 0.3).boxes, BLUE)
    return figure


def one_window(column: float) -> go.Figure:
    look = windows_shared.Look(pictures.from_lab_world(windows_shared.SEED), 112, "window-classifier")
    left = int(column)
    figure = make_subplots(1, 2, specs=[[{"type": "image"}, {"type": "heatmap"}]])
    figure.add_trace(go.Image(z=look.image), row=1, col=1)
    add_boxes(figure, [(left, 56, left + 28, 84)], ORANGE)
    scores = look.model.classify(look.image[56:84, left : left + 28])
    figure.add_heatmap(z=torch.stack([scores, scores.softmax(0)], 1).numpy(), texttemplate="%{z:.2f}",
                       showscale=False, colorscale="Cividis", row=1, col=2)  # fmt: skip
    return figure


def window_threshold(threshold: float) -> go.Figure:
    look = windows_shared.Look(pictures.from_lab_world(windows_shared.SEED), 112, "window-classifier")
    found = all_windows.above(look, threshold)
    figure = picture(look.picture.image)
    add_boxes(figure, found.boxes[: all_windows.MOST_DRAWN], BLUE)
    kept = nms.survivors(found.boxes, found.scores, 0.2, found.labels)
    add_boxes(figure, found.boxes[kept], ORANGE, [f"{float(score):.2f}" for score in found.scores[kept]])
    return figure


CHARTS = (
    {
        "lab_world": Chart("Light", 0.0, 1.0, 1.0, 0.02, lab_world),
        "receptive_field": Chart("3×3 convolutions", 1, 12, 6, 1, receptive_field),
        "five_segmenters": Chart("More fog", 0.0, 1.0, 0.0, 0.02, five_segmenters, 1000),
        "stamping": Chart("Copies stamped", 0, 9, 9, 1, stamping),
        "matrix": Chart("Filter size", 1, 4, 3, 1, matrix),
        "inverse": Chart("Input size", 4, 12, 8, 1, inverse),
        "overlap": Chart("Filter size", 1, 6, 3, 1, overlap),
        "anchors": Chart("Smallest size", 8, 128, 32, 4, anchor_grid),
        "iou": Chart("Shift", -60.0, 60.0, 0.0, 1.0, iou),
        "roi_box": Chart("Shift", -30.0, 30.0, 0.0, 1.0, roi_box),
        "roi_shift": Chart("Shift", -30.0, 30.0, 0.0, 1.0, roi_box),
        "saliency_patch": Chart("Shift", -60.0, 60.0, 0.0, 1.0, saliency_patch),
        "yolo": Chart("Score threshold", 0.01, 0.99, 0.3, 0.01, yolo),
        "neighbours": Chart("Neighbours k", 1, retrieval.SHOWN, 8, 1, nearest),
        "signature_layer": Chart("Layer", 0, 6, 6, 1, lambda layer: nearest(8, layer)),
        "localization_box": Chart("Shift", -60.0, 60.0, 0.0, 1.0, localization_box),
        "loss_weight": Chart("α", 0.0, 1.0, 0.5, 0.05, loss_weight),
        "pyramid": Chart("Score threshold", 0.05, 0.99, 0.8, 0.01, pyramid),
        "window": Chart("Column", 0, 84, 60, 1, one_window),
        "window_threshold": Chart("Score threshold", 0.05, 0.99, 0.6, 0.01, window_threshold),
        "nms": Chart("NMS threshold", 0.0, 1.0, 0.5, 0.01, lambda value: suppressed(value, 0.3)),
        "score": Chart("Score threshold", 0.0, 1.0, 0.3, 0.01, lambda value: suppressed(0.5, value)),
    }
    | detectors.CHARTS
    | instances.CHARTS
    | beyond.CHARTS
)
