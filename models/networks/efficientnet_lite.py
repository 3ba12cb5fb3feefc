"""EfficientNet-Lite0 (Google 2020), the package's architecture with what an explanation needs to take hold of.

EfficientNet-B0 (Tan and Le 2019) without squeeze-and-excitation and with ReLU6, made for phones: 1280 maps of 7×7 for a
picture of 224×224, their average, one linear layer.
"""

import torch.nn.functional as F
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

NAME = "efficientnet-lite0"
SIDE = 224  # pixels of its picture; the padding of its convolutions is made for it


class ReLU6(nn.ReLU):
    """min(max(x, 0), 6). torch's own is no nn.ReLU, so captum's guided backpropagation would pass it by in silence."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.relu6(input)


class EfficientNetLite(EfficientNet):
    """The package's network, whose last maps are the output of a module, `last_maps`, and whose ReLU6 captum knows.

    The names of the weights are the package's. Picture: (n, 3, 224, 224), (x − 127) / 128 for x of 0 to 255.
    """

    def __init__(self, blocks_args=None, global_params=None):
        super().__init__(blocks_args, global_params)
        self.last_maps = nn.Identity()
        self._swish = ReLU6()
        for block in self._blocks:
            block._swish = ReLU6()

    def extract_features(self, inputs: Tensor) -> Tensor:
        """The last maps, (n, 1280, 7, 7), 0 to 6."""
        return self.last_maps(super().extract_features(inputs))
