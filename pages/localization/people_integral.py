"""The line integral in numbers: a line between two joints, the field along it, and the table of all pairs."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import part_affinity_fields as lab
from labs.part_affinity_fields import AGREES, SHARE, Along, Assembled, Connection
from models.networks.pose_fields import LIMBS, SIZE, STRIDE
from pages.localization.people_scene import BLUE, LIMB_NAMES, NAMES, SKY, VERMILION
from ui import page
from ui.components import Box, Boxes, Grid, Heat, Lines, Points, address, following, matrices, resting, stage, words

STAGE, LINK, TABLE = "people_line_stage", "people_line", "people_pairs"  # names in the session and in the address
# In the session: of which picture and limb the line is, where it lay first, and which cell of the table put it there.
OF, FIRST, PUT = "_people_line_of", "_people_line_first", "_people_line_put"
HANDLE = 5.0  # pixels from the middle of a handle to its sides
Place = tuple[float, float, float, float]  # x, y of the first end, x, y of the second


def integral(image: np.ndarray, fields: Tensor, assembled: Assembled, limb: int, picture: tuple) -> None:
    """A line to drag, what the field says along it, and the matching of all candidates."""
    first, second = LIMBS[limb]
    st.subheader("One limb, in numbers", anchor="people-line")
    st.markdown(
        f"Do these two belong together? Drag the ends of the line between a **{NAMES[first]}** (blue dots) and a "
        f"**{NAMES[second]}** (light dots), or click a pair in the table below."
    )
    table = matrices(TABLE)
    scores = assembled.scores[limb]
    place(assembled, limb, (*picture, limb), table.chosen("pairs", tuple(scores.shape)))
    line_stage = stage(STAGE, width=440, zoom=False)
    ends = [middle(box) for box in line_stage.boxes]
    if resting(STAGE) and not following():
        remember([at for end in ends for at in end])
    line = lab.along_limbs(fields[limb], torch.tensor([ends[0]]), torch.tensor([ends[1]]), STRIDE)
    left, right = st.columns([3, 2], gap="large")
    with left:
        field, dots = fields[limb], [assembled.candidates[joint][:, :2].numpy() for joint in (first, second)]
        points, vectors = line.points[0, 0], line.vectors[0, 0]
        line_stage.show(
            image,
            [
                Heat(field.norm(dim=0).numpy(), "gray", 0, 1, opacity=0.3),
                Points(dots[0], BLUE, 4.5, notes=[f"{NAMES[first]} {i + 1}" for i in range(len(dots[0]))]),
                Points(dots[1], SKY, 4.5, notes=[f"{NAMES[second]} {i + 1}" for i in range(len(dots[1]))]),
                Lines(np.array([[*ends[0], *ends[1]]]), BLUE, width=2, dash=True),
                Lines(torch.cat([points, points + 10 * vectors], 1).numpy(), VERMILION, width=2, arrow=True),
                Boxes(line_stage.boxes),
            ],
            alt=f"A line to drag over the field of {LIMB_NAMES[limb]}",
            caption="Red: the field at ten points of the line. Drag a handle, or move it with the arrow keys.",
        )  # fmt: skip
    with right:
        words(arithmetic(line), "people_arithmetic")
    matrices("people_samples", window=2).show([samples(line)], caption="Ten points along the line, from end to end.")
    matching(table, scores, assembled.connections[limb], limb)


def place(assembled: Assembled, limb: int, of: tuple, chosen: tuple[int, int] | None) -> None:
    """Where the line lies: where the hand or the address left it, and between a pair that was just chosen. With a new
    picture or limb, between the pair with the best score."""
    first, second = (assembled.candidates[joint] for joint in LIMBS[limb])
    before = st.session_state.get(OF)
    linked = linked_line() if before is None else None
    if before != of:
        st.session_state[OF], st.session_state[PUT] = of, chosen
        start = best_pair(first, second, assembled.connections[limb])
        st.session_state[FIRST] = written(start)
        st.session_state[STAGE] = handles(linked or start)
    elif chosen is not None and chosen != st.session_state.get(PUT):
        st.session_state[PUT] = chosen
        st.session_state[STAGE] = handles((*first[chosen[0], :2].tolist(), *second[chosen[1], :2].tolist()))


def best_pair(first: Tensor, second: Tensor, connections: list[Connection]) -> Place:
    """From a first joint to a second one: those of the best connection, else the highest peaks, else the middle."""
    if connections:
        start, end, _ = connections[0]
        return (*first[start, :2].tolist(), *second[end, :2].tolist())
    middle = [SIZE / 2 - 20, SIZE / 2], [SIZE / 2 + 20, SIZE / 2]
    return tuple(at for peaks, else_ in zip((first, second), middle, strict=True)
                 for at in (peaks[0, :2].tolist() if len(peaks) else else_))  # fmt: skip


def written(line: Sequence[float]) -> str:
    """A line as the address has it."""
    return ",".join(f"{at:.1f}" for at in line)


def remember(line: Sequence[float]) -> None:
    """The line into the address, unless it lies where it lay first; called only while no hand is on it."""
    text = written(line)
    address.keep(LINK, None if text == st.session_state.get(FIRST) else text)


def handles(line: Place) -> list[Box]:
    """Two small boxes around the ends of the line."""
    return [
        Box(name, (x - HANDLE, y - HANDLE, x + HANDLE, y + HANDLE), "", colour, editable=True, width=2.5)
        for name, colour, (x, y) in (("first end", BLUE, line[:2]), ("second end", SKY, line[2:]))
    ]


def middle(box: Box) -> tuple[float, float]:
    """The end of the line that a handle holds, as exactly as the address has it."""
    x1, y1, x2, y2 = box.xyxy
    return round(float(x1 + x2) / 2, 1), round(float(y1 + y2) / 2, 1)


def linked_line() -> Place | None:
    """The line of the address, inside the picture; None if there is none."""
    try:
        found = address.numbers(LINK, 4)
    except ValueError:
        page.problem("The link's people_line is no line like 80,80,90,120: drag the ends on the picture instead.")
        return None
    return None if found is None else tuple(min(max(at, 0.0), float(SIZE)) for at in found)


def arithmetic(line: Along) -> str:
    """The score of the line, written out."""
    (products,), direction = line.products[0].tolist(), line.direction[0, 0].tolist()
    agree = sum(each > AGREES for each in products)
    score = float(lab.limb_scores(line.products))
    total = " + ".join(signed(each) for each in products)
    verdict = (
        f"{agree} of {len(products)} products are above {AGREES:g}, and {SHARE * len(products):.0f} are needed: "
        f"the score is **{signed(score, 3)}**."
    )
    return (
        f"Direction of the line: v = ({signed(direction[0])}, {signed(direction[1])})\n\n"
        f"At each point: field · v. Their mean: ({total}) / {len(products)} = "
        f"**{signed(float(line.products.mean()), 3)}**\n\n{verdict}"
    )


def signed(value: float, digits: int = 2) -> str:
    """A number with a minus that is as wide as a plus, and no zero below zero."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def samples(line: Along) -> Grid:
    """The points along the line, the field there, and its product with the direction."""
    rows = torch.cat([line.points[0, 0], line.vectors[0, 0], line.products[0, 0][:, None]], 1).T.numpy()
    text = [[f"{value:.0f}" for value in row] for row in rows[:2]] + [[signed(v) for v in row] for row in rows[2:]]
    colours: list[list[str | None]] = [[None] * rows.shape[1]] * 4
    colours.append([SKY if value > AGREES else None for value in rows[4]])
    return Grid(
        "samples", rows, "along the line", text=text, colour=colours, cell=38,
        rows=["x", "y", "field x", "field y", "field · v"], columns=[str(i + 1) for i in range(rows.shape[1])],
    )  # fmt: skip


def matching(table, scores: Tensor, chosen: list[Connection], limb: int) -> None:
    """The scores of all pairs, those that greedy matching takes, and what the best matching would."""
    first, second = (NAMES[joint] for joint in LIMBS[limb])
    if not scores.numel():
        missing = [name for name, count in zip((first, second), scores.shape, strict=True) if not count]
        table.show([Grid("pairs", np.full((1, 1), np.nan), "no pair")])
        words(f"No peak for {' and '.join(missing)}, so there is no pair to choose.", "people_matched")
        return
    best = lab.best_matching(scores)
    sums = [sum(pair.score for pair in pairs) for pairs in (chosen, best)]
    order = {(pair.start, pair.end): number for number, pair in enumerate(chosen, 1)}
    text = [[f"{signed(float(score))}" for score in row] for row in scores]
    with page.predict(
        "people-greedy", f"{LIMB_NAMES[limb]}: greedy takes the best pair first, then the best of what is left. Does "
        "any other matching reach a larger sum here?", ["Yes", "No"],
    ) as prediction:  # fmt: skip
        table.show(
            [Grid("pairs", scores.numpy(), f"{first} (rows) with {second} (columns)", text=text, colour="sequential",
                  vmin=0, vmax=1, cell=48, rows=[str(i + 1) for i in range(scores.shape[0])],
                  columns=[str(i + 1) for i in range(scores.shape[1])])],
            highlight=[("pairs", *pair) for pair in order],
            caption="Marked: the pairs that greedy takes. Click any pair to see its line above.",
        )  # fmt: skip
        words(
            f"Greedy: {said(chosen)} = **{sums[0]:.2f}**. Best possible: {said(best)} = **{sums[1]:.2f}**.",
            "people_matched",
        )
        more = sums[1] > sums[0] + 1e-6
        prediction.outcome(
            "Yes" if more else "No",
            f"Greedy reaches {100 * sums[0] / sums[1] if sums[1] else 100:.0f} % of the best sum. It never falls below "
            "half, and is fast enough for crowds.",
        )


def said(pairs: list[Connection]) -> str:
    """Pairs in the order in which they were taken, with their scores."""
    return " + ".join(f"{pair.score:.2f} ({pair.start + 1} with {pair.end + 1})" for pair in pairs) or "0"
