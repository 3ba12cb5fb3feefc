"""The R-CNN Family page, SPP-net and Fast R-CNN: cells and bins of a region, its vector, times, the gradient."""

import numpy as np
import pytest
import torch

from labs import spatial_pyramid
from models import catalog
from pages.rcnn_family import gradient, pyramid, shared
from scenes import THINGS
from ui import pictures

PAGE = "rcnn_family"


def look(seed: int = shared.SEED, most: int = 100) -> shared.Look:
    return shared.Look(pictures.from_lab_world(seed, objects=(2, 6)), "fast", most)


@pytest.fixture(scope="module")
def chosen():
    return look()


def test_a_region_its_cells_and_its_vector_follow_the_controls(visit, sound, drawn, prose, chosen):
    at = sound(visit(PAGE, {"predict": "off"}, spp_region=12, spp_channel=7, spp_levels="6×6, 3×3, 2×2, 1×1"))
    found = pyramid.seen(chosen.picture.image, chosen.boxes.numpy())
    left, top, right, bottom = found.cells[11].tolist()
    on_picture = {each.id: each.xyxy for each in drawn.boxes("spp_picture")}
    assert on_picture["region"] == tuple(chosen.boxes[11].tolist())
    assert on_picture["cells"] == (8 * left, 8 * top, 8 * right + 8, 8 * bottom + 8)
    on_map = {each.id: each.xyxy for each in drawn.boxes("spp_map")}
    assert on_map["cells"] == (left, top, right + 1, bottom + 1) and len(on_map) == 1 + 36
    numbers = spatial_pyramid.pool_region(found.features, found.cells[11], (6, 3, 2, 1))[7]
    grids = drawn.grids["spp_vector"]
    shown = torch.cat([torch.as_tensor(np.asarray(grids[f"level-{n}"].values)).flatten() for n in (6, 3, 2, 1)])
    torch.testing.assert_close(shown.float(), numbers, atol=0.051, rtol=1e-3)
    told = prose(at)
    assert "how many numbers describe this region? **3200**" in told, "50 bins of 64 channels"
    assert "36 + 9 + 4 + 1 = 50 bins" in told


def test_the_papers_pyramid_gives_1344_numbers_and_roi_pooling_takes_more_cells(visit, sound, prose, chosen):
    told = prose(sound(visit(PAGE, {"predict": "off"}, spp_region=12)))
    assert "how many numbers describe this region? **1344**" in told and "16 + 4 + 1 = 21 bins" in told
    rounded = spatial_pyramid.cells(chosen.boxes[11], 8, (28, 28), "corners rounded")
    width, height = (int(rounded[i + 2] - rounded[i] + 1) for i in (0, 1))
    assert f"RoI pooling {width} × {height}." in told and f"which rounds both corners? **{width * height}**" in told
    assert "ERRATUM" in told and "A region has no exact place on the map" in told


def test_both_detectors_are_given_the_same_proposals_and_say_what_they_took(visit, sound, drawn, prose):
    told = prose(sound(visit(PAGE, {"predict": "off"}, rcnn_count=200)))
    few = look(most=200)
    for name, key in (("spp", "spp_found"), ("fast-rcnn", "fast_found")):
        network = catalog.load(name)(few.picture.image, few.boxes.numpy())
        lowest = 0.0 if name == "spp" else shared.SHOWN_SCORE
        boxes = [each for each in drawn.boxes(key) if each.id.startswith("found")]
        assert len(boxes) == int((network.scores >= lowest).sum()) > 0
    assert "takes longest on these 200 proposals?" in told and "for 10 regions" in told and "for 200." in told
    assert "The convolutions are done once for all regions." in told


def test_the_gradient_is_that_of_the_region_and_reaches_beyond_it(visit, sound, drawn, prose, chosen):
    number = shared.best_fit(chosen)
    told = prose(sound(visit(PAGE, {"predict": "off"}, fast_region=number)))
    label, truth, said = gradient.target_of(chosen, number - 1)
    box = shared.xyxy(chosen.boxes[number - 1])
    slope = catalog.load("fast-rcnn").gradient(chosen.picture.image, np.array([box]), [label], np.array([truth]))
    outside = gradient.outside_share(np.abs(slope.gradient).sum(2), box)
    assert label > 0 and said.startswith(THINGS[label - 1]) and 0 < outside < 1
    assert f"**{outside:.0%}** of the gradient lies outside the region" in told
    assert f"It should be called **{said}**" in told
    assert {each.id for each in drawn.boxes("fast_picture")} == {"truth", "region"}


def test_what_overlaps_no_thing_is_background_without_a_box_loss(chosen):
    labels = [gradient.target_of(chosen, i)[0] for i in range(len(chosen.boxes))]
    assert 0 in labels and any(labels)
    index = labels.index(0)
    box = shared.xyxy(chosen.boxes[index])
    found = gradient.gradient_of(chosen.picture.image, box, 0, box)
    assert found.loss_box == 0 and found.loss_class > 0


def test_the_share_outside_counts_pixels_by_their_middles():
    strength = np.ones((4, 4))
    assert gradient.outside_share(strength, (0.0, 0.0, 2.0, 4.0)) == 0.5
    assert gradient.outside_share(strength, (0.6, 0.0, 2.4, 4.0)) == 0.75
    assert gradient.outside_share(strength, (0.0, 0.0, 4.0, 4.0)) == 0
    assert gradient.outside_share(np.zeros((4, 4)), (0.0, 0.0, 1.0, 1.0)) == 0


def test_a_click_takes_the_smallest_proposal_there(chosen):
    x1, y1, x2, y2 = chosen.boxes[40].tolist()
    at = gradient.region_at(chosen, (x1 + x2) / 2, (y1 + y2) / 2)
    areas = (chosen.boxes[:, 2:] - chosen.boxes[:, :2]).prod(1)
    assert at is not None and areas[at] <= areas[40]
    assert gradient.region_at(chosen, -5.0, -5.0) is None
