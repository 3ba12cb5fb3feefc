"""A number beside a threshold is rounded, but never across it."""

import pytest

from ui import rounding


@pytest.mark.parametrize(
    ("value", "thresholds", "written"),
    [
        (0.6971, (0.7,), "0.697"),
        (0.6996, (0.7,), "0.6996"),
        (0.69996, (0.7,), "0.69996"),
        (0.7, (0.7,), "0.700"),
        (0.70004, (0.7,), "0.700"),
        (0.4999, (0.5, 0.7, 0.9), "0.4999"),
        (0.8999, (0.5, 0.7, 0.9), "0.8999"),
        (0.9001, (0.5, 0.7, 0.9), "0.900"),
        (0.8999, (), "0.900"),
        (-0.2508, (), "−0.251"),
        (1.0, (1.0,), "1.000"),
    ],
)
def test_never_across(value, thresholds, written):
    assert rounding.beside(value, *thresholds) == written


def test_a_hair_below_ends():
    assert rounding.beside(0.7 - 1e-12, 0.7) == "0.700000000"
