"""The pages of components_app.py: sliders on one, a stage on the next, number grids on the last."""

import time
from dataclasses import replace

import numpy as np
import streamlit as st

from ui.components import (
    Box,
    Boxes,
    Grid,
    GridLines,
    Heat,
    Labels,
    Lines,
    Points,
    live_slider,
    matrices,
    resting,
    stage,
)


def sliders():
    st.title("Sliders")

    @st.fragment
    def threshold():
        if st.button("Reset"):
            st.session_state["iou"] = 0.25
        with live_slider("IoU threshold", 0.0, 1.0, 0.5, step=0.01, key="iou", play=True, play_seconds=1.0,
                         help="Two boxes count as one object above this overlap.") as value:  # fmt: skip
            st.session_state.setdefault("seen", []).append(value)
            st.text(f"iou={value!r} runs={len(st.session_state['seen'])} distinct={len(set(st.session_state['seen']))}")

    @st.fragment
    def slow():
        with live_slider("Slow work", 0, 20, 3, key="slow", window=2, unit="px", format="%d") as value:
            time.sleep(0.15)
            st.session_state.setdefault("slow_seen", []).append(value)
            st.text(f"slow={value!r} runs={len(st.session_state['slow_seen'])}")

    @st.fragment
    def named():
        with live_slider(
            "Interpolation", key="mode", options=["nearest", "bilinear", "bicubic"], value="bilinear"
        ) as value:
            st.text(f"mode={value}")

    threshold()
    slow()
    named()
    with live_slider("Outside a fragment", 1, 9, 5, key="outside") as value:
        st.text(f"outside={value!r}")

    @st.fragment
    def broken():
        try:
            with live_slider("Breaks at 3", 0, 5, 1, key="breaks") as value:
                if value == 3:
                    raise ValueError("Three is not possible. Choose another number.")
                st.text(f"breaks={value!r}")
        except ValueError as error:
            st.error(str(error))

    broken()


def picture(size=224):
    y, x = np.mgrid[0:size, 0:size] / size
    rgb = np.stack([120 + 80 * x, 150 + 60 * (1 - y), 200 - 120 * y], axis=-1)
    rgb[(x - 0.3) ** 2 + (y - 0.4) ** 2 < 0.03] = (230, 180, 40)
    rgb[(abs(x - 0.7) < 0.12) & (abs(y - 0.6) < 0.2)] = (150, 60, 60)
    return rgb.astype(np.uint8)


def stages():
    st.title("Stage")
    left, right = st.columns(2)

    @st.fragment
    def boxes():
        start = [Box("truth", (30, 50, 105, 130), label="truth", colour="#009E73", dash=True),
                 Box("guess", (60, 70, 140, 160), label="guess", editable=True)]  # fmt: skip
        view = stage("boxes", start, drawable=True, hover=True)
        mine = [replace(b, label=f"{b.id} {b.xyxy[0]:.0f}") if b.editable else b for b in view.boxes]
        points = Points(
            np.array([[67.0, 90.0], [157, 134]]),
            labels=["sun", "house"],
            notes=["The sun", "The house"],
            ids=["sun", "house"],
        )
        arrow = Lines(np.array([[67, 90, 157, 134]]), arrow=True)
        view.show(picture(), [GridLines(stride=32), arrow, points, Boxes(mine)],
                  alt="A sun and a house", caption="Drag the blue box; draw new ones.")  # fmt: skip
        st.text("boxes=" + " ".join(f"{b.id}:{','.join(f'{v:.0f}' for v in b.xyxy)}" for b in view.boxes))
        st.text(f"selected={view.selected} click={view.click} clicked={view.clicked}")
        st.text(f"hover={view.hover}")
        st.text(f"settled={resting('boxes')}")

    @st.fragment
    def heat():
        with live_slider("Opacity", 0.0, 1.0, 0.6, key="opacity", window=2) as opacity:
            with live_slider("Shift", 0, 224, 90, key="shift", play=True) as shift:
                y, x = np.mgrid[0:28, 0:28] * 8
                bump = np.exp(-((x - shift) ** 2 + (y - 90) ** 2) / 2000)
                labels = np.zeros((224, 224), np.uint8)
                labels[100:, 100:] = 1
                view = stage("heat")
                view.show(
                    picture(), [Heat(bump, opacity=opacity), Labels(labels, [None, "#CC79A7"], opacity=0.4)],
                    alt="Heat", pick=(16, 32),
                )  # fmt: skip
                st.text(f"cell={view.click} clicked={view.clicked}")

    with left:
        boxes()
    with right:
        heat()


def grids():
    st.title("Grids")

    @st.fragment
    def upsample():
        if st.button("Preset"):
            st.session_state["up"]["input"][:] = [[9, 8], [7, 6]]
        grids = matrices("up", {"input": np.array([[1.0, 2.0], [3.0, 4.0]])})
        values = grids["input"]
        output = np.kron(values, np.ones((2, 2)))
        links = {("output", r, c): [("input", r // 2, c // 2, 1.0)] for r in range(4) for c in range(4)}
        grids.show([Grid("input", values, editable=True), "→", Grid("output", output, rows=["a", "b", "c", "d"])],
                   links=links, caption="Hover an output cell.")  # fmt: skip
        st.text(f"input={values.tolist()} selected={grids.selected}")

    @st.fragment
    def product():
        weights = np.array([[1, 0.5, -1, 0], [0, 1, 0.5, -1]])
        grids = matrices("product", {"x": np.array([[1.0], [2], [3], [4]])}, integer=True)
        x = grids["x"]
        y = weights @ x
        links = {("y", r, 0): [("x", c, 0, weights[r, c]) for c in range(4)] for r in range(2)}
        text = [["x", "y", "z", ""], ["", "x", "y", "z"]]
        vector = Grid("x", x, editable=True, columns=["v"])
        grids.show(
            [Grid("X", weights, text=text), "×", vector, "=", Grid("y", y, colour="sequential")],
            links=links,
            highlight={("y", 1, 0): 1.0, ("X", 1, 2): -0.5},
        )
        st.text(f"y={y.ravel().tolist()}")
        big = np.random.default_rng(0).normal(size=(16, 30))
        big[big < 0] = 0
        matrices("large").show([Grid("large", big, colour="sequential")])

    upsample()
    product()


pages = [st.Page(sliders, title="Sliders", default=True), st.Page(stages, title="Stage"), st.Page(grids, title="Grids")]
st.navigation(pages, position="top").run()
