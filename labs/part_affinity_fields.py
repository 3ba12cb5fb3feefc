"""From joints to persons, bottom-up: a map for every kind of joint, a field of arrows for every kind of limb.

A network that marks all joints of all persons at once does not say whose they are. A part affinity field does: on every
cell that a limb covers, it holds the limb's direction, a vector of length 1 from its first joint to its second;
elsewhere it is 0. Two joints belong together if the arrows between them point from one to the other.

Coordinates are x, y in pixels of the picture. A map of stride s has one value for s x s pixels; cell (row, column)
stands for its middle, ((column + 1/2) s, (row + 1/2) s). Sources: Cao et al. 2017, sections 2.2 to 2.4, and their
published code, from which the rule of `limb_scores` comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor

SAMPLES = 10  # on the line between two joints
AGREES, SHARE = 0.05, 0.8  # so many of the samples must at least point the same way
LEAST_SCORE = 0.1  # of a connection
LEAST_PEAK = 0.15  # of a joint's map
LEAST_JOINTS = 4  # of a person
Limbs = Sequence[tuple[int, int]]  # (first joint, second joint), by their numbers


class Connection(NamedTuple):
    """A limb that was found: candidate `start` of its first joint, candidate `end` of its second, and the score."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, eq=False)
class Along:
    """The line between two joints, for every pair of a first (a) and a second (b).

    `points` in pixels; `vectors`, the field there; `direction`, of length 1 from the first joint to the second, 0 if
    they lie in one place; `products`, vector · direction at each point.
    """

    points: Float[Tensor, "a b s 2"]
    vectors: Float[Tensor, "a b s 2"]
    direction: Float[Tensor, "a b 2"]
    products: Float[Tensor, "a b s"]


@dataclass(frozen=True, eq=False)
class Assembled:
    """All that was made of maps and fields, step by step.

    Attributes:
        candidates: per kind of joint (n, 3): x, y, height of the peak, highest first.
        scores: per limb (a, b), of every pair of candidates.
        connections: per limb, the pairs that were chosen, best first.
        persons: (p, joints, 3), best first: x, y and height of the peak; 0, 0, 0 for a joint that was not found.
        person_scores: (p,), see `persons_of`.
    """

    candidates: list[Tensor]
    scores: list[Tensor]
    connections: list[list[Connection]]
    persons: Tensor
    person_scores: Tensor


def cell_centres(size: tuple[int, int], stride: float) -> Float[Tensor, "h w 2"]:
    """Where in the picture the cells of a map of `size` (height, width) lie: x, y of their middles.

    >>> cell_centres((1, 2), 4)
    tensor([[[2., 2.],
             [6., 2.]]])
    """
    y, x = ((torch.arange(n) + 0.5) * stride for n in size)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)


def joint_maps(
    joints: Float[Tensor, "persons joints 3"], size: tuple[int, int], stride: float, sigma: float
) -> Float[Tensor, "joints {size[0]} {size[1]}"]:
    """What the network shall say of the joints: a Gaussian of deviation `sigma` pixels at each, 0 to 1.

    Where two persons' Gaussians meet, the larger counts, so that both peaks stay (Cao et al., equation 7). `joints`: x,
    y and a third number, above 0 where there is a joint.

    >>> joint_maps(torch.tensor([[[6.0, 2, 1]]]), (1, 3), stride=4, sigma=4).round(decimals=2)
    tensor([[[0.6100, 1.0000, 0.6100]]])
    """
    if not len(joints):
        return torch.zeros(joints.shape[1], *size)
    away = cell_centres(size, stride) - joints[:, :, None, None, :2]
    gaussians = torch.exp(-away.square().sum(-1) / (2 * sigma**2))
    return (gaussians * (joints[:, :, 2, None, None] > 0)).amax(0)


def part_affinity_fields(
    joints: Float[Tensor, "persons joints 3"], limbs: Limbs, size: tuple[int, int], stride: float, half_width: float
) -> Float[Tensor, "{len(limbs)} 2 {size[0]} {size[1]}"]:
    """What the network shall say of the limbs: x, y of the limb's direction on each cell that it covers, else 0.

    A limb covers the cells whose middles lie between its two ends and within `half_width` pixels of the line. Where
    limbs of several persons cross, the mean of their directions stands (Cao et al., equations 8 and 9).

    >>> part_affinity_fields(torch.tensor([[[4.0, 2, 1], [10, 2, 1]]]), [(0, 1)], (1, 3), stride=4, half_width=2)[0, 0]
    tensor([[0., 1., 1.]])
    """
    starts, ends = (joints[:, [limb[side] for limb in limbs]] for side in (0, 1))
    way = ends[..., :2] - starts[..., :2]
    length = way.norm(dim=-1)[..., None, None]
    unit = (way / way.norm(dim=-1, keepdim=True).clamp(min=1e-6))[:, :, None, None]
    away = cell_centres(size, stride) - starts[:, :, None, None, :2]
    along = (away * unit).sum(-1)
    across = away[..., 0] * unit[..., 1] - away[..., 1] * unit[..., 0]
    there = ((starts[..., 2] > 0) & (ends[..., 2] > 0))[..., None, None] & (length > 0)
    covered = there & (along >= 0) & (along <= length) & (across.abs() <= half_width)
    total = (covered[..., None] * unit).sum(0)
    return (total / covered.sum(0).clamp(min=1)[..., None]).permute(0, 3, 1, 2)


def joint_candidates(
    maps: Float[Tensor, "joints h w"], stride: float, least: float = LEAST_PEAK, most: int = 20
) -> list[Tensor]:
    """Peaks of each map, (n, 3): x, y in pixels and height; highest first, at most so many.

    A peak is above `least` and above its eight neighbours; of equal neighbours the first counts. A parabola through the
    logarithms of three values places it between the cells, in each direction: exact for a Gaussian.

    >>> peak = joint_maps(torch.tensor([[[13.0, 9.0, 1]]]), (7, 7), stride=4, sigma=4)
    >>> joint_candidates(peak, 4)[0].round(decimals=2)
    tensor([[13.0000,  9.0000,  0.9400]])
    """
    height, width = maps.shape[1:]
    around = F.pad(maps, (1, 1, 1, 1), value=-torch.inf)
    peak = maps > least
    for row in range(3):
        for column in range(3):
            other = around[:, row : row + height, column : column + width]
            if (row, column) < (1, 1):
                peak &= maps > other
            elif (row, column) > (1, 1):
                peak &= maps >= other
    found = []
    for each, at in zip(maps, peak, strict=True):
        rows, columns = torch.nonzero(at, as_tuple=True)
        heights, order = each[rows, columns].sort(descending=True, stable=True)
        rows, columns = rows[order[:most]], columns[order[:most]]
        logs = each.clamp(min=1e-3).log()
        x = (columns + 0.5 + _between(logs[rows], columns)) * stride
        y = (rows + 0.5 + _between(logs.T[columns], rows)) * stride
        found.append(torch.stack([x, y, heights[:most]], 1))
    return found


def _between(lines: Float[Tensor, "n length"], at: Tensor) -> Float[Tensor, " n"]:
    """Where between -1/2 and 1/2 of a cell the parabola through a line's peak and its two neighbours is highest."""
    inside = (at > 0) & (at < lines.shape[1] - 1)
    middle = at.clamp(1, max(lines.shape[1] - 2, 1))
    if lines.shape[1] < 3:
        return torch.zeros(len(lines))
    before, peak, after = (lines.gather(1, (middle + step)[:, None])[:, 0] for step in (-1, 0, 1))
    bend = (2 * peak - before - after).clamp(min=1e-6)
    return torch.where(inside, ((after - before) / (2 * bend)).clamp(-0.5, 0.5), 0.0)


def along_limbs(
    field: Float[Tensor, "2 h w"],
    starts: Float[Tensor, "a 2"],
    ends: Float[Tensor, "b 2"],
    stride: float,
    samples: int = SAMPLES,
) -> Along:
    """The field of one kind of limb, looked up on the line from each first joint to each second one.

    At `samples` points, evenly from end to end, the field is interpolated bilinearly; beyond the middles of the
    outermost cells it is continued as it is there.

    >>> field = torch.tensor([[[1.0, 1.0]], [[0.0, 0.0]]])
    >>> along_limbs(field, torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]), stride=4, samples=3).products
    tensor([[[0.6000, 0.6000, 0.6000]]])
    """
    share = torch.linspace(0, 1, samples)[:, None]
    points = (1 - share) * starts[:, None, None] + share * ends[None, :, None]
    way = (ends[None] - starts[:, None]).expand(len(starts), len(ends), 2)
    direction = way / way.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    if not points.numel():
        return Along(points, points.clone(), direction, points[..., 0].clone())
    size = torch.tensor([field.shape[2], field.shape[1]]) * stride
    places = (2 * points / size - 1).reshape(1, -1, samples, 2)
    found = F.grid_sample(field[None], places, padding_mode="border", align_corners=False)[0]
    vectors = found.permute(1, 2, 0).reshape(points.shape)
    return Along(points, vectors, direction, (vectors * direction[:, :, None]).sum(-1))


def limb_scores(products: Float[Tensor, "a b s"], agrees: float = AGREES, share: float = SHARE) -> Float[Tensor, "a b"]:
    """The line integral of each pair, a mean over its samples (Cao et al., equation 10); at most 1 on a true field.

    A pair whose line leaves the limb on the way gets 0: of its samples a `share` must be above `agrees`.

    >>> limb_scores(torch.tensor([[[1.0, 0.8, 0.9, 0.7, 0.6], [1.0, 1.0, 0.0, 0.0, 0.0]]]))
    tensor([[0.8000, 0.0000]])
    """
    enough = (products > agrees).float().mean(-1) >= share - 1e-6
    return products.mean(-1) * enough


def greedy_matching(scores: Float[Tensor, "a b"], least: float = LEAST_SCORE) -> list[Connection]:
    """Pairs of rows and columns, none used twice: the best first, then the best of what is left, down to `least`.

    Together they score at least half of what the best possible pairing scores.

    >>> [(start, end) for start, end, _ in greedy_matching(torch.tensor([[0.9, 0.8], [0.8, 0.1]]), least=0.0)]
    [(0, 0), (1, 1)]
    """
    chosen, rows, columns = [], set(), set()
    for place in scores.flatten().argsort(descending=True, stable=True).tolist():
        row, column = divmod(place, scores.shape[1])
        score = float(scores[row, column])
        if score <= least:
            break
        if row not in rows and column not in columns:
            chosen.append(Connection(row, column, score))
            rows.add(row)
            columns.add(column)
    return chosen


def best_matching(scores: Float[Tensor, "a b"], least: float = LEAST_SCORE) -> list[Connection]:
    """The pairing of rows and columns with the largest sum of scores, of pairs above `least`; best first.

    By the Hungarian method, `scipy.optimize.linear_sum_assignment`.

    >>> [(start, end) for start, end, _ in best_matching(torch.tensor([[0.9, 0.8], [0.8, 0.1]]), least=0.0)]
    [(0, 1), (1, 0)]
    """
    gain = torch.where(scores > least, scores, 0.0)
    rows, columns = linear_sum_assignment(gain.numpy(), maximize=True)
    pairs = [Connection(int(r), int(c), float(scores[r, c])) for r, c in zip(rows, columns, strict=True)]
    return sorted((pair for pair in pairs if pair.score > least), key=lambda pair: -pair.score)


def persons_of(
    candidates: Sequence[Tensor], connections: Sequence[Sequence[Connection]], limbs: Limbs, least: int = LEAST_JOINTS
) -> tuple[Float[Tensor, "p joints 3"], Float[Tensor, " p"]]:
    """Connections put together: what hangs together is a person, if it has `least` joints or more; best first.

    The limbs form a tree, listed from its root outwards. A joint that ends a connection is then new, and no person can
    get two left knees: nothing is ever merged or in conflict. The score is the sum of the heights of its peaks and of
    the scores of its connections, divided by how many of both there could be: 0 to about 1.

    Errors: ValueError for limbs that are no tree in that order.

    >>> peaks = [torch.tensor([[0.0, 0, 1]]), torch.tensor([[4.0, 0, 1], [9, 9, 0.5]])]
    >>> persons, scores = persons_of(peaks, [[Connection(0, 0, 0.7)]], [(0, 1)], least=2)
    >>> persons.tolist(), round(float(scores[0]), 2)
    ([[[0.0, 0.0, 1.0], [4.0, 0.0, 1.0]]], 0.9)
    """
    _refuse_no_tree(limbs)
    owners: dict[tuple[int, int], int] = {}
    rows: list[Tensor] = []
    totals: list[float] = []

    def put(joint: int, candidate: int, person: int) -> None:
        owners[joint, candidate] = person
        rows[person][joint] = candidates[joint][candidate]
        totals[person] += float(candidates[joint][candidate, 2])

    for (first, second), chosen in zip(limbs, connections, strict=True):
        for start, end, score in chosen:
            if (first, start) not in owners:
                rows.append(torch.zeros(len(candidates), 3))
                totals.append(0.0)
                put(first, start, len(rows) - 1)
            person = owners[first, start]
            put(second, end, person)
            totals[person] += score
    whole = [person for person, row in enumerate(rows) if int((row[:, 2] > 0).sum()) >= least]
    whole.sort(key=lambda person: -totals[person])
    found = torch.stack([rows[person] for person in whole]) if whole else torch.zeros(0, len(candidates), 3)
    return found, torch.tensor([totals[person] for person in whole]) / (len(candidates) + len(limbs))


def _refuse_no_tree(limbs: Limbs) -> None:
    used: set[int] = set()
    for first, second in limbs:
        if second in used:
            raise ValueError("The limbs must form a tree, listed from its root outwards: each ends at a new joint.")
        used |= {first, second}


def assemble(
    maps: Float[Tensor, "joints h w"],
    fields: Float[Tensor, "limbs 2 h w"],
    limbs: Limbs,
    stride: float,
    least_peak: float = LEAST_PEAK,
    least_score: float = LEAST_SCORE,
    least_joints: int = LEAST_JOINTS,
) -> Assembled:
    """Maps and fields to persons: peaks, scores of all pairs, greedy matching limb by limb, and what hangs together.

    >>> truth = torch.tensor([[[6.0, 6, 1], [20, 6, 1]], [[6, 20, 1], [20, 20, 1]]])
    >>> maps = joint_maps(truth, (7, 7), 4, 4)
    >>> fields = part_affinity_fields(truth, [(0, 1)], (7, 7), 4, 4)
    >>> assemble(maps, fields, [(0, 1)], 4, least_joints=2).persons[:, :, 1].round()
    tensor([[ 6.,  6.],
            [20., 20.]])
    """
    candidates = joint_candidates(maps, stride, least_peak)
    scores = []
    for field, (first, second) in zip(fields, limbs, strict=True):
        lines = along_limbs(field, candidates[first][:, :2], candidates[second][:, :2], stride)
        scores.append(limb_scores(lines.products))
    connections = [greedy_matching(each, least_score) for each in scores]
    persons, person_scores = persons_of(candidates, connections, limbs, least_joints)
    return Assembled(candidates, scores, connections, persons, person_scores)
