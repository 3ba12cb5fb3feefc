import pytest
import torch
from torch import nn

from models.networks import rcnn_taps
from models.networks.detector import LEVELS, build_detector


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    return build_detector().eval()


def test_taps_are_gone_after_the_block_and_after_an_error():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    with rcnn_taps.taps(net, ["0"]) as seen:
        net(torch.ones(1, 2))
    assert seen["0"].shape == (1, 2)
    with pytest.raises(RuntimeError), rcnn_taps.taps(net, ["0", "1"]):
        net(torch.ones(1, 3))
    assert not net[0]._forward_hooks and not net[1]._forward_hooks


def test_a_tap_on_a_missing_part_leaves_no_hook_behind():
    net = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(AttributeError), rcnn_taps.taps(net, ["0", "nowhere"]):
        pass
    assert not net[0]._forward_hooks


def test_attributes_come_back_after_an_error():
    net = nn.Linear(2, 2)
    net.colour = "red"
    with pytest.raises(RuntimeError), rcnn_taps.attributes_set(net, {"colour": "blue"}):
        assert net.colour == "blue"
        raise RuntimeError
    assert net.colour == "red"


def test_training_mode_spares_batch_normalisation_and_is_undone():
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Dropout()).eval()
    net[0].train()
    statistics = net[1].running_mean.clone()
    with rcnn_taps.training_mode(net):
        assert net[2].training and not net[1].training
        net(torch.randn(2, 3, 4, 4) + 5)
    assert (net[0].training, net[1].training, net[2].training) == (True, False, False)
    assert torch.equal(net[1].running_mean, statistics)


def test_read_agrees_with_what_torchvision_returns(module):
    image = torch.rand(3, 224, 224)
    handed_over = []
    hook = module.roi_heads.register_forward_pre_hook(lambda _m, inputs: handed_over.append(inputs[1][0]))
    with torch.inference_mode(), rcnn_taps.taps(module, rcnn_taps.POINTS) as seen:
        module([image])
        hook.remove()
        fields = rcnn_taps.read(module, seen, (224, 224), LEVELS)
    assert torch.allclose(fields["proposals"], handed_over[0])
    assert len(fields["proposals"]) <= 300
    scores = fields["proposal_scores"]
    assert (scores[:-1] >= scores[1:]).all()
    for level in fields["levels"]:
        k, h, w = level.objectness.shape
        assert level.transforms.shape == (k, 4, h, w) and level.anchors.shape == (k * h * w, 4)
        # The anchors of one position are centred on its cell, one stride apart.
        centres = (level.anchors[:, :2] + level.anchors[:, 2:]) / 2
        grid = centres.reshape(h, w, k, 2)
        assert torch.allclose(grid[0, 1, 0] - grid[0, 0, 0], torch.tensor([level.stride, 0.0]))
    assert sum(len(level.anchors) for level in fields["levels"]) == len(fields["anchors"]) == len(fields["decoded"])


def test_objectness_of_a_level_belongs_to_its_anchors(module):
    with torch.inference_mode(), rcnn_taps.taps(module, rcnn_taps.POINTS) as seen:
        module([torch.rand(3, 224, 224)])
        fields = rcnn_taps.read(module, seen, (224, 224), LEVELS)
    for index, level in enumerate(fields["levels"]):
        flat = level.objectness.permute(1, 2, 0).flatten().sigmoid()
        assert torch.allclose(flat, fields["decoded_scores"][fields["level_of"] == index], atol=1e-6)
