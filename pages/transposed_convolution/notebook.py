"""This page to take home: stamps, the matrix behind them, zeros in between, uneven overlap, and a trained decoder."""

import numpy as np

from pages.transposed_convolution.shared import binomial
from ui.notebook import Cell, State, code, get, parameters, picture, questions, text


def cells(state: State) -> list[Cell]:
    """Every section that computes, in the page's order."""
    return [*_stamp(state), *_matrix(state), *_zeros(state), *_overlap(state), *_trained(state), _questions()]


def _stamp(state: State) -> list[Cell]:
    size, kernel = get(state, "stamp_size", 2), get(state, "stamp_kernel", 3)
    typed = get(state, "stamp_grids", {})
    return [
        text("## Stamp and add"),
        code(
            """
            import matplotlib.pyplot as plt
            import numpy as np
            import torch
            import torch.nn.functional as F

            from labs import transposed_convolution as tc
            from labs.transposed_convolution import Geometry
            """
        ),
        parameters(
            x=typed.get(f"input {size}×{size}", np.arange(1.0, size * size + 1).reshape(size, size)),
            weight=typed.get(f"filter {kernel}×{kernel}", np.outer(binomial(kernel), binomial(kernel))),
            done=min(get(state, "stamp_step", size * size), size * size),
        ),
        code(
            f"""
            g = Geometry(stride={get(state, "stamp_stride", 2)}, padding={get(state, "stamp_padding", 1)},
                         output_padding={get(state, "stamp_extra", 1)})
            x, weight = torch.from_numpy(x), torch.from_numpy(weight)
            steps = tc.scatter_steps(x, weight, g)
            canvas = steps[done - 1].canvas if done else torch.zeros_like(steps[0].canvas)
            output = tc.trim(canvas, g)
            print("output", tuple(output.shape))
            print(output)
            theirs = F.conv_transpose2d(
                x[None, None], weight[None, None], stride=g.stride, padding=g.padding, output_padding=g.output_padding
            )[0, 0]
            print("difference to torch:", float((tc.trim(steps[-1].canvas, g) - theirs).abs().max()))
            """
        ),
        code(
            """
            def draw(grids):
                figure, axes = plt.subplots(1, len(grids), figsize=(3.2 * len(grids), 3.4))
                for axis, (name, grid) in zip(axes, grids.items()):
                    axis.imshow(grid, cmap="cividis")
                    axis.set_title(name)
                    for (row, column), value in np.ndenumerate(np.asarray(grid)):
                        box = {"facecolor": "black", "alpha": 0.5, "linewidth": 0}
                        axis.text(column, row, f"{value:g}", ha="center", va="center", color="white", bbox=box)
                plt.show()


            draw({"input": x, "filter": weight, "sum of copies": canvas, "output": output})
            """
        ),
    ]


def _matrix(state: State) -> list[Cell]:
    size, kernel, stride = (get(state, f"line_{name}", n) for name, n in (("size", 2), ("kernel", 3), ("stride", 2)))
    padding, extra, dilation = (
        get(state, f"line_{name}", n) for name, n in (("padding", 1), ("extra", 1), ("dilation", 1))
    )
    length = stride * (size - 1) + dilation * (kernel - 1) + 1 - 2 * padding + extra
    typed = get(state, "line_numbers", {})
    return [
        text("## The matrix and its transpose"),
        parameters(
            weight=typed.get(f"filter {kernel}", np.array([[1.0, 2, 3, 4][:kernel]])),
            u=typed.get(f"u {length}", np.arange(length)[None] % 5 - 1.0),
            v=typed.get(f"v {size}", np.array([[2.0, -1, 1, 3][:size]])),
        ),
        code(
            f"""
            g = Geometry(stride={stride}, padding={padding}, output_padding={extra}, dilation={dilation})
            weight, u, v = (torch.from_numpy(numbers[0]) for numbers in (weight, u, v))
            X = tc.convolution_matrix(weight, len(u), g)
            print("X")
            print(X)
            print("X u =", (X @ u).tolist())
            print("X^T v =", (X.T @ v).tolist())
            print(f"<X u, v> = {{X @ u @ v:g}}, <u, X^T v> = {{u @ (X.T @ v):g}}")
            """
        ),
    ]


def _zeros(state: State) -> list[Cell]:
    kernel = get(state, "zero_kernel", 3)
    return [
        text("## Zeros in between, then a normal convolution"),
        code(
            f"""
            g = Geometry(stride={get(state, "zero_stride", 2)}, padding={get(state, "zero_padding", 1)},
                         output_padding={get(state, "zero_extra", 1)})
            x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
            weight = torch.arange(1.0, {kernel * kernel + 1}).reshape({kernel}, {kernel})
            before, after = tc.border({kernel}, g)
            spread = F.pad(tc.insert_zeros(x, g.stride), (before, after, before, after))
            output = tc.as_normal_convolution(x, weight, g)
            print("by zero insertion")
            print(output)
            draw({{"input": x, "spread": spread, "flipped filter": weight.flip(0, 1), "output": output}})
            """
        ),
    ]


def _overlap(state: State) -> list[Cell]:
    return [
        text("## Uneven overlap"),
        parameters(kernel=get(state, "overlap_kernel", 3), stride=get(state, "overlap_stride", 2), inputs=8),
        code(
            """
            from labs import checkerboard

            counts = checkerboard.overlap_counts_2d(inputs, kernel, stride)
            word = "evenly" if checkerboard.overlaps_evenly(kernel, stride) else "unevenly"
            print(f"Copies overlap {word}: {int(counts.min())} to {int(counts.max())} on a pixel.")
            plt.imshow(counts, cmap="viridis")
            plt.colorbar(label="copies on this pixel")
            plt.show()
            """
        ),
    ]


def _trained(state: State) -> list[Cell]:
    return [
        text("## On a real network"),
        picture(state, "checkerboard", 7),
        code(
            """
            from models import catalog

            figure, axes = plt.subplots(1, 2, figsize=(11, 3.5), sharey=True)
            for axis, name in zip(axes, ("segmenter-transposed", "segmenter-bilinear")):
                stages = catalog.load(name)(image, keep_stages=True).stages
                shares = {stage: 100 * checkerboard.phase_share(features) for stage, features in stages}
                print(name, {stage: f"{share:.2f} %" for stage, share in shares.items()})
                axis.bar(range(len(shares)), shares.values(), tick_label=[stage.split(" ")[-1] for stage in shares])
                axis.set_title(f"{name}: checkerboard's share of the variance, %", fontsize=9)
            plt.show()
            """
        ),
    ]


def _questions() -> Cell:
    return questions(
        "Which filters of size 4 at stride 2 make an input of ones come out as ones, away from the border?",
        "Feed noise to a convolution of stride 2 and its output to the transposed one with the same filter. How far is "
        "that from the input, and for which filter is it least?",
    )
