"""Redraws while a hand drags: every view of the lab, and beside it plain Streamlit, in a real Chromium.

The hand: a pointer takes the thumb (or the box) and sweeps to and fro, 60 events a second, each on another stop. The
baseline's slider sends nothing while it is dragged, so there the arrow keys are held instead, 60 key presses a second,
each of which sends. Both servers run in the same minutes with the same
.streamlit/config.toml; only the lab has ui.no_delay.

What is counted, by probe.js, in the page itself:

- a redraw: an update whose result changed the view and was painted. Several changes for one update count once.
- input to paint: from the time stamp of the pointer event whose value was sent to the end of the frame that completes
  its picture. Values overtaken before they were sent have no picture of their own and do not count.
- blank: frames in which the view is absent, empty or without size; remounts: its DOM node is another one.
- server ms: median from the web socket frame with the value to the arrival of the frame that acknowledges it, which
  the server sends when everything is drawn. Loopback transport included.
- bytes: all that arrived on the web socket during the drag, per update.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks import hands
from benchmarks.servers import serve
from benchmarks.summary import percentile, rounded
from benchmarks.views import BOX, FASTER, P95, View

BASELINE = "benchmarks/baseline/app.py"


def measure(views: Sequence[View], seconds: float) -> Iterator[dict[str, Any]]:
    """One row per view, each measured for `seconds` (> 0) and its baseline as long."""
    with (
        serve("app.py", ready="/api/ready") as lab,
        serve(BASELINE, ready="/_stcore/health") as plain,
        hands.browser() as chromium,
    ):
        for view in views:
            print(f"{view.name} ...", file=sys.stderr, flush=True)
            try:
                ours = of_lab(chromium, lab.address, view, seconds)
                yield row(view, ours, of_baseline(chromium, plain.address, view, seconds))
            except RuntimeError as error:  # the other views are still worth their numbers
                print(f"{view.name} left out: {error}", file=sys.stderr)


def of_lab(chromium: Any, address: str, view: View, seconds: float) -> dict[str, Any]:
    """The probe's report of a drag on the lab's view."""
    control = {
        "numbered": True, "key": f"{view.key}.live", "answer": f"-{view.key}.live",
        "host": hands.css(f"{view.drawing}.live"), "part": view.part,
    }  # fmt: skip
    query = "&" if "?" in view.path else "?"  # nothing veiled: the hand sees what it moves
    with hands.tab(chromium, f"{address}/{view.path}{query}predict=off", control) as page:
        page.evaluate("window.probe.start()")
        (hands.drag_box if view.hand == BOX else hands.drag_slider)(page, view.key, seconds)
        return page.evaluate("window.probe.stop()")


def of_baseline(chromium: Any, address: str, view: View, seconds: float) -> dict[str, Any]:
    """The probe's report of held arrow keys on plain Streamlit's version of the view."""
    control = {"numbered": False, "key": "", "answer": '"drawn"', "host": hands.css("chart"), "part": ".js-plotly-plot"}
    with hands.tab(chromium, f"{address}/?view={view.name}", control) as page:
        page.evaluate("window.probe.start()")
        hands.press_arrows(page, "value", seconds)
        return page.evaluate("window.probe.stop()")


def redraws(report: dict[str, Any]) -> float:
    """Painted updates per second."""
    return sum(each["painted"] is not None for each in report["updates"]) / report["seconds"]


def row(view: View, lab: dict[str, Any], plain: dict[str, Any]) -> dict[str, Any]:
    """What the command prints for one view, from the probe's two reports."""
    updates = lab["updates"]
    waits = [each["painted"] - each["input"] for each in updates if each["painted"] and each["input"]]
    server = [each["arrived"] - each["left"] for each in updates if each["arrived"] and each["left"]]
    answered = sum(each["arrived"] is not None for each in updates)
    return {
        "view": view.name,
        "redraws_per_s": rounded(redraws(lab)),
        "p50_ms": rounded(percentile(waits, 0.5)),
        "p95_ms": rounded(percentile(waits, 0.95)),
        "blank": lab["blank"],
        "remounts": lab["remounts"],
        "server_ms": rounded(percentile(server, 0.5)),
        "bytes": round(lab["bytes"] / answered) if answered else None,
        "baseline_redraws_per_s": rounded(redraws(plain)),
        "baseline_blank": plain["blank"],
        "baseline_remounts": plain["remounts"],
    }


def misses(view: View, found: dict[str, Any]) -> list[str]:
    """The bars that a row does not reach, in words; empty when all are kept."""
    bars = [
        (found["redraws_per_s"] >= view.rate, f"{view.rate:g} redraws/s"),
        (not found["blank"], "no blank frame"),
        (not found["remounts"], "no remount"),
    ]
    if view.cheap:
        bars += [
            (found["p95_ms"] is not None and found["p95_ms"] <= P95, f"p95 {P95:g} ms"),
            (found["redraws_per_s"] >= FASTER * found["baseline_redraws_per_s"], f"{FASTER:g} × baseline"),
        ]
    return [bar for kept, bar in bars if not kept]


def with_bars(views: Sequence[View], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows for people: with the bars and what is missed."""
    by_name = {view.name: view for view in views}
    shown = []
    for found in rows:
        view = by_name[found["view"]]
        bars = f"≥ {view.rate:g}/s" + (f", p95 ≤ {P95:g}, ≥ {FASTER:g}×" if view.cheap else "")
        shown.append(found | {"bars": bars, "missed": ", ".join(misses(view, found)) or "none"})
    return shown


def able(views: Sequence[View]) -> list[View]:
    """The views that can be shown; for the others one line on standard error."""
    kept = []
    for view in views:
        if view.missing():
            print(f"{view.name} left out: no weights for {', '.join(view.missing())}", file=sys.stderr)
        else:
            kept.append(view)
    return kept


def run(views: Sequence[View], seconds: float) -> list[dict[str, Any]]:
    with contextlib.closing(measure(able(views), seconds)) as rows:
        return list(rows)
