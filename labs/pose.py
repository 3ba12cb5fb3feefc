"""Pose as a regression: 14 joints are 28 numbers, in the frame of the person's box, and one loss over those in sight.

A pose is a tensor (..., 14, 2) of x, y in the order of `JOINTS`, a side being that of the person. Its box, xyxy, is its
frame: in it the middle is (0, 0) and the edges lie at ±0.5. Sources: Toshev and Szegedy 2014 (DeepPose), sections 3 and
4; Yang and Ramanan 2013 (PCK); cocodataset.org, "Keypoint evaluation" (OKS).
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

JOINTS = (
    "left foot", "right foot", "left knee", "right knee", "left hip", "right hip", "left shoulder", "right shoulder",
    "left elbow", "right elbow", "left hand", "right hand", "neck", "head top",
)  # fmt: skip
MIRRORED = (1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 12, 13)  # which joint each becomes in a mirror
# Spread of human annotators per joint: COCO's, and CrowdPose's for neck and head top (Lin et al. 2014; Li et al. 2019).
SIGMAS = (0.089, 0.089, 0.087, 0.087, 0.107, 0.107, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.079, 0.079)


class Marks(NamedTuple):
    """PCK: `distances` in shares of the person's height, which are `right`, and the share of right ones, `pck` (NaN
    where no joint counts)."""

    distances: Tensor
    right: Tensor
    pck: Tensor


def square(box: Float[Tensor, "4"], margin: float = 1.25) -> Float[Tensor, "4"]:
    """The square around a box with the same middle, `margin` times as wide as the box's longer side.

    >>> square(torch.tensor([40.0, 20.0, 60.0, 100.0]))
    tensor([  0.,  10., 100., 110.])
    """
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max() * margin / 2
    return torch.cat([middle - half, middle + half])


def normalised(joints: Float[Tensor, "*n 14 2"], box: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 14 2"]:
    """Pixels to the frame of a box: minus its middle, over its width and height (DeepPose, equation 1).

    >>> normalised(torch.full((14, 2), 60.0), torch.tensor([0.0, 10.0, 100.0, 110.0]))[0]
    tensor([0.1000, 0.0000])
    """
    low, high = box[..., None, :2], box[..., None, 2:]
    return (joints - (low + high) / 2) / (high - low)


def in_pixels(numbers: Float[Tensor, "*n 14 2"], box: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 14 2"]:
    """The frame of a box to pixels, the inverse of `normalised`.

    >>> in_pixels(torch.full((14, 2), 0.1), torch.tensor([0.0, 10.0, 100.0, 110.0]))[0]
    tensor([60., 70.])
    """
    low, high = box[..., None, :2], box[..., None, 2:]
    return numbers * (high - low) + (low + high) / 2


def masked_l2(
    guess: Float[Tensor, "*n 14 2"], truth: Float[Tensor, "*n 14 2"], counts: Bool[Tensor, "*n 14"]
) -> Float[Tensor, ""]:
    """Mean squared distance over the joints that count; 0 where none does. What does not count has no gradient.

    >>> truth, counts = torch.zeros(14, 2), torch.arange(14) < 2
    >>> masked_l2(torch.tensor([3.0, 4.0]).expand(14, 2), truth, counts)
    tensor(25.)
    """
    squares = (guess - torch.where(counts[..., None], truth, guess.detach())).square().sum(-1)
    return (squares * counts).sum() / counts.sum().clamp(min=1)


def translated(joints: Float[Tensor, "*n 14 2"], shift: Float[Tensor, "2"]) -> Float[Tensor, "*n 14 2"]:
    """The pose when its picture is moved by `shift` (x, y) pixels.

    >>> translated(torch.zeros(14, 2), torch.tensor([5.0, -3.0]))[0]
    tensor([ 5., -3.])
    """
    return joints + shift


def mirrored(joints: Float[Tensor, "*n 14 c"], width: float) -> Float[Tensor, "*n 14 c"]:
    """The pose in the mirrored picture, `width` pixels wide: x turns around, and the left hand is a right one now.

    What stands after x and y, such as a visibility, goes along.

    >>> joints = torch.arange(14.0)[:, None].expand(14, 2)
    >>> mirrored(joints, 100.0)[:3, 0]  # the right foot, at x = 1, is the left one now
    tensor([ 99., 100.,  97.])
    """
    swapped = joints[..., list(MIRRORED), :]
    return torch.cat([width - swapped[..., :1], swapped[..., 1:]], -1)


def pck(
    guess: Float[Tensor, "*n 14 2"],
    truth: Float[Tensor, "*n 14 2"],
    counts: Bool[Tensor, "*n 14"],
    height: Float[Tensor, "*n"],
    threshold: float,
) -> Marks:
    """The percentage of correct keypoints, PCK@threshold: of the joints that count, those at most `threshold` times the
    person's `height` (pixels) away from the truth, as a share of 1, over all persons together.

    >>> truth, counts = torch.zeros(14, 2), torch.arange(14) < 4
    >>> guess = torch.arange(14.0)[:, None] * torch.tensor([10.0, 0.0])  # 0, 10, 20, 30 ... pixels off
    >>> pck(guess, truth, counts, torch.tensor(100.0), 0.2).pck
    tensor(0.7500)
    """
    distances = (guess - truth).norm(dim=-1) / height[..., None]
    right = distances <= threshold
    return Marks(distances, right, right[counts].float().mean())


def oks(
    guess: Float[Tensor, "*n 14 2"],
    truth: Float[Tensor, "*n 14 2"],
    counts: Bool[Tensor, "*n 14"],
    area: Float[Tensor, "*n"],
) -> Float[Tensor, "*n"]:
    """Object keypoint similarity of each person, 0 to 1: the mean of exp(-d² / (2 s² k²)) over the joints that count,
    with s² the person's `area` in square pixels and k = 2σ. NaN where no joint counts.

    >>> oks(torch.zeros(14, 2), torch.zeros(14, 2), torch.ones(14, dtype=torch.bool), torch.tensor(900.0))
    tensor(1.)
    """
    k = 2 * guess.new_tensor(SIGMAS)
    squares = (guess - truth).square().sum(-1)
    similar = torch.exp(-squares / (2 * area[..., None] * k.square()))
    return (similar * counts).sum(-1) / counts.sum(-1)


def patches(joints: Float[Tensor, "*n 14 2"], side: Float[Tensor, "*n"]) -> Float[Tensor, "*n 14 4"]:
    """What the second stage looks at: a square with this `side` (pixels) around each joint, xyxy (DeepPose, section
    3.2).

    >>> patches(torch.full((14, 2), 50.0), torch.tensor(20.0))[0]
    tensor([40., 40., 60., 60.])
    """
    half = side[..., None, None] / 2
    return torch.cat([joints - half, joints + half], -1)


def refined(
    joints: Float[Tensor, "*n 14 2"], offsets: Float[Tensor, "*n 14 2"], side: Float[Tensor, "*n"]
) -> Float[Tensor, "*n 14 2"]:
    """The second stage's answer: each joint moves by its offset, given in sides of its patch (DeepPose, equation 4).

    >>> refined(torch.full((14, 2), 50.0), torch.full((14, 2), 0.1), torch.tensor(20.0))[0]
    tensor([52., 52.])
    """
    return joints + offsets * side[..., None, None]
