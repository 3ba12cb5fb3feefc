"""Landmarks by regression: two numbers for each, and an error that does not depend on how near the face is.

Landmarks are x, y in pixels, y down. The first two are the eyes: the distance between them is the unit of the error,
because a miss of three pixels is nothing in a portrait and the whole nose in a crowd.

Sources: Cristinacce and Cootes 2006, section 4.2 (the distance between the eyes as unit); Sun, Wang, Tang 2013
(landmarks by a convolutional network, failure above 10 %); Sagonas et al. 2013 (300-W: errors over a set of faces).
"""

import torch
from jaxtyping import Float
from torch import Tensor

FAILURE = 10.0  # per cent: from here on a face counts as missed (Sun et al. 2013 count landmarks by the same bound)


def to_numbers(landmarks: Float[Tensor, "*n k 2"], width: float, height: float) -> Float[Tensor, "*n 2*k"]:
    """What the last layer says: x1, y1, x2, y2, ... in sides of the picture, 0 to 1 inside it.

    >>> to_numbers(torch.tensor([[48.0, 24.0], [96.0, 144.0]]), 96, 192)
    tensor([0.5000, 0.1250, 1.0000, 0.7500])
    """
    return (landmarks / landmarks.new_tensor([width, height])).flatten(-2)


def to_landmarks(numbers: Float[Tensor, "*n m"], width: float, height: float) -> Float[Tensor, "*n k 2"]:
    """Back to pixels: two numbers for each landmark.

    >>> to_landmarks(torch.tensor([0.5, 0.125, 1.0, 0.75]), 96, 192)
    tensor([[ 48.,  24.],
            [ 96., 144.]])
    """
    return numbers.unflatten(-1, (-1, 2)) * numbers.new_tensor([width, height])


def eye_distance(landmarks: Float[Tensor, "*n k 2"]) -> Float[Tensor, "*n"]:
    """Between the centres of both eyes, the first two landmarks, in the unit of the landmarks.

    >>> float(eye_distance(torch.tensor([[10.0, 10.0], [40.0, 50.0], [0.0, 0.0]])))
    50.0
    """
    return torch.linalg.vector_norm(landmarks[..., 0, :] - landmarks[..., 1, :], dim=-1)


def errors(guess: Float[Tensor, "*n k 2"], truth: Float[Tensor, "*n k 2"]) -> Float[Tensor, "*n k"]:
    """How far each landmark is from its true place, in per cent of the true distance between the eyes.

    Errors: ValueError where the true eyes are one point, which leaves no unit.

    >>> truth = torch.tensor([[10.0, 10.0], [40.0, 50.0], [30.0, 40.0]])
    >>> errors(truth + torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, -1.0]]), truth)
    tensor([ 0., 10.,  2.])
    """
    unit = eye_distance(truth)
    if not (unit > 0).all():
        raise ValueError("Both eyes lie on one point, so there is no distance between them to measure by.")
    return 100 * torch.linalg.vector_norm(guess - truth, dim=-1) / unit[..., None]


def mean_error(guess: Float[Tensor, "*n k 2"], truth: Float[Tensor, "*n k 2"]) -> Float[Tensor, "*n"]:
    """The error of a face: the mean over its landmarks, in per cent. This is also the loss of the training.

    >>> truth = torch.tensor([[10.0, 10.0], [40.0, 50.0], [30.0, 40.0]])
    >>> float(mean_error(truth + torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, -1.0]]), truth))
    4.0
    """
    return errors(guess, truth).mean(-1)


def share_within(faces: Float[Tensor, "n"], bound: float) -> float:
    """The share of faces, 0 to 1, whose mean error is at most `bound` per cent: a point of the curve of 300-W.

    >>> share_within(torch.tensor([1.0, 5.0, 10.0, 40.0]), 10)
    0.75
    """
    return float((faces <= bound).double().mean())


def mirrored(landmarks: Float[Tensor, "*n k 2"], width: float, partners: tuple[int, ...]) -> Float[Tensor, "*n k 2"]:
    """The landmarks of the mirrored picture. `partners` says which landmark each one becomes: a left eye is a right
    one in the mirror, and who forgets it teaches the network to put both eyes in between.

    >>> mirrored(torch.tensor([[10.0, 10.0], [40.0, 50.0], [30.0, 40.0]]), 96, (1, 0, 2))
    tensor([[56., 50.],
            [86., 10.],
            [66., 40.]])
    """
    across = torch.stack([width - landmarks[..., 0], landmarks[..., 1]], dim=-1)
    return across[..., list(partners), :]
