"""How the network of joint maps and part affinity fields is trained, and what it is judged by: persons in crowds."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from labs import keypoint_similarity, part_affinity_fields
from labs.keypoint_similarity import Judged
from models.networks.classifier import LoadedClassifier
from models.networks.encoder import MEAN
from models.networks.pose_fields import LIMBS, STRIDE, LoadedPoseFields, PoseFields
from models.recipes import coco_metrics, training
from models.recipes.detector import MIRRORED_JOINTS
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes, training_seeds
from scenes import JOINTS, Knobs

TASK = "bottom-up pose"
NAMES = ("pose-fields",)
STARTS_FROM = "classifier-gap-28"
HELD_OUT = 500
# Persons only, and they hide each other. Seeds apart from those of the other recipes.
CROWD = Knobs(objects=(2, 5), classes=("person",), occlusion=0.7)
CROWD_TRAINING, CROWD_HELD_OUT = 5_000_000, 50_000_000
PCK_AT = 0.2  # of the person's height: so near a joint counts as found


@dataclass(frozen=True)
class Recipe:
    """AdamW under a one-cycle learning rate and the squared error of maps and fields; the trunk starts from
    `classifier-gap-28`.

    A batch is crops of `crop` pixels, most of scenes with 2 to 5 persons and `others` of ordinary scenes, which have
    what is no person; enlarged by a factor within `zoom`, shifted, and half of them mirrored. What is not zero weighs
    more, by `joint_weight` and `limb_weight` at full height, or saying nothing anywhere would nearly be right.
    """

    seed: int = 0
    crowds: int = 1500
    scenes: int = 6000
    crop: int = 144
    batch: int = 8
    others: int = 2
    zoom: tuple[float, float] = (0.8, 1.5)
    sigma: float = 4.0  # pixels, of a joint's Gaussian
    half_width: float = 4.0  # pixels, of a limb
    joint_weight: float = 12.0
    limb_weight: float = 4.0
    steps: int = 1800
    learning_rate: float = 2.5e-3
    weight_decay: float = 0.02
    smallest_visible: float = 0.15  # of a person; less than this of one is not asked for


def build(name: str) -> PoseFields:
    """The network, freshly initialised."""
    return PoseFields()


def wrap(name: str, module: PoseFields, device: torch.device, card: dict) -> LoadedPoseFields:
    """The network behind the interface that pages call."""
    return LoadedPoseFields(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedClassifier
) -> tuple[PoseFields, dict]:
    """Train from the trunk of `start`, or go on from the last checkpoint in `folder`. See `segmenter.train`."""
    recipe = Recipe()
    crowds = cached_scenes(range(CROWD_TRAINING, CROWD_TRAINING + recipe.crowds), knobs=CROWD)
    others = cached_scenes(training_seeds(recipe.scenes))
    torch.manual_seed(recipe.seed)
    module = build(name)
    module.trunk.load_state_dict(start.module.trunk.state_dict())
    module.requires_grad_(True)

    def loss_at(step: int) -> Tensor:
        images, maps, fields = batch_at(crowds, others, recipe, step)
        images = images.to(device, memory_format=torch.channels_last).float() / 255
        return loss(*module(images), maps.to(device), fields.to(device), recipe)

    seconds = training.fit(
        module, loss_at, asdict(recipe), recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(step, recipe.steps, loss), largest_gradient=10.0,
    )  # fmt: skip
    facts = asdict(recipe) | {"starts_from": STARTS_FROM, "precision": training.precision(device)}
    return module.eval(), {"recipe": facts, "training_seconds": round(seconds)}


def loss(maps: Tensor, fields: Tensor, true_maps: Tensor, true_fields: Tensor, recipe: Recipe) -> Tensor:
    """Weighted mean squared error of maps (N, 14, h, w) plus that of fields (N, 13, 2, h, w)."""
    joints = (maps.float() - true_maps).square() * (1 + recipe.joint_weight * true_maps)
    length = true_fields.norm(dim=2, keepdim=True)
    limbs = (fields.float() - true_fields).square() * (1 + recipe.limb_weight * length)
    return 100 * (joints.mean() + limbs.mean())


def batch_at(crowds: CachedScenes, others: CachedScenes, recipe: Recipe, step: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures uint8 (N, 3, crop, crop), maps (N, 14, h, w) and fields (N, 13, 2, h, w). A function of the step alone,
    so that a resumed training sees what an unbroken one would have seen."""
    rng = np.random.default_rng([recipe.seed, step])
    images, maps, fields = [], [], []
    size = (recipe.crop // STRIDE, recipe.crop // STRIDE)
    for row in range(recipe.batch):
        data = others if row < recipe.others else crowds
        pick = int(rng.integers(len(data)))
        image, joints = np.asarray(data.images[pick]), joints_of(data.records[pick], recipe.smallest_visible)
        image, joints = cropped(image, joints, recipe.crop, rng.uniform(*recipe.zoom), rng.uniform(0, 1, 2))
        if rng.random() < 0.5:
            image, joints = mirrored(image, joints)
        images.append(cv2.convertScaleAbs(image, alpha=rng.uniform(0.85, 1.1), beta=rng.uniform(0, 20)))
        truth = torch.from_numpy(joints)
        maps.append(part_affinity_fields.joint_maps(truth, size, STRIDE, recipe.sigma))
        fields.append(part_affinity_fields.part_affinity_fields(truth, LIMBS, size, STRIDE, recipe.half_width))
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), torch.stack(maps), torch.stack(fields)


def joints_of(records: list[InstanceRecord], smallest: float) -> np.ndarray:
    """float32 (P, 14, 3) of the persons that are visible enough: x, y in pixels, and above 0 what is in the picture."""
    kept = [r.keypoints for r in records if r.category == coco_metrics.PERSON and r.visible >= smallest]
    return np.array(kept, np.float32).reshape(-1, len(JOINTS), 3)


def cropped(
    image: np.ndarray, joints: np.ndarray, crop: int, zoom: float, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A square of `crop` pixels of the enlarged picture and its joints; `place` (2,) in 0 to 1 says where, from left to
    right and from top to bottom. What a shrunk picture lacks is filled with the mean colour."""
    free = np.array(image.shape[1::-1]) * zoom - crop
    shift = -free * place
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    fill = tuple(255 * value for value in MEAN)
    # cv2 counts from the middle of the first pixel, the lab from its corner
    matrix[:, 2] += (zoom - 1) / 2
    image = cv2.warpAffine(np.ascontiguousarray(image), matrix, (crop, crop), borderValue=fill)
    moved = joints.copy()
    moved[..., :2] = joints[..., :2] * np.float32(zoom) + shift.astype(np.float32)
    return image, moved


def mirrored(image: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left and right swapped: in a mirror the left hand becomes the right one."""
    turned = joints[:, MIRRORED_JOINTS].copy()
    turned[..., 0] = image.shape[1] - turned[..., 0]
    return np.ascontiguousarray(image[:, ::-1]), turned


def evaluate(model: LoadedPoseFields, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """On held-out crowds of 2 to 5 persons, of which those of which less than 15 % is seen are neither hits nor misses.

    `keypoint_ap`: COCO's average precision over OKS of .50 to .95; `keypoint_ap50` at .50. A person is found, best
    score first, from an OKS of .50 on: `persons_found` is the share of persons so found, and `pck` the share of their
    joints in the picture, those of persons not found included, that lie within 0.2 of the person's height of the same
    joint of who was found for them. `forward_ms_p50` of the pass and `assembly_ms_p50` of all after it, at 224x224."""
    data = cached_scenes(range(CROWD_HELD_OUT, CROWD_HELD_OUT + count), knobs=CROWD)
    judged, near, partners, forward, assembly = [], [], [], [], []
    for index in range(count):
        said = model(np.asarray(data.images[index]))
        truth = truth_of(data.records[index], np.asarray(data.panoptic[index]))
        found = said.keypoints.double().numpy()
        judged.append(judge(found, said.scores.double().numpy(), truth))
        counts = ~truth.ignored
        of = keypoint_similarity.partners(judged[-1])
        hits = keypoint_similarity.joints_found(found, truth.joints, of, PCK_AT * truth.heights)
        near.append(hits[counts][truth.joints[counts, :, 2] > 0])
        partners.append(np.isin(np.flatnonzero(counts), of))
        forward.append(said.seconds * 1000)
        assembly.append(said.assembly_seconds * 1000)
        report(index + 1, count)
    return {
        "keypoint_ap": round(keypoint_similarity.mean_average_precision(judged), 4),
        "keypoint_ap50": round(keypoint_similarity.average_precision(judged, 0.5), 4),
        "persons_found": round(float(np.concatenate(partners).mean()), 4),
        "pck": round(float(np.concatenate(near).mean()), 4),
        "forward_ms_p50": round(statistics.median(forward), 1),
        "assembly_ms_p50": round(statistics.median(assembly), 1),
        "persons": len(np.concatenate(partners)),
        "scenes": count,
    }


@dataclass(frozen=True, eq=False)
class Truth:
    """The persons of one scene: `joints` (g, 14, 3), `areas` (g,) of their visible pixels, `heights` (g,) of their
    visible boxes, in pixels, and `ignored` (g,), of whom too little is seen."""

    joints: np.ndarray
    areas: np.ndarray
    heights: np.ndarray
    ignored: np.ndarray


def truth_of(records: Sequence[InstanceRecord], panoptic: np.ndarray) -> Truth:
    """The persons among the records of a scene with its panoptic map (H, W)."""
    persons = [record for record in records if record.category == coco_metrics.PERSON]
    joints = np.array([record.keypoints for record in persons], np.float64).reshape(-1, len(JOINTS), 3)
    return Truth(
        joints,
        np.array([(panoptic == record.id).sum() for record in persons], np.float64),
        np.array([record.box[3] - record.box[1] for record in persons], np.float64),
        np.array([r.visible < coco_metrics.IGNORED_BELOW for r in persons], bool) | ~(joints[..., 2] > 0).any(1),
    )


def judge(found: np.ndarray, scores: np.ndarray, truth: Truth) -> Judged:
    """Persons (n, 14, 3), best first, with their scores (n,), held against the truth of their scene."""
    similar = keypoint_similarity.oks(found, truth.joints, truth.areas, coco_metrics.SIGMAS)
    return Judged(scores, similar, truth.ignored)
