"""Shapes and dtypes that the signatures of the labs say are checked in tests, and cost nothing when the lab runs."""

import subprocess
import sys

import pytest
import torch
from jaxtyping import TypeCheckError

from labs import boxes


@pytest.mark.parametrize(
    "wrong",
    [torch.zeros(2, 5), torch.zeros(2, 4, dtype=torch.int64)],
    ids=["five numbers a box", "whole numbers"],
)
def test_a_wrong_tensor_is_refused_under_test(wrong):
    assert boxes.area(torch.zeros(2, 4)).shape == (2,)
    with pytest.raises(TypeCheckError):
        boxes.area(wrong)


def test_the_running_lab_checks_nothing():
    code = (
        "import importlib, pkgutil, sys, labs\n"
        "for each in pkgutil.iter_modules(labs.__path__): importlib.import_module(f'labs.{each.name}')\n"
        "from labs import boxes\n"
        "assert 'beartype' not in sys.modules and not hasattr(boxes.area, '__wrapped__')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
