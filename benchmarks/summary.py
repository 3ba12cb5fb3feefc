"""Numbers from samples, and tables of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import linear_regression, median
from typing import Any


def percentile(samples: Sequence[float], share: float) -> float | None:
    """The smallest sample that at least `share` (0 < share <= 1) of all samples do not exceed; None without samples."""
    if not 0 < share <= 1:
        raise ValueError(f"a share lies above 0 and not above 1, got {share}")
    ordered = sorted(samples)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def rounded(number: float | None, digits: int = 1) -> float | None:
    return None if number is None else round(number, digits)


def growth(memory: Sequence[tuple[float, float]], part: float = 300.0) -> dict[str, Any]:
    """How memory grew, from (second, MB) samples in order: the median of the first and of the last `part` seconds, the
    slope in MB an hour of all after the first `part`, and the median of every minute. None for what is too short."""
    end = memory[-1][0] if memory else 0.0
    first, last = ([mb for second, mb in memory if low <= second < high]
                   for low, high in ((0, part), (end - part, math.inf)))  # fmt: skip
    settled = [(second / 3600, mb) for second, mb in memory if second >= part]
    minutes = [[mb for second, mb in memory if second // 60 == minute] for minute in range(int(end // 60) + 1)]
    long = end >= 2 * part
    return {
        "rss_mb_begin": rounded(median(first)) if long else None,
        "rss_mb_end": rounded(median(last)) if long else None,
        "growth_mb_per_h": rounded(linear_regression(*zip(*settled)).slope) if long else None,
        "rss_mb_by_minute": [rounded(median(each)) for each in minutes if each],
    }


def table(rows: Sequence[dict]) -> str:
    """A Markdown table with the keys of the first row as its head; numbers to the right, None as an empty cell."""
    if not rows:
        return ""
    head = list(rows[0])
    cells = [[_written(row.get(name)) for name in head] for row in rows]
    widths = [max(len(line[i]) for line in [head, *cells]) for i in range(len(head))]
    numeric = [all(row.get(name) is None or isinstance(row.get(name), (int, float)) for row in rows) for name in head]
    pad = [str.rjust if right else str.ljust for right in numeric]
    rule = ["-" * (width - 1) + (":" if right else "-") for width, right in zip(widths, numeric)]
    lines = [[pad[i](line[i], widths[i]) for i in range(len(head))] for line in [head, *cells]]
    lines.insert(1, rule)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _written(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
