"""The second half of the page to take home: boxes, an image pyramid, and the class of the central pixel."""

from ui.notebook import Cell, State, code, get, parameters, text


def cells(state: State) -> list[Cell]:
    """They go on where the first half ends: with ``image``, ``view`` of a scene, and ``plt``, ``torch``, ``draw``."""
    return [*_boxes(state), *_pyramid(state), *_pixels(state)]


def _boxes(state: State) -> list[Cell]:
    return [
        text("## A box for every window"),
        parameters(window_side=get(state, "window_box_side", 56), least=get(state, "window_box_score", 0.6)),
        code(
            """
            from labs import image_pyramid
            from labs.image_pyramid import Sliding

            how = Sliding(window=28, stride=4)


            def search(name, size, number=0):
                # Every window on the copy of the picture of this (height, width).
                level = image_pyramid.pyramid(image, [size])[0]
                with torch.inference_mode():
                    maps = image_pyramid.at_stride(catalog.load(name).module, window.to_tensor(level), how, how.stride)
                return image_pyramid.candidates(maps, len(CLASSES), how, size, image.shape[:2], number)


            found = search("window-localizer", tuple(round(each * 28 / window_side) for each in image.shape[:2]))
            found = found.subset(found.scores >= least)
            print(f"{len(found)} windows of {window_side} px say a thing")
            figure, axes = plt.subplots(1, 2, figsize=(9, 4.5))
            for axis, title, places in zip(axes, ("windows", "boxes"), (found.windows, found.boxes)):
                axis.imshow(image)
                axis.set_title(title)
                draw(axis, places.tolist(), "orange")
            plt.show()
            """
        ),
    ]


def _pyramid(state: State) -> list[Cell]:
    return [
        text("## One window for every size: an image pyramid"),
        parameters(
            network_name=get(state, "pyramid_network", "window-localizer"), count=get(state, "pyramid_count", 5),
            step=get(state, "pyramid_step", 1.4), least=get(state, "pyramid_score", 0.8),
            overlap=get(state, "pyramid_nms", 0.3),
        ),
        code(
            """
            sizes = image_pyramid.level_sizes(*image.shape[:2], count, step, how.window)
            every = image_pyramid.together([search(network_name, size, n) for n, size in enumerate(sizes)])
            every = every.subset(every.scores >= least)
            every = every.subset(every.scores.argsort(descending=True, stable=True)[:400])
            kept = every.subset(nms.survivors(every.boxes, every.scores, overlap, every.labels))
            print(f"{len(sizes)} levels, {len(kept)} boxes after NMS over all")
            plt.imshow(image)
            for level, colour in enumerate(plt.cm.tab10.colors[: len(sizes)]):
                draw(plt.gca(), kept.boxes[kept.level == level].tolist(), colour, linewidth=2)
            plt.show()
            """
        ),
    ]  # fmt: skip


def _pixels(state: State) -> list[Cell]:
    return [
        text("## The label for the central pixel"),
        parameters(
            network_name=get(state, "window_pixels_network", "window-classifier-wide"),
            window_side=get(state, "window_pixels_side", 48), stride=get(state, "window_pixels_stride", 2),
        ),
        code(
            """
            copy = image_pyramid.pyramid(image, [tuple(round(each * 28 / window_side) for each in image.shape[:2])])[0]
            with torch.inference_mode():
                scores = image_pyramid.scores_of_centres(
                    catalog.load(network_name).module, window.to_tensor(copy), how, stride
                )
            plt.imshow(scores.argmax(0))
            plt.title(", ".join(f"{i} {each}" for i, each in enumerate(CLASSES)))
            plt.show()
            """
        ),
    ]  # fmt: skip
