"""The plots of What a Network Remembers: pictures in their places, t-SNE in the open, known clouds, digits."""

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from labs import t_sne
from models.recipes import lenet
from pages.feature_space import clusters, digits, pairs, plot, thumbnails
from pages.feature_space.shared import LAB, gallery_of
from ui import components

PAGE = "feature_space"
GREY = np.full((4, 8, 8, 3), 90, np.uint8)


def until(condition) -> None:
    """The limit only ends a test that has failed."""
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def agreed(vectors: np.ndarray, labels: np.ndarray, k: int) -> float:
    """The share of the k nearest of the same label, by scikit-learn."""
    near = NearestNeighbors(n_neighbors=k + 1).fit(vectors).kneighbors(vectors)[1][:, 1:]
    return float((labels[near] == labels[:, None]).mean())


@given(seed=some.integers(0, 10_000), count=some.integers(1, 30), scale=some.floats(1e-6, 1e6))
def test_places_fill_the_canvas_and_keep_their_shape(seed, count, scale):
    places = np.random.default_rng(seed).normal(size=(count, 2)) * scale
    xy = thumbnails.fitted(places, 400, 20)
    assert xy.min() >= 20 - 1e-6 and xy.max() <= 380 + 1e-6
    if count > 1:
        assert np.ptp(xy, axis=0).max() == pytest.approx(360)
    flipped = xy * [1, -1]
    true, seen = (np.linalg.norm(each[:, None] - each, axis=2) for each in (places, flipped))
    np.testing.assert_allclose(seen * (true.max() or 1), true * (seen.max() or 1), rtol=1e-6, atol=1e-6 * seen.max())
    order = np.argsort(places[:, 1], kind="stable")
    assert (np.diff(xy[order, 1]) <= 1e-6).all()  # upwards is more


def test_pictures_lie_at_their_places_in_their_frames():
    tiles = np.zeros((2, 16, 16, 3), np.uint8)
    tiles[0], tiles[1] = (200, 30, 40), (20, 60, 220)
    small = thumbnails.framed(tiles, ["#009E73", "#E69F00"], np.array([0, 1]), 8)
    canvas = thumbnails.painted(small, np.array([[20.0, 20.0], [50.0, 40.0]]), 64)
    assert canvas.values.shape == (64, 64)

    def colour(x, y):
        return canvas.palette[canvas.values[y, x]]

    for x, y, expected in ((20, 20, (200, 30, 40)), (50, 40, (20, 60, 220))):
        assert list(bytes.fromhex(colour(x, y)[1:])) == pytest.approx(expected, abs=8)
    assert colour(16, 16) == colour(23, 23) == "#009E73" and colour(46, 36) == "#E69F00"
    assert (canvas.values != thumbnails.NOTHING).sum() == 2 * 8 * 8
    assert len(canvas.palette) <= thumbnails.NOTHING


def test_later_pictures_lie_on_top_and_the_edge_cuts():
    small = thumbnails.framed(GREY, ["#009E73", "#E69F00", "#CC79A7", "#0072B2"], np.arange(4), 8)
    middle = np.array([[32.0, 32.0]] * 4)
    top = thumbnails.painted(small, middle, 64)
    assert top.palette[top.values[28, 28]] == "#0072B2"
    yours = thumbnails.in_colours_of(small, np.full((9, 9, 3), 90, np.uint8), 16)
    assert small.palette[yours[5, 5]] == small.palette[small.pictures[0, 4, 4]]
    above = thumbnails.painted(small, middle, 64, (yours, np.array([32.0, 32.0])))
    assert (above.values != thumbnails.NOTHING).sum() == 16 * 16
    off = thumbnails.painted(small, np.array([[0.0, 0.0], [64.0, 64.0], [-500.0, 30.0], [30.0, 900.0]]), 64)
    assert (off.values != thumbnails.NOTHING).sum() == 2 * 4 * 4


def test_digits_have_paper_of_their_colour_and_ink_that_stands_out():
    known = lenet.split()[0]
    found = thumbnails.inked(known.pictures[:50], list(digits.COLOURS), known.labels[:50], 16)
    for picture, label in zip(found.pictures, known.labels, strict=False):
        paper, *ink = np.unique(picture)
        assert paper == label and len(ink) == 1 and found.palette[ink[0]] in ("#000000", "#ffffff")


def test_principal_components_are_at_once_there_and_those_of_the_library(visit, sound, drawn, prose):
    at = sound(visit(PAGE, {"predict": "off"}))
    found = gallery_of(LAB)
    vectors = found.signatures[found.layers[-1]].numpy()
    theirs = PCA(2, svd_solver="full").fit(vectors)
    first, second = theirs.explained_variance_ratio_
    assert f"The two directions keep {first:.1%} + {second:.1%} of the variance" in prose(at)
    assert f"It is {first + second:.1%} of all {vectors.shape[1]} numbers" in prose(at)
    canvas = drawn.layer("plot_points", components.Labels)
    assert canvas.values.shape == (plot.SIDE, plot.SIDE)
    (yours,) = drawn.boxes("plot_points")
    assert yours.colour == plot.ORANGE and yours.xyxy[2] - yours.xyxy[0] == plot.YOURS
    labels = np.array([thing.label for thing in found.things])
    count = len(labels)
    assert f"**{agreed(vectors[:count], labels, plot.NEIGHBOURS):.0%}**" in prose(at)


def test_dots_have_the_colours_of_their_classes_and_the_layer_is_that_of_the_slider(visit, sound, drawn, prose):
    found = gallery_of(LAB)
    layer = found.layers[1]
    at = sound(visit(PAGE, {"predict": "off"}, plot_look="Dots", plot_layer=layer))
    vectors = found.signatures[layer].numpy()
    assert f"{vectors.shape[1]} numbers a picture, and a plot has two" in prose(at)
    dots = drawn.layer("plot_points", components.Points)
    assert len(dots.xy) == len(vectors) and dots.colours[0] == plot.COLOURS[plot.kinds_of(found)[0]]
    assert dots.colours[-1] == plot.COLOURS[-1]
    theirs = PCA(2, svd_solver="full").fit_transform(vectors)
    ours = np.asarray(dots.xy)
    for axis in (0, 1):
        assert abs(np.corrcoef(ours[:, axis], theirs[:, axis])[0, 1]) == pytest.approx(1, abs=1e-3)


def test_what_is_pointed_at_is_shown_large_with_lines_to_its_nearest(visit, sound, drawn):
    at = sound(visit(PAGE, {"predict": "off"}, plot_look="Dots"))
    xy = np.asarray(drawn.layer("plot_points", components.Points).xy)
    found = gallery_of(LAB)
    alone = int(np.argmax([np.sort(np.abs(xy - each).max(1))[1] for each in xy]))  # no other is as near
    hover = {"x": float(xy[alone, 0]), "y": float(xy[alone, 1]), "what": None}
    at.session_state["plot_points.live"] = {"message": {"sequence": 1, "hover": hover}}
    sound(at.run())
    np.testing.assert_array_equal(drawn.pictures["plot_under"], found.tiles[alone])
    assert drawn.options["plot_under"]["caption"] == found.note(alone)
    lines = drawn.layer("plot_points", components.Lines).segments
    vectors = found.signatures[found.layers[-1]].numpy()
    near = NearestNeighbors(n_neighbors=plot.NEIGHBOURS + 1).fit(vectors).kneighbors(vectors[alone][None])[1][0, 1:]
    np.testing.assert_allclose(sorted(map(tuple, lines[:, 2:])), sorted(map(tuple, xy[near])))


def test_tsne_starts_stops_goes_on_and_begins_anew(visit, sound, drawn, prose):
    at = sound(visit(PAGE, {"predict": "off"}, plot_way="t-SNE", plot_look="Dots", plot_iterations=250))
    assert "Not begun" in prose(at) and at.button(key="plot_stop").disabled
    began = np.asarray(drawn.layer("plot_points", components.Points).xy)
    at.button(key="plot_start").click().run()
    name, run = at.session_state[plot.RUN]
    try:
        until(lambda: (run.look() or t_sne.Frame(0, began, (), True)).iteration >= 10)
        sound(at.run())
        assert re.search(r"On its way\. Iteration \*\*\d+\*\* · KL\(P‖Q\) \*\*[\d.]+\*\* nats", prose(at))
        at.button(key="plot_stop").click().run()
        assert not run.running and "Stopped." in prose(sound(at))
        rested = run.look().iteration
        at.button(key="plot_start").click().run()
        assert at.session_state[plot.RUN][1] is run
        until(lambda: run.look().iteration > rested and run.over)
        at = sound(at.run())
        assert f"Done. Iteration **250** · KL(P‖Q) **{run.look().kl:.3f}** nats" in prose(at)
        found = gallery_of(LAB)
        *_, alone = t_sne.descend(found.signatures[name[1]].numpy(), name[2])
        np.testing.assert_array_equal(run.look().places, alone.places)  # stopped once, and the same places
        assert "**Look inside**" in prose(at) and "distance on the plot" in prose(at)
        (yours,) = drawn.boxes("plot_points")
        xy = np.asarray(drawn.layer("plot_points", components.Points).xy)
        middle = np.array([yours.xyxy[0] + yours.xyxy[2], yours.xyxy[1] + yours.xyxy[3]]) / 2
        assert np.abs(xy - middle).max(1).min() < 60  # it has landed among the others
        at.button(key="plot_restart").click().run()
        assert at.session_state[plot.RUN][1] is not run
    finally:
        at.session_state[plot.RUN][1].stop(wait=60)
        run.stop(wait=60)


def test_other_settings_are_another_run(visit, sound, prose):
    at = sound(visit(PAGE, {"predict": "off"}, plot_way="t-SNE"))
    (_, _, first), run = at.session_state[plot.RUN]
    assert first == t_sne.Settings(30, None, 500, 150)
    at.session_state["plot_perplexity"] = 5
    at.session_state["plot_rate"] = "200"
    at.session_state["plot_iterations"] = 1000
    sound(at.run())
    (_, _, second), other = at.session_state[plot.RUN]
    assert second == t_sne.Settings(5, 200.0, 1000, 150) and other is not run and not other.running


@pytest.mark.parametrize("kind", clusters.CLOUDS)
def test_known_clouds_are_drawn_in_truth_and_by_tsne_with_their_measures(visit, sound, drawn, prose, kind):
    moved = {"clouds_kind": kind, "clouds_perplexity": 5, "clouds_wide": 4.0, "clouds_far": 4.0}
    at = sound(visit(PAGE, {"predict": "off"}, **moved))
    points, groups = clusters.cloud(kind, 1.0 if kind == clusters.GAUSSIAN else 4.0)
    *_, last = t_sne.descend(points, t_sne.Settings(5, iterations=500, exaggerated=100), every=100)
    dots = drawn.layer("clouds_plot", components.Points)
    np.testing.assert_allclose(dots.xy, thumbnails.fitted(last.places, clusters.SIDE, 14), atol=0.01)
    assert dots.colours == [clusters.COLOURS[group] for group in groups]
    assert len(drawn.layer("clouds_truth", components.Points).xy) == len(points)
    told = prose(at)
    if kind == clusters.GAUSSIAN:
        assert "200 points of one Gaussian in 50 dimensions" in told and "How evenly they lie" in told
    else:
        true, seen = map(float, re.search(r"\*\*([\d.]+)\*\* in truth, \*\*([\d.]+)\*\* on the plot", told).groups())
        assert true == pytest.approx(4, rel=0.15) and seen < 1.5


def test_digits_before_any_training_are_those_of_the_library(visit, sound, drawn, prose):
    at = sound(visit(PAGE, {"predict": "off"}, digits_k=7))
    held_out = lenet.split(0)[1]
    raw = agreed(held_out.pixels, held_out.labels, 7)
    assert f"**64 raw pixels**, PCA · the 7 nearest by all numbers agree: **{raw:.1%}**" in prose(at)
    random = agreed(next(lenet.learn(lenet.Settings())).signatures, held_out.labels, 7)
    assert f"**120 numbers of LeNet-5**, PCA · the 7 nearest by all numbers agree: **{random:.1%}**" in prose(at)
    assert "Nothing learned yet" in prose(at)
    for number in (0, 1):
        canvas = drawn.layer(f"digits_plot_{number}", components.Labels)
        assert canvas.values.shape == (digits.SIDE, digits.SIDE) and canvas.palette[:10] == list(digits.COLOURS)


def test_lenet_learns_here_and_both_plots_follow(visit, sound, prose):
    at = sound(visit(PAGE, {"predict": "off"}, digits_epochs=1))
    at.button(key="digits_start").click().run()
    asked, run = at.session_state[digits.RUN]
    try:
        assert asked == lenet.Settings(1, seed=0)
        until(lambda: run.look() is not None and run.look().learned.step >= 10)
        sound(at.run())
        assert at.button(key="digits_start").disabled and not at.button(key="digits_stop").disabled
        at.button(key="digits_stop").click().run()
        assert "Stopped." in prose(sound(at)) and not run.running
        at.button(key="digits_start").click().run()
        until(lambda: run.over)
        told = prose(sound(at.run()))
        last, held_out = run.look(), lenet.split(0)[1]
        assert run.state == "done" and last.learned.step == asked.steps == 38
        assert "Done. Step **38** of 38" in told and "t-SNE, iteration 400" in told
        assert f"agree: **{agreed(last.learned.signatures, held_out.labels, 10):.1%}**" in told
        raw, learned = (agreed(each.places, held_out.labels, 10) for each in last.plots)
        assert f"raw pixels **{raw:.1%}**, LeNet-5 **{learned:.1%}**" in told
        at.button(key="digits_reset").click().run()
        assert digits.RUN not in at.session_state and "Nothing learned yet" in prose(sound(at))
    finally:
        run.stop(wait=60)


@given(seed=some.integers(0, 1000), number=some.integers(0, 29))
@settings(max_examples=15)
def test_pairs_are_those_of_the_method_written_out_for_all(seed, number):
    random = np.random.default_rng(seed)
    vectors, places = random.normal(size=(30, 5)), random.normal(size=(30, 2)) * 4
    found = pairs.pairs(vectors, places, number, 6.0)
    p, q = t_sne.affinities(vectors, 6.0), t_sne.student_affinities(places)
    nearest = found[:, 0].astype(int)
    distances = np.linalg.norm(vectors - vectors[number], axis=1)
    np.testing.assert_array_equal(nearest, np.argsort(distances)[1:6])
    np.testing.assert_allclose(found[:, 1], distances[nearest])
    np.testing.assert_allclose(found[:, 3], p[number, nearest], rtol=1e-9)
    np.testing.assert_allclose(found[:, 4], np.linalg.norm(places - places[number], axis=1)[nearest])
    np.testing.assert_allclose(found[:, 5], q[number, nearest], rtol=1e-9)
    np.testing.assert_allclose(found[:, 6], t_sne.kl_terms(p, q)[number, nearest], rtol=1e-9)
