"""Numbers that are compared with a threshold on the same page: rounded, but never across it."""

MOST_DIGITS = 9


def beside(value: float, *thresholds: float, digits: int = 3) -> str:
    """`value` with at least so many digits, and so many more that it stays on its own side of every threshold.

    0.6996 beside 0.7 is "0.6996", not "0.700"; 0.7 itself is "0.700": at the threshold counts as above.
    """
    value = float(value)
    while digits < MOST_DIGITS and any((float(f"{value:.{digits}f}") >= t) != (value >= t) for t in thresholds):
        digits += 1
    return f"{value:.{digits}f}".replace("-", "−")
