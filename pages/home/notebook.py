"""This page to take home: one scene, and what four networks make of it."""

from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 14


def cells(state: State) -> list[Cell]:
    """The scene, then classification, semantic segmentation, detection and keypoints."""
    return [
        text("## The scene"),
        parameters(
            seed=get(state, "home_seed", SEED), light=get(state, "home_light", 1.0), fog=get(state, "home_fog", 0.0)
        ),
        code(
            """
            from dataclasses import replace

            import matplotlib.pyplot as plt

            import scenes

            view = scenes.render(scenes.sample(seed, scenes.Knobs(light=1.0, fog=0.0)), 224)
            image = scenes.render_image(replace(view.scene, light=light, fog=fog), 224)
            print("; ".join(thing.caption for thing in view.instances))
            """
        ),
        text("## Which classes are there?"),
        code(
            """
            from models import catalog

            said = catalog.load("classifier-gap")(image)
            for name, probability in zip(scenes.THINGS, said.probabilities.tolist()):
                print(f"{name}: {probability:.2f}")
            """
        ),
        text("## Which class does every pixel belong to?"),
        code(
            """
            from labs import segmentation_metrics
            from matplotlib.colors import ListedColormap

            labels = catalog.load("segmenter-bilinear")(image).labels
            confusion = segmentation_metrics.confusion_matrix(view.semantic, labels, len(scenes.CLASSES))
            mean_iou, accuracy = (
                segmentation_metrics.scene_mean_iou(confusion), segmentation_metrics.pixel_accuracy(confusion)
            )
            print(f"mIoU {mean_iou:.2f}, pixel accuracy {accuracy:.1%}")
            colours = ListedColormap([scenes.PALETTE[name] for name in scenes.CLASSES])
            figure, axes = plt.subplots(1, 3, figsize=(12, 4.2))
            for axis, name, shown in zip(axes, ("picture", "network", "truth"), (image, labels, view.semantic)):
                axis.imshow(shown, cmap=colours, vmin=0, vmax=len(scenes.CLASSES) - 1, interpolation="nearest")
                axis.set_title(name)
            plt.show()
            """
        ),
        text("## What is where?"),
        parameters(detector=get(state, "home_detector", "detector")),
        code(
            """
            found = catalog.load(detector)(image)
            sure = found.scores >= 0.5
            plt.imshow(image)
            for (x1, y1, x2, y2), label, score in zip(found.boxes[sure], found.labels[sure], found.scores[sure]):
                name = scenes.THINGS[int(label) - 1]
                print(f"{name} {float(score):.2f}")
                plt.gca().add_patch(plt.Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor="tab:orange"))
                plt.text(x1, y1, name, color="white", backgroundcolor="black", fontsize=8)
            if found.keypoints is not None:
                persons = sure & (found.labels == scenes.THINGS.index("person") + 1)
                for joints in found.keypoints[persons]:
                    plt.plot(joints[:, 0], joints[:, 1], ".", color="yellow")
            plt.show()
            """
        ),
        questions(
            "Raise the fog in steps of 0.1. Which of the three networks makes its first mistake first?",
            "Take ten other seeds. Do the classifier and the detector agree on which classes are in the picture?",
        ),
    ]
