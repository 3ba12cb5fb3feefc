"""The sections on poses to take home: both stages on the person shown, joints out of sight, and the heat maps."""

from ui.notebook import Cell, State, code, get, parameters, text

SEED, ZEROS = 37, "a loss at (0, 0)"


def cells(state: State) -> list[Cell]:
    """Both stages in the box of the page, the errors of the chosen joint, and the training of the chosen rule."""
    dragged = state["pose_stage"] if "pose_stage" in state else []  # noqa: SIM401
    box = tuple(float(side) for side in dragged[0].xyxy) if dragged else None
    return [
        text("## 28 numbers, and a second look"),
        parameters(
            seed=get(state, "pose_seed", SEED), joint=get(state, "pose_joint", "left hand"), pose_box=box,
            rule=get(state, "pose_rule", ZEROS),
        ),
        code(
            """
            import matplotlib.pyplot as plt
            import torch

            import scenes
            from labs import pose
            from models import catalog
            from models.recipes import pose_people

            view = scenes.render(pose_people.compose(seed), pose_people.SIZE)
            person = pose_people.person_of(view)
            true_box, truth = torch.from_numpy(person.box).float(), torch.from_numpy(person.keypoints).float()
            network = catalog.load("pose-regression")
            said = network(view.image, true_box if pose_box is None else torch.tensor(pose_box))
            number = pose.JOINTS.index(joint)
            for name, joints in (("first stage", said.first), ("second stage", said.second)):
                off = (joints - truth[:, :2]).norm(dim=-1)
                print(f"{joint}, {name}: off by {float(off[number]):.1f} px")
            plt.imshow(view.image)
            plt.plot(*said.first.T, "o", color="orange", label="first stage")
            plt.plot(*said.second.T, "o", color="deepskyblue", label="second stage")
            plt.plot(*truth[:, :2].T, "+", color="green", label="truth")
            plt.legend()
            plt.show()
            """
        ),
        text("## Joints out of sight, and what the loss did with them"),
        code(
            """
            seen = truth[:, 2] == 2
            for each in ("no loss", rule):
                off = (network(view.image, true_box, each).first - truth[:, :2]).norm(dim=-1)
                print(f"trained with {each}: joints in sight off by {float(off[seen].mean()):.1f} px")
            """
        ),
        text("## The heat-map head of the detector"),
        code(
            """
            from models.inside import joint_heat_maps

            maps = joint_heat_maps.heat_maps(catalog.load("detector"), view.image, true_box)
            print(f"{joint}, heat map: off by {float((maps.joints - truth[:, :2]).norm(dim=-1)[number]):.1f} px")
            plt.imshow(maps.maps[number].flatten().softmax(0).view_as(maps.maps[number]))
            plt.show()
            """
        ),
    ]  # fmt: skip
