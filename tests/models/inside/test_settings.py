import pytest
import torch

import scenes
from models import catalog
from models.inside import settings
from models.inside.settings import Setting


@pytest.fixture(scope="module")
def image():
    return scenes.render(scenes.sample(31), 224).image


def test_at_its_own_settings_a_detector_says_what_it_always_says(image):
    network = catalog.load("detector")
    usual = network(image, masks=False, keypoints=False)
    found = settings.detect(network, image, Setting("detector", 224, 300))
    assert torch.equal(found.boxes, usual.boxes) and torch.equal(found.labels, usual.labels)
    assert torch.equal(found.scores, usual.scores)


def test_other_settings_leave_the_network_of_the_catalogue_alone(image):
    network = catalog.load("detector")
    before = network(image, masks=False, keypoints=False)
    small = settings.detect(network, image, Setting("detector", 128, 10))
    assert len(small.scores) != len(before.scores) or not torch.allclose(small.scores, before.scores)
    after = network(image, masks=True, keypoints=False)
    assert torch.equal(after.boxes, before.boxes) and after.masks is not None


def test_fewer_proposals_cannot_give_more_boxes_than_proposals_and_classes(image):
    found = settings.detect(catalog.load("detector"), image, Setting("detector", 224, 1))
    assert len(found.boxes) <= 8


def test_boxes_are_in_pixels_of_the_picture_that_was_given(image):
    network = catalog.load("detector")
    large = scenes.render(scenes.sample(31), 320).image
    own, larger = (settings.detect(network, each, Setting("detector", each.shape[0], 300)) for each in (image, large))
    best = larger.boxes[0] * (224 / 320)
    assert float((own.boxes - best).abs().amax(1).min()) < 12


def test_a_network_without_such_settings_says_so(image):
    network = catalog.load("yolo-anchor")
    assert not settings.adjustable(network) and not settings.has_proposals(network)
    assert len(settings.detect(network, image, Setting("yolo-anchor")).boxes) == len(network(image).boxes)
    for setting in (Setting("yolo-anchor", 128), Setting("yolo-anchor", 224, 10)):
        with pytest.raises(ValueError, match="looks at pictures of 224 pixels"):
            settings.detect(network, image, setting)


def test_windows_name_the_things_as_everybody_does(image):
    network = catalog.load("window-localizer")
    said, found = network.detect(image), settings.detect(network, image, Setting("window-localizer"))
    names = ["car", "motorcycle", "street sign"]
    assert [scenes.THINGS[label - 1] for label in found.labels] == [names[label] for label in said.labels]


def test_multiply_adds_grow_with_the_picture_and_with_the_proposals(image):
    network = catalog.load("detector")
    count = {
        (side, proposals): settings.multiply_adds(network, image, Setting("detector", side, proposals))
        for side in (128, 224)
        for proposals in (10, 100)
    }
    assert count[224, 10] > 2 * count[128, 10]
    # The box head: 3136 to 256 to 256 to 9 and 36, for each of 90 proposals more.
    assert count[224, 100] - count[224, 10] == 90 * (3136 * 256 + 256 * 256 + 256 * (9 + 36))


def test_the_peak_is_the_most_that_is_held_at_once(monkeypatch, image):
    def holds(*_):
        first = torch.ones(1_000_000)
        second = torch.ones(500_000)
        del first
        torch.ones(250_000)
        del second

    monkeypatch.setattr(settings, "detect", holds)
    assert settings.peak_bytes(None, image, Setting("any")) == 4 * 1_500_000


@pytest.mark.parametrize("name", ["rcnn", "spp", "fast-rcnn"])
def test_those_that_need_regions_are_given_selective_searchs(name, image):
    network = catalog.load(name)
    assert not settings.adjustable(network) and not settings.has_proposals(network)
    found = settings.detect(network, image, Setting(name))
    assert len(found.boxes) == len(found.labels) == len(found.scores) > 0
    assert (found.scores[:-1] >= found.scores[1:]).all() and float(found.scores.min()) >= 0
    assert float(found.scores.max()) <= 1 and set(found.labels.tolist()) <= set(range(1, 9))


@pytest.mark.parametrize("name", ["ssd", "retinanet", "r-fcn"])
def test_every_detector_of_torchvisions_kind_sees_other_sizes(name, image):
    network = catalog.load(name)
    own, small = (settings.detect(network, image, Setting(name, side)) for side in (224, 128))
    usual = network(image)
    assert torch.equal(own.labels, usual.labels) and torch.allclose(own.boxes, usual.boxes, atol=1e-3)
    assert not (len(small.scores) == len(own.scores) and torch.equal(small.scores, own.scores))
    assert float(small.boxes.max()) > 128, "boxes are in pixels of the picture that was given"


def test_ssds_default_boxes_keep_their_size_in_pixels(image):
    network, large = catalog.load("ssd"), scenes.render(scenes.sample(31), 320).image
    own, larger = (settings.detect(network, each, Setting("ssd", each.shape[0])) for each in (image, large))
    cat = [each.boxes[each.labels == scenes.THINGS.index("cat") + 1][0] for each in (own, larger)]
    torch.testing.assert_close(cat[1] * (224 / 320), cat[0], atol=8, rtol=0)
