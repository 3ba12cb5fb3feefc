"""The Semantic Segmentation page: the lectures' numbers are on it, its arithmetic adds up, nothing breaks it."""

import re
import time

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scenes
from labs import encoder_decoder, segmentation_metrics
from models import catalog
from models.networks.tiny_segmenter import as_tensor
from pages.semantic_segmentation import patch, play, resolution, shared, training, windows
from pages.shared import weather
from scenes import CLASSES
from ui import components, pictures

PAGE = "semantic_segmentation"


def test_scores_are_those_of_the_prediction_on_the_picture(visit, sound, drawn, prose):
    at = sound(visit(PAGE))
    image = drawn.pictures["segmentation_picture"]
    labels = catalog.load("segmenter-bilinear")(image).labels
    np.testing.assert_array_equal(drawn.layer("segmentation_prediction", components.Labels).values, labels)
    truth = pictures.from_lab_world(24, objects=(2, 6), occlusion=0.35, classes=tuple(CLASSES[5:]), light=None,
                                    fog=None, noise=None).view.semantic  # fmt: skip
    confusion = segmentation_metrics.confusion_matrix(truth, labels, len(CLASSES))
    there = np.unique(truth)
    ious = [((truth == c) & (labels == c)).sum() / ((truth == c) | (labels == c)).sum() for c in there]
    assert f"mIoU **{np.mean(ious):.3f}** · pixel accuracy" in prose(at)
    strays = segmentation_metrics.stray_pixels(confusion)
    assert strays.any() and sorted(np.flatnonzero(strays)) == sorted(set(np.unique(labels)) - set(there))
    assert all(f"{CLASSES[c]} {strays[c]:,} px" in prose(at) for c in np.flatnonzero(strays))
    assert f"**This picture**: mIoU **{np.mean(ious):.3f}**, the mean over {len(there)} classes" in prose(at)
    wrong = drawn.layer("segmentation_mistakes", components.Labels).values == len(CLASSES)
    np.testing.assert_array_equal(wrong, labels != truth)
    assert f"**{wrong.sum():,}** of 50,176" in prose(at)


def test_fog_makes_it_worse_and_leaves_the_truth(visit, sound, drawn, prose):
    found = []
    for fog in (0.0, 1.0):
        at = sound(visit(PAGE, segmentation_more_fog=fog))
        score = float(re.search(r"mIoU \*\*([\d.]+)\*\* · pixel", prose(at))[1])
        found.append((score, drawn.pictures["segmentation_picture"]))
    assert found[0][0] > found[1][0] + 0.1
    assert not np.array_equal(found[0][1], found[1][1])


def test_fog_wears_it_down_noise_breaks_it_and_night_costs_nothing(visit, sound):
    """What the page says of the three knobs holds on its first scene, and the fog's curve has no cliff."""
    at = sound(visit(PAGE))
    assert any("night costs little, fog wears the score down, and noise breaks it" in c.value for c in at.caption)
    network, picture = catalog.load("segmenter-bilinear"), pictures.from_lab_world(24)
    clear = dict.fromkeys(play.KNOBS, 0.0)
    curves = {
        knob: play.curve("test", 0, network, picture.image, picture.scene, picture.view.semantic, knob,
                         tuple((other, 0.0) for other in clear if other != knob))[0]
        for knob in clear
    }  # fmt: skip
    assert np.ptp(curves["night"]) < 0.01
    assert curves["fog"][0] - curves["fog"][-1] > 0.15 and np.abs(np.diff(curves["fog"])).max() < 0.07
    assert curves["noise"][1] - curves["noise"][4] > 0.5


def test_the_means_over_24_scenes_are_those_that_the_page_states():
    network, scored = catalog.load("segmenter-bilinear"), {}
    views = [scenes.render(scenes.sample(seed), 224) for seed in range(24)]
    for knob, value in (("night", 0.0), ("night", 1.0), ("fog", 1.0), ("noise", 0.4)):
        knobs = dict.fromkeys(play.KNOBS, 0.0) | {knob: value}
        found = [network(scenes.render_image(weather.disturbed(view.scene, **knobs), 224)).labels for view in views]
        confusions = [shared.confusion_of(view.semantic, labels) for view, labels in zip(views, found, strict=True)]
        scored[knob, value] = np.mean([segmentation_metrics.scene_mean_iou(each) for each in confusions])
    clear, *others = (f"{value:.2f}" for value in scored.values())
    light, fog, noise = others
    assert f"from {clear} to {light} with *less light* 1.0, to {fog} with *more fog* 1.0" in play.LEARNED
    assert f"and to {noise} with *more noise* 0.4" in play.LEARNED


def test_the_weather_is_said_before_and_after_the_sliders(visit, sound, prose):
    told = prose(sound(visit(PAGE, segmentation_more_fog=0.5, segmentation_more_night=0.5)))
    own = pictures.from_lab_world(24).scene
    assert f"Of its own this scene has fog {own.fog:.2f}, light {own.light:.2f}, noise {own.noise:.2f}" in told
    assert f"With the sliders: fog {own.fog + (1 - own.fog) / 2:.2f}, light {own.light / 2:.2f}" in told


def test_the_opened_pixel_is_written_out(visit, sound, drawn, prose):
    at = sound(visit(PAGE, {"segmentation_at": "100,150"}))
    image = drawn.pictures["segmentation_picture"]
    logits = catalog.load("segmenter-bilinear")(image).logits[:, 150, 100]
    table = drawn.grids["segmentation_pixel"]["pixel"].values
    np.testing.assert_allclose(table[:, 0], logits.numpy(), atol=1e-4)
    np.testing.assert_allclose(table[:, 2], logits.softmax(0).numpy(), atol=1e-5)
    assert table[:, 2].sum() == pytest.approx(1, abs=1e-5) and table[:, 3].sum() == pytest.approx(0, abs=1e-5)
    losses = drawn.layer("segmentation_losses", components.Heat).values
    assert f"= **{losses[150, 100]:.3f}** nats" in prose(at) and "column **100**, row **150**" in prose(at)
    assert f"the loss is **{losses.mean():.4f}**" in prose(at)
    truth = int(np.argmin(table[:, 3]))
    assert losses[150, 100] == pytest.approx(-np.log(table[truth, 2]), rel=1e-3, abs=1e-5)
    assert len(drawn.options["segmentation_pixel"]["explain"]) == 13 * 4


@pytest.mark.parametrize("key", ["segmentation_picture", "segmentation_mistakes", "segmentation_losses"])
def test_a_click_opens_that_pixel(visit, sound, prose, key):
    click = {"x": 33.7, "y": 40.2, "what": None, "when": 1}
    at = sound(visit(PAGE, **{f"{key}.live": {"message": {"sequence": 1, "click": click}}}))
    assert "column **33**, row **40**" in prose(at)
    assert at.query_params["segmentation_at"] in ("33,40", ["33,40"])


def test_first_pixel_is_the_worst_before_any_knob(visit, sound, drawn):
    sound(visit(PAGE, segmentation_more_fog=0.0))
    losses = drawn.layer("segmentation_losses", components.Heat).values
    ((x, y),) = drawn.layer("segmentation_losses", components.Points).xy
    assert losses[int(y), int(x)] == losses.max()


def test_nonsense_in_a_link_is_answered_in_a_sentence(visit, sound, prose):
    at = visit(PAGE, {"segmentation_at": "here"})
    assert not at.exception
    told = "\n".join(error.value for error in at.error)
    assert "segmentation_at is not a pixel" in told
    far = sound(visit(PAGE, {"segmentation_at": "9999,-5"}))
    assert "column **223**, row **0**" in prose(far)


def test_a_patch_for_every_pixel_is_counted_beside_one_pass(visit, sound, prose):
    at = sound(visit(PAGE))
    at.button(key="segmentation_measure").click().run()
    told = prose(sound(at))
    assert "| a patch for every pixel | 50,176 |" in told and "| at once | 1 |" in told
    by_pixel, once = (windows.price(side) for side in (windows.PATCH, 224))
    assert f"| *times cheaper* | | {by_pixel * 50_176 / once:,.0f} |" in told


def test_down_and_up_against_full_resolution(visit, sound, prose, drawn):
    told = prose(sound(visit(PAGE, segmentation_depth=14, segmentation_downs=0, segmentation_doubling=False)))
    assert "sees **29 × 29** px (1 + 2 · 14 = 29)" in told and "the same cost" in told
    told = prose(sound(visit(PAGE, segmentation_depth=14, segmentation_downs=4)))
    assert "times fewer" in told
    boxes = {box.id: box.xyxy for box in drawn.boxes("segmentation_fields")}
    assert boxes["full resolution"] == (98, 98, 127, 127)
    assert boxes["encoder-decoder"][2] - boxes["encoder-decoder"][0] > 100
    assert re.search(r"at full resolution, would need \*\*[\d.]+ G\*\*: \d+ times as many", told)


def test_the_card_agrees_with_the_scores_over_held_out_scenes(visit, sound, prose):
    at = sound(visit(PAGE, segmentation_over="16 scenes"))
    found = float(re.search(r"\*\*16 scenes\*\*: mIoU \*\*([\d.]+)\*\*", prose(at))[1])
    card = catalog.card("segmenter-bilinear")["metrics"]
    assert found == pytest.approx(card["miou"], abs=0.12)
    assert f"mIoU {card['miou']:.3f} on {card['scenes']} scenes" in prose(at)


def test_a_photograph_has_a_prediction_and_no_scores(visit, sound, prose, drawn):
    at = sound(visit(PAGE, segmentation_source="Photograph"))
    told = "\n".join(each.value for each in at.info)
    assert "Nobody has labelled" in told and "drawn Lab World scenes only" in told
    assert "Turn a knob" not in prose(at) and not [c for c in at.caption if "mean IoU" in c.value]
    assert "wrong pixels **" not in prose(at)
    assert "segmentation_prediction" in drawn.layers and "segmentation_losses" not in drawn.layers


def test_a_network_with_other_classes_is_not_judged():
    assert shared.palette_of(("background", "aeroplane", "bicycle"))[1:] == ["#800000", "#008000"]
    assert shared.palette_of(CLASSES) == shared.PALETTE
    seen = shared.Look(np.zeros((2, 2), np.uint8), torch.zeros(2, 2, 2), ("a", "b"), 0.0, "cpu")
    assert not seen.of_lab_world


def test_training_starts_learns_stops_and_is_reset(visit, sound, prose, drawn):
    at = sound(visit(PAGE, segmentation_train_steps=200))
    at.button(key="segmentation_start").click().run()
    sound(at)
    running = at.session_state[shared.TRAINING]
    try:
        until = time.monotonic() + 120
        while running.progress().step < 11 and time.monotonic() < until:
            time.sleep(0.05)
        sound(at.run())
        assert re.search(r"Learning\. Step \*\*\d+\*\* of 200 · loss \*\*[\d.]+\*\*", prose(at))
        assert drawn.layer("segmentation_learner_sees_0", components.Labels).values.shape == (64, 64)
        assert at.button(key="segmentation_start").disabled and not at.button(key="segmentation_stop").disabled
        at.button(key="segmentation_stop").click().run()
        sound(at)
        assert not running.running and "Stopped." in prose(at)
        assert not at.button(key="segmentation_start").disabled
        at.button(key="segmentation_reset").click().run()
        sound(at)
        assert shared.TRAINING not in at.session_state
    finally:
        running.stop(wait=60)


def test_a_training_at_rest_looks_at_the_scene_and_the_knobs_of_the_moment(visit, sound, prose, drawn, monkeypatch):
    monkeypatch.setattr(training.Training, "start", lambda self: None)
    at = sound(visit(PAGE))
    at.button(key="segmentation_start").click().run()
    sound(at)
    network = at.session_state[shared.TRAINING].module

    def judged():
        image = drawn.pictures["segmentation_learner_1"]
        with torch.inference_mode():
            found = network(as_tensor(image[None])).argmax(1)[0].numpy()
        np.testing.assert_array_equal(drawn.layer("segmentation_learner_sees_1", components.Labels).values, found)
        truth = drawn.layer("segmentation_learner_errs_1", components.Labels).values
        return image, truth, re.search(r"with its knobs: mIoU \*\*([\d.]+)\*\*", prose(at))[1]

    first = judged()
    at.session_state["segmentation_more_fog"] = 0.0
    sound(at.run())
    clear = judged()
    assert not np.array_equal(first[0], clear[0])
    at.button(key="segmentation_next").click().run()
    other = judged()
    assert not np.array_equal(clear[0], other[0]) and not np.array_equal(clear[1] == 13, other[1] == 13)


def test_settings_of_the_training_come_from_the_controls(visit, sound, monkeypatch):
    begun = []
    monkeypatch.setattr(training.Training, "start", lambda self: begun.append(self.settings))
    chosen = {"light": "Night", "classes": ["duck"], "steps": 800}
    at = visit(PAGE, **{f"segmentation_train_{name}": value for name, value in chosen.items()})
    at.button(key="segmentation_start").click().run()
    sound(at)
    assert begun[0].steps == 800 and begun[0].knobs.light == 0.0 and begun[0].knobs.classes == ("duck",)


@settings(deadline=None, max_examples=3, suppress_health_check=list(HealthCheck))
@given(
    st.fixed_dictionaries(
        {
            "segmentation_seed": st.integers(0, 40), "segmentation_more_fog": st.floats(0, 1),
            "segmentation_more_night": st.floats(0, 1), "segmentation_more_noise": st.floats(0, 1),
            "segmentation_curve": st.sampled_from(list(play.KNOBS)), "segmentation_objects": st.just((0, 12)),
            "segmentation_depth": st.integers(9, 27), "segmentation_downs": st.integers(0, 4),
            "segmentation_width": st.sampled_from([8, 64]), "segmentation_doubling": st.booleans(),
        }
    )
)  # fmt: skip
def test_no_control_state_breaks_the_page(visit, sound, state):
    sound(visit(PAGE, **state))


def classes_table(told):
    """Rows of the table of the classes: name, IoU, true pixels, as they are printed."""
    return re.findall(rf"^\| ({'|'.join(CLASSES)}) \| (\S+) \| (\S+) \|", told, re.MULTILINE)


def test_the_table_of_the_classes_has_a_dash_where_a_class_is_neither_there_nor_seen(visit, sound, drawn, prose):
    told = prose(sound(visit(PAGE)))
    truth, labels = pictures.from_lab_world(24).view.semantic, drawn.layer("segmentation_prediction", components.Labels)
    rows = classes_table(told)
    assert [name for name, *_ in rows] == list(CLASSES)
    for index, (_, iou, true) in enumerate(rows):
        both, either = ((labels.values == index) & (truth == index)).sum(), (labels.values == index) | (truth == index)
        assert iou == (f"{both / either.sum():.3f}" if either.any() else "–")
        assert true == f"{(truth == index).sum():,}"
    assert "–" in [iou for _, iou, _ in rows]


def test_a_patch_gives_its_middle_pixel_a_class(visit, sound, drawn, prose):
    told = prose(sound(visit(PAGE, {"segmentation_patch_at": "3,150"}, segmentation_patch_side=32)))
    image = pictures.from_lab_world(24).image
    cut = drawn.pictures["segmentation_patch_alone"]
    np.testing.assert_array_equal(cut[:, 13:], image[134:166, :19])  # left of the picture's rim it is mirrored
    np.testing.assert_array_equal(cut[:, 12], image[134:166, 1])
    network = catalog.load("segmenter-bilinear")
    for found, row, column in ((network(cut), 16, 16), (network(image), 150, 3)):
        shares = found.logits[:, row, column].softmax(0)
        assert f"**{CLASSES[int(shares.argmax())]}**, p = {float(shares.max()):.2f}" in told
    assert f"In truth it is **{CLASSES[pictures.from_lab_world(24).view.semantic[150, 3]]}**." in told
    assert patch.around(image, 100, 60, 2).tolist() == image[59:61, 99:101].tolist()


def test_each_level_has_its_side_above_its_first_bar():
    layers = [step for step in encoder_decoder.plan(9, 1, 8, 32) if step.kind == "conv"]
    assert resolution.sides(layers) == ["32²", "", "", "16²", "", "", "32²", "", ""]


def test_twice_the_channels_says_why_when_it_costs_more(visit, sound, prose):
    told = prose(sound(visit(PAGE, segmentation_downs=4, segmentation_doubling=True)))
    assert "times more**" in told and "Networks do it all the same" in told
    steps = encoder_decoder.plan(14, 4, 16, 224, True)
    assert f"keeps {sum(step.activations for step in steps) / 1e6:.1f} M numbers a picture" in told
    assert "Networks do it all the same" not in prose(sound(visit(PAGE, segmentation_downs=4)))


def test_without_the_weights_of_the_chosen_network_the_labs_own_answers(visit, sound, drawn, unpublished):
    at = sound(visit(PAGE, segmentation_model="deeplabv3_mobilenet_v3_large"))
    assert any("not on this machine yet" in each.value for each in at.caption)
    assert any("*segmenter-bilinear* answers" in each.value for each in at.caption)
    image = drawn.pictures["segmentation_picture"]
    found = drawn.layer("segmentation_prediction", components.Labels).values
    np.testing.assert_array_equal(found, catalog.load("segmenter-bilinear")(image).labels)


def test_the_questions_have_what_is_drawn_as_their_answers(visit, sound, drawn, prose):
    at = sound(visit(PAGE, {"predict-segmentation-worst": "sky"}))
    found = {name: float(iou) for name, iou, true in classes_table(prose(at)) if true != "0"}
    worst = min(found, key=found.get)
    assert f"You said **“sky”**. The answer is **“{worst}”**. Its IoU is {found[worst]:.3f}" in prose(at)
