"""The section on people to take home: the crowd, its maps and fields, one line integral, matching, and persons."""

from ui.notebook import Cell, State, code, get, parameters, text

SEED, COUNT, OVERLAP, LIMB = 35, 3, 0.6, "left shoulder – left hip"  # as the section begins


def cells(state: State) -> list[Cell]:
    """All of it for the crowd and the limb on the screen."""
    return [
        text("## From joints to people"),
        parameters(
            seed=get(state, "people_seed", SEED), count=get(state, "people_count", COUNT),
            overlap=get(state, "people_overlap", OVERLAP), limb_name=get(state, "people_limb", LIMB),
        ),
        code(
            """
            from dataclasses import replace

            import matplotlib.pyplot as plt
            import numpy as np
            import torch

            import scenes
            from labs import part_affinity_fields as fields
            from models import catalog
            from models.networks.pose_fields import LIMBS, STRIDE

            scene = scenes.sample(seed, scenes.Knobs(objects=count, classes=("person",), occlusion=0.0, truncation=0.0))
            people = sorted(scene.objects, key=lambda each: each.x)
            middle = float(np.clip(np.mean([each.x for each in people]), 0.3 * 224, 0.7 * 224))
            moved = {}
            for place, each in enumerate(people):  # each goes sideways towards the middle of all
                goal = middle + 10 * (place - (len(people) - 1) / 2)
                moved[id(each)] = replace(each, x=each.x + overlap * (goal - each.x))
            crowd = scenes.render(replace(scene, objects=tuple(moved[id(each)] for each in scene.objects)))
            said = catalog.load("pose-fields")(crowd.image)
            names = [f"{scenes.JOINTS[a]} – {scenes.JOINTS[b]}".replace("_", " ") for a, b in LIMBS]
            limb = names.index(limb_name)
            first, second = LIMBS[limb]
            chosen = said.assembled.connections[limb]
            best = fields.best_matching(said.assembled.scores[limb])
            print(f"{len(said.keypoints)} persons put together")
            print(f"greedy {sum(pair.score for pair in chosen):.2f}, best {sum(pair.score for pair in best):.2f}")
            for start, end, score in chosen[:1]:
                a, b = said.assembled.candidates[first][start, :2], said.assembled.candidates[second][end, :2]
                line = fields.along_limbs(said.fields[limb], a[None], b[None], STRIDE)
                print("products along the line", [round(each, 2) for each in line.products[0, 0].tolist()])
            figure, axes = plt.subplots(1, 3, figsize=(13, 4.4))
            axes[0].imshow(said.maps.amax(0), cmap="magma")
            centres = fields.cell_centres((56, 56), STRIDE)
            u, v = said.fields[limb].numpy()
            axes[1].imshow(crowd.image)
            axes[1].quiver(centres[..., 0], centres[..., 1], u, v, angles="xy", scale_units="xy", scale=0.25,
                           color="red")
            axes[2].imshow(crowd.image)
            for person in said.keypoints:
                for a, b in scenes.SKELETON:
                    if person[a, 2] and person[b, 2]:
                        axes[2].plot(person[[a, b], 0], person[[a, b], 1])
            plt.show()
            """
        ),
    ]  # fmt: skip
