"""The plain versions that the lab is measured against: every one of them draws."""

import pytest

from benchmarks.baseline.charts import CHARTS
from benchmarks.views import VIEWS

NAMES = sorted(view.name for view in VIEWS if not view.missing())


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_version_draws_at_its_start(name):
    chart = CHARTS[name]
    assert chart.low <= chart.start <= chart.high
    assert len(chart.draw(chart.start).data) > 0
