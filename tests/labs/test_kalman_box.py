"""The Kalman filter of boxes: SORT's equations one box at a time, and what they say of a box that moves steadily."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from labs import kalman_box as kb


class Plain:
    """SORT's filter of one box as its equations stand, with every matrix written out and inverted."""

    def __init__(self, z):
        self.F, self.H = np.eye(7), np.eye(7)[:4]
        for place, speed in ((0, 4), (1, 5), (2, 6)):
            self.F[place, speed] = 1
        self.R = np.diag([1.0, 1, 10, 10])
        self.Q = np.diag([1.0, 1, 1, 1, 0.01, 0.01, 0.0001])
        self.P = np.diag([10.0, 10, 10, 10, 1e4, 1e4, 1e4])
        self.x = np.append(z, [0.0, 0, 0])

    def predict(self):
        if self.x[2] + self.x[6] <= 0:
            self.x[6] = 0
        self.x = self.F @ self.x
        self.P = self.F @ self.P @ self.F.T + self.Q

    def update(self, z):
        K = self.P @ self.H.T @ np.linalg.inv(self.H @ self.P @ self.H.T + self.R)
        self.x = self.x + K @ (z - self.H @ self.x)
        self.P = (np.eye(7) - K @ self.H) @ self.P


def random_boxes(seed, many, times):
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 180, (times, many, 2))
    return np.concatenate([corner, corner + random.uniform(1, 60, (times, many, 2))], 2)


@settings(deadline=None, max_examples=30)
@given(
    seed=some.integers(0, 9999), many=some.integers(1, 4), waits=some.lists(some.integers(1, 4), min_size=1, max_size=6)
)
def test_a_batch_is_what_the_plain_equations_give_box_by_box(seed, many, waits):
    films = random_boxes(seed, many, len(waits) + 1)
    plain = [Plain(z) for z in kb.measured(films[0])]
    state = kb.begin(films[0])
    for wait, boxes in zip(waits, films[1:]):
        for _ in range(wait):
            state = kb.predict(state)
            for each in plain:
                each.predict()
        state = kb.update(state, boxes)
        for each, z in zip(plain, kb.measured(boxes)):
            each.update(z)
        np.testing.assert_allclose(state.mean, [each.x for each in plain], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(state.covariance, [each.P for each in plain], rtol=1e-6, atol=1e-6)


def test_a_first_prediction_by_hand():
    state = kb.predict(kb.begin(np.array([[10.0, 20, 14, 28]])))
    assert state.mean[0].tolist() == [12, 24, 32, 0.5, 0, 0, 0]  # no speed yet: it stays
    variance = np.diag(state.covariance[0]).tolist()
    assert variance == pytest.approx([10011, 10011, 10011, 11, 10000.01, 10000.01, 10000.0001])  # 10 + 10 000 + 1
    assert state.covariance[0, 0, 4] == 10000  # place and speed are known together


def test_a_first_update_by_hand():
    """The variance of x is 10, of its measurement 1: the gain is 10 / 11, and 10 / 11 of the variance is gone."""
    state = kb.update(kb.begin(np.array([[10.0, 20, 14, 28]])), np.array([[21.0, 20, 25, 28]]))
    assert state.mean[0].tolist() == pytest.approx([22, 24, 32, 0.5, 0, 0, 0])
    assert state.covariance[0, 0, 0] == pytest.approx(10 / 11)
    assert state.covariance[0, 2, 2] == pytest.approx(10 * 10 / 20)  # of the area, R is 10


def test_a_steady_box_is_soon_foretold():
    state = kb.begin(np.array([[10.0, 20, 30, 60]]))
    for step in range(1, 30):
        state = kb.update(kb.predict(state), np.array([[10.0, 20, 30, 60]]) + [3 * step, -step, 3 * step, -step])
    np.testing.assert_allclose(state.mean[0, 4:], [3, -1, 0], atol=1e-3)
    ahead = kb.predict(kb.predict(state))
    np.testing.assert_allclose(kb.boxes_of(ahead.mean)[0], [10 + 93, 20 - 31, 30 + 93, 60 - 31], atol=0.02)


@pytest.mark.parametrize(("speed", "area"), [(-31.0, 1.0), (-32.0, 32.0), (-33.0, 32.0)])
def test_a_box_does_not_shrink_to_nothing(speed, area):
    """32 px² that lose 31 in a frame still do; losing all 32 or more, they stop shrinking."""
    state = kb.begin(np.array([[10.0, 20, 14, 28]]))
    state.mean[0, 6] = speed
    assert kb.predict(state).mean[0, 2] == area


def test_an_empty_box_is_measured_and_drawn_without_a_warning():
    with np.errstate(all="raise"):
        z = kb.measured(np.array([[5.0, 5, 5, 5]]))
        assert np.isfinite(kb.boxes_of(z)).all() and z[0, 3] == 1


@given(seed=some.integers(0, 9999))
def test_measuring_and_drawing_undo_each_other(seed):
    boxes = random_boxes(seed, 5, 1)[0]
    np.testing.assert_allclose(kb.boxes_of(kb.measured(boxes)), boxes, atol=1e-9)


def test_nobody_can_be_predicted_and_updated():
    state = kb.update(kb.predict(kb.begin(np.zeros((0, 4)))), np.zeros((0, 4)))
    assert kb.boxes_of(state.mean).shape == (0, 4)


def test_predicting_leaves_what_was_known_as_it_was():
    state = kb.begin(np.array([[10.0, 20, 14, 28]]))
    state.mean[0, 6] = -50
    kb.predict(state)
    assert state.mean[0, 6] == -50
