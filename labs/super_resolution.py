"""The super-resolution problem of Augmented Grad-CAM, and three ways to its solution.

    minimise over h:  E(h) = ½ ‖K h − g‖² + λ TV(h) + μ/2 ‖h‖²,  TV(h) = Σ |∂x h| + |∂y h|,  with h ≥ 0 if wanted

K stacks the operators D A_l, g the maps g_l; ∂ are differences of neighbours, none across the border. E is convex and
strongly so for μ > 0, but has kinks where neighbours are equal, which is where its solution lies. The primal-dual
method takes the kinks exactly, by proximal steps; a subgradient method jumps to and fro across them.

Sources: Morbidelli et al. 2020 (the problem), Chambolle and Pock 2011 (algorithm 1), Pock and Chambolle 2011 (diagonal
preconditioning, lemma 2 with α = 1), Kingma and Ba 2015 (Adam).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Real
from scipy import sparse

ITERATIONS = 20_000  # at most; with λ or μ above 0 a problem is solved to TOLERANCE within 20 to 4,000
TOLERANCE = 0.002  # of the least E
NOTHING = 2e-7  # of a black map's E: where the maps can be met exactly the least E is zero, and a share of it never met
CHECKED_EVERY = 10
# For maps between 0 and 1 on 56x56 and 32 views. Less is better for perfect maps, more for those of a real network.
TOTAL_VARIATION, RIDGE = 0.005, 0.0005
Progress = Callable[[int, int], None]


class Terms(NamedTuple):
    """What E is made of, ≥ 0 each: `misfit` ½‖Kh − g‖², `variation` λ TV(h), `ridge` μ/2 ‖h‖²."""

    misfit: float
    variation: float
    ridge: float


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be minimised. K, g and E are in the maps' own units, so λ means something only at a known scale.

    Attributes:
        operator: K, float32 (m, s²).
        measured: g.
        total_variation: λ ≥ 0.
        ridge: μ ≥ 0.
        positive: whether h ≥ 0 is asked for.

    Raises:
        ValueError: shapes that do not fit, a map that is not square, or a negative weight.

    >>> upper_and_lower = sparse.csr_array(np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]], np.float32))
    >>> problem = Problem(upper_and_lower, np.array([1, 0], np.float32), total_variation=0.25, ridge=0.0)
    >>> problem.terms(np.array([[1, 1], [0, 0]]))  # what was measured is met, and two differences of 1 are paid for
    Terms(misfit=0.0, variation=0.5, ridge=0.0)
    """

    operator: sparse.csr_array
    measured: Float32[np.ndarray, " m"]
    total_variation: float
    ridge: float
    positive: bool = True

    def __post_init__(self):
        rows, columns = self.operator.shape
        if math.isqrt(columns) ** 2 != columns or self.measured.shape != (rows,):
            raise ValueError(f"An operator {rows}x{columns} and {self.measured.shape} measured values do not fit.")
        if self.total_variation < 0 or self.ridge < 0:
            raise ValueError("The weights λ and μ cannot be negative.")

    @property
    def size(self) -> int:
        """s, cells a side of the fine map."""
        return math.isqrt(self.operator.shape[1])

    @cached_property
    def adjoint(self) -> sparse.csr_array:
        """Kᵀ, in CSR: a product with it is then as fast as one with K."""
        return self.operator.T.tocsr()

    def objective(self, fine: Real[np.ndarray, "s s"]) -> float:
        """E(h) of a map ≥ 0."""
        fine = np.asarray(fine, np.float32)
        return self._objective(fine, self.operator @ fine.ravel(), *differences(fine))

    def terms(self, fine: Real[np.ndarray, "s s"]) -> Terms:
        """The three terms of E(h), of a map ≥ 0. What of the misfit is left at the minimum no fine map can explain:
        there the measured maps contradict each other."""
        fine = np.asarray(fine, np.float32)
        misfit = (self.operator @ fine.ravel() - self.measured).astype(np.float64)
        variation = sum(float(np.abs(each).sum(dtype=np.float64)) for each in differences(fine))
        ridge = self.ridge / 2 * float(np.vdot(fine, fine))
        return Terms(float(misfit @ misfit) / 2, self.total_variation * variation, ridge)

    def _objective(
        self,
        fine: Float32[np.ndarray, "s s"],
        seen: Float32[np.ndarray, " m"],
        across: Float32[np.ndarray, "s s-1"],
        down: Float32[np.ndarray, "s-1 s"],
    ) -> float:
        misfit = seen - self.measured
        variation = np.abs(across).sum(dtype=np.float64) + np.abs(down).sum(dtype=np.float64)
        energy = misfit @ misfit + self.ridge * np.vdot(fine, fine)
        return float(energy / 2 + self.total_variation * variation)

    def subgradient(self, fine: Float32[np.ndarray, "s s"]) -> Float32[np.ndarray, "s s"]:
        """One subgradient of E at a map: the sign of a difference of zero counts as zero."""
        misfit = self.operator @ fine.ravel() - self.measured
        across, down = differences(fine)
        smooth = (self.adjoint @ misfit).reshape(fine.shape) + self.ridge * fine
        return smooth + self.total_variation * differences_adjoint(np.sign(across), np.sign(down))

    def allowed(self, fine: Float32[np.ndarray, "s s"]) -> Float32[np.ndarray, "s s"]:
        """The nearest map that is allowed: with `positive` without what is below zero."""
        return np.maximum(fine, 0) if self.positive else fine


@dataclass(frozen=True, eq=False)
class Solution:
    """`fine`, the map; `objectives`, E before the first and after each iteration.

    `gap`: how far E of `fine` can lie above the least E at most, in E's units; None where the method does not know.
    """

    fine: Float32[np.ndarray, "s s"]
    objectives: list[float]
    gap: float | None = None


def differences(fine: Float[np.ndarray, "h w"]) -> tuple[Float[np.ndarray, "h w-1"], Float[np.ndarray, "h-1 w"]]:
    """∂x and ∂y of a map: right minus left and lower minus upper.

    >>> differences(np.array([[0.0, 1.0], [4.0, 6.0]]))
    (array([[1.],
            [2.]]), array([[4., 5.]]))
    """
    return fine[:, 1:] - fine[:, :-1], fine[1:] - fine[:-1]


def differences_adjoint(across: Float[np.ndarray, "h _"], down: Float[np.ndarray, "_ w"]) -> Float[np.ndarray, "h w"]:
    """The adjoint of `differences`, minus a divergence.

    >>> differences_adjoint(np.array([[1.0], [2.0]]), np.zeros((1, 2)))
    array([[-1.,  1.],
           [-2.,  2.]])
    """
    out = np.zeros((across.shape[0], down.shape[1]), across.dtype)
    out[:, 1:] += across
    out[:, :-1] -= across
    out[1:] += down
    out[:-1] -= down
    return out


def balance_for(problem: Problem) -> float:
    """The `balance` that makes `primal_dual` fast, measured on heat maps of 0 to 1 and 1 to 64 views.

    >>> upper_and_lower = sparse.csr_array(np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]], np.float32))
    >>> balance_for(Problem(upper_and_lower, np.array([1, 0], np.float32), total_variation=0.005, ridge=0.0))
    4.0
    """
    if problem.total_variation == problem.ridge == 0:
        return 1024.0
    return min(64.0, max(0.5, 0.02 / max(problem.total_variation, 1e-9)))


def primal_dual(
    problem: Problem,
    start: Real[np.ndarray, "s s"] | None = None,
    iterations: int = ITERATIONS,
    balance: float | None = None,
    progress: Progress | None = None,
    tolerance: float = TOLERANCE,
) -> Solution:
    """Chambolle and Pock's method with diagonal preconditioning: it converges to a minimum for every `balance` > 0.

    Both non-smooth terms become dual variables, p for the data and |q| ≤ λ for the differences:
    p ← (p + σ (K h̄ − g)) / (1 + σ),  q ← clip(q + σ ∂h̄, ±λ),  h ← max(0, (h − τ (Kᵀp + ∂ᵀq)) / (1 + τμ)),
    h̄ ← 2h − h_before, where 1/σ and 1/τ are sums of the operator's absolute weights along rows and columns.

    The dual variables give a bound from below, D ≤ min E (`_lower_bound`), so the method knows when it is done.

    Args:
        problem: what to minimise.
        start: a map to start from, zeros if None.
        iterations: how many at most.
        balance: how much longer the primal steps are than the dual ones, `balance_for` if None; it changes the
            speed, not the limit.
        progress: called with (done, iterations) after each.
        tolerance: leave off as soon as E − D is at most this share of D, or next to nothing: NOTHING of a black map's
            E. 0 runs all iterations.

    Raises:
        ValueError: `balance` is not positive or `start` has another shape.

    >>> upper_and_lower = sparse.csr_array(np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]], np.float32))
    >>> problem = Problem(upper_and_lower, np.array([1, 0], np.float32), total_variation=0.1, ridge=0.0)
    >>> primal_dual(problem, tolerance=1e-6).fine.round(3)  # the total variation draws both rows together
    array([[0.8, 0.8],
           [0.2, 0.2]], dtype=float32)
    """
    balance = balance_for(problem) if balance is None else balance
    if balance <= 0:
        raise ValueError(f"The balance of the steps must be positive, not {balance}.")
    fine = _first(problem, start)
    forward, backward = problem.operator, problem.adjoint
    weights_of_rows = np.maximum(np.asarray(abs(forward).sum(1)).ravel(), 1e-6)
    weights_of_columns = np.asarray(abs(forward).sum(0)).reshape(fine.shape) + _neighbours(problem.size)
    data_step = (1 / balance / weights_of_rows).astype(np.float32)
    variation_step = np.float32(1 / balance / 2)
    step = (balance / np.maximum(weights_of_columns, 1e-6)).astype(np.float32)
    shrink = 1 / (1 + step * np.float32(problem.ridge))
    limit = np.float32(problem.total_variation)

    seen = forward @ fine.ravel()
    across, down = differences(fine)
    data_dual = seen - problem.measured
    across_dual, down_dual = np.zeros_like(across), np.zeros_like(down)
    ahead_seen, ahead_across, ahead_down = seen, across, down
    objectives = [problem._objective(fine, seen, across, down)]
    nothing = NOTHING * float(problem.measured @ problem.measured) / 2
    bound = -math.inf
    for done in range(1, iterations + 1):
        data_dual = (data_dual + data_step * (ahead_seen - problem.measured)) / (1 + data_step)
        across_dual = np.clip(across_dual + variation_step * ahead_across, -limit, limit)
        down_dual = np.clip(down_dual + variation_step * ahead_down, -limit, limit)
        slope = (backward @ data_dual).reshape(fine.shape) + differences_adjoint(across_dual, down_dual)
        fine = problem.allowed((fine - step * slope) * shrink)
        before = seen, across, down
        seen = forward @ fine.ravel()
        across, down = differences(fine)
        # K and ∂ are linear: what they make of 2h − h_before needs no product of its own
        ahead_seen, ahead_across, ahead_down = (2 * now - was for now, was in zip((seen, across, down), before))
        objectives.append(problem._objective(fine, seen, across, down))
        if progress:
            progress(done, iterations)
        if done % CHECKED_EVERY == 0 or done == iterations:
            bound = _lower_bound(problem, data_dual, slope, fine)
            if tolerance and objectives[-1] - bound <= max(tolerance * bound, nothing):
                break
    return Solution(fine, objectives, objectives[-1] - bound)


def _lower_bound(
    problem: Problem,
    data_dual: Float32[np.ndarray, " m"],
    slope: Float32[np.ndarray, "s s"],
    fine: Float32[np.ndarray, "s s"],
) -> float:
    """D = −½‖p‖² − ⟨p, g⟩ + Σ min_h (z h + μ/2 h²), z = Kᵀp + ∂ᵀq = `slope`: E reaches no less on any map within ±R.

    R, twice the largest value of `fine` and of g, keeps D finite where μ = 0. As E is convex, the least E within R is
    the least of all once it lies inside.
    """
    largest = 2 * max(float(np.abs(part).max(initial=0)) for part in (fine, problem.measured))
    z, dual = slope.astype(np.float64), data_dual.astype(np.float64)
    least = np.clip(-z / problem.ridge if problem.ridge else -np.sign(z) * largest, -largest, largest)
    least = np.maximum(least, 0) if problem.positive else least
    return float((z * least + problem.ridge / 2 * least**2).sum() - dual @ dual / 2 - dual @ problem.measured)


def subgradient_descent(
    problem: Problem,
    start: Real[np.ndarray, "s s"] | None = None,
    iterations: int = 200,
    rate: float = 0.05,
    rule: str = "diminishing",
    stop_below: float | None = None,
) -> Solution:
    """Subgradient descent, as the lecture solves the problem, projected on h ≥ 0 where that is asked for.

    Args:
        problem: what to minimise.
        start: a map to start from, zeros if None: the paper's.
        iterations: how many; the paper's 200.
        rate: length of the first step.
        rule: "diminishing", h ← h − rate/√k · s (step k, subgradient s), which converges, slowly; or "adam", what the
            paper's authors ran, which stalls at a height above the minimum that the rate sets.
        stop_below: leave off as soon as E is not above this.

    Returns:
        The best map seen and E of every map.

    Raises:
        ValueError: no such rule, or `start` has another shape.

    >>> upper_and_lower = sparse.csr_array(np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]], np.float32))
    >>> problem = Problem(upper_and_lower, np.array([1, 0], np.float32), total_variation=0.1, ridge=0.0)
    >>> subgradient_descent(problem, iterations=20, rate=0.5).fine.round(3)  # on its way to 0.8 and 0.2
    array([[0.703, 0.703],
           [0.165, 0.165]], dtype=float32)
    """
    if rule not in RULES:
        raise ValueError(f"There is no rule {rule!r}: choose one of {', '.join(RULES)}.")
    fine = best = _first(problem, start)
    first, second = np.zeros_like(fine), np.zeros_like(fine)
    objectives = [problem.objective(fine)]
    for k in range(1, iterations + 1):
        if stop_below is not None and objectives[-1] <= stop_below:
            break
        slope = problem.subgradient(fine)
        if rule == "adam":
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope * slope
            direction = first / (1 - 0.9**k) / (np.sqrt(second / (1 - 0.999**k)) + 1e-8)
            fine = problem.allowed(fine - rate * direction).astype(np.float32)
        else:
            fine = problem.allowed(fine - rate / math.sqrt(k) * slope).astype(np.float32)
        objectives.append(problem.objective(fine))
        if objectives[-1] <= min(objectives):
            best = fine
    return Solution(best, objectives)


RULES = ("diminishing", "adam")


def _first(problem: Problem, start: Real[np.ndarray, "s s"] | None) -> Float32[np.ndarray, "s s"]:
    shape = (problem.size, problem.size)
    if start is None:
        return np.zeros(shape, np.float32)
    if np.shape(start) != shape:
        raise ValueError(f"The first map must have the shape {shape}, not {np.shape(start)}.")
    return problem.allowed(np.asarray(start, np.float32))


def _neighbours(size: int) -> Float32[np.ndarray, "{size} {size}"]:
    """How many differences each cell takes part in, 2 to 4."""
    ones = np.ones((size, size), np.float32)
    counts = np.zeros_like(ones)
    counts[:, 1:] += 1
    counts[:, :-1] += 1
    counts[1:] += 1
    counts[:-1] += 1
    return counts
