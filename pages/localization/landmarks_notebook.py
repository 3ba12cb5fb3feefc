"""The section on landmarks to take home: the same face, the network's points and their error."""

from ui.notebook import Cell, State, code, get, parameters, text

NETWORK = "face-landmarks"


def cells(state: State) -> list[Cell]:
    return [
        text("## Landmarks of a face"),
        parameters(
            seed=get(state, "landmarks_face", 6), tilt=get(state, "landmarks_tilt", 0),
            eyes=get(state, "landmarks_eyes", 40), light=get(state, "landmarks_light", 1.0),
        ),
        code(
            """
            import matplotlib.pyplot as plt
            import torch

            from labs import landmarks
            from models import catalog
            from scenes import faces

            face = faces.close_up(seed, tilt, eyes / faces.SIZE, light)
            image, truth = face.picture(), torch.from_numpy(face.landmarks()).float()
            found = catalog.load("face-landmarks")(image).landmarks
            for name, error in zip(faces.LANDMARKS, landmarks.errors(found, truth), strict=True):
                print(f"{name}: {float(error):.1f} % of the distance between the eyes")
            print(f"mean {float(landmarks.mean_error(found, truth)):.1f} %")
            plt.imshow(image)
            plt.scatter(*truth.T, s=90, c="#0072B2")
            plt.scatter(*found.T, s=25, c="#E69F00")
            plt.show()
            """
        ),
    ]  # fmt: skip
