"""Percentiles and tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.summary import growth, percentile, table


def test_percentiles_of_ten():
    ten = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert percentile(ten, 0.5) == 5
    assert percentile(ten, 0.95) == 10
    assert percentile(ten, 1) == 10
    assert percentile([7.5], 0.5) == 7.5
    assert percentile([], 0.5) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 1))
def test_enough_samples_lie_at_or_below_the_percentile_and_no_smaller_one_will_do(samples, share):
    found = percentile(samples, share)
    assert sum(each <= found for each in samples) >= share * len(samples) - 1e-9
    assert sum(each < found for each in samples) < share * len(samples)


def test_a_share_outside_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        percentile([1.0], 0)


def test_a_table_has_numbers_to_the_right_and_empty_cells():
    lines = table([{"view": "iou", "ms": 12.5, "n": None}, {"view": "anchors", "ms": 3, "n": 1200}]).splitlines()
    assert lines == [
        "| view    |   ms |     n |",
        "| ------- | ---: | ----: |",
        "| iou     | 12.5 |       |",
        "| anchors |    3 | 1,200 |",
    ]
    assert table([]) == ""


def test_growth_is_told_by_medians_by_slope_and_by_minute():
    memory = [(float(second), 1000.0 if second < 300 else 1100.0 + second / 60) for second in range(0, 901, 5)]
    memory[3] = (15.0, 5000.0)  # one that is far off
    found = growth(memory)
    assert (found["rss_mb_begin"], found["rss_mb_end"], found["growth_mb_per_h"]) == (1000.0, 1112.5, 60.0)
    assert found["rss_mb_by_minute"][:6] == [1000.0] * 5 + [1105.5] and len(found["rss_mb_by_minute"]) == 16
    assert growth(memory[:-61])["rss_mb_end"] is None  # 595 s: no five minutes at either end
    assert growth([]) == {"rss_mb_begin": None, "rss_mb_end": None, "growth_mb_per_h": None, "rss_mb_by_minute": []}
