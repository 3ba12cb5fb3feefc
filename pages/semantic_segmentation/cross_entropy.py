"""The loss of every pixel, and one pixel opened: logits, softmax, −log p."""

import numpy as np
import streamlit as st
import torch

from labs import pixel_cross_entropy
from pages.semantic_segmentation.shared import ORANGE, Look
from scenes import CLASSES
from ui import page
from ui.components import Grid, Heat, Points, address, matrices, stage, words

AT = "segmentation_at"
PIXELS = (0.5, 1.0)  # where a click has a meaning: the middles of the pixels
DARKEST = 4.0  # nats: the end of the map's colours
CARRIED = {"under a quarter": 0.25, "a quarter to a half": 0.5, "a half to three quarters": 0.75,
           "over three quarters": 1.01}  # fmt: skip
ROWS = ("logit z", "e^(z−max)", "softmax p", "gradient")


def take_click(view) -> None:
    """A click on this stage chooses the pixel, which then stands in the address."""
    if view.clicked:
        address.keep(AT, f"{int(view.click.x)},{int(view.click.y)}")


def chosen_pixel(default: tuple[int, int], height: int, width: int) -> tuple[int, int]:
    """Column and row from the address, else the default; a place outside goes to the nearest pixel."""
    try:
        column, row = address.numbers(AT, 2, int) or default
    except ValueError:
        column, row = default
        page.problem(f"The link's {AT} is not a pixel like 112,96: click on a picture instead.")
    return min(max(column, 0), width - 1), min(max(row, 0), height - 1)


def losses_of(seen: Look, truth: np.ndarray) -> np.ndarray:
    """float32 (H, W), nats."""
    return pixel_cross_entropy.loss_map(seen.logits, torch.from_numpy(truth)).numpy()


def opened(image: np.ndarray, truth: np.ndarray, seen: Look, default: tuple[int, int]) -> None:
    page.section(
        "Look inside: per-pixel cross-entropy",
        "Every pixel is a classification of its own: thirteen logits, a softmax, and −log of the true class. The loss "
        "of the picture is the mean. Click a pixel, here or above.",
    )
    left, right = st.columns([2, 3], gap="large")
    losses, wrong = losses_of(seen, truth), seen.labels != truth
    share = pixel_cross_entropy.share_of_loss(torch.from_numpy(losses), torch.from_numpy(wrong))
    with left, page.predict(
        "segmentation-share", f"{wrong.mean():.1%} of the pixels are wrong. How much of the loss do they carry?",
        list(CARRIED),
    ) as prediction:  # fmt: skip
        view = stage("segmentation_losses")
        take_click(view)
        column, row = chosen_pixel(default, *truth.shape)
        pixel = pixel_cross_entropy.open_pixel(seen.logits, torch.from_numpy(truth), row, column)
        here = Points(np.array([[column + 0.5, row + 0.5]]), colour=ORANGE, radius=6, labels=[f"{pixel.loss:.2f}"])
        view.show(
            image, [Heat(losses, palette="inferno", vmin=0, vmax=DARKEST, opacity=0.85, smooth=False), here],
            alt="The loss of every pixel", pick=PIXELS,
            caption=f"Loss of every pixel: black 0, yellow {DARKEST:g} nats and more.",
        )  # fmt: skip
        words(
            f"Mean over {truth.size:,} pixels: the loss is **{losses.mean():.4f}**; the {wrong.mean():.1%} wrong "
            f"pixels carry **{share:.0%}** of it. :gray[A guess of 1/13 everywhere would cost log 13 = "
            f"{pixel_cross_entropy.uniform_loss(len(CLASSES)):.3f}.]",
            "segmentation_loss_mean",
        )
        prediction.outcome(
            next(name for name, limit in CARRIED.items() if share < limit),
            f"They carry {share:.0%}: a right pixel still costs −log p, but a sure mistake costs far more than a "
            "doubtful one.",
        )
    with right:
        st.latex(
            r"\begin{gathered} p_c = \frac{e^{z_c}}{\sum_k e^{z_k}}, \quad \ell = -\log p_y \\"
            r"\frac{\partial\ell}{\partial z_c} = p_c - [c = y] \end{gathered}"
        )
        first = ", which costs most while no knob is turned" if (column, row) == default else ""
        words(
            f"Pixel column **{column}**, row **{row}**{first}: truth **{CLASSES[pixel.truth]}**, the network says "
            f"**{CLASSES[pixel.prediction]}**\n\n−log p({CLASSES[pixel.truth]}) = −log "
            f"{shown(float(pixel.probabilities[pixel.truth]))} = **{pixel.loss:.3f}** nats",
            "segmentation_loss",
        )
        arithmetic(pixel)


def arithmetic(pixel: pixel_cross_entropy.Pixel) -> None:
    """Four columns of numbers over the classes, and each cell's arithmetic at a touch."""
    table = torch.stack([pixel.logits, pixel.exponentials, pixel.probabilities, pixel.gradient], dim=1).double()
    printed = [[f"{z:.2f}".replace("-", "−"), *(shown(v) for v in rest)] for z, *rest in table.tolist()]
    largest = float(pixel.logits.max())
    tell = {}
    for i, (z, e, p, g) in enumerate(table.tolist()):
        name = CLASSES[i]
        tell["pixel", i, 0] = f"The network's score for {name}: {z:.3f}"
        tell["pixel", i, 1] = f"e^({z:.3f} − {largest:.3f}) = {shown(e)}; taking the maximum off changes no share"
        tell["pixel", i, 2] = f"{shown(e)} / {pixel.total:.4f} = {shown(p)}"
        tell["pixel", i, 3] = (
            f"{name} is the truth: p − 1 = {shown(g)}, so a step of training lifts this logit" if i == pixel.truth
            else f"{name} is not the truth: p = {shown(g)}, so a step of training lowers this logit"
        )  # fmt: skip
    matrices("segmentation_pixel").show(
        [Grid("pixel", table.numpy(), title="one pixel", text=printed, rows=CLASSES, columns=ROWS, cell=30,
              colour=colours(pixel))],
        explain=tell,
        caption=f"Blue: the truth, {CLASSES[pixel.truth]}. The exponentials sum to {pixel.total:.4f}. Touch a number.",
    )  # fmt: skip


def colours(pixel: pixel_cross_entropy.Pixel) -> list[list[str | None]]:
    """The true class's row is blue, the predicted one's, where it is another, orange."""
    tint = {pixel.prediction: "#D55E00", pixel.truth: "#0072B2"}
    return [[tint.get(i)] * len(ROWS) for i in range(len(CLASSES))]


def shown(value: float) -> str:
    """Four decimals, or a power of ten where they would all be zero; a true minus sign."""
    text = f"{value:.4f}" if abs(value) >= 5e-5 or value == 0 else f"{value:.0e}"
    return text.replace("-", "−")
