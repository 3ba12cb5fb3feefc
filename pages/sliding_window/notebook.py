"""This page to take home: one window, the count, every window with NMS, the conversion, and the price."""

from pages.sliding_window import notebook_pyramid
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 113
NETWORKS = {"the lectures'": "window-classifier", "wider": "window-classifier-wide"}


def cells(state: State) -> list[Cell]:
    """A window by hand, all windows, the fully connected layers, the multiply-adds, boxes, a pyramid and pixels."""
    return [
        *_hand(state), *_count(state), *_every(state), *_convolution(state), *_price(), *notebook_pyramid.cells(state),
        _questions(),
    ]  # fmt: skip


def _hand(state: State) -> list[Cell]:
    boxes = state["window_hand"] if "window_hand" in state else []  # noqa: SIM401
    side = get(state, "window_side", 112)
    x1, y1, x2, y2 = boxes[0].xyxy if boxes else (0, 0, 28, 28)
    place = [min(max(round((low + high) / 2 - 14), 0), side - 28) for low, high in ((x1, x2), (y1, y2))]
    return [
        text("## One window"),
        notebook.picture(state, "window", SEED),
        parameters(
            name=NETWORKS[get(state, "window_network", "the lectures'")], side=side, left=place[0], top=place[1]
        ),
        code(
            """
            import matplotlib.pyplot as plt
            import torch

            from labs.sliding_window import CLASSES
            from models import catalog
            from models.networks import window

            network = catalog.load(name)
            small = window.resized(image, side)
            scores = network.classify(small[top : top + 28, left : left + 28])
            for each, score, p in zip(CLASSES, scores.tolist(), scores.softmax(0).tolist()):
                print(f"{each:12} score {score:6.2f}, p {p:.2f}")
            plt.imshow(small[top : top + 28, left : left + 28])
            plt.show()
            """
        ),
    ]


def _count(state: State) -> list[Cell]:
    return [
        text("## How many windows?"),
        parameters(
            height=get(state, "window_count_picture_height", 600), width=get(state, "window_count_picture_width", 800),
            h=get(state, "window_count_window_height", 28), w=get(state, "window_count_window_width", 28),
        ),
        code(
            """
            from labs import sliding_window

            print(f"one size: {sliding_window.positions(height, width, h, w):,} places")
            print(f"all boxes: {sliding_window.all_boxes(height, width):,}")
            """
        ),
    ]  # fmt: skip


def _every(state: State) -> list[Cell]:
    return [
        text("## Every window, a threshold, NMS"),
        parameters(threshold=get(state, "window_threshold", 0.6), overlap=get(state, "window_overlap", 0.2)),
        notebook.boxes_drawn(),
        code(
            """
            from labs import nms

            seen = network(image, side)
            found = sliding_window.above(seen.probabilities, seen.windows, threshold)
            kept = nms.survivors(found.boxes, found.scores, overlap, found.labels)
            print(f"{len(found.scores):,} windows above the threshold, NMS keeps {len(kept)}")
            figure, axes = plt.subplots(1, 5, figsize=(16, 3.4))
            axes[0].imshow(image)
            draw(axes[0], found.boxes[kept].tolist(), "orange", linewidth=2)
            for axis, each, heat in zip(axes[1:], CLASSES, seen.probabilities):
                axis.imshow(heat, cmap="cividis", vmin=0, vmax=1)
                axis.set_title(each)
            plt.show()
            """
        ),
    ]


def _convolution(state: State) -> list[Cell]:
    return [
        text("## A fully connected layer is a convolution"),
        parameters(unit=get(state, "window_unit", 1)),
        code(
            """
            from models.networks.encoder import normalised

            layers = sliding_window.layers()
            layers.load_state_dict(catalog.load("window-classifier").module.layers.state_dict())
            layers = layers.double().eval().requires_grad_(False)
            dense = sliding_window.with_dense_layers(layers)
            pixels = normalised(window.to_tensor(small)[None]).double()
            whole = layers(pixels)[0]
            alone = torch.stack([
                dense(pixels[:, :, 4 * r : 4 * r + 28, 4 * c : 4 * c + 28])[0]
                for r in range(whole.shape[1]) for c in range(whole.shape[2])
            ])
            print(f"largest difference {float((alone.T.reshape(whole.shape) - whole).abs().max()):.0e}")
            print(dense[4].weight[unit - 1].reshape(4, 6, 6))
            """
        ),
    ]


def _price() -> list[Cell]:
    return [
        text("## The price"),
        code(
            """
            single = sliding_window.multiply_adds(sliding_window.layers(), 1, 3, 28, 28)
            for each in (28, 32, 56, 112, 224):
                windows = sliding_window.windows_along(each, 28, 4) ** 2
                once = sliding_window.multiply_adds(sliding_window.layers(), 1, 3, each, each)
                print(f"{each}: {single * windows / 1e6:,.1f} M window by window, {once / 1e6:,.1f} M at once, "
                      f"{single * windows / once:.1f} times")
            """
        ),
    ]


def _questions() -> Cell:
    return questions(
        "Give the pool a stride of 2 and keep the weights. How far apart are the windows now, and how many are there?",
        "Shift the picture by one pixel and run it again. How much do the largest scores of the map change, and why?",
    )
