"""What a network remembers: neighbours and precisions are scikit-learn's, and every control moves what it should."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
import torch
from sklearn.neighbors import NearestNeighbors
from torchvision import models as published

from models import catalog
from models.inside import gallery, signatures
from pages.feature_space import precision, retrieval, shared, signature
from ui import pictures
from ui.pictures import PHOTOGRAPHS, Picture

PAGE = "feature_space"


def framed(drawn) -> list[int]:
    """The numbers of the neighbours within k, in order."""
    return [int(box.id[1:]) for box in drawn.boxes("space_nearest") if box.label]


def theirs(query: torch.Tensor, vectors: torch.Tensor, k: int, metric: str) -> list[int]:
    search = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(vectors.double().numpy())
    return search.kneighbors(query.double().numpy(), return_distance=False)[0].tolist()


@pytest.mark.parametrize(
    ("called", "distance", "layer"),
    [("Trained", "Euclidean", "residual28b"), ("Trained", "Cosine", "conv56b"), ("ImageNet", "Euclidean", "stage112"),
     ("Untrained", "Cosine", "picture")],
)  # fmt: skip
def test_the_neighbours_are_those_of_scikit_learn(visit, sound, drawn, called, distance, layer):
    key = "space_stage" if called == "ImageNet" else "space_layer"
    sound(visit(PAGE, space_network=called, space_distance=distance, space_k=5, **{key: layer}))
    found = shared.gallery_of(shared.NETWORKS[called])
    picture = pictures.from_lab_world(577)
    asked = shared.signature_of(found, shared.query_of(picture, shared.things_in(picture)[0]))
    assert framed(drawn) == theirs(asked[layer], found.signatures[layer], 5, distance.lower())
    assert len(drawn.boxes("space_nearest")) == retrieval.SHOWN


def test_k_frames_as_many_and_counts_them(visit, sound, drawn, prose):
    for k in (1, retrieval.SHOWN):
        at = sound(visit(PAGE, space_k=k))
        numbers = framed(drawn)
        assert len(numbers) == k
        label = shared.things_in(pictures.from_lab_world(577))[0].label
        same = sum(gallery.things()[number].label == label for number in numbers if number < gallery.COUNT)
        assert f"**Precision at {k}: {same / k:.2f}** ({same} of {k} are of class {label})" in prose(at)


def test_a_picture_of_the_gallery_asks_and_is_left_out(visit, sound, drawn, prose):
    at = sound(visit(PAGE, {"space_from": "41"}))
    shown = {box.id for box in drawn.boxes("space_nearest")}
    assert "n41" not in shown and len(shown) == retrieval.SHOWN
    assert "in the gallery itself and left out" in prose(at) and "nearest of 1,0" in prose(at)
    assert drawn.pictures["space_query"].shape == (224, 224, 3)
    sound(at.button(key="space_back").click().run())
    assert "itself and left out" not in prose(at)


def test_a_photograph_of_the_gallery_is_left_out_of_its_own_neighbours(visit, sound, drawn, prose):
    at = sound(visit(PAGE, space_source="Photograph", space_network="ImageNet"))
    number = gallery.COUNT + list(PHOTOGRAPHS).index(at.selectbox(key="space_photo").value)
    assert f"n{number}" not in {box.id for box in drawn.boxes("space_nearest")}
    assert "left out" in prose(at) and "Precision at" not in prose(at).partition("residual")[0].partition("Layer")[2]


@pytest.mark.parametrize("query", [{"space_from": "x"}, {"space_from": "5000"}, {"space_thing": "-1"},
                                   {"space_thing": "99"}, {"space_layer": "nonsense"}])  # fmt: skip
def test_an_address_that_means_nothing_opens_the_page_as_it_is(visit, sound, drawn, query):
    sound(visit(PAGE))
    first = framed(drawn)
    sound(visit(PAGE, query))
    assert framed(drawn) == first


def test_another_thing_of_the_scene_asks(visit, sound, drawn):
    sound(visit(PAGE, {"space_thing": "1"}))
    boxes = drawn.boxes("space_query")
    label = shared.things_in(pictures.from_lab_world(577))[1].label
    assert [box.label for box in boxes if box.id == "thing-1"] == [label] and not boxes[0].label


def test_precision_is_that_of_scikit_learn(visit, sound, drawn, prose):
    at = sound(visit(PAGE, {"predict": "off"}, space_precision_k=4))
    found = shared.gallery_of(shared.LAB)
    vectors = found.signatures["residual28b"][: gallery.COUNT].double().numpy()
    order = NearestNeighbors(n_neighbors=4).fit(vectors).kneighbors(return_distance=False)
    for column, kind in enumerate(precision.KINDS):
        names = np.array([precision.kind_of(each, kind) for each in found.things])
        if kind != "pose":
            value = (names[order] == names[:, None]).mean()
            assert drawn.grids["space_networks"]["space_networks"].values[0][column] == pytest.approx(value, abs=2e-3)
    assert re.search(r"class goes from 0\.1\d to 0\.8\d", prose(at))


def test_poses_are_looked_for_among_things_of_one_class():
    found = shared.gallery_of(shared.LAB)
    weights = signatures.weights_of(found.network)
    ours = precision.measured(shared.LAB, weights, "conv28", "Euclidean", found)["pose"]
    vectors, hits = found.signatures["conv28"][: gallery.COUNT].double().numpy(), []
    for label in {each.label for each in found.things if each.pose}:
        own = [i for i, each in enumerate(found.things) if each.label == label]
        poses = np.array([found.things[i].pose for i in own])
        order = NearestNeighbors(n_neighbors=3).fit(vectors[own]).kneighbors(return_distance=False)
        hits.append((poses[order] == poses[:, None]).mean(1))
    assert ours[2] == pytest.approx(np.concatenate(hits).mean(), abs=2e-3)


@pytest.mark.parametrize("image", [np.zeros((224, 224, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8),
                                   np.full((224, 224, 3), (200, 0, 0), np.uint8)])  # fmt: skip
@pytest.mark.parametrize("distance", retrieval.DISTANCES)
def test_an_empty_picture_has_neighbours_too(image, distance):
    for name in shared.NETWORKS.values():
        found = shared.gallery_of(name)
        query = shared.query_of(Picture(image, "mine.png"), None)
        for layer, vector in shared.signature_of(found, query).items():
            distances = retrieval.DISTANCES[distance](vector, found.signatures[layer])
            assert torch.isfinite(distances).all() and len(retrieval.neighbours(distances, query, 12)) == 12


def test_signatures_of_other_weights_are_computed_anew_and_said(visit, monkeypatch):
    things, tiles, shipped = gallery.things()[:30], gallery.thumbnails()[:30], signatures.shipped
    monkeypatch.setattr(gallery, "things", lambda: things)
    monkeypatch.setattr(gallery, "thumbnails", lambda: tiles)
    monkeypatch.setattr(signatures, "shipped", lambda network: None)
    monkeypatch.setattr(precision, "precision", lambda found, measure: None)  # it asks more than thirty
    caches = (st.cache_data, st.cache_resource)
    try:
        for cache in caches:
            cache.clear()
        at = visit(PAGE)
        assert not at.exception and not [each.value for each in at.error]
        said = [each.value for each in at.info if "computed anew" in each.value]
        assert said[0] == (
            f"The shipped signatures were not made by the weights of {shared.LAB}, so they are computed anew."
        )
        made, real = shared.gallery_of(shared.LAB), shipped(catalog.load(shared.LAB))
        assert made.anew
        torch.testing.assert_close(made.signatures["conv28"][:30], real["conv28"][:30], rtol=2e-3, atol=2e-3)
    finally:
        for cache in caches:
            cache.clear()


def test_without_weights_one_sentence_says_so(visit, monkeypatch):
    def refuse(name):
        raise ValueError(f"{name} has no weights yet: python -m models train {name} makes them.")

    monkeypatch.setattr(catalog, "load", refuse)
    at = visit(PAGE)
    assert not at.exception
    assert [each.value for each in at.error] == [
        f"{shared.LAB} has no weights yet: python -m models train {shared.LAB} makes them."
    ]


def test_the_sizes_are_those_of_the_networks():
    """LeNet-5's stands in its paper, in the layer C5; the others in torchvision."""
    sizes = {name: count for name, count, _ in signature.SIZES}
    with torch.device("meta"):
        alexnet = published.alexnet()
        assert sizes["AlexNet"] == alexnet.classifier[-1].in_features
        assert alexnet.classifier[1].in_features == 256 * 6 * 6
        assert sizes["GoogLeNet (Inception v1)"] == published.googlenet(init_weights=False).fc.in_features
        assert sizes["Inception v3"] == published.inception_v3(init_weights=False).fc.in_features
    for name, side in signature.CELLS.items():
        found = shared.gallery_of(name)
        assert found.signatures[found.layers[-1]].shape[1] in (128, 1280)
        module = found.network.module
        x = torch.zeros(1, 3, signatures.SIDE, signatures.SIDE) if name != shared.PHOTOGRAPHIC else None
        if x is not None:
            assert module.features(x).shape[-2:] == (side, side)


def test_the_photograph_of_a_cat_is_found_by_another_cut_of_itself():
    """An upload that is not the bundled square itself: flipped and brighter; the network for photographs finds it."""
    found = shared.gallery_of(shared.PHOTOGRAPHIC)
    cat = pictures.photograph("Cat").image
    changed = np.clip(cat[:, ::-1].astype(int) + 12, 0, 255).astype(np.uint8)
    query = shared.query_of(SimpleNamespace(image=changed, name="mine.jpg", view=None, scene=None), None)
    layer = found.layers[-1]
    distances = retrieval.DISTANCES["Euclidean"](shared.signature_of(found, query)[layer], found.signatures[layer])
    assert found.name(retrieval.neighbours(distances, query, 1)[0]) == "Cat"
