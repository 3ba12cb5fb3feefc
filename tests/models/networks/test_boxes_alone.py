import numpy as np

from models.networks.boxes_alone import boxes_alone

PICTURE = np.zeros((2, 2, 3), np.uint8)


def test_heads_that_a_network_has_are_not_asked():
    assert boxes_alone(lambda picture, masks=True, keypoints=True: (masks, keypoints), PICTURE) == (False, False)
    assert boxes_alone(lambda picture, masks=True: (picture is PICTURE, masks), PICTURE) == (True, False)
    assert boxes_alone(lambda picture, least=0.5: least, PICTURE) == 0.5
