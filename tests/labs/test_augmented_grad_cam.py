"""Augmented Grad-CAM's operators against torch's and OpenCV's warps, their adjoints, and what the whole gains."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from labs import augmented_grad_cam as agc
from labs import super_resolution as sr

FILL = (0.45, 0.48, 0.45)


def picture(side: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(3, side, side, generator=torch.Generator().manual_seed(seed))


def psnr(fine, truth) -> float:
    return -10 * np.log10(np.mean((np.asarray(fine) - truth) ** 2))


def disc_and_bar(blur: float = 0.0) -> np.ndarray:
    """A known map of 0 to 1, (56, 56): a disc and a bar, averaged over 8×8 finer pixels."""
    canvas = np.zeros((448, 448), np.float32)
    cv2.circle(canvas, (170, 250), 85, 1.0, -1)
    cv2.rectangle(canvas, (290, 90), (340, 330), 0.6, -1)
    fine = canvas.reshape(56, 8, 56, 8).mean((1, 3))
    return cv2.GaussianBlur(fine, (0, 0), blur) if blur else fine


def test_defaults_are_the_papers_but_for_the_number_of_views():
    warps = agc.random_warps(2000)
    assert len(agc.random_warps()) == 32
    assert 0.49 < warps.angles.abs().max() <= 0.5
    assert 29.5 < (warps.shifts.abs().max() * 224) <= 30
    assert abs(warps.angles.mean()) < 0.03 and warps.angles.std() == pytest.approx(0.5 / 3**0.5, rel=0.05)


def test_view_zero_is_untouched_and_the_first_views_do_not_depend_on_how_many():
    few, many = agc.random_warps(3, seed=4), agc.random_warps(9, seed=4)
    assert few.angles[0] == 0 and not few.shifts[0].any()
    assert torch.equal(few.angles, many.angles[:3]) and torch.equal(few.shifts, many.shifts[:3])
    image = picture(32)
    assert torch.equal(agc.warp_pictures(image, many, FILL)[0], image)


def test_pictures_turn_as_opencv_turns_them():
    """The classifier was trained with OpenCV's warp: same direction, same order, same middle."""
    side, angle, shift = 64, 0.35, (7.0, -4.0)
    image = cv2.GaussianBlur(picture(side).permute(1, 2, 0).numpy(), (0, 0), 2)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), np.degrees(-angle), 1.0)
    matrix[:, 2] += shift
    expected = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=FILL)
    warps = agc.Warps(torch.tensor([angle], dtype=torch.float64), torch.tensor([shift], dtype=torch.float64) / side)
    found = agc.warp_pictures(torch.from_numpy(image).permute(2, 0, 1), warps, FILL)[0].permute(1, 2, 0).numpy()
    assert np.abs(found - expected).max() < 0.02  # OpenCV rounds places to 1/32 pixel


def test_a_shift_of_one_cell_moves_everything_by_one():
    warps = agc.Warps(torch.zeros(1, dtype=torch.float64), torch.tensor([[1 / 8, 0.0]], dtype=torch.float64))
    fine = torch.rand(8, 8, dtype=torch.float64)
    moved = torch.from_numpy(agc.warp_matrix(warps, 8) @ fine.ravel().numpy()).view(8, 8)
    assert torch.allclose(moved[:, 1:], fine[:, :-1], atol=1e-6) and not moved[:, 0].any()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), st.integers(2, 20), st.integers(1, 4))
def test_the_warp_matrix_is_grid_sample(seed, size, views):
    warps = agc.random_warps(views, 1.0, 40, seed=seed)
    fine = torch.rand(size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    grid = F.affine_grid(warps.sampling(), [views, 1, size, size], align_corners=False)
    expected = F.grid_sample(fine.expand(views, 1, size, size), grid, align_corners=False).ravel()
    assert np.allclose(agc.warp_matrix(warps, size) @ fine.ravel().numpy(), expected.numpy(), atol=1e-6)


@pytest.mark.parametrize("cells", [14, 28, 56, 8])
def test_the_pooling_matrix_is_average_pooling(cells):
    fine = torch.rand(56, 56)
    expected = F.avg_pool2d(fine[None, None], 56 // cells).ravel().numpy()
    assert np.allclose(agc.pooling_matrix(56, cells) @ fine.ravel().numpy(), expected, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99))
def test_the_dot_test(seed):
    """⟨K h, g⟩ = ⟨h, Kᵀ g⟩ for warp, pooling, both together, and the adjoint that the solver uses."""
    rng, warps = np.random.default_rng(seed), agc.random_warps(3, seed=seed)
    stacked = agc.view_operator(warps, 28, 7)
    whole = sr.Problem(stacked, np.zeros(stacked.shape[0], np.float32), 0.0, 0.0)
    pairs = [(k, k.T) for k in (agc.warp_matrix(warps, 28), agc.pooling_matrix(28, 7))] + [(stacked, whole.adjoint)]
    for operator, adjoint in pairs:
        h, g = rng.normal(size=operator.shape[1]), rng.normal(size=operator.shape[0])
        assert (operator @ h) @ g == pytest.approx(h @ (adjoint @ g), rel=1e-6, abs=1e-6)


def test_one_view_after_the_other_through_both_operators():
    warps, fine = agc.random_warps(4, seed=1), np.random.default_rng(1).random(28 * 28)
    turned = (agc.warp_matrix(warps, 28) @ fine).reshape(4, 28, 28)
    expected = turned.reshape(4, 7, 4, 7, 4).mean((2, 4))
    assert np.allclose((agc.view_operator(warps, 28, 7) @ fine).reshape(4, 7, 7), expected, atol=1e-5)


def test_unwarping_undoes_the_warp():
    smooth = torch.from_numpy(cv2.GaussianBlur(np.random.default_rng(0).random((1, 56, 56))[0], (0, 0), 4)).float()
    smooth[:16], smooth[-16:], smooth[:, :16], smooth[:, -16:] = 0, 0, 0, 0  # nothing leaves the picture
    warps = agc.random_warps(6)
    maps = torch.from_numpy(agc.warp_matrix(warps, 56) @ smooth.ravel().numpy()).view(6, 56, 56)
    believed = torch.ones_like(maps, dtype=torch.bool)
    values, weights = agc.unwarped(maps, believed, warps)
    inner = (slice(None), slice(20, 36), slice(20, 36))
    assert torch.allclose(weights[inner], torch.ones(6, 16, 16), atol=1e-5)
    assert (values[inner] - smooth[20:36, 20:36]).abs().max() < 0.06  # bilinear twice


def test_cells_that_saw_fill_are_not_believed():
    warps = agc.Warps(torch.zeros(2, dtype=torch.float64), torch.tensor([[0, 0], [0.1, 0]], dtype=torch.float64))
    believed = agc.believed_cells(agc.view_operator(warps, 56, 14), 14)
    assert believed[0].all()
    assert not believed[1, :, :2].any() and believed[1, :, 2:].all()  # a tenth of 14 cells is 1.4


def test_wrong_values_where_the_fill_was_change_nothing():
    warps = agc.random_warps(6, seed=2)
    operator = agc.view_operator(warps, 56, 14)
    believed = agc.believed_cells(operator, 14)
    assert not believed.all()
    maps = torch.from_numpy(operator @ disc_and_bar().ravel()).view(6, 14, 14)
    spoiled = torch.where(believed, maps, maps.max() * 0.9)
    one, two = agc.pose(maps, warps), agc.pose(spoiled, warps)
    assert torch.equal(one.mean, two.mean)
    assert np.array_equal(sr.primal_dual(one.problem).fine, sr.primal_dual(two.problem).fine)


def test_mean_of_constant_maps_is_the_constant_everywhere_seen():
    warps = agc.random_warps(8, seed=3)
    believed = agc.believed_cells(agc.view_operator(warps, 56, 14), 14)
    assert torch.allclose(agc.mean_unwarped(torch.full((8, 14, 14), 2.5), believed, warps), torch.tensor(2.5))


@pytest.mark.parametrize("blur", [0.0, 1.5])
def test_thirty_two_views_gain_eight_decibels(blur):
    truth = disc_and_bar(blur)
    warps = agc.random_warps(32)
    maps = torch.from_numpy(agc.view_operator(warps, 56, 14) @ truth.ravel()).view(32, 14, 14)
    posed = agc.pose(maps, warps)
    solution = sr.primal_dual(posed.problem, (posed.mean / posed.scale).numpy())
    one, mean = psnr(agc.enlarged(maps[0]), truth), psnr(posed.mean, truth)
    fine = psnr(solution.fine * posed.scale, truth)
    assert fine > one + 8
    assert fine > mean + 8
    few = agc.Warps(warps.angles[:4], warps.shifts[:4])
    less = agc.pose(maps[:4], few)
    assert fine > psnr(sr.primal_dual(less.problem, (less.mean / less.scale).numpy()).fine * less.scale, truth) + 2


def clean_and_noisy(views: int, clean: bool) -> torch.Tensor:
    """Maps (views, 14, 14) that one fine map explains, or, like a network's, that none does."""
    maps = agc.view_operator(agc.random_warps(views), 56, 14) @ disc_and_bar().ravel()
    noise = np.random.default_rng(views).normal(0, 0.1, maps.shape)
    return torch.from_numpy(np.maximum(maps + (0 if clean else noise), 0)).view(views, 14, 14)


@pytest.mark.parametrize("clean", [True, False], ids=["clean", "noisy"])
@pytest.mark.parametrize(
    "views, lam, mu",
    [
        (1, 0.0, 0.0001), (1, 0.1, 0.1), (1, 0.1, 0.0), (2, 0.001, 0.0), (4, 0.0, 0.0005), (8, 0.0, 0.0005),
        (8, 0.005, 0.0005), (16, 0.02, 0.0), (32, 0.005, 0.0005), (32, 0.1, 0.0), (64, 0.0, 0.1), (64, 0.001, 0.0001),
        (64, 0.1, 0.0005),
    ],
)  # fmt: skip
def test_the_solver_ends_within_half_a_percent_of_the_minimum(views, lam, mu, clean):
    """At the ends of every slider and between; the reference goes on from there, as long again and 200 iterations."""
    posed = agc.pose(clean_and_noisy(views, clean), agc.random_warps(views), lam, mu)
    start = (posed.mean / posed.scale).numpy()
    found = sr.primal_dual(posed.problem, start)
    assert len(found.objectives) - 1 < sr.ITERATIONS
    long = sr.primal_dual(posed.problem, found.fine, len(found.objectives) + 200, tolerance=0)
    least = min(long.objectives)
    assert found.objectives[-1] <= 1.005 * least
    assert found.objectives[-1] - found.gap <= least * (1 + 1e-5), "the gap that is told is no promise"


@pytest.mark.parametrize("views, clean", [(8, True), (8, False), (2, False)])
def test_without_any_weight_the_gap_is_told(views, clean):
    """λ = μ = 0: maps that can be met exactly have a least E of zero, and no share of that is ever reached."""
    posed = agc.pose(clean_and_noisy(views, clean), agc.random_warps(views), 0.0, 0.0)
    found = sr.primal_dual(posed.problem, (posed.mean / posed.scale).numpy(), 3000)
    black = posed.problem.objective(np.zeros((56, 56)))
    assert 0 <= found.gap <= 1e-3 * black
    longer = sr.primal_dual(posed.problem, found.fine, 2000, tolerance=0)
    assert found.objectives[-1] - found.gap <= min(longer.objectives) + 1e-6 * black


def test_the_objective_falls_faster_than_by_the_papers_method():
    warps = agc.random_warps(32)
    maps = torch.from_numpy(agc.view_operator(warps, 56, 14) @ disc_and_bar(1.5).ravel()).view(32, 14, 14)
    posed = agc.pose(maps, warps)
    solution = sr.primal_dual(posed.problem, (posed.mean / posed.scale).numpy())
    assert solution.objectives[60] < 0.2 * solution.objectives[0]
    slow = sr.subgradient_descent(posed.problem, iterations=200, rate=0.03, rule="adam")
    assert min(slow.objectives) > solution.objectives[-1]


def test_scale_does_not_matter():
    warps = agc.random_warps(4)
    maps = torch.rand(4, 14, 14)
    one, other = agc.pose(maps, warps), agc.pose(1000 * maps, warps)
    assert other.scale == pytest.approx(1000 * one.scale)
    assert np.allclose(one.problem.measured, other.problem.measured, atol=1e-6)
    assert agc.pose(torch.zeros(4, 14, 14), warps).scale == 1


def test_refusals(unchecked):
    warps = agc.random_warps(2)
    for wrong in ({"views": 0}, {"angle": 3.2}, {"shift": 113.0}, {"angle": float("nan")}):
        with pytest.raises(ValueError):
            agc.random_warps(**wrong)
    with pytest.raises(ValueError, match="square"):
        agc.warp_pictures(torch.rand(3, 8, 9), warps, FILL)
    with pytest.raises(ValueError, match="fill"):
        agc.warp_pictures(torch.rand(3, 8, 8), warps, FILL[:2])
    with pytest.raises(ValueError, match="multiple of 15"):
        agc.pooling_matrix(56, 15)
    with pytest.raises(ValueError, match="square maps"):
        agc.pose(torch.rand(3, 14, 14), warps)
