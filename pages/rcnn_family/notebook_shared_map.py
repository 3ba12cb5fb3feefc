"""What of this page to take home is about one map for all regions: SPP-net's pyramid, Fast R-CNN, its gradient."""

from pages.rcnn_family.pyramid import CHANNEL, PYRAMIDS
from ui.notebook import Cell, State, code, get, parameters, text


def cells(state: State) -> list[Cell]:
    """The three sections; `image` and `boxes` are those of the cells before."""
    return [
        text("## SPP-net: the picture once, and a pyramid of maxima over each region"),
        parameters(
            levels=PYRAMIDS.get(get(state, "spp_levels", ""), next(iter(PYRAMIDS.values()))),
            pyramid_region=get(state, "spp_region", 1), channel=get(state, "spp_channel", CHANNEL),
        ),
        code(
            """
            from labs import spatial_pyramid

            seen = catalog.load("spp")(image, boxes.numpy())
            cells = seen.cells[pyramid_region - 1]
            vector = spatial_pyramid.pool_region(seen.features, cells, levels)
            print(f"{vector.shape[1]} bins, {vector.numel()} numbers")
            figure, axes = plt.subplots(1, len(levels), figsize=(4 * len(levels), 4), squeeze=False)
            start = 0
            for axis, side in zip(axes[0], levels):
                axis.imshow(vector[channel, start : start + side * side].reshape(side, side))
                axis.set_title(f"channel {channel}, {side}×{side}")
                start += side * side
            plt.show()
            """
        ),
        text("## Fast R-CNN: class and box of every region, and the gradient of one region's loss on the picture"),
        parameters(gradient_region=get(state, "fast_region", 1), label=0),
        code(
            """
            fast = catalog.load("fast-rcnn")
            seen = fast(image, boxes.numpy())
            print(f"picture once: {1000 * seen.trunk_seconds:.0f} ms, "
                  f"{len(boxes)} regions: {1000 * seen.head_seconds:.0f} ms")
            region = boxes[gradient_region - 1 : gradient_region].numpy()
            slope = fast.gradient(image, region, [label], region)  # label 0: background, 1: person, ...
            figure, axis = plt.subplots(figsize=(5, 5))
            axis.imshow(np.sqrt(np.abs(slope.gradient).sum(2)), cmap="inferno")
            draw(axis, region.tolist(), "orange", linewidth=3)
            plt.show()
            """
        ),
    ]  # fmt: skip
