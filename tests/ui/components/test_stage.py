"""The Python side of the stage: edits, rasters, refusals."""

from __future__ import annotations

import base64
import json

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ui.components import Box, Boxes, GridLines, Heat, Labels, Lines, Points
from ui.components.stage import _edited, _spot
from ui.components.stage.wire_format import (
    MOST_COLOURS,
    Rasters,
    describe,
    encode,
    encode_indices,
    heat_pixels,
    label_indices,
    palette_table,
)

BOXES = [Box("truth", (0, 0, 9, 9)), Box("guess", (1, 2, 3, 4), label="g", editable=True)]
TEMPLATE = Box("new", (0, 0, 1, 1), editable=True)


class Sent:
    """Rasters that count instead of remembering a visitor."""

    def __init__(self):
        self.bytes = {}

    def add(self, pixels, colours=b""):
        self.bytes[len(self.bytes)] = pixels
        return str(len(self.bytes))


def decode(address: str) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(address.split(",", 1)[1]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def test_only_editable_boxes_move():
    sent = [{"id": "guess", "xyxy": [5, 6, 7, 8]}, {"id": "truth", "xyxy": [1, 1, 2, 2]}]
    moved = _edited(BOXES, sent, None, 10)
    assert [box.xyxy for box in moved] == [(0, 0, 9, 9), (5, 6, 7, 8)]
    assert moved[1].label == "g"


def test_boxes_are_deleted_and_drawn_only_on_a_drawable_stage():
    sent = [{"id": "box-1", "xyxy": [9, 8, 1, 2]}]
    assert [box.id for box in _edited(BOXES, sent, None, 10)] == ["truth", "guess"]
    drawn = _edited(BOXES, sent, TEMPLATE, 10)
    assert [(box.id, box.xyxy) for box in drawn] == [("truth", (0, 0, 9, 9)), ("box-1", (1, 2, 9, 8))]
    assert drawn[1].editable


def test_no_more_boxes_than_allowed():
    sent = [{"id": f"box-{i}", "xyxy": [0, 0, 1, 1]} for i in range(50)]
    assert len(_edited([], sent, TEMPLATE, 7)) == 7


@pytest.mark.parametrize("xyxy", [None, [1, 2, 3], ["1", 2, 3, 4], [1, 2, 3, float("nan")], "1234"])
def test_forged_places_are_ignored(xyxy):
    assert _edited(BOXES, [{"id": "guess", "xyxy": xyxy}, 7], None, 10)[1].xyxy == (1, 2, 3, 4)
    assert _spot(xyxy) is None


def test_heat_runs_through_the_palette_and_nan_is_transparent():
    pixels = heat_pixels(Heat(np.array([[0.0, 0.5, 1.0, np.nan]]), palette="viridis"))
    assert pixels[0, 0].tolist() == [68, 1, 84, 255]  # viridis' ends, as published
    assert pixels[0, 2].tolist() == [253, 231, 37, 255] or abs(int(pixels[0, 2, 0]) - 253) <= 2
    assert pixels[0, 3, 3] == 0


def test_heat_scale_is_clipped_and_a_constant_map_is_drawn():
    pixels = heat_pixels(Heat(np.array([[-5.0, 0, 5]]), palette="gray", vmin=-1, vmax=1))
    assert pixels[0, :, 0].tolist() == [0, 128, 255]
    assert heat_pixels(Heat(np.full((2, 2), 3.0))).shape == (2, 2, 4)
    assert heat_pixels(Heat(np.full((2, 2), np.nan)))[..., 3].max() == 0


def test_diverging_palette_is_white_in_the_middle():
    table = palette_table("diverging")
    assert table[0].tolist() == [0, 84, 148] and table[255].tolist() == [192, 64, 0]
    assert table[127].min() >= 245
    with pytest.raises(ValueError, match="unknown palette"):
        palette_table("rainbow")


def test_a_diverging_map_is_clear_where_it_says_nothing():
    pixels = heat_pixels(Heat(np.array([[-1.0, 0.0, 0.5, 1.0]]), "diverging", -1, 1))[0].astype(int)
    assert pixels[0].tolist() == [0, 84, 148, 255] and pixels[3].tolist() == [192, 64, 0, 255]
    assert pixels[1, 3] <= 8 < 100 < pixels[2, 3] < 255
    assert pixels[2, :3].tolist() == pixels[3, :3].tolist(), "a tint, not a veil of white"


def test_labels_beyond_the_palette_are_transparent():
    labels = Labels(np.array([[0, 1, 2, 255], [-1, 1, 0, 300]]), [None, "#102030"])
    pixels = decode(encode_indices(*label_indices(labels)))
    nothing, colour = [0, 0, 0, 0], [0x30, 0x20, 0x10, 255]  # OpenCV reads blue first
    assert pixels[..., 3].tolist() == [[0, 255, 0, 0], [0, 255, 0, 0]]
    assert pixels[0, 1].tolist() == colour and pixels[0, 3].tolist() == nothing


def test_a_label_map_arrives_exactly_with_as_many_colours_as_bytes_can_tell():
    values = np.random.default_rng(0).integers(0, MOST_COLOURS, (20, 30))
    palette = [f"#{7 * k % 256:02x}{k:02x}{255 - k:02x}" for k in range(MOST_COLOURS)]
    pixels = decode(encode_indices(*label_indices(Labels(values, palette))))
    expected = np.array([list(bytes.fromhex(colour[1:])) for colour in palette])[values]
    assert (pixels[..., 2::-1] == expected).all() and (pixels[..., 3] == 255).all()
    with pytest.raises(ValueError, match="at most 255 colours, got 256"):
        label_indices(Labels(values, [*palette, "#000000"]))


def test_the_same_classes_in_other_colours_are_another_raster():
    rasters = Rasters("nobody")
    names = [rasters.add(*label_indices(Labels(np.zeros((2, 2), np.uint8), [each]))) for each in ("#102030", "#102031")]
    assert len(set(names)) == len(rasters.bytes) == 2


def test_a_small_picture_arrives_exactly_and_a_photograph_almost():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert (decode(encode(picture))[..., ::-1] == picture).all()
    y, x = np.mgrid[0:600, 0:600]
    photograph = np.stack([x % 256, y % 256, (x + y) % 256], axis=-1).astype(np.uint8) // 2 + 50
    address = encode(photograph)
    assert address.startswith("data:image/webp")
    assert np.abs(decode(address)[..., ::-1].astype(int) - photograph).mean() < 4


@pytest.mark.parametrize(
    ("picture", "layers", "sentence"),
    [
        (None, [], "needs a picture, or size"),
        (np.zeros((4, 4, 3)), [], "must be uint8"),
        (np.zeros((4, 4, 2), np.uint8), [], "must be uint8"),
        (np.zeros((4, 4), np.uint8), [Boxes([Box("a", (0, 0, 1, 1))] * 2)], "an id of its own"),
        (np.zeros((4, 4), np.uint8), [Boxes([Box("a", (0, 0, 1, float("nan")))])], "finite"),
        (np.zeros((4, 4), np.uint8), [Heat(np.zeros(3))], "heat map"),
        (np.zeros((4, 4), np.uint8), [Labels(np.zeros((2, 2)), [])], "integers"),
        (np.zeros((4, 4), np.uint8), ["text"], "cannot draw a str"),
    ],
)
def test_wrong_drawings_are_refused_in_a_sentence(picture, layers, sentence):
    with pytest.raises(ValueError, match=sentence):
        describe(picture, layers, size=None, smooth=None, rasters=Sent())


def test_every_layer_is_json():
    layers = [
        Points(np.array([[1.0, 2.0]], np.float32), labels=["a"]),
        Lines(np.array([[0, 0, 1, 1]])),
        GridLines(rows=2, cols=3),
        Boxes(BOXES),
        Heat(np.eye(3), xyxy=(0, 0, 2, 2)),
        Labels(np.eye(3, dtype=np.uint8), [None, "#ffffff"]),
    ]
    found = describe(None, layers, size=(8, 4), smooth=None, rasters=Sent())
    kinds = [layer["kind"] for layer in json.loads(json.dumps({**found, "rasters": {}}))["layers"]]
    assert kinds == ["points", "lines", "grid", "boxes", "raster", "raster"]


def script():
    import numpy as np
    import streamlit as st

    from ui.components import Box, Heat, stage

    view = stage("view", [Box("guess", (1, 2, 3, 4), editable=True)])
    heat = Heat(np.eye(4) * st.session_state.get("gain", 1.0), vmin=0, vmax=9)
    view.missing = st.session_state.get("lacks", [])
    view.show(np.full((8, 8, 3), 7, np.uint8), [heat])
    st.text(str(view.boxes[0].xyxy))


def data(app: AppTest) -> dict:
    assert not app.exception
    return json.loads(app.get("bidi_component")[0].proto.json)[0]


def test_rasters_travel_once_and_again_only_if_the_browser_lacks_them():
    app = AppTest.from_function(script, default_timeout=60).run()
    first = data(app)
    assert set(first["rasters"]) == {first["picture"], first["layers"][0]["name"]}
    assert data(app.run())["rasters"] == {}
    app.session_state["gain"] = 2.0
    second = data(app.run())
    assert list(second["rasters"]) == [second["layers"][0]["name"]] != [first["layers"][0]["name"]]
    app.session_state["lacks"] = [first["picture"]]
    assert list(data(app.run())["rasters"]) == [first["picture"]]


def test_two_visitors_each_get_the_picture():
    assert (
        data(AppTest.from_function(script, default_timeout=60).run())["rasters"].keys()
        == data(AppTest.from_function(script, default_timeout=60).run())["rasters"].keys()
    )


def test_session_state_sets_the_boxes():
    app = AppTest.from_function(script, default_timeout=60).run()
    app.session_state["view"] = [Box("guess", (0, 0, 8, 8), editable=True)]
    app.run()
    assert app.text[0].value == "(0, 0, 8, 8)"
    assert data(app)["layers"][-1]["boxes"][0]["xyxy"] == [0, 0, 8, 8]
