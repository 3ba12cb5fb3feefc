"""What it costs when a lecturer goes to another page: every follower's browser asks for a run of the whole page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.servers import Server
from benchmarks.summary import percentile, rounded

if TYPE_CHECKING:
    from benchmarks.followers import Follower, Lecturer

PAGES = ("transposed_convolution", "upsampling", "lab_world")  # one after the other
PATIENCE, LONGEST = 20.0, 0.5  # s until somebody counts as lost, and so many more for each of them


async def change(
    server: Server, lecturer: Lecturer, followers: Sequence[Follower], errors: list[str]
) -> list[dict[str, Any]]:
    """The lecturer opens each of PAGES, and it is waited for until all are there: how long that took them, from the
    moment that she says so, and what the server computed for it. A row for each page."""
    rows = []
    for page in PAGES:
        before = server.seconds()
        await lecturer.turn(page)
        said, patience = time.monotonic(), PATIENCE + LONGEST * len(followers)
        while time.monotonic() < said + patience and not all(each.path == page for each in followers):
            await asyncio.sleep(0.05)
        after = server.seconds()
        there = [1000 * (each.arrived - said) for each in followers if each.path == page]
        errors += ["did not come to a page"] * (len(followers) - len(there))
        computed = None if before is None or after is None else after - before
        rows.append({
            "page": page, "there": len(there), "p50_ms": rounded(percentile(there, 0.5)),
            "p95_ms": rounded(percentile(there, 0.95)), "all_ms": rounded(max(there, default=None)),
            "cpu_ms_each": computed and rounded(1000 * computed / (len(followers) + 1)),  # with the lecturer's own
        })  # fmt: skip
    return rows
