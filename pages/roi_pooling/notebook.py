"""This page to take home: the box, its three pools, and what a small shift does to each of them."""

import torch

from pages.roi_pooling.numbers import LECTURE_BOX, LECTURE_MAP
from pages.roi_pooling.shared import SIZE, STRIDES
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 7
START = (90.0, 70.0, 215.0, 190.0)


def cells(state: State) -> list[Cell]:
    """The box with its pools, the shift, and the lecture's numbers."""
    return [*_play(state), *_shift(state), *_lecture(state), _questions()]


def _play(state: State) -> list[Cell]:
    drawn = get(state, "roi_scene", [])
    level, channel, ratio = get(state, "roi_level", "P4"), get(state, "roi_channel", "54"), get(state, "roi_ratio", 2)
    return [
        text("## A box on the picture and on the feature map"),
        notebook.picture(state, "roi", SEED, SIZE),
        notebook.boxes_drawn(),
        parameters(
            box=tuple(drawn[0].xyxy) if drawn else START, level=level if level in STRIDES else None,
            strides=list(STRIDES.values()), channel=None if channel == "mean" else int(channel),
            shift=get(state, "roi_shift", 0.0), output=get(state, "roi_output", 2),
            split=get(state, "roi_split", "overlapping"), ratio=0 if ratio == "adaptive" else ratio,
            aligned=get(state, "roi_aligned", True),
        ),
        code(
            """
            import torch

            from labs import roi_align, roi_pooling
            from models import catalog
            from models.inside.pooling_swap import find_regions, levels_of

            regions = find_regions(catalog.load("detector"), image)
            box = torch.tensor(box)
            names = ("P2", "P3", "P4", "P5")
            whole = roi_pooling.project(box, regions.picture, regions.resized, 1).resized
            level = level or names[int(levels_of(whole[None]))]
            stride = strides[names.index(level)]
            moved = shift * stride * regions.picture[1] / regions.resized[1]
            frames = roi_pooling.project(
                box + torch.tensor([moved, 0.0, moved, 0.0]), regions.picture, regions.resized, stride
            )
            features = regions.features[level][0].float().cpu()
            values = (features.mean(0) if channel is None else features[channel]).clone()
            for name, place in frames._asdict().items():
                print(f"{name}: " + ", ".join(f"{at:.2f}" for at in place.tolist()))

            figure, axes = plt.subplots(1, 2, figsize=(9, 4.5))
            axes[0].imshow(image)
            draw(axes[0], [frames.picture.tolist()], "orange", linewidth=3)
            axes[1].imshow(values, extent=(0, values.shape[1], values.shape[0], 0), cmap="cividis")
            draw(axes[1], [frames.feature.tolist()], "orange", linewidth=3)
            axes[1].set_title(level)
            plt.show()
            """
        ),
        text("## Who rounds, who samples"),
        code(
            """
            def pools(boxes):
                size, scale, maps = (output, output), 1 / stride, values[None]
                return {
                    "RoI Pool": roi_pooling.roi_pool(maps, boxes, size, scale, split).values[:, 0],
                    "RoI Align": roi_align.roi_align(maps, boxes, size, scale, ratio, aligned)[:, 0],
                    "Crop and resize": roi_align.crop_and_resize(maps, boxes, size, scale)[:, 0],
                }


            found = {name: pooled[0] for name, pooled in pools(frames.resized[None]).items()}
            figure, axes = plt.subplots(1, 3, figsize=(9, 3.4))
            for axis, (name, pooled) in zip(axes, found.items()):
                print(name)
                print(pooled)
                axis.imshow(pooled, cmap="cividis", vmin=float(values.min()), vmax=float(values.max()))
                axis.set_title(name)
            plt.show()
            """
        ),
    ]  # fmt: skip


def _shift(state: State) -> list[Cell]:
    return [
        text("## Shift by less than a cell"),
        code(
            """
            cells = torch.linspace(-1, 1, 65)
            aside = torch.stack([cells * stride, 0 * cells, cells * stride, 0 * cells], dim=1)
            for name, pooled in pools(whole + aside).items():
                plt.plot(cells, pooled[:, 0, 0], label=name)
            plt.axvline(shift, linestyle=":", color="gray")
            plt.xlabel("shift to the right, cells")
            plt.ylabel("first output")
            plt.legend()
            plt.show()
            """
        ),
    ]


def _lecture(state: State) -> list[Cell]:
    grid = torch.as_tensor(get(state, "roi_lecture", {}).get("map", LECTURE_MAP.numpy().round(2)))
    x, y = get(state, "roi_x", 6.5), get(state, "roi_y", 5.8)
    return [
        text("## The lecture's numbers"),
        parameters(grid=grid.double().numpy().round(6), region=tuple(LECTURE_BOX.tolist()), x=x, y=y),
        code(
            """
            grid, region = torch.from_numpy(grid), torch.tensor(region, dtype=torch.float64)
            for split_name in ("disjoint", "overlapping"):
                print(split_name, roi_pooling.roi_pool(grid[None], region[None], (2, 2), 1.0, split_name).values[0, 0])
            print(f"f({x}, {y}) = {float(roi_align.bilinear(grid, y, x).result):.3f}")
            """
        ),
    ]


def _questions() -> Cell:
    return questions(
        "By how much can a box grow before RoI Pool's output changes at all? Find the largest such growth.",
        "Compare RoI Align with sampling ratios 1, 2, 4 and 16 on this box. From which ratio on does nothing change in "
        "the second decimal?",
    )
