"""The RoI page: the box goes through its frames, the lecture's numbers stand there, no control state breaks it."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest
from torchvision import ops

from models import catalog
from models.inside.pooling_swap import POOLINGS
from models.networks.detector import LoadedDetector, build_detector
from pages.roi_pooling import network, numbers, shared, shift
from ui import components, outside_lab_world
from ui.components import Box

PAGE = "roi_pooling"


@pytest.fixture(scope="module")
def detector():
    """The detector as it is before training, but sure enough of its guesses that some survive the score threshold."""
    torch.manual_seed(0)
    module = build_detector().eval().requires_grad_(False)
    module.roi_heads.box_predictor.cls_score.weight.mul_(40)
    return LoadedDetector("detector", module, torch.device("cpu"), {})


def forget():
    for each in (shared.regions_of, network.detection_of, network.scored, network.figures):
        each.clear()


@pytest.fixture(scope="module", autouse=True)
def nothing_remembered():
    """Other tests' detectors leave nothing here, and this one nothing to them."""
    forget()
    yield
    forget()


@pytest.fixture(autouse=True)
def untrained(monkeypatch, detector):
    monkeypatch.setattr(catalog, "load", lambda name: detector)
    monkeypatch.setattr(catalog, "card", lambda name: detector.card)


@pytest.fixture
def run(visit):
    """Function: a visit to the page with this box, which raises nothing."""

    def opened(box=(100.0, 80.0, 220.0, 200.0), query=None, **state) -> AppTest:
        placed = {"roi_scene": [Box("roi", box, editable=True)]} if box else {}
        at = visit(PAGE, query, **placed | state)
        assert not at.exception
        return at

    return opened


def text(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.info, at.error, at.latex, at.code)
    return "\n".join(each.value for kind in kinds for each in kind)


def boxes(drawn, key) -> dict:
    return {box.id: box for box in drawn.boxes(key)}


# --- the box in its frames


def test_the_box_in_three_frames(run, drawn):
    """320 pixels are resized to 224, and P4 has stride 16."""
    found = text(run())
    assert "| picture, 320 × 320 px | 100.00 | 80.00 | 220.00 | 200.00 |" in found
    assert "| resized, 224 × 224 px: × 0.7 | 70.00 | 56.00 | 154.00 | 140.00 |" in found
    assert "| P4, 14 × 14 cells: ÷ 16 | 4.38 | 3.50 | 9.62 | 8.75 |" in found
    assert boxes(drawn, "roi_map")["projected"].xyxy == pytest.approx((4.375, 3.5, 9.625, 8.75))


@pytest.mark.parametrize(("side", "level"), [(40, "P2"), (159, "P2"), (161, "P3"), (319, "P3"), (320, "P4")])
def test_the_detectors_own_level(run, side, level):
    found = text(run((0.0, 0.0, float(side), float(side)), roi_level="as the detector"))
    assert f"would pool this box from **{level}**" in found and f"| {level}, " in found


def test_the_shift_moves_the_box_by_cells(run, drawn):
    found = text(run(roi_shift=0.5))
    assert "| P4, 14 × 14 cells: ÷ 16 | 4.88 | 3.50 | 10.12 | 8.75 |" in found
    assert boxes(drawn, "roi_scene")["moved"].xyxy[0] == pytest.approx(100 + 8 / 0.7, abs=1e-3)


# --- the three methods


@pytest.mark.parametrize("size", [2, 7, 14])
def test_outputs_are_torchvisions(run, drawn, detector, size):
    run(roi_output=size, roi_ratio=3, roi_aligned=False, roi_level="P3", roi_channel="5")
    image = components_picture(drawn)
    features = shared.regions_of(image).features["P3"][:, 5:6]
    where = [torch.tensor([[70.0, 56.0, 154.0, 140.0]])]
    found = {name: grid.values for name, grid in drawn.grids["roi_outputs"].items()}
    pooled = ops.roi_pool(features, where, (size, size), 1 / 8)[0, 0]
    aligned = ops.roi_align(features, where, (size, size), 1 / 8, 3, aligned=False)[0, 0]
    assert found["RoI Pool"] == pytest.approx(pooled.numpy(), abs=1e-4)
    assert found["RoI Align"] == pytest.approx(aligned.numpy(), abs=1e-4)
    assert found["Crop and resize"].shape == (size, size)


def components_picture(drawn) -> np.ndarray:
    """The page's default picture."""
    from ui import pictures

    return pictures.from_lab_world(
        7, shared.SIZE, objects=(2, 6), classes=tuple(network.THINGS), occlusion=0.35, light=None, fog=None, noise=None
    ).image


def test_roi_pool_opened(run, drawn):
    """x 4.38 to 9.62 rounds to columns 4 to 10, y 3.5 to 8.75 to rows 4 to 9: 7 by 6 cells."""
    found = text(run())
    rounded = boxes(drawn, "roi_region")["rounded"].xyxy
    assert (rounded[2] - rounded[0], rounded[3] - rounded[1]) == (7, 6)
    assert "x1 =   4.38 →  4" in found and "x2 =   9.62 → 10" in found and "y1 =   3.50 →  4" in found
    assert "columns 4 + ⌊0.00⌋ … 4 + ⌈3.50⌉ − 1: 4 … 7" in found
    bins = [box for name, box in boxes(drawn, "roi_region").items() if name.startswith("bin-")]
    assert len(bins) == 4 and bins[0].xyxy[2] > bins[1].xyxy[0]


def test_the_textbooks_bins_do_not_overlap(run, drawn):
    found = text(run(roi_split="disjoint"))
    assert "columns 4 + ⌊0.00⌋ … 4 + ⌊3.50⌋ − 1: 4 … 6" in found
    shown = boxes(drawn, "roi_region")
    assert shown["bin-0-0"].xyxy[2] == shown["bin-0-1"].xyxy[0]


def test_the_last_of_thirty_one_cells_is_in_the_last_bin(run):
    link = {"roi_box": "0,0,171.4,171.4", "roi_at": "6,6,0,0"}
    found = text(run(None, link, roi_level="P2", roi_output=7, roi_split="disjoint"))
    assert "columns 0 + ⌊26.57⌋ … 0 + ⌊31.00⌋ − 1: 26 … 30" in found
    assert "rows 0 + ⌊26.57⌋ … 0 + ⌊31.00⌋ − 1: 26 … 30" in found


def test_the_half_pixel_is_drawn(run, drawn):
    run(roi_method="RoI Align")
    on = boxes(drawn, "roi_region")
    assert on["region"].xyxy == pytest.approx(on["projected"].xyxy)
    run(roi_method="RoI Align", roi_aligned=False)
    off = boxes(drawn, "roi_region")
    assert np.subtract(off["region"].xyxy, off["projected"].xyxy) == pytest.approx([0.5] * 4)


def test_a_chosen_sample_is_written_out(run, drawn):
    """Bin (1, 0), sample (0, 1): its four weights sum to one and give the value in the text."""
    at = run(roi_method="RoI Align", query={"roi_at": "1,0,0,1"})
    samples, near, middle, corners = drawn.every("roi_region", components.Points)
    assert len(samples.xy) == 16 and len(near.xy) == 4
    weights = [float(label[1:]) for label in corners.labels]
    assert sum(weights) == pytest.approx(1, abs=0.03)
    assert (np.abs(near.xy - middle.xy) <= 1).all()
    assert "bin (1, 0) = mean of its 4 samples" in text(at)


@pytest.mark.parametrize(("ratio", "count"), [(1, 4), (2, 16), (4, 64), ("adaptive", 36)])
def test_sampling_ratio(run, drawn, ratio, count):
    """Adaptive: a bin of 2.6 cells gets ⌈2.6⌉ = 3 samples an axis."""
    run(roi_method="RoI Align", roi_ratio=ratio)
    assert len(drawn.every("roi_region", components.Points)[0].xy) == count


def test_crop_and_resize_samples_the_corners(run, drawn):
    found = text(run(roi_method="Crop and resize"))
    assert len(drawn.every("roi_region", components.Points)[0].xy) == 4
    assert "each · 13/14" in found and "this one sample" in found


def test_gradients_and_the_staircase(run, drawn):
    found = text(run(roi_channel="3"))
    assert "Gradient of bin (0, 0) with respect to the box" in found
    for edge in ("x1", "y1", "x2", "y2"):
        line = next(line for line in found.splitlines() if line.startswith(f"| {edge} |"))
        assert line.split("|")[2].strip() == "0"
    slopes = [line.split("|")[3].strip() for line in found.splitlines() if line.startswith("| x1 |")]
    assert slopes != ["0"]
    _, pool, align, *_ = [layer.segments for layer in drawn.every("roi_curve", components.Lines)]
    assert all(x1 == x2 or y1 == y2 for x1, y1, x2, y2 in pool)  # only level or upright
    assert any(x1 != x2 and y1 != y2 for x1, y1, x2, y2 in align)


def test_stairs_never_take_a_value_in_between():
    x, y = shift.stairs(np.arange(5.0), np.array([0.0, 0, 2, 2, 2]))
    assert list(zip(x, y, strict=True)) == [(0, 0), (2, 0), (2, 2), (4, 2)]


# --- the lecture's numbers


def test_both_conventions_stand_there(run, drawn):
    run()
    assert drawn.grids["roi_lecture"]["disjoint"].values == pytest.approx(np.array([[0.85, 0.84], [0.97, 0.96]]))
    assert drawn.grids["roi_lecture"]["overlapping"].values == pytest.approx(np.array([[0.85, 0.96], [0.97, 0.96]]))


def test_the_lectures_sample(run):
    found = text(run())
    for term in (r"&= f_{65} \cdot 0.5 \cdot 0.2", r"&+ f_{75} \cdot 0.5 \cdot 0.2", r"&+ f_{66} \cdot 0.5 \cdot 0.8"):
        assert term in found  # each on a line of its own: a phone shows all of them
    assert r"\mathbf{0.324}" in found
    assert "n = 2: **0.25, 0.75**" in found


# --- on the network


def test_four_poolings_side_by_side(run, drawn):
    found = text(run(roi_score=0.05))
    assert "RoI Align, as trained" in found and {f"roi_with_{name}" for name in POOLINGS} <= set(drawn.layers)
    assert any(drawn.boxes(f"roi_with_{name}") for name in POOLINGS)


def test_average_precision_of_a_perfect_and_a_blind_network(monkeypatch):
    """Truth handed back as detection scores 1; nothing found scores 0."""
    import scenes
    from models.inside import pooling_swap
    from models.inside.pooling_swap import SwappedDetection

    views = {seed: scenes.render(scenes.sample(seed)) for seed in network.held_out_seeds(3)}
    now = []

    def find(_detector, image):
        now[:] = [view for view in views.values() if np.array_equal(view.image, image)]

    def answer(_detector, _regions, pooling):
        things = now[0].instances if pooling == "RoI Align" else ()
        masks = np.array([thing.mask for thing in things], np.float32).reshape(-1, 224, 224)
        return SwappedDetection(
            torch.tensor(np.array([thing.box for thing in things]).reshape(-1, 4), dtype=torch.float32),
            torch.tensor([network.THINGS.index(thing.label) + 1 for thing in things], dtype=torch.int64),
            torch.ones(len(things)), torch.from_numpy(masks), None, 0.0,
        )  # fmt: skip

    forget()
    monkeypatch.setattr(pooling_swap, "find_regions", find)
    monkeypatch.setattr(pooling_swap, "detect_with", answer)
    rows = network.figures(3)
    assert rows["RoI Align"] == {"box AP": 1, "box AP50": 1, "mask AP": 1}
    assert rows["RoI Pool"] == {"box AP": 0, "box AP50": 0, "mask AP": 0}
    forget()


def test_scenes_are_measured_when_chosen(run, monkeypatch):
    assert "Choose a number of scenes" in text(run())
    monkeypatch.setattr(network, "COUNTS", (2, 10))
    found = text(run(roi_scenes=2))
    assert "| RoI Align, as trained |" in found and "over 2 scenes" in found


def test_mask_overlap_counts_a_crowd_by_what_lies_inside():
    class Thing:
        mask = np.array([[1, 1, 1, 1], [0, 0, 0, 0]], bool)

    found = np.array([[[1, 1, 0, 0], [0, 0, 0, 0]], [[1, 1, 0, 0], [1, 1, 0, 0]]], bool)
    overlap = network.mask_overlap(found, [Thing, Thing], np.array([False, True]))
    assert overlap == pytest.approx(np.array([[0.5, 1.0], [1 / 3, 0.5]]))


# --- whatever the address says


def test_the_box_of_a_link(run):
    found = text(run(None, {"roi_box": "10,20,110,220"}))
    assert "| picture, 320 × 320 px | 10.00 | 20.00 | 110.00 | 220.00 |" in found


def test_the_address_names_the_box_where_a_newcomer_would_see_another(run):
    at = run(None)
    assert "roi_box" not in at.query_params
    at.number_input(key="roi_seed").set_value(8).run()  # the box stays; that of scene 8 is another
    assert at.query_params["roi_box"] == "113,231,224,285"


@pytest.mark.parametrize("link", ["here", "1,2,3", "nan,0,1,2", "1,2,3,4,5"])
def test_nonsense_in_a_link_is_answered_in_a_sentence(run, link):
    at = run(None, {"roi_box": link, "roi_at": link})
    assert "The link's roi_box is no box" in text(at)


def test_a_box_beyond_the_picture_is_cut(run):
    found = text(run(None, {"roi_box": "900,-50,-20,90"}))
    assert "| picture, 320 × 320 px | 0.00 | 0.00 | 320.00 | 90.00 |" in found


def test_a_number_of_the_map_says_whether_it_wins_its_bins(run, drawn):
    """In a maximum the others count nothing, so no strength of a mark is written as a weight."""
    run()
    options = drawn.options["roi_lecture"]
    assert options["sums"] is False
    assert options["explain"][("map", 5, 3)] == (
        "Row 5, column 3: 0.13 lies in these bins. disjoint split: [1, 1], 0.96 wins; "
        "torchvision.ops.roi_pool: [0, 0], 0.85 wins and [0, 1], 0.96 wins and [1, 0], 0.97 wins and [1, 1], 0.96 wins."
    )
    assert "disjoint split: [1, 1], it is the maximum" in options["explain"][("map", 5, 6)]
    assert options["explain"][("map", 0, 0)] == "Row 0, column 0: 0.88 lies outside the region, in no bin."
    cells = {("map", r, c) for r in range(8) for c in range(8)}
    assert cells <= set(options["explain"])


def test_the_two_splits_are_alternatives(run, drawn):
    run()
    assert drawn.between["roi_lecture"] == ["→", "or"]


def test_outputs_have_the_colours_of_the_map(run, drawn):
    """One value, one colour: bright is high on the map and in the outputs."""
    run(roi_output=2)
    heat = drawn.layer("roi_map", components.Heat)
    grid = drawn.grids["roi_outputs"]["RoI Pool"]
    painted = components.heat_pixels(components.Heat(grid.values, heat.palette, heat.vmin, heat.vmax))
    assert [[bytes.fromhex(colour[1:]) for colour in row] for row in grid.colour] == [
        [bytes(pixel[:3].tolist()) for pixel in row] for row in painted
    ]
    assert (heat.vmin, heat.vmax) != (grid.values.min(), grid.values.max())


def test_the_swap_is_no_comparison_of_methods_and_the_heading_says_so(run):
    at = run()
    assert any("It is no comparison of the methods" in each.value for each in at.markdown)
    assert "Average precision after the swap, heads not trained again" in [each.value for each in at.subheader]


def test_a_photograph_is_outside_what_the_detector_knows(run):
    said = [each.value for each in run(None, roi_source="Photograph").info]
    assert any(outside_lab_world.SENTENCE in each for each in said)
    assert not any(outside_lab_world.SENTENCE in each.value for each in run().info)


def test_without_weights_the_lecture_still_stands(run, monkeypatch, drawn):
    def refuse(name):
        raise ValueError("detector has no weights yet: python -m models train detector makes them.")

    forget()
    monkeypatch.setattr(catalog, "load", refuse)
    at = run()
    assert {e.value for e in at.error} == {"detector has no weights yet: python -m models train detector makes them."}
    assert "roi_lecture" in drawn.grids


@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
@given(
    st.fixed_dictionaries(
        {
            "roi_level": st.sampled_from(["as the detector", "P2", "P3", "P4", "P5"]),
            "roi_output": st.sampled_from([2, 7, 14]),
            "roi_method": st.sampled_from(["RoI Pool", "RoI Align", "Crop and resize"]),
            "roi_split": st.sampled_from(["overlapping", "disjoint"]),
            "roi_ratio": st.sampled_from(["adaptive", 1, 2, 3, 4]), "roi_aligned": st.booleans(),
            "roi_shift": st.floats(-1, 1), "roi_channel": st.sampled_from(["mean", "0", "63"]),
            "roi_x": st.floats(0, 7), "roi_y": st.floats(0, 7),
        }
    ),
    st.tuples(*[st.floats(0, 320)] * 4).map(lambda b: (*np.minimum(b[:2], b[2:]), *np.maximum(b[:2], b[2:]))),
)  # fmt: skip
def test_no_control_state_breaks_the_page(run, state, box):
    at = run(box, **state)
    assert not at.error


# --- the steps, the shift, the words


def test_the_steps_of_roi_pool_add_up(run, drawn):
    seen = []
    for step in ("project", "snap", "divide", "read"):
        run(roi_step=step)
        names = {name.split("-")[0] for name in boxes(drawn, "roi_region")}
        seen.append((names, len(drawn.every("roi_region", components.Points))))
    assert seen == [
        ({"projected"}, 0), ({"projected", "rounded"}, 0), ({"projected", "rounded", "bin"}, 0),
        ({"projected", "rounded", "bin", "chosen"}, 1),
    ]  # fmt: skip


def test_the_chosen_bin_is_drawn_over_the_rounded_box(run, drawn):
    run()
    names = [box.id for box in drawn.boxes("roi_region")]
    assert names.index("chosen") > names.index("rounded")


@pytest.mark.parametrize("state", [{}, {"roi_output": 7}, {"roi_level": "P2"}, {"roi_level": "P5"}])
def test_the_four_weights_lie_apart_and_inside(run, drawn, state):
    run(roi_method="RoI Align", **state)
    corners = drawn.every("roi_region", components.Points)[3].xy
    side = drawn.options["roi_region"]["size"][0]
    assert (corners >= 0).all() and (corners[:, 0] + 0.13 * side <= side + 1e-6).all()
    for i in range(4):
        for j in range(i):
            across, down = np.abs(corners[i] - corners[j])
            assert across > 0.13 * side or down > 0.04 * side


def test_both_outputs_stand_beside_the_pictures_and_follow_the_shift(run, drawn):
    run()
    before = {name: grid.values for name, grid in drawn.grids["roi_beside"].items()}
    assert {"RoI Pool", "RoI Align", "scale"} == set(before)
    run(roi_shift=1 / 32)
    after = {name: grid.values for name, grid in drawn.grids["roi_shift_outputs"].items()}
    assert np.array_equal(before["RoI Pool"], after["RoI Pool"])
    assert not np.array_equal(before["RoI Align"], after["RoI Align"])
    assert {"rounded", "region"} <= {*boxes(drawn, "roi_shift_RoI Pool"), *boxes(drawn, "roi_shift_RoI Align")}


def test_the_axes_have_numbers_and_the_names_lie_apart(run, drawn):
    run()
    dots = drawn.every("roi_curve", components.Points)
    assert dots[0].labels[:5] == ["−1", "−0.5", "0", "0.5", "1"]
    found = {grid.name: grid.values[0, 0] for grid in drawn.grids["roi_outputs"].values()}
    low, high = (float(label.replace("−", "-")) for label in (dots[0].labels[5], dots[0].labels[7]))
    assert all(low - 0.01 <= value <= high + 0.01 for value in found.values())
    names = sorted(float(each.xy[0, 1]) for each in dots if each.labels and len(each.labels) == 1)
    assert len(names) == 3 and min(np.diff(names)) >= shift.NAME - 1e-6


def test_names_that_would_touch_are_moved_apart_in_their_order():
    assert shift.spread([10.0, 10.5, 30.0]) == [10.0, 14.5, 30.0]
    assert max(shift.spread([43.0, 43.5, 44.0])) <= shift.HIGH - shift.BOTTOM


def test_the_text_follows_ones_own_numbers_and_a_button_brings_the_lectures_back(run, drawn):
    at = run()
    assert "the 0.96 in row 5, column 6 wins 2 bins" in text(at)
    own = numbers.LECTURE_MAP.double().numpy().round(2)
    own[5, 6] = 0.10
    at.session_state["roi_lecture"] = {"map": own}
    at.run()
    assert "0.96 in row 5" not in text(at)
    assert "Drawn without overlap, they would give [[0.85, 0.84], [0.97, 0.96]]" in text(at)
    at.button(key="roi_lecture_reset").click().run()
    assert "the 0.96 in row 5, column 6 wins 2 bins" in text(at)
    assert drawn.grids["roi_lecture"]["map"].values[5, 6] == 0.96


def test_a_split_of_a_link_by_its_own_name(run, drawn):
    assert "columns 4 + ⌊0.00⌋ … 4 + ⌊3.50⌋ − 1: 4 … 6" in text(run(query={"roi_split": "disjoint"}))


def test_what_lies_beyond_the_colours_is_said(run, drawn):
    run()
    heat, said = drawn.layer("roi_map", components.Heat), drawn.options["roi_beside"]["caption"]
    assert ("All below is as dark" in said) == (float(heat.values.min()) < heat.vmin)
    assert ("All above is as bright" in said) == (float(heat.values.max()) > heat.vmax)


def test_a_box_of_one_pixel_grows_to_what_a_hand_can_grab(run, drawn):
    found = text(run((175.0, 175.0, 176.0, 176.0)))
    assert boxes(drawn, "roi_scene")["roi"].xyxy == (175.0, 175.0, 179.0, 179.0)
    assert "| 175.00 | 175.00 | 179.00 | 179.00 |" in found and "⌊−" in found


def test_half_a_cell_is_drawn_on_the_picture(run, drawn):
    """P4 has stride 16, and the picture is larger than what the network saw by 320/224."""
    run()
    asked, read = (boxes(drawn, "roi_half_view")[name].xyxy for name in ("asked", "read"))
    assert np.subtract(read, asked) == pytest.approx([8 * 320 / 224] * 4, abs=1e-3)
