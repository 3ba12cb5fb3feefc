"""This page to take home: the points of the cards, the front, the best within a budget, and a scene at four sizes."""

from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text


def cells(state: State) -> list[Cell]:
    """The points, and what two of them find."""
    return [
        text("## Time and accuracy"),
        parameters(budget=get(state, "trade_budget", 40), size=get(state, "trade_size", "all")),
        code(
            """
            import matplotlib.pyplot as plt
            import torch

            from labs import speed_accuracy
            from models import catalog

            rows = [
                (name, each)
                for name in catalog.shipped()
                for each in catalog.card(name).get("settings", [])
            ]
            times = torch.tensor([each["milliseconds"] for _, each in rows])
            scores = [each["box_ap"] if size == "all" else each["box_ap_per_size"][size] for _, each in rows]
            accuracy = torch.tensor(scores)
            front = speed_accuracy.pareto_front(times, accuracy)
            best = speed_accuracy.best_within(times, accuracy, budget)
            if best is not None:
                print(f"within {budget} ms: {rows[best][0]}, {rows[best][1]['side']} px, AP {accuracy[best]:.3f}")
            plt.figure(figsize=(8, 4.5))
            for name in dict.fromkeys(name for name, _ in rows):
                mine = [i for i, (each, _) in enumerate(rows) if each == name]
                plt.semilogx(times[mine], accuracy[mine], "o", label=name)
            plt.semilogx(times[front], accuracy[front], "o", markersize=14, fillstyle="none", color="black")
            plt.axvline(budget, linestyle="--", color="grey")
            plt.xlabel("milliseconds a picture")
            plt.ylabel(f"AP of {size} things")
            plt.legend(fontsize=7)
            plt.show()
            """
        ),
        text("## The same scene at four sizes"),
        notebook.picture(state, "trade", 31),
        parameters(threshold=get(state, "trade_threshold", 0.5)),
        notebook.boxes_drawn(),
        code(
            """
            from models.inside import settings
            from models.inside.settings import Setting

            detector = catalog.load("detector")
            figure, axes = plt.subplots(1, 4, figsize=(16, 4.4))
            for axis, side in zip(axes, (128, 160, 224, 320)):
                found = settings.detect(detector, image, Setting("detector", side, 50))
                sure = found.scores >= threshold
                axis.imshow(image)
                draw(axis, found.boxes[sure].tolist(), "orange", linewidth=2)
                axis.set_title(f"{side} px: {int(sure.sum())} boxes, {found.seconds * 1000:.0f} ms")
            plt.show()
            """
        ),
        questions(
            "Which point leaves the front first when only small things count?",
            "Half the side is a quarter of the pixels. Is it a quarter of the time?",
        ),
    ]
