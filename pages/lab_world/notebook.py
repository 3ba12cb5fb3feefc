"""This page to take home: the scene with its knobs, and its truth."""

from ui.notebook import Cell, State, code, get, parameters, questions, text

THINGS = ("person", "cat", "dog", "duck", "car", "motorcycle", "street sign", "ball")


def cells(state: State) -> list[Cell]:
    """The scene, its annotations, and the same as COCO's JSON."""
    chosen = get(state, "classes", THINGS)
    return [
        text("## The scene"),
        parameters(
            seed=get(state, "seed", 14), objects=get(state, "objects", 5),
            classes=tuple(name for name in THINGS if name in chosen),
            occlusion=get(state, "occlusion", 0.35), light=get(state, "light", 1.0), fog=get(state, "fog", 0.0),
            noise=get(state, "noise", 0.1), size=get(state, "size", 224),
        ),
        code(
            """
            from dataclasses import replace

            import matplotlib.pyplot as plt
            import numpy as np

            import scenes
            from scenes.render import add_noise

            # The truth is drawn in clear daylight: light, fog and noise leave it as it is.
            knobs = scenes.Knobs(objects=objects, classes=classes, occlusion=occlusion, light=1.0, fog=0.0, noise=0.0)
            view = scenes.render(scenes.sample(seed, knobs), size)
            image = add_noise(scenes.render_image(replace(view.scene, light=light, fog=fog), size), seed, noise)
            print(f"{len(view.instances)} things")
            for thing in view.instances:
                print(f"{thing.label}: {thing.caption} {thing.visible:.0%} visible, {int(thing.mask.sum())} pixels")
            """
        ),
        text("## Its truth"),
        code(
            """
            from matplotlib.colors import ListedColormap

            colours = ListedColormap([scenes.PALETTE[name] for name in scenes.CLASSES])
            figure, axes = plt.subplots(1, 3, figsize=(12, 4.2))
            axes[0].imshow(image)
            for thing in view.instances:
                x1, y1, x2, y2 = thing.box
                axes[0].add_patch(plt.Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor="tab:orange"))
                if thing.keypoints is not None:
                    seen = thing.keypoints[thing.keypoints[:, 2] > 0]
                    axes[0].plot(seen[:, 0], seen[:, 1], ".", color="yellow")
            axes[1].imshow(view.semantic, cmap=colours, vmin=0, vmax=len(scenes.CLASSES) - 1, interpolation="nearest")
            axes[1].set_title("semantic")
            axes[2].imshow(view.panoptic, cmap="tab20", interpolation="nearest")
            axes[2].set_title("panoptic")
            plt.show()

            shares = np.bincount(view.semantic.ravel(), minlength=len(scenes.CLASSES)) / view.semantic.size
            print(f"largest class: {scenes.CLASSES[shares.argmax()]}, {shares.max():.0%} of the pixels")
            """
        ),
        text("## The same in the format of COCO"),
        code(
            """
            from scenes.coco import to_coco

            coco = to_coco([view])
            print({name: len(entries) for name, entries in coco.items() if isinstance(entries, list)})
            """
        ),
        questions(
            "Draw this scene at noon, at dusk and at night. By how much does the mean of the picture change, and by "
            "how much the truth?",
            "In a hundred scenes of this kind, how many things are hidden by more than half? Which knob changes that "
            "most?",
        ),
    ]  # fmt: skip
