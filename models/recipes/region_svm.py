"""How SVMs and box regressors are fitted on the features of regions: R-CNN's rules, the same for SPP-net."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from labs import box_regression, region_svm
from labs.boxes import iou_matrix
from labs.region_svm import MARGIN
from models.networks.region_svm import RegionSvms
from models.recipes.scene_cache import InstanceRecord
from scenes import THINGS

NORM = 20.0  # the mean norm that features are brought to


@dataclass(frozen=True)
class Rules:
    """Which regions of a scene are kept, and how hard SVMs and regressors are pressed.

    `some` negative regions at random and `near` of those that touch a thing; `moved` of those that overlap a thing by
    more than 0.6, for the regressors; `hard` hard negatives, where SVMs are there to say which. Things of which less
    than `visible` is in sight are not asked for, and regions on them are no negatives. `c` is the SVM's C, `positive`
    the weight of a positive example against a negative one, `penalty` the λ of the regressors.
    """

    some: int = 6
    near: int = 8
    moved: int = 12
    hard: int = 12
    visible: float = 0.15
    c: float = 1e-2
    positive: float = 1.0
    penalty: float = 1000.0


@dataclass(frozen=True, eq=False)
class Examples:
    """Regions that are kept of one scene or several: `features` (n, d), `labels` int8 (n, 8), for each class 1
    positive, -1 negative, 0 left out, and `transforms` float32 (n, 8, 4), NaN where no thing of the class is near."""

    features: Tensor
    labels: Tensor
    transforms: Tensor

    def __len__(self) -> int:
        return len(self.features)


def truths(records: list[InstanceRecord], visible: float) -> tuple[Tensor, Tensor]:
    """Boxes (T, 4) and labels (T,) from 1 of the things that are asked for."""
    kept = [record for record in records if record.visible >= visible]
    boxes = torch.tensor([record.box for record in kept], dtype=torch.float32).reshape(-1, 4)
    return boxes, torch.tensor([record.category for record in kept], dtype=torch.int64)


def labelled(regions: Tensor, records: list[InstanceRecord], rules: Rules) -> tuple[Tensor, Tensor]:
    """What SVMs and regressors learn of these regions: `labels` and `transforms` as in `Examples`."""
    boxes, categories = truths(records, rules.visible)
    labels, transforms = [], torch.full((len(regions), len(THINGS), 4), torch.nan)
    hidden = torch.tensor([r.box for r in records if r.visible < rules.visible], dtype=torch.float32).reshape(-1, 4)
    doubtful = region_svm.label_regions(regions, hidden) >= 0 if len(hidden) else torch.zeros(len(regions)).bool()
    for index in range(len(THINGS)):
        mine = boxes[categories == index + 1]
        label = region_svm.label_regions(regions, mine)
        labels.append(torch.where((label < 0) & doubtful, 0, label))
        near, moves = box_regression.examples(regions, mine)
        transforms[near, index] = moves
    return torch.stack(labels, 1).to(torch.int8), transforms


def chosen(regions: Tensor, records: list[InstanceRecord], rules: Rules, rng: np.random.Generator) -> Tensor:
    """Indices of the regions that are kept before there are SVMs: some at random, some near things, some on them."""
    boxes, _ = truths(records, rules.visible)
    best = iou_matrix(regions, boxes).amax(1).numpy() if len(boxes) else np.zeros(len(regions))
    parts = [
        np.flatnonzero(best > box_regression.PAPER_OVERLAP), np.flatnonzero((best > 0) & (best < region_svm.NEGATIVE)),
        np.flatnonzero(best < region_svm.NEGATIVE),
    ]  # fmt: skip
    picked = [rng.permutation(part)[:most] for part, most in zip(parts, (rules.moved, rules.near, rules.some),
                                                                 strict=True)]  # fmt: skip
    return torch.from_numpy(np.unique(np.concatenate(picked)).astype(np.int64))


def hard_ones(margins: Tensor, labels: Tensor, transforms: Tensor, rules: Rules) -> Tensor:
    """Indices of the regions that are kept of all of a scene's once there are SVMs: the hardest negatives of any
    class, and some for the regressors."""
    wrongest = torch.where(labels < 0, margins, -torch.inf).amax(1)
    hard = region_svm.hard(wrongest, torch.full_like(wrongest, -1, dtype=torch.int64))[: rules.hard]
    moved = (~transforms[:, :, 0].isnan()).any(1).nonzero().flatten()[: rules.moved]
    return torch.cat([hard, moved]).unique()


def together(parts: list[Examples]) -> Examples:
    """The examples of several scenes as one."""
    return Examples(*(torch.cat([getattr(each, name) for each in parts])
                      for name in ("features", "labels", "transforms")))  # fmt: skip


def fit_svms(head: RegionSvms, examples: Examples, rules: Rules) -> None:
    """Fit one SVM a class by scikit-learn's LinearSVC (squared hinge loss), and put its numbers into `head`.

    A class without a positive example says no to everything.
    """
    from sklearn.svm import LinearSVC  # only who trains waits for it

    features = examples.features.float()
    head.scale.fill_(NORM / float(features.norm(dim=1).mean()))
    scaled = (features * head.scale.cpu()).numpy()
    for index in range(len(THINGS)):
        label = examples.labels[:, index].numpy()
        if not (label > 0).any():
            with torch.no_grad():
                head.svms.weight[index], head.svms.bias[index] = 0, -MARGIN
            continue
        asked = label != 0
        svm = LinearSVC(C=rules.c, dual=False, class_weight={1: rules.positive, -1: 1.0}, random_state=0)
        svm.fit(scaled[asked], label[asked])
        with torch.no_grad():
            head.svms.weight[index] = torch.from_numpy(svm.coef_[0])
            head.svms.bias[index] = float(svm.intercept_[0])


def fit_regressors(head: RegionSvms, examples: Examples, rules: Rules) -> None:
    """Solve the ridge regression of each class, and put its numbers into `head`; `fit_svms` has set the scale. A class
    without an example moves nothing."""
    scaled = examples.features.float() * head.scale.cpu()
    for index in range(len(THINGS)):
        near = ~examples.transforms[:, index, 0].isnan()
        if not near.any():
            with torch.no_grad():
                head.regressors.weight[4 * index : 4 * index + 4] = head.regressors.bias[4 * index : 4 * index + 4] = 0
            continue
        found = box_regression.ridge(scaled[near].double(), examples.transforms[near, index].double(), rules.penalty)
        with torch.no_grad():
            head.regressors.weight[4 * index : 4 * index + 4] = found.weights.T
            head.regressors.bias[4 * index : 4 * index + 4] = found.bias
