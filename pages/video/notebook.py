"""This page to take home: the film, what a network finds in every k-th frame, tracks, and who crosses the line."""

from labs.tracking import Settings
from pages.video import shared
from pages.video.choose import MOST
from pages.video.counting import LINE
from ui.notebook import Cell, State, code, get, parameters, questions, text
from ui.pictures import LEVELS


def cells(state: State) -> list[Cell]:
    """Two seconds of the film, so that it takes no minutes; the number of frames is a parameter."""
    knobs = {name: get(state, f"video_{name}", None) for name in (*MOST, "pan")}
    knobs |= {name: levels.get(get(state, f"video_{name}", "")) for name, levels in LEVELS.items()}
    knobs = {name: value for name, value in knobs.items() if value is not None}
    return [
        text("## A film, and where everything truly is"),
        parameters(seed=get(state, "video_seed", shared.SEED), knobs=list(knobs.items()), frames=50),
        code(
            """
            import matplotlib.pyplot as plt
            import numpy as np

            from scenes import THINGS
            from scenes.film import FilmKnobs, film

            plan = film(seed, FilmKnobs(**dict(knobs)))
            pictures = [plan.frame(index) for index in range(frames)]
            print(f"{len(plan)} frames, {plan.rate} a second; here the first {frames}")
            for each in plan.truth(0):
                print(f"#{each.track} {each.label}, {each.visible:.0%} seen, at {each.box.round().tolist()}")
            """
        ),
        text("## A network looks at every k-th frame, and tracks carry its boxes on"),
        parameters(
            network=get(state, "video_detector", shared.NETWORK), every=get(state, "video_every", shared.EVERY),
            least=get(state, "video_least", Settings().least_score),
        ),
        code(
            """
            from labs import tracking
            from labs.matching import Detections
            from models import catalog

            detector = catalog.load(network)
            nothing = Detections(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0))
            found = [nothing] * frames
            for index in range(0, frames, every):
                said = detector(pictures[index])
                found[index] = Detections(said.boxes.numpy(), said.labels.numpy(), said.scores.numpy())
            tracks = tracking.track(found, tracking.Settings(least_score=least), every)
            print(f"one look in {1000 * every / plan.rate:.0f} ms: every {every}th frame")

            figure, axes = plt.subplots(1, 4, figsize=(13, 3.4))
            for axis, index in zip(axes, np.linspace(0, frames - 1, 4).astype(int)):
                axis.imshow(pictures[index])
                axis.set_title(f"frame {index + 1}")
                axis.axis("off")
                for each in tracks[index]:
                    if each.state in tracking.COUNTED:
                        x1, y1, x2, y2 = each.box
                        colour = f"C{each.track % 10}"
                        axis.add_patch(plt.Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, color=colour))
                        axis.text(x1, y1 - 2, f"{THINGS[each.label - 1]} {each.track}", color="white", fontsize=8)
            plt.show()
            """
        ),
        text("## Who crosses the line?"),
        parameters(line=list(get(state, "video_count_line", LINE))),
        code(
            """
            from labs import line_counting

            for each in line_counting.crossings(tracks, np.array(line, float)):
                print(f"{each.frame / plan.rate:.2f} s: {THINGS[each.label - 1]} #{each.track} to the {each.direction}")
            """
        ),
        questions(
            "Look at every 10th frame. Which things change their number, and what do they have in common?",
            "Move the line far away from the middle. Why are things missed where they come into the picture?",
        ),
    ]  # fmt: skip
