import numpy as np
import pytest
import torch

from models.networks.classifier import Classification
from models.recipes.pointing import Pointed, pointed_at, pointing
from models.recipes.scene_cache import InstanceRecord


def seen(cell: tuple[int, int]) -> Classification:
    """A network whose map of class 0 has one cell of 14×14 that speaks for it; class 1 is its negative."""
    features = torch.zeros(1, 14, 14)
    features[0, cell[0], cell[1]] = 2.0
    weights = torch.zeros(8, 1)
    weights[:2, 0] = torch.tensor([1.0, -1.0])
    return Classification(torch.zeros(8), torch.zeros(8), features, weights, 0.0, "cpu")


def scene(box: tuple[int, int, int, int], category: int = 1) -> tuple[InstanceRecord, np.ndarray]:
    panoptic = np.zeros((224, 224), np.uint8)
    panoptic[box[1] : box[3], box[0] : box[2]] = 7
    return InstanceRecord(7, category, [float(edge) for edge in box], 1.0, []), panoptic


def test_a_map_that_peaks_in_the_middle_of_the_thing():
    # Cell (3, 5) is centred on pixel edge x = 88, y = 56; the first of the four pixels around it is 87, 55.
    found = pointed_at(seen((3, 5)), *scene((78, 36, 98, 76)))
    assert found.on_thing and (found.right, found.below) == (-0.5, -0.5)
    assert found.side == 40
    # The four pixels around the peak hold (31/32)² of it; above 20 % of that lie 26 pixels in a row.
    assert found.weak_iou == pytest.approx(20 * 26 / (20 * 40 + 26 * 26 - 20 * 26))


def test_a_map_that_peaks_above_and_left_of_the_thing():
    found = pointed_at(seen((3, 5)), *scene((100, 100, 120, 220)))
    assert not found.on_thing and (found.right, found.below) == (-22.5, -104.5)
    assert (found.weak_iou, found.side) == (0, 120)


def test_a_map_without_positive_evidence_points_nowhere():
    found = pointed_at(seen((3, 5)), *scene((78, 36, 98, 76), category=2))
    assert not found.on_thing and found.weak_iou == 0


def test_the_figures_of_a_card():
    rows = [Pointed(True, 1.0, -8.0, 0.5, 80.0), Pointed(False, 2.0, -4.0, 0.1, 79.9), Pointed(True, 9.0, 1.0, 0.3, 90)]
    assert pointing(rows) == {
        "peak_on_thing": 0.6667, "offset_x_px": 2.0, "offset_y_px": -4.0, "weak_box_iou": 0.3,
        "weak_box_iou_large": 0.4, "large_things": 2,
    }  # fmt: skip
    assert pointing([])["peak_on_thing"] is None and pointing([])["large_things"] == 0
