"""Votes counted: bars, histograms, and the table that the lecturer takes home."""

from __future__ import annotations

import csv as tables
import io
import math
from collections import Counter
from collections.abc import Sequence

import plotly.graph_objects as go

from ui import figures
from ui.guesses import Choice, Kind, Number
from ui.rooms.room import Rooms

BINS = 20  # bars of a histogram at most
MOST = 8  # orders that are shown
ROUND = ("First vote", "Second vote")
COLOURS = ("#56B4E9", "#0072B2")
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # begin a formula in a sheet, the wide ones too


def counted(kind: Kind, answers: Sequence[str]) -> list[tuple[str, int]]:
    """Words and how often they were said: every option in its order, the bars of a histogram, or orders, most frequent
    first. What the question does not understand, because it has changed since, is left out."""
    guesses = [guess for text in answers if (guess := kind.read(text)) is not None]
    if isinstance(kind, Choice):
        found = Counter(guesses)
        return [(str(option), found[option]) for option in kind.options]
    if isinstance(kind, Number):
        return _histogram(kind, guesses)
    return [(kind.say(guess), count) for guess, count in Counter(guesses).most_common(MOST)]


def _histogram(kind: Number, guesses: Sequence[float]) -> list[tuple[str, int]]:
    stops = round((kind.high - kind.low) / kind.step) + 1
    wide = math.ceil(stops / BINS)  # stops in a bar
    bars = [0] * math.ceil(stops / wide)
    for guess in guesses:
        bars[min(round((guess - kind.low) / kind.step) // wide, len(bars) - 1)] += 1
    low = [kind.low + number * wide * kind.step for number in range(len(bars))]
    ends = [min(start + (wide - 1) * kind.step, kind.high) for start in low]
    return [
        (f"{start:g}" if start == end else f"{start:g} to {end:g}", count) for start, end, count in zip(low, ends, bars)
    ]


def shown_rounds(rounds: tuple[list[str], list[str]]) -> list[int]:
    """0 and 1 for the first and the second; the second only when somebody has voted in it."""
    return [number for number in (0, 1) if rounds[number] or number == 0]


def draw(kind: Kind, rounds: tuple[list[str], list[str]], key: str) -> None:
    """Both rounds side by side. Places and boxes on a picture are drawn by `collected`."""
    bars, shown = [], shown_rounds(rounds)
    for number in shown:
        pairs = counted(kind, rounds[number])
        bars.append(
            go.Bar(x=[words for words, _ in pairs], y=[count for _, count in pairs], name=ROUND[number],
                   marker_color=COLOURS[number])
        )  # fmt: skip
    figure = go.Figure(bars)
    figure.update_xaxes(type="category")
    figure.update_yaxes(rangemode="tozero", title="answers", dtick=1 if _largest(bars) < 8 else None)
    figure.update_layout(bargap=0.25, showlegend=len(shown) > 1)
    said = "; ".join(f"{bar.name}: {', '.join(f'{x} {y}' for x, y in zip(bar.x, bar.y))}" for bar in bars)
    figures.show(figure, key, height=240, alt=said)


def _largest(bars: Sequence[go.Bar]) -> int:
    return max((count for bar in bars for count in bar.y), default=0)


def csv(rooms: Rooms, code: str) -> str:
    """question, text, page, settings, round, answer, votes: how often each answer was given with these settings of the
    page (its address; none for the page as it opens). Nothing says by whom."""
    written = io.StringIO()
    table = tables.writer(written)
    table.writerow(["question", "text", "page", "settings", "round", "answer", "votes"])
    for (name, case), said in sorted(rooms.asked(code).items()):
        what = [name, *(harmless(said[each]) for each in ("text", "page", "query"))]
        for number, answers in enumerate(rooms.answers(code, name, (case, case)), start=1):
            for answer, votes in sorted(Counter(answers).items()):
                table.writerow([*what, number, harmless(answer), votes])
    return written.getvalue()


def harmless(text: str) -> str:
    """No formula for who opens the table as a sheet."""
    risky = text.startswith(("\t", "\r", "\n")) or text.lstrip().startswith(FORMULA)
    return f"'{text}" if risky and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
