"""This page to take home: the solid of the chosen thing, a fit with its two weights, and the network's stages."""

from pages.mesh_rcnn.fitting import START
from pages.mesh_rcnn.shared import CELLS, SEED
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text


def cells(state: State) -> list[Cell]:
    """The thing as a solid, and a ball on its way to it."""
    return [
        text("## The solid of a thing"),
        notebook.picture(state, "mesh", SEED),
        parameters(thing=get(state, "mesh_thing", None), cells=CELLS),
        code(
            """
            import numpy as np
            import torch

            import matplotlib.pyplot as plt
            import numpy as np

            from labs import inflated_solid, mesh_losses
            from labs.mesh_fitting import POINTS, Fit, Weights
            from scenes.silhouettes import silhouette, thing_of

            if view is None or not view.instances:
                raise SystemExit("Only a scene of Lab World with things in it has solids: choose another picture.")
            hidden = [each.visible if each.visible > 1 / 3 else 2 for each in view.instances]
            place = int(np.argmin(hidden)) if thing is None else min(thing, len(view.instances)) - 1
            whole = silhouette(thing_of(view.scene, view.instances[place].id), cells)
            mesh = inflated_solid.inflate(whole.coverage, whole.corner, whole.cell)
            print(view.instances[place].caption)
            print(f"{len(mesh.faces):,} triangles, {inflated_solid.volume(mesh.vertices, mesh.faces):.0f} cubic pixels")

            def show(axes, vertices, faces):
                x, y, z = np.asarray(vertices).T
                axes.plot_trisurf(x, z, -y, triangles=np.asarray(faces), color="skyblue")
                axes.set_box_aspect((np.ptp(x), np.ptp(z), np.ptp(y)))

            show(plt.figure().add_subplot(projection="3d"), mesh.vertices, mesh.faces)
            plt.show()
            """
        ),
        text("## A ball is pulled onto it"),
        parameters(
            steps=get(state, "mesh_step", START), edge=get(state, "mesh_edge", 0.2),
            normal=get(state, "mesh_normal", 0.02),
        ),
        code(
            """
            low, high = mesh.vertices.amin(0), mesh.vertices.amax(0)
            target = (mesh.vertices - (low + high) / 2) / (high - low).max()
            points, normals = mesh_losses.sample_points(target, mesh.faces, POINTS)
            figure = plt.figure(figsize=(9, 4))
            for at, weights in enumerate((Weights(), Weights(normal, edge)), 1):
                fit = Fit(points, normals, weights)
                for _ in range(steps):
                    fit.step()
                corners = fit.vertices.detach()
                drawn, _ = mesh_losses.sample_points(corners, fit.faces, 3000, seed=1)
                print(weights, f"Chamfer distance {float(mesh_losses.chamfer(drawn, points)):.5f}")
                show(figure.add_subplot(1, 2, at, projection="3d"), corners, fit.faces)
            plt.show()
            """
        ),
        text("## The network's voxels, and three stages"),
        parameters(threshold=get(state, "mesh_threshold", 0.5)),
        code(
            """
            from models import catalog

            network = catalog.load("mesh")
            found = network.detector(image, keypoints=False)
            box = torch.tensor(view.instances[place].box, dtype=torch.float32)[None]
            shapes = network.shapes(found, box, image.shape[:2])
            stages = network.refine(shapes, 0, threshold)
            truth, _ = mesh_losses.sample_points(mesh.vertices, mesh.faces, 4000)
            figure = plt.figure(figsize=(12, 3))
            for at, corners in enumerate(stages.vertices, 1):
                drawn, _ = mesh_losses.sample_points(corners, stages.faces, 4000)
                f1 = mesh_losses.f1(drawn, truth, 0.03 * float((high - low)[:2].max()))
                axes = figure.add_subplot(1, 4, at, projection="3d")
                axes.set_title(f"F1 {f1:.2f}")
                show(axes, corners, stages.faces)
            plt.show()
            """
        ),
        questions(
            "Start the fit from a ball of a tenth of the size. Which of the losses suffers most from a bad start?",
            "A motorcycle has holes, a ball has none. What becomes of them, and why can no weight bring them back?",
        ),
    ]  # fmt: skip
