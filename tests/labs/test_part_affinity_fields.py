"""Fields, line integrals, matching and persons: literal values, boundaries, and SciPy's best matching as the oracle."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from labs import part_affinity_fields as lab
from labs.part_affinity_fields import Connection

scores = arrays.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 20)).map(
    lambda a: torch.from_numpy(a / 20)
)


def joints(*rows) -> torch.Tensor:
    """Persons of joints (x, y, there or not)."""
    return torch.tensor(rows, dtype=torch.float32)


def test_a_cell_stands_for_its_middle():
    assert lab.cell_centres((2, 3), 4)[1, 2].tolist() == [10, 6]


def test_a_joint_map_is_a_gaussian_and_of_two_the_larger():
    both = joints([[2, 2, 1]], [[10, 2, 2]])
    found = lab.joint_maps(both, (1, 4), stride=4, sigma=4)[0, 0].tolist()
    one, two = math.exp(-0.5), math.exp(-2)
    assert found == pytest.approx([1, one, 1, one])
    assert two < one, "the sum would be larger"


def test_what_is_not_there_leaves_no_mark():
    absent = joints([[2, 2, 0], [10, 2, 1]])
    assert not lab.joint_maps(absent, (1, 4), 4, 4)[0].any()
    assert not lab.part_affinity_fields(absent, [(0, 1)], (1, 4), 4, 4).any()
    assert lab.joint_maps(torch.zeros(0, 2, 3), (1, 4), 4, 4).shape == (2, 1, 4)
    assert not lab.part_affinity_fields(torch.zeros(0, 2, 3), [(0, 1)], (1, 4), 4, 4).any()


def test_a_field_is_the_direction_on_the_limb_and_nothing_elsewhere():
    field = lab.part_affinity_fields(joints([[2, 2, 1], [14, 18, 1]]), [(0, 1)], (6, 5), 4, 3)[0]
    lengths = field.norm(dim=0)
    assert set(lengths.flatten().round(decimals=5).tolist()) == {0, 1}
    assert all(arrow == pytest.approx([0.6, 0.8], abs=1e-6) for arrow in field[:, lengths > 0].T.tolist())
    assert lengths[0, 0] == 1 and lengths[0, 4] == 0 and lengths[5].sum() == 0


@pytest.mark.parametrize(("y", "covered"), [(2.0, True), (4.0, True), (4.01, False)])
def test_a_limb_is_as_wide_as_it_says(y, covered):
    """The cell's middle lies at y = 2; half the width is 2, the edge included."""
    field = lab.part_affinity_fields(joints([[0, y, 1], [8, y, 1]]), [(0, 1)], (1, 1), 4, 2)
    assert bool(field.any()) == covered


@pytest.mark.parametrize(("first", "last", "covered"), [(2, 6, [1, 1]), (2.01, 6, [0, 1]), (2, 5.99, [1, 0])])
def test_a_limb_ends_at_its_joints(first, last, covered):
    field = lab.part_affinity_fields(joints([[first, 2, 1], [last, 2, 1]]), [(0, 1)], (1, 2), 4, 2)
    assert field[0, 0, 0].tolist() == covered


def test_where_limbs_cross_their_mean_stands():
    crossing = joints([[0, 10, 1], [20, 10, 1]], [[10, 0, 1], [10, 20, 1]])
    field = lab.part_affinity_fields(crossing, [(0, 1)], (5, 5), 4, 1)[0]
    assert field[:, 2, 2].tolist() == [0.5, 0.5] and field[:, 2, 0].tolist() == [1, 0]


def test_a_limb_without_length_has_no_direction():
    assert not lab.part_affinity_fields(joints([[4, 4, 1], [4, 4, 1]]), [(0, 1)], (2, 2), 4, 8).any()


@given(x=st.floats(6, 50), y=st.floats(6, 50))
@settings(deadline=None, max_examples=50)
def test_a_peak_is_found_between_the_cells(x, y):
    maps = lab.joint_maps(joints([[x, y, 1]]), (14, 14), 4, 4)
    (found,) = lab.joint_candidates(maps, 4, least=0.3)
    assert len(found) == 1
    assert found[0, :2].tolist() == pytest.approx([x, y], abs=0.02)


@given(values=arrays.arrays(np.float32, (7, 9), elements=st.floats(0, 1, width=32), unique=True))
@settings(deadline=None, max_examples=60)
def test_peaks_are_those_of_scipy(values):
    (found,) = lab.joint_candidates(torch.from_numpy(values)[None], 1, least=0.5, most=100)
    theirs = values[(values == ndimage.maximum_filter(values, 3, mode="constant", cval=-1)) & (values > 0.5)]
    assert found[:, 2].tolist() == sorted(theirs.tolist(), reverse=True)
    cells = found[:, :2].numpy()
    assert ((cells >= 0) & (cells <= [9, 7])).all()


def test_of_equal_neighbours_one_is_the_peak_and_the_threshold_is_not_enough():
    flat = torch.zeros(1, 4, 4)
    flat[0, 1:3, 1:3] = 0.5
    assert len(lab.joint_candidates(flat, 4, least=0.4)[0]) == 1
    assert len(lab.joint_candidates(flat, 4, least=0.5)[0]) == 0


def test_at_most_so_many_peaks_the_highest_first():
    maps = torch.zeros(1, 5, 9)
    maps[0, 2, 1::2] = torch.tensor([0.3, 0.9, 0.5, 0.7])
    assert lab.joint_candidates(maps, 4, most=3)[0][:, 2].tolist() == pytest.approx([0.9, 0.7, 0.5])


def test_the_integral_in_numbers():
    """A field of (1, 0) in the left half, (0, 1) in the right one, along a line of direction (0.8, 0.6)."""
    field = torch.zeros(2, 4, 8)
    field[0, :, :4], field[1, :, 4:] = 1, 1
    line = lab.along_limbs(field, torch.tensor([[2.0, 2.0]]), torch.tensor([[18.0, 14.0]]), stride=4, samples=5)
    assert line.points[0, 0].tolist() == [[2, 2], [6, 5], [10, 8], [14, 11], [18, 14]]
    assert line.direction[0, 0].tolist() == pytest.approx([0.8, 0.6])
    assert line.vectors[0, 0].tolist() == [[1, 0], [1, 0], [1, 0], [1, 0], [0, 1]]
    assert line.products[0, 0].tolist() == pytest.approx([0.8, 0.8, 0.8, 0.8, 0.6])
    assert float(lab.limb_scores(line.products)) == pytest.approx(0.76)


@given(seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_the_field_between_cells_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    field = rng.uniform(-1, 1, (2, 6, 7)).astype(np.float32)
    starts, ends = (rng.uniform(0, 24, (n, 2)).astype(np.float32) for n in (2, 3))
    line = lab.along_limbs(torch.from_numpy(field), torch.from_numpy(starts), torch.from_numpy(ends), stride=4)
    assert line.products.shape == (2, 3, 10)
    places = line.points.numpy() / 4 - 0.5
    for channel in (0, 1):
        theirs = ndimage.map_coordinates(
            field[channel], [places[..., 1].clip(0, 5), places[..., 0].clip(0, 6)], order=1, mode="nearest"
        )
        np.testing.assert_allclose(line.vectors[..., channel].numpy(), theirs, atol=1e-5)


def test_two_joints_in_one_place_and_no_joint_at_all():
    field, place = torch.ones(2, 3, 3), torch.tensor([[4.0, 4.0]])
    assert lab.along_limbs(field, place, place, 4).products.tolist() == [[[0.0] * 10]]
    none = lab.along_limbs(field, place, torch.zeros(0, 2), 4)
    assert lab.limb_scores(none.products).shape == (1, 0) and lab.greedy_matching(torch.zeros(1, 0)) == []


@pytest.mark.parametrize(("against", "score"), [(2, 0.8), (3, 0.0)])
def test_a_pair_needs_eight_of_ten_samples(against, score):
    products = torch.ones(1, 1, 10)
    products[0, 0, :against] = 0.0
    assert float(lab.limb_scores(products)) == pytest.approx(score)


def test_a_sample_at_the_bound_does_not_agree():
    assert float(lab.limb_scores(torch.full((1, 1, 10), 0.05), agrees=0.05)) == 0


@given(scores=scores)
@settings(deadline=None, max_examples=200)
def test_greedy_is_one_to_one_and_at_least_half_of_the_best(scores):
    greedy, best = lab.greedy_matching(scores, 0.0), lab.best_matching(scores, 0.0)
    for pairs in (greedy, best):
        assert len({p.start for p in pairs}) == len({p.end for p in pairs}) == len(pairs)
        assert all(p.score == float(scores[p.start, p.end]) > 0 for p in pairs)
        assert [p.score for p in pairs] == sorted((p.score for p in pairs), reverse=True)
    rows, columns = linear_sum_assignment(-scores.numpy())
    oracle = float(scores[rows, columns].sum())
    got = [sum(p.score for p in pairs) for pairs in (greedy, best)]
    assert got[1] == pytest.approx(oracle) and oracle / 2 - 1e-9 <= got[0] <= oracle + 1e-9
    free = [(r, c) for r in range(scores.shape[0]) for c in range(scores.shape[1])
            if r not in {p.start for p in greedy} and c not in {p.end for p in greedy}]  # fmt: skip
    assert all(scores[place] == 0 for place in free), "nothing above the bound is left free"


def test_greedy_takes_nine_and_loses_seven():
    table = torch.tensor([[0.9, 0.8], [0.8, 0.1]])
    assert sum(p.score for p in lab.greedy_matching(table, 0.0)) == pytest.approx(1.0)
    assert sum(p.score for p in lab.best_matching(table, 0.0)) == pytest.approx(1.6)


@pytest.mark.parametrize(("score", "chosen"), [(0.1, 0), (0.11, 1)])
def test_a_connection_must_be_above_the_least_score(score, chosen):
    table = torch.tensor([[score]], dtype=torch.float64)
    assert len(lab.greedy_matching(table, 0.1)) == len(lab.best_matching(table, 0.1)) == chosen


CHAIN = [(0, 1), (1, 2)]
PEAKS = [torch.tensor([[float(i), j, 1.0] for i in range(2)]) for j in range(3)]


def test_connections_that_hang_together_are_a_person():
    links = [[Connection(0, 1, 0.9), Connection(1, 0, 0.8)], [Connection(1, 1, 0.7)]]
    persons, found = lab.persons_of(PEAKS, links, CHAIN, least=2)
    assert persons[:, :, 0].tolist() == [[0, 1, 1], [1, 0, 0]]
    assert persons[1, 2].tolist() == [0, 0, 0], "not found"
    assert found.tolist() == pytest.approx([(3 + 0.9 + 0.7) / 5, (2 + 0.8) / 5])


@pytest.mark.parametrize(("least", "count"), [(2, 2), (3, 1), (4, 0)])
def test_too_few_joints_are_no_person(least, count):
    links = [[Connection(0, 1, 0.9), Connection(1, 0, 0.8)], [Connection(1, 1, 0.7)]]
    persons, found = lab.persons_of(PEAKS, links, CHAIN, least)
    assert persons.shape == (count, 3, 3) and found.shape == (count,)


def test_a_person_without_its_root_begins_further_out():
    persons, _ = lab.persons_of(PEAKS, [[], [Connection(0, 0, 0.7)]], CHAIN, least=2)
    assert persons[0, :, 2].tolist() == [0, 1, 1]


@pytest.mark.parametrize("limbs", [[(0, 1), (1, 0)], [(0, 1), (2, 1)], [(1, 2), (0, 1)], [(0, 0), (0, 0)]])
def test_limbs_that_are_no_tree_are_refused(limbs):
    with pytest.raises(ValueError, match="form a tree"):
        lab.persons_of([torch.zeros(0, 3)] * 3, [[], []], limbs)


@given(seed=st.integers(0, 500), count=st.integers(0, 4))
@settings(deadline=None, max_examples=30)
def test_persons_apart_are_put_together_again(seed, count):
    """From their own maps and fields, four in the quarters of the picture come back joint by joint."""
    rng = np.random.default_rng(seed)
    corners = torch.tensor([[0.0, 0], [56, 0], [0, 56], [56, 56]])[:count]
    shape = torch.tensor([[12.0, 10], [28, 12], [40, 24], [20, 40]]) + torch.from_numpy(
        rng.uniform(-3, 3, (count, 4, 2)).astype(np.float32)
    )
    truth = torch.cat([corners[:, None] + shape, torch.ones(count, 4, 1)], 2)
    limbs = [(0, 1), (1, 2), (0, 3)]
    maps = lab.joint_maps(truth, (28, 28), 4, 4)
    fields = lab.part_affinity_fields(truth, limbs, (28, 28), 4, 4)
    found = lab.assemble(maps, fields, limbs, 4)
    assert len(found.persons) == count
    for person in truth:
        nearest = (found.persons[..., :2] - person[:, :2]).norm(dim=-1).amax(-1).min()
        assert nearest < 0.5
    assert all(0.75 < float(score) <= 1.01 for score in found.person_scores)
