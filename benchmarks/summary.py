"""Numbers from samples, and tables of them."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(samples: Sequence[float], share: float) -> float | None:
    """The smallest sample that at least `share` (0 < share <= 1) of all samples do not exceed; None without samples."""
    if not 0 < share <= 1:
        raise ValueError(f"a share lies above 0 and not above 1, got {share}")
    ordered = sorted(samples)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def rounded(number: float | None, digits: int = 1) -> float | None:
    return None if number is None else round(number, digits)


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
