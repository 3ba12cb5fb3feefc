"""The probe of the latency benchmark, in a page whose slider speaks on the direct line."""

from benchmarks.latency import of_lab, row
from benchmarks.servers import serve
from benchmarks.views import View


def test_the_probe_hears_the_direct_line(chromium):
    view = View("level", "", "level", "level_stage", ".vectors", 25)
    with serve("tests/browser/apps/live_app.py", "/_stcore/health") as lab:
        found = of_lab(chromium, lab.address, view, 3.0)
    whole = [each for each in found["updates"] if all(each[name] for name in ("input", "left", "arrived", "painted"))]
    assert whole
    assert all(each["input"] <= each["left"] <= each["arrived"] <= each["painted"] for each in whole)
    assert (found["blank"], found["remounts"]) == (0, 0)
    assert found["bytes"] > 100 * len(whole)
    baseline = {"seconds": 3.0, "frames": 0, "blank": 0, "remounts": 0, "bytes": 0, "updates": []}
    assert row(view, found, baseline)["server_ms"] > 0
