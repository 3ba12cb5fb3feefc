"""From a drag to the probe's report, from the report to a row, and from a row to what is missed."""

from benchmarks.latency import able, misses, redraws, row, with_bars
from benchmarks.views import NAMES, VIEWS, View

VIEW = View("one", "page", "slider", "picture", ".rasters", 25)


def update(number, sent_at, painted=None, arrived=None):
    return {"number": number, "input": sent_at, "left": sent_at and sent_at + 2, "arrived": arrived, "painted": painted}


def report(updates, **other):
    return {"seconds": 2.0, "frames": 120, "blank": 0, "remounts": 0, "bytes": 9000, "updates": updates} | other


OURS = report([
    update(1, 100, painted=140, arrived=122),
    update(2, 150, painted=200, arrived=182),
    update(3, 210, arrived=240),  # changed nothing on the screen
    update(4, None, painted=330),  # painted, but not sent in the measured time
])  # fmt: skip


def test_only_painted_updates_are_redraws():
    assert redraws(OURS) == 1.5


def test_a_row_has_the_keys_and_numbers_of_the_issue():
    found = row(VIEW, OURS, report([update(1, None, painted=5)], blank=3, remounts=7))
    assert found == {
        "view": "one", "redraws_per_s": 1.5, "p50_ms": 40, "p95_ms": 50, "blank": 0, "remounts": 0,
        "server_ms": 28, "bytes": 3000, "baseline_redraws_per_s": 0.5, "baseline_blank": 3, "baseline_remounts": 7,
    }  # fmt: skip


def test_nothing_drawn_is_no_error():
    found = row(VIEW, report([]), report([]))
    assert found["redraws_per_s"] == 0 and found["p95_ms"] is None and found["bytes"] is None
    assert "p95 90 ms" in misses(VIEW, found)


GOOD = {"view": "one", "redraws_per_s": 30.0, "p95_ms": 89.0, "blank": 0, "remounts": 0, "baseline_redraws_per_s": 15.0}


def test_every_bar_can_be_missed():
    assert misses(VIEW, GOOD) == []
    assert misses(VIEW, GOOD | {"redraws_per_s": 24.9, "baseline_redraws_per_s": 1}) == ["25 redraws/s"]
    assert misses(VIEW, GOOD | {"p95_ms": 90.1}) == ["p95 90 ms"]
    assert misses(VIEW, GOOD | {"blank": 1}) == ["no blank frame"]
    assert misses(VIEW, GOOD | {"remounts": 1}) == ["no remount"]
    assert misses(VIEW, GOOD | {"baseline_redraws_per_s": 15.1}) == ["2 × baseline"]


def test_a_costly_view_only_has_its_own_rate():
    view = View("one", "page", "slider", "picture", ".rasters", 4, cheap=False)
    assert misses(view, GOOD | {"redraws_per_s": 4.0, "p95_ms": 500}) == []
    assert with_bars([view], [GOOD])[0]["bars"] == "≥ 4/s"


def test_a_view_without_its_networks_is_left_out_and_named(capsys):
    view = View("net", "page", "slider", "picture", ".rasters", 4, networks=("no-such-network",))
    assert able([VIEW, view]) == [VIEW]
    assert "net left out: no weights for no-such-network" in capsys.readouterr().err


def test_every_view_has_its_own_name_and_a_baseline():
    from benchmarks.baseline.charts import CHARTS

    assert len(set(NAMES)) == len(VIEWS)
    assert set(CHARTS) == set(NAMES)
