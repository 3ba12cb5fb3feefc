"""The solver: against SciPy on tiny problems, itself run long, and the lecture's subgradient descent."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from labs import super_resolution as sr


def tiny(seed: int = 0, rows: int = 30, size: int = 4, lam: float = 0.1, mu: float = 0.05, positive: bool = True):
    rng = np.random.default_rng(seed)
    operator = sparse.csr_array((rng.random((rows, size**2)) * (rng.random((rows, size**2)) < 0.3)).astype(np.float32))
    return sr.Problem(operator, rng.normal(0.5, 1, rows).astype(np.float32), lam, mu, positive)


def by_scipy(problem: sr.Problem) -> float:
    """The least E, as a quadratic programme: |d| is replaced by t ≥ d, t ≥ -d."""
    size, cells = problem.size, problem.size**2
    eye = np.eye(cells).reshape(cells, size, size)
    rows = np.array([np.concatenate([part.ravel() for part in sr.differences(one)]) for one in eye]).T
    k = problem.operator.toarray().astype(float)
    count = len(rows)

    def energy(x):
        h, t = x[:cells], x[cells:]
        misfit = k @ h - problem.measured
        value = misfit @ misfit / 2 + problem.ridge * h @ h / 2 + problem.total_variation * t.sum()
        return value, np.concatenate([k.T @ misfit + problem.ridge * h, np.full(count, problem.total_variation)])

    inequality = np.vstack([np.hstack([-rows, np.eye(count)]), np.hstack([rows, np.eye(count)])])
    bounds = [(0 if problem.positive else None, None)] * cells + [(0, None)] * count
    done = optimize.minimize(
        energy, np.ones(cells + count), jac=True, bounds=bounds, method="SLSQP",
        constraints={"type": "ineq", "fun": lambda x: inequality @ x, "jac": lambda x: inequality},
        options={"maxiter": 500, "ftol": 1e-12},
    )  # fmt: skip
    assert done.success, done.message
    return float(done.fun)


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("seed, lam, mu", [(0, 0.1, 0.05), (1, 1.0, 0.0), (2, 0.0, 0.3)])
def test_the_minimum_is_scipys(seed, lam, mu, positive):
    problem = tiny(seed, lam=lam, mu=mu, positive=positive)
    expected = by_scipy(problem)
    found = sr.primal_dual(problem, iterations=2000, tolerance=0.0)
    assert found.objectives[-1] == pytest.approx(expected, rel=1e-4)
    assert problem.objective(found.fine) == pytest.approx(found.objectives[-1], rel=1e-4)
    assert not positive or found.fine.min() >= 0
    assert found.gap >= -1e-5 and found.objectives[-1] - found.gap <= expected * (1 + 1e-5)


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("seed, lam, mu", [(0, 0.1, 0.05), (1, 1.0, 0.0), (2, 0.0, 0.3), (3, 0.02, 0.0)])
def test_it_leaves_off_near_the_minimum_and_knows_how_near(seed, lam, mu, positive):
    problem = tiny(seed, lam=lam, mu=mu, positive=positive)
    expected = by_scipy(problem)
    found = sr.primal_dual(problem, tolerance=0.01)
    assert len(found.objectives) - 1 < sr.ITERATIONS
    assert found.gap <= 0.01 * expected
    assert expected * (1 - 1e-4) <= found.objectives[-1] <= 1.0001 * expected + found.gap
    assert len(sr.primal_dual(problem, tolerance=1e-3).objectives) > len(found.objectives)


def test_a_black_map_of_black_maps_is_done_at_once():
    problem = tiny()
    black = sr.Problem(problem.operator, np.zeros_like(problem.measured), 0.1, 0.0)
    found = sr.primal_dual(black)
    assert not found.fine.any() and found.gap == 0 and len(found.objectives) == sr.CHECKED_EVERY + 1


def test_without_kinks_it_is_the_normal_equations():
    problem = tiny(lam=0.0, mu=0.5, positive=False)
    k = problem.operator.toarray().astype(float)
    expected = np.linalg.solve(k.T @ k + 0.5 * np.eye(16), k.T @ problem.measured)
    found = sr.primal_dual(problem, iterations=1000, balance=4.0, tolerance=0.0)
    assert np.allclose(found.fine.ravel(), expected, atol=1e-4)


@pytest.mark.parametrize("balance", [0.5, 2.0, 16.0])
def test_balance_and_start_change_the_way_and_not_the_end(balance):
    problem = tiny()
    end = sr.primal_dual(problem, iterations=3000, tolerance=0.0).fine
    start = np.random.default_rng(5).random((4, 4)) * 3
    assert np.allclose(sr.primal_dual(problem, start, 1500, balance, tolerance=0.0).fine, end, atol=2e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 7), st.integers(0, 99))
def test_differences_pass_the_dot_test_and_count_the_variation(size, seed):
    rng = np.random.default_rng(seed)
    fine = rng.normal(size=(size, size))
    across, down = sr.differences(fine)
    p, q = rng.normal(size=across.shape), rng.normal(size=down.shape)
    assert np.vdot(across, p) + np.vdot(down, q) == pytest.approx(np.vdot(fine, sr.differences_adjoint(p, q)))


def test_total_variation_of_a_square_is_its_border():
    fine = np.zeros((8, 8), np.float32)
    fine[2:5, 3:7] = 2.0
    problem = sr.Problem(sparse.csr_array((1, 64), dtype=np.float32), np.zeros(1, np.float32), 1.0, 0.0)
    assert problem.objective(fine) == 2.0 * 2 * (3 + 4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999))
def test_the_subgradient_lies_below_the_function(seed):
    """E(b) ≥ E(a) + ⟨s, b − a⟩ for every b: what makes s a subgradient at a, kinks included."""
    problem, rng = tiny(seed), np.random.default_rng(seed)
    a = np.round(rng.random((4, 4)) * 2).astype(np.float32)  # many equal neighbours
    b = rng.random((4, 4)).astype(np.float32) * 2
    slope = problem.subgradient(a)
    assert problem.objective(b) >= problem.objective(a) + np.vdot(slope, b - a) - 1e-4


@pytest.mark.parametrize("rule, rate", [("diminishing", 0.1), ("adam", 0.01)])
def test_subgradient_descent_comes_near_the_same_minimum(rule, rate):
    problem = tiny()
    least = sr.primal_dual(problem, iterations=2000, tolerance=0.0).objectives[-1]
    slow = sr.subgradient_descent(problem, iterations=1500, rate=rate, rule=rule)
    assert least - 1e-5 <= min(slow.objectives) <= 1.01 * least
    assert problem.objective(slow.fine) == pytest.approx(min(slow.objectives))
    early = sr.subgradient_descent(problem, iterations=1500, rate=rate, rule=rule, stop_below=1.2 * least)
    assert len(early.objectives) < len(slow.objectives) and early.objectives[-1] <= 1.2 * least


def test_the_first_step_of_a_cell_is_the_shorter_the_more_differences_it_takes_part_in():
    """Every cell measured once, as 1: the step is 1 / (1 + 2), (1 + 3) or (1 + 4) in a corner, at an edge, inside."""
    problem = sr.Problem(sparse.csr_array(np.eye(9, dtype=np.float32)), np.ones(9, np.float32), 0.1, 0.0)
    first = sr.primal_dual(problem, iterations=1, balance=1.0, tolerance=0.0).fine
    np.testing.assert_allclose(1 / first, [[3, 4, 3], [4, 5, 4], [3, 4, 3]], rtol=1e-6)


def test_progress_is_told_each_iteration():
    told = []
    solution = sr.primal_dual(tiny(), iterations=3, progress=lambda *what: told.append(what))
    assert told == [(1, 3), (2, 3), (3, 3)] and len(solution.objectives) == 4


def test_refusals():
    problem = tiny()
    with pytest.raises(ValueError, match="do not fit"):
        sr.Problem(problem.operator, problem.measured[:-1], 0.1, 0.1)
    with pytest.raises(ValueError, match="negative"):
        sr.Problem(problem.operator, problem.measured, -0.1, 0.1)
    with pytest.raises(ValueError, match="balance"):
        sr.primal_dual(problem, balance=0.0)
    with pytest.raises(ValueError, match="shape"):
        sr.primal_dual(problem, start=np.zeros((3, 3)))
    with pytest.raises(ValueError, match="no rule 'newton'"):
        sr.subgradient_descent(problem, rule="newton")


def test_the_three_terms_of_the_objective():
    operator = sparse.csr_array(np.array([[1.0, 0, 0, 0], [0, 0, 0, 2]], np.float32))
    problem = sr.Problem(operator, np.array([3.0, 2.0], np.float32), 0.5, 0.1)
    # Misfits 1 − 3 and 8 − 2; differences across 2 − 1 and 4 − 2, down 2 − 1 and 4 − 2; squares 1 + 4 + 4 + 16.
    terms = problem.terms(np.array([[1.0, 2], [2, 4]]))
    assert terms == pytest.approx((20.0, 3.0, 1.25))
    assert sum(terms) == pytest.approx(problem.objective(np.array([[1.0, 2], [2, 4]])))


def bowl():
    """Σ (h − 3)²: two measurements of every cell, each of 3."""
    twice = sparse.csr_array(np.tile(np.eye(4, dtype=np.float32), (2, 1)))
    return sr.Problem(twice, np.full(8, 3, np.float32), 0.0, 0.0, positive=False)


def test_adam_takes_the_steps_of_torchs_adam():
    for steps in (1, 2, 7, 40):
        ours = sr.subgradient_descent(bowl(), iterations=steps, rate=0.1, rule="adam").fine
        cells = torch.zeros(2, 2, requires_grad=True)
        optimizer = torch.optim.Adam([cells], lr=0.1)
        for _ in range(steps):
            optimizer.zero_grad()
            ((cells - 3) ** 2).sum().backward()
            optimizer.step()
        np.testing.assert_allclose(ours, cells.detach().numpy(), rtol=1e-5)


def test_the_first_steps_of_a_descent_by_hand():
    """The slope at 0 is -6: 0.05 · 6 = 0.3; then -5.4: 0.3 + 0.05 / √2 · 5.4."""
    for steps, cell in ((0, 0.0), (1, 0.3), (2, 0.3 + 0.05 / 2**0.5 * 5.4)):
        found = sr.subgradient_descent(bowl(), iterations=steps)
        np.testing.assert_allclose(found.fine, np.full((2, 2), cell), rtol=1e-5)
        assert len(found.objectives) == steps + 1
    assert len(sr.subgradient_descent(bowl()).objectives) == 201


@pytest.mark.parametrize(
    ("lam", "mu", "balance"),
    [
        (0.0, 0.0, 1024),
        (0.0, 1.0, 64),
        (1e-9, 0.0, 64),
        (0.001, 0.0, 20),
        (0.01, 0.0, 2),
        (0.02, 5.0, 1),
        (0.04, 0.0, 0.5),
        (9.0, 0.0, 0.5),
    ],
)
def test_the_balance_for_the_weights_of_the_penalties(lam, mu, balance):
    assert sr.balance_for(tiny(lam=lam, mu=mu)) == pytest.approx(balance)
