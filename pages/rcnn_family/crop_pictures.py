"""One region of a picture as a picture of its own."""

import numpy as np
import torch

from labs import region_warp
from labs.region_warp import PAPER_SIZE
from models.networks.encoder import MEAN


def crop_of(image: np.ndarray, box: torch.Tensor, padding: float, way: str, size: int = PAPER_SIZE) -> np.ndarray:
    """A region of a uint8 picture as uint8 (size, size, 3)."""
    mean = torch.tensor(MEAN)[:, None, None]
    picture = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255 - mean
    crop = region_warp.crops(picture, box[None], size, padding, way)[0] + mean
    return (crop.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
