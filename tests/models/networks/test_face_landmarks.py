import numpy as np
import pytest
import torch

from models.networks.face_landmarks import SIDE, FaceLandmarks, LoadedFaceLandmarks, seen, to_tensor
from scenes.faces import LANDMARKS, close_up


@pytest.fixture(scope="module")
def model() -> LoadedFaceLandmarks:
    torch.manual_seed(3)
    return LoadedFaceLandmarks("untrained", FaceLandmarks().eval(), torch.device("cpu"), {})


def test_a_call_returns_two_numbers_for_each_landmark(model):
    image = close_up(6).picture()
    said = model(image)
    assert said.numbers.shape == (10,) and said.landmarks.shape == (len(LANDMARKS), 2)
    torch.testing.assert_close(said.landmarks.flatten(), said.numbers * 192)
    torch.testing.assert_close(said.numbers, model.module(to_tensor(image)[None])[0], rtol=1e-3, atol=1e-4)
    assert said.seconds > 0 and said.device == "cpu"


def test_landmarks_are_in_pixels_of_the_picture_whatever_its_size(model):
    image = close_up(6).picture()
    small = seen(image)
    assert small.shape == (SIDE, SIDE, 3) and np.array_equal(seen(small), small)
    assert small[10, 20].tolist() == pytest.approx(image[20:22, 40:42].reshape(4, 3).mean(0).tolist(), abs=1)
    torch.testing.assert_close(model(small).landmarks * 2, model(image).landmarks, rtol=1e-4, atol=1e-3)
    wide = model(np.zeros((50, 100, 3), np.uint8))
    torch.testing.assert_close(wide.landmarks, wide.numbers.reshape(5, 2) * torch.tensor([100.0, 50.0]))


def test_where_something_is_reaches_the_last_layer():
    torch.manual_seed(3)
    images = torch.zeros(2, 3, SIDE, SIDE)
    images[0, :, 40:56, 16:32] = images[1, :, 40:56, 64:80] = 1  # the same square, three cells of the last map further
    one, other = FaceLandmarks().train()(images)  # batch normalisation makes the little that is there large
    assert (one - other).abs().max() > 0.02, "pooled away"


def test_numbers_are_single_precision_also_under_autocast():
    with torch.autocast("cpu", torch.bfloat16):
        assert FaceLandmarks().eval()(torch.zeros(1, 3, SIDE, SIDE)).dtype == torch.float32
