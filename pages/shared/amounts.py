"""Amounts of work in words."""


def millions(count: float) -> str:
    """Multiply-adds in words: 187,600, 51.5 M, 98.3 G."""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if count >= limit:
            return f"{count / limit:,.1f} {unit}"
    return f"{count:,.0f}"


def duration(seconds: float) -> str:
    """Seconds in words: 0.8 ms, 12 s, 14 min."""
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"
