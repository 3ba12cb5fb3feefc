from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from captum import attr

from models.inside import attribution
from models.inside.attribution import METHODS, attribute, enlarged, grad_cam_views, layers, randomised, replica
from models.networks.classifier import FILL, Classifier, LoadedClassifier, to_tensor
from scenes import render_image, sample

DOG = 2


def loaded(pooling: str = "average", stride: int = 16) -> LoadedClassifier:
    torch.manual_seed(5)
    return LoadedClassifier("untrained", Classifier(pooling, stride).eval(), torch.device("cpu"), {})


@pytest.fixture(scope="module")
def model():
    return loaded()


@pytest.fixture(scope="module")
def picture():
    return render_image(sample(7), 224)


def gradient(model, x, target):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(model.module(x)[:, target].sum(), x)[0]


@pytest.mark.parametrize("stride", [16, 8])
def test_grad_cam_on_the_last_layer_is_cam_over_its_area(stride, picture):
    model = loaded(stride=stride)
    result = model(picture)
    cam = torch.einsum("k,kyx->yx", result.weights[DOG], result.features)
    signed = attribute(model, picture, DOG, relu=False)
    torch.testing.assert_close(signed, cam / cam.numel(), rtol=1e-4, atol=1e-4 * float(signed.abs().max()))
    assert torch.equal(attribute(model, picture, DOG), signed.relu())


def test_grad_cam_on_a_max_pooled_network_is_another_map(picture):
    model = loaded("max")
    result = model(picture)
    cam = torch.einsum("k,kyx->yx", result.weights[DOG], result.features)
    # The gradient of a maximum is 1 in one cell: its mean over the map is again w / (h·w).
    torch.testing.assert_close(attribute(model, picture, DOG, relu=False) * cam.numel(), cam, rtol=1e-3, atol=1e-6)


def test_layers_are_named_in_reading_order_after_the_size_of_their_maps(model, picture):
    names = layers(model)
    assert names[0] == "conv112" and names[-1] == "residual14c" and len(names) == 10
    assert layers(loaded(stride=8)) == names[:6]
    for name in names:
        side = int("".join(filter(str.isdigit, name)))
        assert attribute(model, picture, 0, layer=name).shape == (side, side)


def test_grad_cam_of_a_layer_in_the_middle_is_the_formula(model, picture):
    trunk, x = model.module.trunk, to_tensor(picture)[None]
    with torch.no_grad():
        features = trunk[:5]((x - x.new_tensor(FILL).view(3, 1, 1)) / x.new_tensor((0.25, 0.24, 0.26)).view(3, 1, 1))
    features.requires_grad_()
    score = model.module.classify(trunk[5:](features).mean((2, 3)))[0, DOG]
    (slope,) = torch.autograd.grad(score, features)
    expected = (slope.mean((2, 3), keepdim=True) * features).sum(1)[0].detach()
    ours = attribute(model, picture, DOG, layer=layers(model)[4], relu=False)
    torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_views_get_the_maps_that_each_gets_alone(model, picture):
    views = torch.stack([to_tensor(picture).roll(shift, 2) for shift in range(0, 50, 10)])
    maps = grad_cam_views(model, views, DOG, batch=2)
    assert maps.shape == (5, 14, 14)
    alone = torch.cat([grad_cam_views(model, view[None], DOG) for view in views])
    torch.testing.assert_close(maps, alone, rtol=1e-4, atol=1e-5 * float(alone.abs().max()))
    assert torch.equal(grad_cam_views(model, views, DOG, batch=2, relu=True), maps.relu())
    assert (maps < 0).any() and not torch.allclose(maps[0], maps[1])
    assert grad_cam_views(model, views[:1, :, :96, :128], DOG).shape == (1, 6, 8)


def test_maps_of_the_gradient_are_what_autograd_says(model, picture):
    x = to_tensor(picture)[None]
    slope = gradient(model, x, DOG)
    scale = float(slope.abs().max())
    saliency = attribute(model, picture, DOG, "saliency")
    torch.testing.assert_close(saliency, slope.abs().amax(1)[0], rtol=1e-3, atol=1e-4 * scale)
    expected = ((x - x.new_tensor(FILL).view(3, 1, 1)) * slope).sum(1)[0]
    ours = attribute(model, picture, DOG, "input × gradient")
    torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-4 * scale)
    guided = attribute(model, picture, DOG, "guided backpropagation")
    assert guided.min() >= 0 and not torch.allclose(guided, saliency, rtol=1e-2, atol=1e-3 * scale)


def test_integrated_gradients_sum_to_the_change_of_the_score(model, picture):
    x = to_tensor(picture)[None]
    fill = x.new_tensor(FILL).view(1, 3, 1, 1).expand_as(x)
    change = (model.forward_batch(x) - model.forward_batch(fill))[0, DOG]
    total = attribute(model, picture, DOG, "integrated gradients").double().sum()
    assert float(total) == pytest.approx(float(change), rel=0.02)


def test_smoothgrad_is_captums_noise_tunnel_with_noise_of_its_own(model, picture):
    ours = attribute(model, picture, DOG, "SmoothGrad", seed=4)
    torch.manual_seed(4)
    tunnel = attr.NoiseTunnel(attr.Saliency(model.module))
    x = to_tensor(picture)[None].requires_grad_()
    settings = {"nt_samples": attribution.SMOOTHGRAD_SAMPLES, "stdevs": attribution.SMOOTHGRAD_DEVIATION}
    theirs = tunnel.attribute(x, nt_type="smoothgrad", target=DOG, **settings).amax(1)[0].detach()
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.max()))
    assert not torch.equal(ours, attribute(model, picture, DOG, "SmoothGrad", seed=5))


def test_occlusion_is_how_much_the_score_falls(model, picture):
    """A square of 32 pixels, moved by 16: from the second on, two lie over a pixel, and the map is their mean."""
    x = to_tensor(picture)[None]
    score, falls = model.forward_batch(x)[0, DOG], []
    for left in (0, 16, 32):
        covered = x.clone()
        covered[:, :, :32, left : left + 32] = x.new_tensor(FILL).view(1, 3, 1, 1)
        falls.append(float(score - model.forward_batch(covered)[0, DOG]))
    fall = attribute(model, picture, DOG, "occlusion")
    corner = fall[:16, :16]  # under the first square alone
    assert torch.equal(corner, corner[:1, :1].expand(16, 16))
    assert float(corner[0, 0]) == pytest.approx(falls[0], rel=1e-3)
    row, size = fall[0], max(map(abs, falls))
    assert float(row[16]) == float(row[31]) == pytest.approx((falls[0] + falls[1]) / 2, abs=1e-3 * size)
    assert float(row[32]) == float(row[47]) == pytest.approx((falls[1] + falls[2]) / 2, abs=1e-3 * size)


def test_twenty_threads_get_what_one_gets(model):
    pictures = [render_image(sample(seed), 224) for seed in range(20)]

    def maps(row):
        image, target = pictures[row], row % 8
        return [
            attribute(model, image, target, layer="conv28"),
            attribute(model, image, target, "guided backpropagation"),
            model(image).features,  # a plain pass while others hook and differentiate
            *([attribute(model, image, target, "SmoothGrad", seed=row)] if row == 0 else []),
        ]

    alone = [maps(row) for row in range(20)]
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(maps, range(20)))
    for one, other in zip(alone, together, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not torch.equal(alone[0][0], alone[8][0])  # the same class of another picture


def state_of(module):
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return (
        [(name, part.training, [list(getattr(part, kind)) for kind in hooks]) for name, part in module.named_modules()],
        [
            (name, p.requires_grad, p.grad if p.grad is None else p.grad.clone())
            for name, p in module.named_parameters()
        ],
        {key: value.clone() for key, value in module.state_dict().items()},
    )


def same(one, other):
    (parts, parameters, values), (parts_after, parameters_after, values_after) = one, other
    return (
        parts == parts_after
        and [row[:2] for row in parameters] == [row[:2] for row in parameters_after]
        and all(
            a is b is None or torch.equal(a, b) for (*_, a), (*_, b) in zip(parameters, parameters_after, strict=True)
        )
        and all(torch.equal(values[key], values_after[key]) for key in values)
    )


@pytest.fixture
def peculiar():
    """A network in no plain state: part of it training, one parameter frozen, one with a gradient, one hooked."""
    model = loaded()
    model.module.trunk.conv56.train()
    model.module.trunk.conv112[0].weight.requires_grad_(False)
    model.module.classify.weight.grad = torch.ones_like(model.module.classify.weight)
    model.module.trunk.conv28.register_forward_hook(lambda *_: None)
    return model


@pytest.mark.parametrize("method", METHODS)
def test_the_network_is_as_before_after_success(peculiar, picture, method):
    before = state_of(peculiar.module)
    attribute(peculiar, picture, DOG, method)
    assert same(before, state_of(peculiar.module))
    assert not peculiar.lock.locked()


def test_the_network_is_as_before_after_failure(peculiar, picture, monkeypatch):
    before = state_of(peculiar.module)
    with pytest.raises(RuntimeError):  # inside captum, with its hooks in place
        grad_cam_views(peculiar, to_tensor(picture)[None].double(), DOG)
    assert same(before, state_of(peculiar.module))
    with pytest.raises(ZeroDivisionError), replica(peculiar) as module:
        module.train().requires_grad_()
        module.trunk.conv112.register_forward_hook(lambda *_: None)
        module(to_tensor(picture)[None]).sum().backward()
        assert module.classify.weight.grad is not None
        raise ZeroDivisionError
    assert same(before, state_of(peculiar.module))
    assert not peculiar.lock.locked()


def test_a_replica_copies_no_weights(model):
    with replica(model) as module:
        for one, other in zip(module.parameters(), model.module.parameters(), strict=True):
            assert one.data_ptr() == other.data_ptr() and one is not other


def test_callers_may_be_in_any_mode(model, picture):
    expected = attribute(model, picture, DOG)
    with torch.inference_mode():
        assert torch.equal(attribute(model, picture, DOG), expected)
        assert torch.equal(grad_cam_views(model, to_tensor(picture)[None], DOG, relu=True)[0], expected)
    with torch.no_grad():
        assert torch.equal(attribute(model, picture, DOG), expected)


def test_enlarged_is_bilinear_between_the_centres():
    heat = torch.arange(6.0).view(2, 3)
    expected = F.interpolate(heat[None, None], (8, 9), mode="bilinear", align_corners=False)[0, 0]
    assert torch.equal(enlarged(heat, (8, 9)), expected)


def test_randomised_forgets_from_the_head_down(model, picture):
    before = {key: value.clone() for key, value in model.module.state_dict().items()}
    copies = [randomised(model, seed=1, count=count).module.state_dict() for count in range(12)]
    assert all(torch.equal(copies[0][key], before[key]) for key in before)
    order = ["classify", *(f"trunk.{name}" for name in reversed(layers(model)))]
    for name, (one, next_one) in zip(order, pairwise(copies), strict=True):
        changed = {key for key in before if not torch.equal(one[key], next_one[key])}
        assert changed == {key for key in changed if key.startswith(name + ".")}  # and what was forgotten stays so
        assert {key for key in before if key.startswith(name + ".") and before[key].ndim > 1} <= changed
    assert all(torch.equal(model.module.state_dict()[key], before[key]) for key in before)
    other, again = randomised(model, seed=2), randomised(model, seed=1)
    assert not torch.equal(other.module.classify.weight, again.module.classify.weight)
    assert torch.equal(again.module.classify.weight, copies[11]["classify.weight"])
    assert torch.isfinite(attribute(again, picture, DOG)).all() and again(picture).features.max() < 1e4


def test_impossible_wishes_are_refused_in_a_sentence(model, picture):
    with pytest.raises(ValueError, match="no method 'LIME'"):
        attribute(model, picture, 0, "LIME")
    with pytest.raises(ValueError, match="no layer 'conv7'"):
        attribute(model, picture, 0, layer="conv7")
    with pytest.raises(ValueError, match="takes no layer"):
        attribute(model, picture, 0, "saliency", layer="conv28")
    for target in (-1, 8):
        with pytest.raises(ValueError, match=f"0 to 7, not {target}"):
            attribute(model, picture, target)
        with pytest.raises(ValueError, match=f"0 to 7, not {target}"):
            attribute(model, picture, target, "occlusion")
    with pytest.raises(ValueError, match="multiples of 16"):
        grad_cam_views(model, torch.zeros(1, 3, 100, 100), 0)
    with pytest.raises(ValueError, match="There are 11 layers"):
        randomised(model, 0, 12)


@pytest.mark.parametrize(("seed", "depth", "drawn_by"), [(3, 0, 3027), (3, 1, 3028), (0, 0, 0), (1, 2, 1011)])
def test_what_is_forgotten_is_drawn_by_a_generator_of_the_seed_and_the_depth(model, seed, depth, drawn_by):
    """Seeds lie 1009 apart, so that no layer of one seed is drawn as another layer of the next."""
    name = ["head", *reversed(layers(model))][depth]
    forgotten = randomised(model, seed, depth + 1).module
    parts = (forgotten.classify if name == "head" else getattr(forgotten.trunk, name)).modules()
    first = next(part for part in parts if hasattr(part, "weight"))
    weight = torch.empty(first.weight.shape)
    torch.nn.init.kaiming_normal_(weight, generator=torch.Generator().manual_seed(drawn_by))
    assert torch.equal(first.weight, weight)


def test_a_forgotten_normalisation_is_as_new():
    model = loaded()
    for part in model.module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            with torch.no_grad():
                for value in (part.weight, part.bias, part.running_mean, part.running_var):
                    value.fill_(3.0)
    for part in randomised(model, 0).module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            assert part.weight.unique().tolist() == [1.0] and part.running_var.unique().tolist() == [1.0]
            assert part.bias.unique().tolist() == [0.0] and part.running_mean.unique().tolist() == [0.0]


@pytest.mark.parametrize(
    "shape", [(3, 32, 32), (1, 3, 32, 40), (1, 3, 40, 32), (1, 1, 32, 32), (1, 4, 32, 32), (1, 1, 3, 32, 32)]
)
def test_views_of_another_shape_are_refused(model, shape):
    with pytest.raises(ValueError, match="multiples of 16"):
        grad_cam_views(model, torch.zeros(shape), 0)


def test_what_is_forgotten_and_asked_for_has_bounds(model):
    assert randomised(model, 0, 0).name == "untrained, 0 layers forgotten"
    assert randomised(model, 0, 11).name == randomised(model, 0).name == "untrained, 11 layers forgotten"
    with pytest.raises(ValueError, match="not -1"):
        randomised(model, 0, -1)
    grad_cam_views(model, torch.zeros(1, 3, 32, 32), 7)  # the last class
