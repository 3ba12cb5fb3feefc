"""The steps of a two-stage detector, one by one, end in the boxes of the whole network."""

import pytest
import torch

import scenes
from models import catalog
from models.inside import two_stages


@pytest.mark.parametrize("name", [name for name in ("detector", "detector-narrow") if name in catalog.shipped()])
@pytest.mark.parametrize("size", [224, 150])
def test_the_steps_end_where_the_network_does(name, size):
    image = scenes.render(scenes.sample(16), size).image
    detector = catalog.load(name)
    heads = detector.module.roi_heads
    pools = heads.mask_roi_pool, heads.keypoint_roi_pool
    walked, whole = two_stages.walk(detector, image), detector(image, masks=False, keypoints=False)
    assert (heads.mask_roi_pool, heads.keypoint_roi_pool) == pools
    for ours, theirs in ((walked.boxes, whole.boxes), (walked.scores, whole.scores), (walked.regions, whole.proposals)):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)
    assert torch.equal(walked.labels, whole.labels) and len(walked.boxes) > 0
    assert min(walked.trunk_seconds, walked.proposal_seconds, walked.head_seconds) > 0
    assert walked.seconds == walked.trunk_seconds + walked.proposal_seconds + walked.head_seconds
