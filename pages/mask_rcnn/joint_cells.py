"""The sections on heads and joints to take home: what each head costs, target and loss of a joint, and OKS."""

from pages.mask_rcnn.persons import SEED, STAGE
from ui.notebook import Cell, State, code, get, parameters, text


def cells(state: State) -> list[Cell]:
    """The heads of the detector, the chosen joint's map in the box of the page, its readings, and OKS."""
    dragged = get(state, STAGE, [])
    return [
        text("## Heads on one trunk"),
        parameters(
            detections=get(state, "heads_detections", 10), seed=get(state, "joint_seed", SEED),
            joint=get(state, "joint_name", "neck"), moved=get(state, "oks_moved", 0), times=get(state, "oks_area", 1.0),
            person_box=tuple(float(side) for side in dragged[0].xyxy) if dragged else None,
        ),
        code(
            """
            import matplotlib.pyplot as plt
            import numpy as np
            import torch

            import scenes
            from labs import keypoint_heat_maps as heat
            from labs import keypoint_similarity, pose
            from models import catalog
            from models.inside import region_heads
            from models.inside.pooling_swap import find_regions
            from models.recipes import pose_people

            view = scenes.render(pose_people.compose(seed), pose_people.SIZE)
            person, detector = pose_people.person_of(view), catalog.load("detector")
            seen = find_regions(detector, view.image)  # the trunk, once
            runs = {"boxes": 300, "masks": detections, "keypoints": detections}
            for part in region_heads.parts(detector, seen):
                work = part.once + part.per_region * runs.get(part.name, 0)
                print(f"{part.name:10} {part.parameters:9,} parameters, {work / 1e6:8,.1f} million multiply-adds")
            """
        ),
        text("## A joint is one of 56 × 56 places"),
        code(
            """
            truth = torch.from_numpy(person.keypoints).float()
            box = torch.tensor(person_box or tuple(person.box), dtype=torch.float32)
            maps = region_heads.logits(detector, seen, "keypoints", box[None])
            aim, number = heat.targets(truth[None], box[None], 56), pose.JOINTS.index(joint)
            print(f"{joint}: place {int(aim.places[0, number])}, counts: {bool(aim.count[0, number])}")
            print(f"loss of the joint {float(heat.losses(maps, aim)[0, number]):.2f}, "
                  f"of the person {float(heat.loss(maps, aim)):.2f}")
            plt.imshow(heat.probabilities(maps[0, number]))
            plt.show()
            """
        ),
        text("## From a map to a place, and OKS"),
        code(
            """
            middle = heat.in_picture(heat.best_cells(maps[0]), box, (56, 56))
            found = heat.enlarged_best(maps[0], box)
            for name, joints in (("middle of the best cell", middle), ("enlarged, then arg max", found)):
                print(f"{name}: {float((joints - truth[:, :2]).norm(dim=-1)[number]):.2f} px off")
            placed = torch.cat([found + torch.tensor([float(moved), 0.0]), torch.ones(14, 1)], 1)
            area = np.array([person.mask.sum() * times])
            given = placed[None].double().numpy(), truth[None].double().numpy(), area, np.array(pose.SIGMAS)
            print(keypoint_similarity.similarities(*given)[0, 0].round(2))
            print(f"OKS {float(keypoint_similarity.oks(*given)[0, 0]):.3f}")
            """
        ),
    ]  # fmt: skip
