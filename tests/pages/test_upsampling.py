"""The upsampling page: every row of the lectures' table is on it, and no control state breaks it."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

import scenes
from labs import segmentation_metrics
from models import catalog
from pages.upsampling import boundary, interpolation, unpooling
from scenes import CLASSES
from ui import components, pictures

PAGE = "upsampling"
NETWORKS = catalog.names("segmentation")


@pytest.fixture
def text(prose):
    """Function: all that a page says, boxes and formulas included."""

    def read(at: AppTest) -> str:
        return "\n".join([prose(at), *(element.value for element in [*at.warning, *at.success, *at.latex])])

    return read


BILINEAR = [[1, 1.25, 1.75, 2], [1.5, 1.75, 2.25, 2.5], [2.5, 2.75, 3.25, 3.5], [3, 3.25, 3.75, 4]]
BICUBIC = [[0.68, 1.02, 1.56, 1.89], [1.35, 1.68, 2.23, 2.56], [2.44, 2.77, 3.32, 3.65], [3.11, 3.44, 3.98, 4.32]]


@pytest.mark.parametrize(
    ("method", "rows", "tolerance"),
    [
        ("nearest", [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]], 0),
        ("bed of nails", [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]], 0),
        ("bilinear", BILINEAR, 1e-9),
        ("bicubic", BICUBIC, 0.005),
        ("max unpooling", [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]], 0),
    ],
)
def test_the_first_view_shows_the_lectures_numbers(visit, sound, drawn, method, rows, tolerance):
    sound(visit(PAGE, up_method=method))
    assert drawn.grids["up"]["input"].values.tolist() == [[1, 2], [3, 4]]
    np.testing.assert_allclose(drawn.grids["up"]["output"].values, rows, atol=tolerance or 1e-12)


def test_align_corners_changes_the_first_row(visit, sound, drawn):
    sound(visit(PAGE, up_align=True))
    np.testing.assert_allclose(drawn.grids["up"]["output"].values[0], [1, 4 / 3, 5 / 3, 2])


def test_arithmetic_of_the_selected_cell_is_written_out(visit, sound, drawn, text):
    at = sound(visit(PAGE, **{"up.live": {"message": {"sequence": 1, "selected": ["output", 2, 2]}}}))
    assert "Output cell (2, 2)" in text(at) and "row **0.75**, column **0.75**" in text(at)
    assert r"0.0625 \cdot 1 + 0.1875 \cdot 2 + 0.1875 \cdot 3 + 0.5625 \cdot 4" in text(at)
    assert r"\mathbf{3.25}" in text(at)
    link = drawn.options["up"]["links"]["output", 2, 2]
    assert link == [
        ("input", 0, 0, 0.0625), ("input", 0, 1, 0.1875), ("input", 1, 0, 0.1875), ("input", 1, 1, 0.5625),
    ]  # fmt: skip


def test_a_selected_cell_outside_a_smaller_output_is_forgotten(visit, sound, text):
    at = sound(
        visit(PAGE, up_rows=1, up_columns=1, **{"up.live": {"message": {"sequence": 1, "selected": ["output", 9, 9]}}})
    )
    assert "Output cell (1, 1)" in text(at)


def test_bicubic_errata_are_told_with_numbers(visit, sound, text):
    at = sound(visit(PAGE))
    told = text(at)
    assert "three closest neighbours" in told and "4 × 4 = 16" in told
    assert "1, 1.33, 1.67, 2" in told


@pytest.mark.parametrize(
    ("factor", "low", "high"), [(2, "−0.105", "1.105"), (3, "−0.111", "1.111"), (4, "−0.110", "1.110")]
)
def test_the_overshoot_follows_the_factor_and_is_rounded_once(visit, sound, text, factor, low, high):
    """Doubled, −0.10546875 and 1.10546875."""
    told = text(sound(visit(PAGE, up_factor=factor)))
    assert f"upsampled by {factor}, comes out between **{low}** and **{high}**" in told
    step = torch.tensor([[[[0.0, 0, 0, 0, 1, 1, 1, 1]]]], dtype=torch.float64)
    torchs = torch.nn.functional.interpolate(step, size=(1, 8 * factor), mode="bicubic", align_corners=False)
    assert f"{torchs.min():.3f}".replace("-", "−") == low and f"{torchs.max():.3f}" == high


def test_the_step_chart_overshoots_as_the_erratum_says(monkeypatch):
    curves = {}
    monkeypatch.setattr(
        interpolation.page, "figure", lambda figure, key, **_: curves.update({(key, c.name): c for c in figure.data})
    )
    interpolation.step_chart(2)
    (bicubic,) = [curve for (_, name), curve in curves.items() if name and name.startswith("bicubic")]
    assert min(bicubic.y) == pytest.approx(-0.106, abs=0.001)
    assert max(bicubic.y) == pytest.approx(1.106, abs=0.001)
    assert min(bicubic.y) == -0.10546875 and max(bicubic.y) == 1.10546875
    assert "-0.105 to 1.105" in bicubic.name


def test_pool_remember_unpool(visit, sound, drawn, text):
    at = sound(visit(PAGE))
    unpool = drawn.grids["unpool"]
    assert unpool["encoder"].values.tolist() == [[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]]
    assert unpool["pooled"].values.tolist() == [[5, 6], [7, 8]]
    assert unpool["positions"].values.tolist() == [[5, 2], [12, 15]]
    assert unpool["rest"].values.tolist() == [[1, 2], [3, 4]] and unpool["rest"].editable
    assert unpool["unpooled"].values.tolist() == [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]]
    assert "All 4 values found a place" in text(at)


def test_overlapping_windows_lose_values_live(visit, sound, drawn, text):
    at = sound(visit(PAGE, unpool_overlap=True))
    assert "3 of 9 values are lost" in text(at)
    assert "position 5 won 3 windows" in text(at) and "position 2 won 2 windows" in text(at)
    assert np.count_nonzero(drawn.grids["unpool"]["unpooled"].values) == 6
    assert "loses values" in text(at) and "Which one stays is not defined" in text(at)
    assert drawn.grids["unpool"]["unpooled"].values[1, 1] == 5, "the last of the windows 1, 4 and 5"
    assert unpooling.fate([(0, 0), (1, 1)], np.array([[1.0, 2], [3, 4]]), 4.0).endswith("here the last, 4, stays.")


@pytest.mark.parametrize("count", [1, 6, 12])
def test_receptive_field_grows_by_two_pixels_a_layer(visit, sound, drawn, count, text):
    at = sound(visit(PAGE, rf_layers=count))
    assert f"sees **{1 + 2 * count} × {1 + 2 * count}** px" in text(at)
    (box,) = drawn.boxes("rf_plain")
    x1, y1, x2, y2 = box.xyxy
    assert x2 - x1 == y2 - y1 == 1 + 2 * count
    (heat,) = drawn.every("rf_plain", components.Heat)
    rows, columns = np.nonzero(~np.isnan(heat.values))
    assert rows.min() >= y1 and rows.max() < y2 and columns.min() >= x1 and columns.max() < x2


def test_numbers_travel_in_the_address(visit, sound, drawn):
    at = sound(visit(PAGE, {"up_input": "5,6,7,8"}))
    assert drawn.grids["up"]["input"].values.tolist() == [[5, 6], [7, 8]]
    at.session_state["up"] = {"input": np.array([[5.0, 6], [7, 9]])}
    at.run()
    assert at.query_params["up_input"] in ("5,6,7,9", ["5,6,7,9"])


@pytest.mark.parametrize("numbers", ["5,6,7", "a,b,c,d", "1e99,0,0,0", "nan,1,1,1", ",,,"])
def test_a_broken_link_is_answered_in_one_sentence(visit, drawn, numbers):
    at = visit(PAGE, {"up_input": numbers})
    assert not at.exception
    assert any("does not hold 2×2 numbers" in error.value for error in at.error)
    assert drawn.grids["up"]["input"].values.tolist() == [[1, 2], [3, 4]]


def test_the_start_buttons_fill_the_input(visit, sound, drawn):
    at = sound(visit(PAGE))
    at.button(key="up_start_Step").click().run()
    assert drawn.grids["up"]["input"].values.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1]] * 3
    assert drawn.grids["up"]["output"].values.shape == (6, 16)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(interpolation.METHODS), st.integers(1, 8), st.integers(1, 8), st.integers(2, 4), st.booleans(),
    st.integers(3, 8), st.integers(2, 3), st.booleans(),
)  # fmt: skip
def test_no_control_state_breaks_the_grids(
    visit, sound, drawn, method, rows, columns, factor, align, side, window, overlap
):
    sound(visit(PAGE, up_method=method, up_rows=rows, up_columns=columns, up_factor=factor, up_align=align,
                unpool_side=side, unpool_window=window, unpool_overlap=overlap))  # fmt: skip
    assert drawn.grids["up"]["output"].values.shape == (rows * factor, columns * factor)
    assert drawn.grids["unpool"]["unpooled"].values.shape == (side, side)


def test_five_networks_on_one_scene(visit, sound, drawn):
    at = sound(visit(PAGE))
    figures = at.dataframe[0].value
    assert list(figures["upsampling"]) == [name.removeprefix("segmenter-") for name in NETWORKS]
    for name in NETWORKS:
        (labels,) = drawn.layers[name]
        assert labels.values.shape == (224, 448)
        row = figures[figures["upsampling"] == name.removeprefix("segmenter-")].iloc[0]
        wrong = labels.values[:, 224:] == len(labels.palette) - 1
        assert row["accuracy"] == pytest.approx(1 - wrong.mean(), abs=6e-4)
        assert 0 < row["mIoU"] <= 1 and 0 < row["boundary F"] <= 1
        assert row["parameters"] > 100_000 and row["multiply-adds, M"] > 100 and row["ms here"] > 0
        assert np.isfinite(drawn.layers[f"{name}-features"][0].values).all()


def mapped(drawn, name):
    """What a network says and the truth, read off its panel."""
    both = drawn.layer(name, components.Labels).values.astype(int)
    found, marked = both[:, :224], both[:, 224:]
    return found, np.where(marked == len(CLASSES) * 2, -1, marked - len(CLASSES))


def test_figures_are_those_of_the_true_classes_and_strays_are_named(visit, sound, drawn, text):
    at = sound(visit(PAGE))
    truth = drawn.pictures["scene_picture"][:, 224:]
    palette = np.array([[int(scenes.PALETTE[name][i : i + 2], 16) for i in (1, 3, 5)] for name in CLASSES])
    truth = np.array([(palette == colour).all(1).argmax() for colour in truth.reshape(-1, 3)]).reshape(224, 224)
    there, figures = np.unique(truth), at.dataframe[0].value.set_index("upsampling")
    for name in NETWORKS:
        found, _ = mapped(drawn, name)
        ious = {c: ((truth == c) & (found == c)).sum() / ((truth == c) | (found == c)).sum() for c in there}
        row = figures.loc[name.removeprefix("segmenter-")]
        assert row["mIoU"] == pytest.approx(np.mean(list(ious.values())), abs=6e-4)
        assert min(ious.values()) > 0.8  # no class of the first scene is taken for another
        scores = segmentation_metrics.class_boundary_f(truth, found, len(CLASSES), 1.0)
        assert row["boundary F"] == pytest.approx(scores[there].mean(), abs=6e-4)
        strays = {c: int((found == c).sum()) for c in np.setdiff1d(found, there)}
        assert row["stray px"] == sum(strays.values())
        assert all(f"{CLASSES[c]} {count} px" in text(at) for c, count in strays.items())
    assert figures.loc["max-unpool", "stray px"] > 0


def test_the_story_of_the_five_is_that_of_their_cards():
    cards = {name: catalog.card(name)["metrics"] for name in NETWORKS}
    fs = [card["boundary_f"] for card in cards.values()]
    assert max(fs) - min(fs) < 0.03
    strays = {name: card["stray_classes"] for name, card in cards.items()}
    assert max(strays, key=strays.get) == "segmenter-max-unpool" and strays["segmenter-max-unpool"] > 3


def test_one_boundary_is_enlarged_and_a_click_chooses_another(visit, sound, drawn, text):
    at = sound(visit(PAGE))
    assert set(drawn.layers) >= {f"scene_cut_{name}" for name in ("picture", "truth", "nearest", "transposed")}
    first = drawn.layer("scene_cut_truth", components.Labels).values
    assert first.shape == (boundary.SIDE, boundary.SIDE) and len(np.unique(first)) > 2
    wrong = (drawn.layer("scene_cut_bilinear", components.Labels).values != first).sum()
    assert f"**bilinear** · **{wrong}** wrong" in text(at)
    click = {"x": 224 + 100.4, "y": 60.2, "what": None, "when": 1}
    at = sound(visit(PAGE, **{"scene_picture.live": {"message": {"sequence": 1, "click": click}}}))
    assert at.query_params["scene_at"] in ("100,60", ["100,60"])
    expected = drawn.pictures["scene_picture"][40:80, 80:120]
    np.testing.assert_array_equal(drawn.pictures["scene_cut_picture"], expected)


def test_the_window_of_a_boundary_lies_where_most_of_it_is_and_inside_the_picture(visit, sound, drawn):
    truth = np.zeros((224, 224), np.uint8)
    truth[100:110, 150:160] = 1
    left, top = boundary.window(truth)
    assert left <= 149 and left + boundary.SIDE >= 161 and top <= 99 and top + boundary.SIDE >= 111
    for at, corner in (("0,0", (0, 0)), ("223,223", (184, 184)), ("9999,-9", (184, 0)), ("112,96", (92, 76))):
        sound(visit(PAGE, {"scene_at": at}))
        x, y = corner
        whole = drawn.pictures["scene_picture"]
        np.testing.assert_array_equal(drawn.pictures["scene_cut_picture"], whole[y : y + 40, x : x + 40])
    told = visit(PAGE, {"scene_at": "there"})
    assert not told.exception and any("scene_at is not a pixel" in each.value for each in told.error)


def test_only_transposed_convolution_costs_more_parameters(visit, sound):
    figures = sound(visit(PAGE)).dataframe[0].value.set_index("upsampling")
    fixed = figures.drop("transposed")
    assert fixed["parameters"].nunique() == 1 and fixed["multiply-adds, M"].nunique() == 1
    assert figures.loc["transposed", "parameters"] > fixed["parameters"].iloc[0]


def test_fog_makes_every_network_worse_or_equal(visit, sound):
    clear = sound(visit(PAGE)).dataframe[0].value["mIoU"]
    foggy = sound(visit(PAGE, scene_more_fog=1.0)).dataframe[0].value["mIoU"]
    assert foggy.mean() < clear.mean()


def test_a_photograph_is_segmented_without_scores(visit, sound, drawn, text):
    at = sound(visit(PAGE, scene_source="Photograph"))
    assert "mIoU **" not in text(at)
    (told,) = [each.value for each in at.info]
    assert "drawn Lab World scenes only" in told and "paint them below" in told
    assert drawn.layers["segmenter-bilinear"][0].values.shape == (224, 224)


def test_networks_without_weights_are_named_in_a_sentence(visit, monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    catalog._load.cache_clear()
    at = visit(PAGE, scene_seed=123)
    assert not at.exception
    assert any("has no weights yet" in error.value for error in at.error)
    catalog._load.cache_clear()


def test_another_size_counts_anew_and_the_nails_begin_at_a_nail(visit, sound, drawn, text):
    at = sound(visit(PAGE, up_method="bed of nails"))
    assert "Output cell (0, 0)" in text(at) and "1 input made it" in text(at)
    at.toggle(key="unpool_overlap").set_value(True).run()
    assert drawn.grids["unpool"]["rest"].values.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


@pytest.mark.parametrize("factor", [2, 4])
def test_all_five_methods_enlarge_the_same_pixels(visit, sound, drawn, factor):
    sound(visit(PAGE, up_factor=factor))
    small = drawn.pictures["up_lens_input"].astype(int)
    assert small.shape == (14, 14, 3)
    nearest = drawn.pictures["up_lens_nearest"].astype(int)
    np.testing.assert_array_equal(nearest, small.repeat(factor, 0).repeat(factor, 1))
    nails = drawn.pictures["up_lens_bed of nails"].astype(int)
    np.testing.assert_array_equal(nails[::factor, ::factor], small)
    assert nails.sum() == small.sum()
    for name in interpolation.METHODS:
        assert drawn.pictures[f"up_lens_{name}"].shape == (14 * factor, 14 * factor, 3)
    bilinear, bicubic = (drawn.pictures[f"up_lens_{name}"].astype(int) for name in ("bilinear", "bicubic"))
    assert np.abs(bilinear - bicubic).max() > 0 and np.abs(bilinear - nearest).max() > 10


def test_look_inside_stays_where_there_is_no_matrix(visit, sound, drawn, text):
    at = sound(visit(PAGE, up_method="max unpooling"))
    heads = [header.value.split("\u2003")[-1] for header in at.header]
    assert any("Look inside" in head for head in heads) and "no fixed matrix" in text(at)
    assert "up_product" not in drawn.grids
    assert "up_product" in (sound(visit(PAGE)), drawn.grids)[1]


def test_a_small_input_of_bicubic_reads_its_rim_again(visit, sound, text):
    folded = "beyond the rim it reads the pixels of the rim again"
    assert folded in text(sound(visit(PAGE, up_method="bicubic")))
    live = {"up.live": {"message": {"sequence": 1, "selected": ["output", 8, 8]}}}
    inner = text(sound(visit(PAGE, up_method="bicubic", up_rows=8, up_columns=8, **live)))
    assert "16 inputs made it" in inner and folded not in inner
    assert r"\max(0, 1 - |d|)" in text(sound(visit(PAGE)))


def test_a_field_larger_than_the_picture_is_said_to_be_cut(visit, sound, text):
    cut = "cut at the rim of this 128 × 128 picture"
    told = text(sound(visit(PAGE, rf_layers=12)))
    assert f"sees **284 × 284** px, {cut}" in told and told.count(cut) == 1
    assert cut not in text(sound(visit(PAGE, rf_layers=1)))


def test_the_networks_have_a_legend_and_the_weather_in_words(visit, sound, drawn, text):
    at = sound(visit(PAGE, scene_more_fog=0.5))
    html = "".join(each.proto.body for each in at.get("html"))
    seen = set(np.concatenate([np.unique(mapped(drawn, name)[0]) for name in NETWORKS]).tolist())
    assert all(f"</i>{CLASSES[k]}</span>" in html for k in seen)
    own = pictures.from_lab_world(32).scene.fog
    assert f"Of its own this scene has fog {own:.2f}, light" in text(at)
    assert f"With the sliders: fog {own + 0.5 * (1 - own):.2f}, light" in text(at)


@pytest.mark.parametrize(("overlap", "empty"), [(False, 12), (True, 10)])
def test_the_questions_have_what_is_drawn_as_their_answers(visit, sound, drawn, prose, overlap, empty):
    asked = {"predict-upsampling-zeros": "8", "predict-upsampling-neighbours": "9"}
    at = sound(visit(PAGE, asked, unpool_overlap=overlap))
    assert np.count_nonzero(drawn.grids["unpool"]["unpooled"].values == 0) == empty
    assert f"You said **8**. It is **{empty}**, because" in prose(at)
    assert "You said **9**. It is **16**, because there are four neighbours per axis" in prose(at)
