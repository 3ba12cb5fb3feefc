"""The Mask R-CNN page: mask of a dragged box, one row of it, target and loss, both heads, the grid's error."""

import numpy as np
import pytest
import torch
from torchvision.models.detection.roi_heads import maskrcnn_loss, paste_masks_in_image, project_masks_on_boxes

from labs import region_masks as rm
from models import catalog
from models.inside import mask_region
from models.inside.pooling_swap import find_regions
from pages.mask_rcnn import competing, edges, shared, targets
from pages.mask_rcnn.shared import NAMES
from ui import components, pictures
from ui.components import Box

PAGE = "mask_rcnn"
HELD = (30.0, 60.0, 120.0, 180.0)
DOG = (15.0, 146.0, 98.0, 204.0)


def scene(seed: int = shared.SEED) -> pictures.Picture:
    return pictures.from_lab_world(seed, objects=(2, 6))


def hand(*xyxy: float) -> list[Box]:
    return [Box("region", xyxy, editable=True)]


def look(*box: float, network: str = "detector") -> mask_region.MaskedRegions:
    loaded = catalog.load(network)
    return mask_region.look(loaded, find_regions(loaded, scene().image), torch.tensor([box]))


@pytest.mark.parametrize(("box", "name", "threshold"), [(DOG, "dog", 0.5), (HELD, "cat", 0.2), (DOG, "car", 0.9)])
def test_the_mask_of_the_hands_box_is_what_torchvision_would_paste(visit, sound, drawn, said, box, name, threshold):
    at = sound(visit(PAGE, mask_scene=hand(*box), mask_class=name, mask_threshold=threshold))
    logits = look(*box).logits
    probability = logits[0, NAMES.index(name)].sigmoid()
    np.testing.assert_allclose(drawn.layer("mask_cells", components.Heat).values, probability, atol=1e-4)
    pasted = paste_masks_in_image(probability[None, None], torch.tensor([box]), (224, 224))[0, 0] >= threshold
    shown = drawn.layer("mask_scene", components.Labels).values
    assert (shown.astype(bool) != pasted.numpy()).sum() <= 1  # one pixel may lie on the threshold
    assert f"Mask of *{name}* from level P2: {int(shown.sum())} pixels" in said(at)
    classes = drawn.layer("mask_classes", components.Heat).values
    np.testing.assert_allclose(classes[28:56, 28:56], logits[0, 4], atol=1e-4)
    assert drawn.layer("mask_layer_RoI Align", components.Heat).values.shape == (112, 112)


def test_the_class_is_what_the_box_head_says_and_the_iou_is_with_the_exact_mask(visit, sound, drawn, said):
    at = sound(visit(PAGE, {"predict-mask-classes": "dog"}, mask_scene=hand(*DOG)))
    thing = next(each for each in scene().view.instances if each.label == "dog")
    mask = torch.from_numpy(drawn.layer("mask_scene", components.Labels).values.astype(bool))
    told = said(at)
    assert "The box head says *dog*" in told and "Mask of *dog*" in told
    assert f"**IoU {rm.mask_iou(mask, torch.tensor(thing.mask)):.2f}** with the exact mask" in told
    pixels = drawn.layer("mask_compared", components.Labels).values
    assert (pixels == 2).sum() == (torch.tensor(thing.mask) & ~mask).sum()
    cells = {name: int((look(*DOG).logits[0, k].sigmoid() >= 0.5).sum()) for k, name in enumerate(NAMES) if k}
    assert f"**dog: {cells['dog']} cells**" in told and f"cat: {cells['cat']} cells" in told


def test_a_mask_can_be_empty_and_a_box_can_hold_nothing(visit, sound, drawn, said):
    told = said(sound(visit(PAGE, mask_scene=hand(120.0, 4.0, 180.0, 50.0), mask_threshold=1.0)))
    assert "**The mask is empty**: no pixel reaches the threshold" in told and "No thing lies in the box" in told
    assert not drawn.layer("mask_scene", components.Labels).values.any()
    assert drawn.layer("mask_compared", components.Labels) is None


@pytest.mark.parametrize(("share", "threshold"), [(0.5, 0.5), (0.0, 0.95), (1.0, 0.3)])
def test_a_row_says_which_cells_its_first_pixel_blends(visit, sound, said, share, threshold):
    told = said(sound(visit(PAGE, mask_paste_thing="dog", mask_row=share, mask_row_threshold=threshold)))
    box = torch.tensor(DOG)
    probability = look(*DOG).logits[0, NAMES.index("dog")].sigmoid()
    pasted = paste_masks_in_image(probability[None, None], box[None], (224, 224))[0, 0]
    row = pasted[min(int(146 + share * 58), 203)]
    inside = (row >= threshold).nonzero()[:, 0].tolist()
    if inside:
        assert f"The first pixel in the mask is {inside[0]}:" in told
        assert f"= **{float(row[inside[0]]):.2f}** ≥ {threshold:.2f}" in told
    else:
        assert f"No pixel of this row reaches {threshold:.2f}" in told


@pytest.mark.parametrize(("box", "counts"), [(DOG, "Yes"), ((40.0, 146.0, 123.0, 204.0), "Yes"),
                                             ((50.0, 146.0, 133.0, 204.0), "No")])  # fmt: skip
def test_target_and_loss_of_a_proposal_are_torchvisions(visit, sound, drawn, said, box, counts):
    told = said(sound(visit(PAGE, {"predict-mask-counts": "Yes"}, mask_proposal=hand(*box))))
    picture = scene()
    _, labels, masks = shared.truths(picture)
    at = shared.nearest(picture, torch.tensor(box))
    where, truth = torch.tensor([box]), masks[at : at + 1].float()
    wanted = project_masks_on_boxes(truth, where, torch.tensor([0]), 28)[0]
    np.testing.assert_allclose(drawn.layer("mask_target", components.Heat).values, wanted, atol=1e-4)
    logits = look(*box).logits
    loss = maskrcnn_loss(logits, [where], [truth], [labels[at : at + 1]], [torch.tensor([0])])
    assert f"Mean of 784 cells: **{float(loss):.3f}** nats" in told
    losses = drawn.layer("mask_losses", components.Heat).values
    row, column = divmod(int(losses.argmax()), 28)
    assert f"Row {row + 1}, column {column + 1}: target t = {float(wanted[row, column]):.2f}" in told
    assert f"= **{losses.max():.2f}**" in told
    assert ("so it is positive" in told) == (counts == "Yes")


@pytest.mark.parametrize("label", list(targets.PRESETS))
def test_presets_place_the_proposal_at_its_thing(visit, sound, drawn, label):
    at = sound(visit(PAGE, mask_proposal=hand(*DOG)))
    at.button(key=f"mask_preset_{targets.PRESETS[label].__name__}").click()
    sound(at.run())
    held = [box.xyxy for box in drawn.boxes("mask_proposal") if box.editable]
    wanted = {
        "Exactly on it": DOG, "A third aside": (43, 146, 126, 204), "Too large": (0, 129, 123, 221),
        "Its upper half": (15, 146, 98, 175),
    }[label]  # fmt: skip
    np.testing.assert_allclose(held, [wanted], atol=1.01)


@pytest.mark.skipif(not competing.shipped(), reason="they have no weights yet")
@pytest.mark.parametrize("threshold", [0.5, 0.9])
def test_both_heads_answer_for_the_same_box(visit, sound, drawn, said, threshold):
    query = {"predict-mask-better": competing.HEADS[shared.SIGMOID]}
    told = said(sound(visit(PAGE, query, mask_class_thing="dog", mask_class_threshold=threshold)))
    for name in competing.HEADS:
        logits = look(*DOG, network=name).logits[0]
        chances = logits.softmax(0) if name == shared.SOFTMAX else logits.sigmoid()
        np.testing.assert_allclose(drawn.layer(f"mask_nine_{name}", components.Heat).values[28:56, 0:28], chances[3],
                                   atol=1e-4)  # fmt: skip
        figures = catalog.card(name)["metrics"]
        assert f"(`{name}`) | {figures['mask_ap']:.3f} | {figures['mask_ap50']:.3f} |" in told
    assert "add up to 1 everywhere" in told and "add up to between" in told


@pytest.mark.parametrize(("size", "rule"), [(7, edges.WHOLE), (28, edges.WHOLE), (28, edges.EXACT)])
def test_every_thing_through_the_grid_and_back(visit, sound, drawn, said, size, rule):
    query = {"predict-mask-worst": "dog"}
    told = said(sound(visit(PAGE, query, mask_grid=size, mask_rule=rule)))
    fits = []
    for thing in scene().view.instances:
        where, truth = torch.tensor(thing.box).float(), torch.tensor(thing.mask)
        cut = rm.targets(truth[None].float(), where[None], size, aligned=rule == edges.EXACT)[0]
        back = rm.paste_exactly if rule == edges.EXACT else rm.paste
        fits.append(rm.mask_iou(back(cut, where, (224, 224)) >= 0.5, truth))
    assert f"**{np.mean(fits):.3f}** for the exact masks through {size} × {size} cells" in told
    worst = shared.thing_names(scene())[int(np.argmin(fits))]
    assert f"IoU {min(fits):.3f}" in told and worst in told
    pixels = drawn.layer("mask_perfect", components.Labels).values
    assert (pixels == 1).sum() > 0.8 * sum(int(thing.mask.sum()) for thing in scene().view.instances)


def test_two_of_a_class_are_told_apart(visit):
    assert shared.thing_names(scene()) == ["car", "street sign", "street sign 2", "street sign 3", "car 2", "dog"]


def test_the_boxes_live_in_the_address_and_nonsense_is_one_sentence(visit, sound, drawn):
    sound(visit(PAGE, {"mask_box": "150,200,60,90", "mask_prop": "10,10,90,90"}))
    assert [box.xyxy for box in drawn.boxes("mask_scene") if box.editable] == [(60, 90, 150, 200)]
    assert [box.xyxy for box in drawn.boxes("mask_proposal") if box.editable] == [(10, 10, 90, 90)]
    at = visit(PAGE, {"mask_box": "here"})
    assert not at.exception and any("mask_box is no box like" in error.value for error in at.error)


def test_another_thing_is_boxed(visit, sound, drawn):
    at = sound(visit(PAGE, mask_scene=hand(*HELD)))
    at.button(key="mask_next_thing").click()
    sound(at.run())
    first = np.round(scene().view.instances[0].box)
    np.testing.assert_allclose([box.xyxy for box in drawn.boxes("mask_scene") if box.editable], [first])


def test_a_photograph_has_no_truth_and_a_scene_may_be_empty_or_crowded(visit, sound, drawn, said):
    at = sound(visit(PAGE, masks_source="Photograph"))
    told = "\n".join(each.value for each in at.info)
    assert "drawn Lab World scenes only" in told and "A target needs an exact mask" in told
    assert drawn.layer("mask_compared", components.Labels) is None
    at = sound(visit(PAGE, masks_objects=(0, 0)))
    assert "No thing is in this scene" in "\n".join(each.value for each in at.info)
    assert "No thing lies in the box" in said(at)
