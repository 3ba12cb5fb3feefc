"""Receptive fields: which input pixels an output unit of a stack of layers can see, and which it really uses.

`trace` follows size, jump and start through a stack (Araujo et al. 2019, eqs. 1-3); `measure` builds the stack and
takes the gradient of one output unit with respect to the input (Luo et al. 2016, section 2).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

SHARE_OF_PEAK = 1 - 0.9545  # Luo et al. 2016: a pixel counts as effective above 4.55 % of the strongest one
FILLINGS = ("all ones", "random", "random + ReLU")
WIDTH = 4  # channels of the measured networks: with a single one, ReLU kills most random stacks


@dataclass(frozen=True)
class Layer:
    """A square convolution or max pooling. kernel, stride, dilation >= 1 and padding >= 0, in its input's pixels.

    >>> dilated = Layer("conv", kernel=3, stride=2, dilation=2)
    >>> dilated.reach, dilated.output_size(11)
    (5, 4)
    """

    kind: str  # "conv" or "max pool"
    kernel: int
    stride: int = 1
    dilation: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("conv", "max pool"):
            raise ValueError(f"A layer is a 'conv' or a 'max pool', not {self.kind!r}.")
        if min(self.kernel, self.stride, self.dilation) < 1 or self.padding < 0:
            raise ValueError("Kernel, stride and dilation start at 1, padding at 0.")

    @property
    def reach(self) -> int:
        """Extent of the dilated kernel, dilation*(kernel-1) + 1."""
        return self.dilation * (self.kernel - 1) + 1

    def output_size(self, size: int) -> int:
        """Width of its map on an input of that width, below 1 where the kernel does not fit."""
        return (size + 2 * self.padding - self.reach) // self.stride + 1


@dataclass(frozen=True)
class Field:
    """What a unit after some layer sees along one axis, in input pixels.

    size: width of its receptive field. jump: distance between the fields of two neighbours. start: centre of unit 0's
    field (0 is the centre of the first input pixel).

    >>> Field(size=3, jump=2, start=0.0).box(row=0, column=1)
    (1.0, -1.0, 4.0, 2.0)
    """

    size: int = 1
    jump: int = 1
    start: float = 0.0

    def box(self, row: int, column: int) -> tuple[float, float, float, float]:
        """The field of unit (row, column) as xyxy; pixel i covers i .. i+1. It may reach beyond the image (padding)."""
        x, y = (self.start + self.jump * index + 0.5 for index in (column, row))
        half = self.size / 2
        return x - half, y - half, x + half, y + half


def conv(kernel: int = 3, stride: int = 1, dilation: int = 1) -> Layer:
    """A convolution with an odd kernel that keeps the map's size at stride 1.

    >>> conv(5)
    Layer(kind='conv', kernel=5, stride=1, dilation=1, padding=2)
    """
    return Layer("conv", kernel, stride, dilation, padding=dilation * (kernel - 1) // 2)


def stack(convolutions: int, pool_after: int | None = None, kernel: int = 3, dilation: int = 1) -> list[Layer]:
    """`convolutions` convs of stride 1, with a 2x2 max pool of stride 2 between each group of `pool_after` of them.

    >>> [layer.kind for layer in stack(3, pool_after=2)]
    ['conv', 'conv', 'max pool', 'conv']
    """
    layers: list[Layer] = []
    for index in range(convolutions):
        if pool_after and index and index % pool_after == 0:
            layers.append(Layer("max pool", 2, 2))
        layers.append(conv(kernel, dilation=dilation))
    return layers


def trace(layers: Sequence[Layer]) -> list[Field]:
    """The field before the first layer and after each one, len(layers) + 1 entries; L 3x3 convs end at size 1 + 2L.

    >>> [(field.size, field.jump) for field in trace(stack(3, pool_after=2))]
    [(1, 1), (3, 1), (5, 1), (6, 2), (10, 2)]
    """
    fields = [Field()]
    for layer in layers:
        size, jump, start = fields[-1].size, fields[-1].jump, fields[-1].start
        fields.append(
            Field(
                size=size + (layer.reach - 1) * jump,
                jump=jump * layer.stride,
                start=start + ((layer.reach - 1) / 2 - layer.padding) * jump,
            )
        )
    return fields


def output_sizes(layers: Sequence[Layer], size: int) -> list[int]:
    """Width of the map before the first layer and after each one. Errors: ValueError when nothing is left.

    >>> output_sizes(stack(3, pool_after=2), 8)
    [8, 8, 8, 4, 4]
    """
    sizes = [size]
    for layer in layers:
        sizes.append(layer.output_size(sizes[-1]))
        if sizes[-1] < 1:
            raise ValueError(
                f"A {size} pixel input is too small for {len(layers)} layers: take fewer or a larger input."
            )
    return sizes


def measure(
    layers: Sequence[Layer], size: int, filling: str = "random + ReLU", trials: int = 8, seed: int = 0
) -> Float32[Tensor, "size size"]:
    """|d output / d input| of the central output unit, scaled to a maximum of 1.

    Averaged over `trials` random inputs, each through its own random weights (He initialisation), all run at once as
    groups. "all ones" weights make the map the number of paths from each pixel; the convolutions are then linear.
    Errors: ValueError for an unknown filling, or a stack that leaves no output.

    >>> 9 * measure(stack(2), size=5, filling="all ones", trials=1)
    tensor([[1., 2., 3., 2., 1.],
            [2., 4., 6., 4., 2.],
            [3., 6., 9., 6., 3.],
            [2., 4., 6., 4., 2.],
            [1., 2., 3., 2., 1.]])
    """
    if filling not in FILLINGS:
        raise ValueError(f"Choose a filling among {', '.join(FILLINGS)}, not {filling!r}.")
    # Pixels outside the unit's field have no influence, so a picture a little larger than the field is enough.
    field, centre = trace(layers)[-1], output_sizes(layers, size)[-1] // 2
    side = min(size, (field.size // field.jump + 3) * field.jump)
    unit_there = output_sizes(layers, side)[-1] // 2
    left = field.jump * (centre - unit_there)
    if left < 0 or left + side > size:
        side, unit_there, left = size, centre, 0
    generator = torch.Generator().manual_seed(seed)
    network = _network(layers, filling, trials, generator)
    image = torch.randn(1, trials * WIDTH, side, side, generator=generator).requires_grad_()
    with torch.enable_grad():
        unit = network(image)[0, :, unit_there, unit_there].sum()
        (gradient,) = torch.autograd.grad(unit, image)
    strength = torch.zeros(size, size)
    strength[left : left + side, left : left + side] = gradient[0].abs().mean(0)
    peak = strength.max()
    return strength / peak if peak > 0 else strength


def effective_size(strength: Float[Tensor, "h w"]) -> float:
    """Side in pixels of a square with as many pixels as are stronger than 4.55 % of the strongest (Luo et al. 2016).

    >>> effective_size(torch.tensor([[0.01, 0.1, 0.1], [0.0, 1.0, 0.1]]))
    2.0
    """
    return math.sqrt(int((strength > SHARE_OF_PEAK * strength.max()).sum()))


def bounding_box(strength: Float[Tensor, "h w"]) -> tuple[int, int, int, int]:
    """xyxy of all pixels with any influence (strength > 0). Errors: ValueError when there is none.

    >>> bounding_box(torch.tensor([[0.0, 0.1, 0.1], [0.0, 1.0, 0.1]]))
    (1, 0, 3, 2)
    """
    rows, columns = (strength > 0).nonzero(as_tuple=True)
    if not len(rows):
        raise ValueError("No pixel has any influence on this unit.")
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def _network(layers: Sequence[Layer], filling: str, trials: int, generator: torch.Generator) -> nn.Sequential:
    """`trials` independent networks as one: each owns WIDTH channels (one group) of every map."""
    channels = trials * WIDTH
    modules: list[nn.Module] = []
    for index, layer in enumerate(layers):
        if layer.kind == "max pool":
            modules.append(nn.MaxPool2d(layer.kernel, layer.stride, layer.padding, layer.dilation))
            continue
        module = nn.Conv2d(
            channels, channels, layer.kernel, layer.stride, layer.padding, layer.dilation, groups=trials, bias=False
        )
        module.requires_grad_(False)
        fan_in = WIDTH * layer.kernel**2
        if filling == "all ones":
            module.weight.fill_(1 / fan_in)  # one over the count: deep stacks would overflow otherwise
        else:
            module.weight.normal_(0, math.sqrt(2 / fan_in), generator=generator)
        modules.append(module)
        if filling == "random + ReLU" and index < len(layers) - 1:
            modules.append(nn.ReLU())
    return nn.Sequential(*modules)
