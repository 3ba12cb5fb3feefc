"""The transposed convolution page: the lectures' examples are on it, and no control state breaks it."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs.learned_upsampling import bilinear_filter
from pages.transposed_convolution import checkerboard, learning, matrix, shared

PAGE = "transposed_convolution"
NETWORKS = ("segmenter-transposed", "segmenter-bilinear")


@pytest.fixture
def run(visit):
    """Function: a visit to the page, with its networks on a photograph."""
    return lambda query=None, **state: visit(PAGE, query, **{"checkerboard_source": "Photograph"} | state)


def words(drawn, key) -> list[str]:
    return [row[0] for row in drawn.grids[key]["words"].text]


def test_the_page_opens(run, sound, prose):
    at = sound(run())
    assert [h.value for h in at.title] == ["Transposed Convolution"]
    assert ":green-badge[✓ equal]" in prose(at)
    assert ":red-badge" not in prose(at)


EXPECTED = {
    "Two inputs, stride 2": (None, ["ax", "ay", "az+bx", "by", "bz"]),
    "Stride 1, padding 1": (
        ["ay+bz", "ax+by+cz", "bx+cy+dz", "cx+dy"],
        ["ax", "ay+bx", "az+by+cx", "bz+cy+dx", "cz+dy", "dz"],
    ),
    "Stride 2, padding 1": (["ay+bz", "bx+cy+dz"], ["ax", "ay", "az+bx", "by", "bz", "0"]),
}


@pytest.mark.parametrize("example", EXPECTED)
def test_lecture_examples_by_their_button(run, sound, drawn, example):
    at = run(line_kernel=4, line_stride=3, line_dilation=2)
    shown = at.button_group(key="line_example")
    assert not shown.value
    shown.set_value([example]).run() if isinstance(shown.value, list) else shown.set_value(example).run()
    sound(at)
    assert example in str(at.button_group(key="line_example").value)
    forward, backward = EXPECTED[example]
    if forward:
        assert words(drawn, "line_forward") == forward
    assert words(drawn, "line_backward") == backward
    assert set(matrix.EXAMPLES) == set(EXPECTED)


def test_numbers_beside_the_letters(run, drawn):
    run(line_numbers={"filter 3": [[1, 10, 100]], "v 2": [[2, 3]]}, line_padding=0, line_extra=0,
        line_digits=True)  # fmt: skip
    grid = drawn.grids["line_backward"]
    assert words(drawn, "line_backward") == ["ax", "ay", "az+bx", "by", "bz"]
    assert grid["result"].values.tolist() == [[2], [20], [203], [30], [300]]
    assert grid["matrix"].values.tolist() == [[1, 0], [10, 0], [100, 1], [0, 10], [0, 100]]


def test_numbers_come_at_a_click_and_every_cell_of_a_row_speaks(run, drawn):
    run()
    assert "matrix" not in drawn.grids["line_forward"]
    told = drawn.options["line_forward"]["explain"]
    rows, columns = drawn.grids["line_forward"]["X"].values.shape
    assert all(told["X", r, c] == told["words", r, 0] for r in range(rows) for c in range(columns))


def test_trimming_five_by_five_to_four_by_four(run, drawn):
    run()
    grid = drawn.grids["stamp_grids"]
    assert grid["sum of copies"].values.shape == (5, 5)
    assert grid["output"].values.shape == (4, 4)
    assert grid["sum of copies"].rows == [shared.CUT, "", "", "", ""]


def test_the_stamps_begin_at_zero_and_count_from_one(run, drawn):
    run()
    assert np.isnan(drawn.grids["stamp_grids"]["sum of copies"].values).all()
    assert "overlap" not in drawn.options["stamp_grids"]["caption"]
    run(stamp_step=1)
    assert "row 1, column 1" in drawn.options["stamp_grids"]["caption"]
    assert "overlap" not in drawn.options["stamp_grids"]["caption"]
    run(stamp_step=4)
    assert "row 3, column 3. Up to 4 of 4 copies overlap" in drawn.options["stamp_grids"]["caption"]


def test_the_other_direction_is_a_convolution(run, sound, drawn, prose):
    """4×4 numbers become 2×2, and an input knows whom it makes."""
    at = sound(run(stamp_direction="Convolution", forward_step=4))
    grids = drawn.grids["forward_grids"]
    assert grids["input"].values.shape == (6, 6) and grids["output"].values.shape == (2, 2)
    own = grids["input"].values[1:-1, 1:-1].tolist()
    assert own == [[0, 5, 3, 1], [3, 1, 6, 4], [6, 4, 2, 0], [2, 0, 5, 3]]
    assert grids["output"].values[0].tolist() == [4 * 0 + 2 * 5 + 2 * 3 + 1, 2 * 5 + 4 * 3 + 2 * 1 + 1 + 2 * 6 + 4]
    every = drawn.options["forward_grids"]["links"]
    assert [target for target, made in every.items() if ("input", 2, 2, 1.0) in made]
    assert "At stride 1 a transposed convolution is a convolution. At stride 2" in prose(at)
    assert "filter − 1 − padding = 3 − 1 − 1 = 1" in prose(run(stamp_stride=1))


def test_the_size_is_a_sum_with_the_numbers_of_now(run, prose):
    assert "= 2·1 + 3 − 2·1 + 1 = **4**" in prose(run())
    assert "= 3·2 + 4 − 2·0 + 0 = **10**" in prose(
        run(stamp_size=3, stamp_kernel=4, stamp_stride=3, stamp_padding=0, stamp_extra=0)
    )


def test_the_filter_learns_while_it_runs(run, sound, drawn, prose):
    at = sound(run({"predict": "off"}, learn_kernel=3))
    first = drawn.grids["learn_filters"]["learned"].values
    assert first.shape == (3, 3) and "Step **0** of 200" in prose(at)
    at.button(key="learn_go").click().run()
    sound(at)
    seen = re.search(r"Step \*\*(\d+)\*\*.*filter \*\*([\d.]+)\*\* grey", prose(at))
    assert int(seen[1]) >= 5
    at.session_state[learning.LEARNER].learn(500)
    sound(at.run())
    assert "Step **200** of 200" in prose(at)
    learned = drawn.grids["learn_filters"]["learned"].values
    np.testing.assert_allclose(learned, learning.best(3), atol=0.02)
    both = re.search(r"filter \*\*([\d.]+)\*\* grey levels; bilinear ([\d.]+), least possible (\d+\.\d)", prose(at))
    now, bilinear, least = map(float, both.groups())
    assert least <= now < bilinear < float(seen[2]) + 50
    at.button(key="learn_reset").click().run()
    assert "Step **0** of 200" in prose(at) and np.array_equal(drawn.grids["learn_filters"]["learned"].values, first)


def test_the_first_filter_of_the_page_is_the_bilinear_one_times_four(run, drawn):
    run()
    np.testing.assert_allclose(drawn.grids["stamp_grids"]["filter 3×3"].values, 4 * bilinear_filter(3))


def test_every_copy_of_the_strip_begins_one_stride_on(run, drawn):
    run(overlap_kernel=3, overlap_stride=2)
    copies = drawn.grids["overlap_strip"]["copies"].values
    assert copies[-1].tolist() == [1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1]
    assert np.nansum(copies[:-1], 0).tolist() == copies[-1].tolist()
    assert [int(np.nonzero(row == 1)[0][0]) for row in copies[:-1]] == [0, 2, 4, 6, 8]


def test_a_step_writes_one_stamp(run, drawn):
    run(stamp_step=1)
    canvas = drawn.grids["stamp_grids"]["sum of copies"].values
    assert canvas[:3, :3].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert (canvas != canvas).sum() == 16  # NaN where nothing has landed


def test_seven_and_eight(run, drawn, prose):
    at = run(back_length=7)
    sizes = drawn.grids["back_sizes"]["sizes"]
    reached = dict(zip(sizes.columns, sizes.values[0].tolist(), strict=True))
    assert reached["7"] == reached["8"] == 4
    assert drawn.grids["back_values"]["back"].values.shape == (7,)
    assert run(back_length=8) and drawn.grids["back_values"]["back"].values.shape == (8,)
    assert "become 4" in prose(at)


@pytest.mark.parametrize("length", [4, 8, 12])
def test_there_and_back_does_not_look_like_an_inverse(run, drawn, length):
    """However the numbers that return are scaled, they are far from those that left."""
    run(back_length=length)
    grid = drawn.grids["back_values"]
    u, back = (grid[name].values.ravel() for name in ("u", "back"))
    assert u[:8].tolist() == [3, 1, 4, 1, 5, 9, 2, 6][:length] and back.shape == u.shape == (length,)
    scale = (u @ back) / (u @ u)
    assert np.abs(back - scale * u).max() > 0.3 * np.abs(back).max()
    inside = back[1:-1] / u[1:-1]
    assert inside.max() > 1.5 * inside.min()


def test_zero_insertion_grid(run, drawn):
    run(zero_padding=0, zero_extra=0)
    spread = drawn.grids["zero_grids"]["spread"].values
    assert spread.shape == (7, 7)
    assert spread[2:5, 2:5].tolist() == [[1, 0, 2], [0, 0, 0], [3, 0, 4]]


def test_overlap_table(run, drawn):
    run()
    table = drawn.grids["overlap_table"]["table"]
    assert table.text[1] == ["uneven", "even", "uneven", "even", "uneven", "even"]  # stride 2, filters 1 to 6


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {
            "stamp_size": st.integers(1, 3), "stamp_kernel": st.integers(1, 4), "stamp_stride": st.integers(1, 3),
            "stamp_extra": st.integers(0, 3), "stamp_padding": st.integers(0, 4), "stamp_step": st.integers(0, 9),
            "line_size": st.integers(1, 4), "line_kernel": st.integers(1, 4), "line_stride": st.integers(1, 3),
            "line_dilation": st.integers(1, 2), "line_extra": st.integers(0, 3), "line_padding": st.integers(0, 4),
            "block_size": st.integers(2, 3), "block_kernel": st.integers(1, 3), "block_stride": st.integers(1, 2),
            "zero_kernel": st.integers(1, 4), "zero_stride": st.integers(1, 3), "zero_extra": st.integers(0, 3),
            "zero_padding": st.integers(0, 4), "zero_place": st.integers(0, 99),
            "back_length": st.integers(4, 12), "back_kernel": st.integers(1, 4), "back_stride": st.integers(1, 3),
            "back_padding": st.integers(0, 4), "overlap_kernel": st.integers(1, 6), "overlap_stride": st.integers(1, 4),
        }
    )
)  # fmt: skip
def test_no_control_state_breaks_the_page(run, sound, prose, state):
    said = prose(sound(run(**state)))
    assert ":red-badge" not in said
    assert said.count(":green-badge") >= 4


def test_a_photograph_carries_the_sentence_on_what_the_networks_know(run, sound):
    (told,) = [each.value for each in sound(run()).info]
    assert "drawn Lab World scenes only" in told
    assert not sound(run(checkerboard_source="Lab World")).info


def test_the_networks_answers_stand_beside_where_they_differ(run, sound, drawn, prose):
    at = sound(run({"predict": "off"}))
    one, two, apart = (drawn.layers[f"checkerboard_said_{title}"][0].values
                       for title in (*checkerboard.NETWORKS.values(), "Where they differ"))  # fmt: skip
    assert np.array_equal(apart, one != two) and apart.any()
    assert f"differ in **{100 * apart.mean():.1f} %**" in prose(at)
    assert "**Yes, it survives training**" in prose(at)


def test_the_checkerboard_is_in_the_transposed_network_only(run, sound):
    at = sound(run())
    values = {m.label: [] for m in at.metric}
    for metric in at.metric:
        values[metric.label].append(float(metric.value.strip(" %×").replace(",", "")))
    for transposed, bilinear in values.values():
        assert transposed > 3 * bilinear
