"""Every page's notebook runs by itself and prints the numbers that stand on the page, in two states of the page."""

import importlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ui import course, notebook

AS_IT_IS = True  # no network is replaced
ROOT = Path(__file__).resolve().parents[2]
# Page → for each of two states its address and the numbers to be found on the page and in what the notebook prints.
# A pattern's group is looked for in the other; where a page writes it otherwise, there are two patterns.
SEGMENTED = (r"mIoU \*\*(0\.\d{3})\*\* · pixel", r"^mIoU (0\.\d{3})")
STATES = {
    "semantic_segmentation": [({}, *SEGMENTED), ({"segmentation_more_fog": "0.9"}, *SEGMENTED)],
    "upsampling": [
        ({}, r"\*\*nearest\*\* · mIoU \*\*(0\.\d{3})\*\*", r"segmenter-nearest: mIoU (0\.\d{3})"),
        ({"up_method": "bicubic", "rf_layers": "8"},
         r"8 convolutions\*\*: sees \*\*(\d+) ×", r"^8 convolutions: sees (\d+) x"),
    ],
    "transposed_convolution": [
        ({}, r"⟨X u, v⟩ = (-?[\d.]+),", r"<X u, v> = (-?[\d.]+),"),
        ({"line_size": "3", "line_kernel": "2"}, r"⟨X u, v⟩ = (-?[\d.]+),", r"<X u, v> = (-?[\d.]+),"),
    ],
    "anchors": [
        ({}, r"= \*\*([\d,]+) anchors\*\*", r"= ([\d,]+) anchors"),
        ({"anchors_stride": "8", "anchors_sizes": "2"}, r"\*\*Positive ([\d,]+)\*\*", r"positive: ([\d,]+) of"),
    ],
    "roi_pooling": [
        ({}, r"\| picture,[^|]*\| ([\d.]+) \|", r"picture: ([\d.]+),"),
        ({"roi_box": "40,50,150,160", "roi_shift": "0.5"}, r"\| P4,[^|]*\| ([\d.]+) \|", r"feature: ([\d.]+),"),
    ],
    "mask_rcnn": [
        ({}, r"from level P\d: (\d+) pixels", r"from level P\d: (\d+) pixels"),
        ({"mask_threshold": "0.8", "joint_box": "40.9,92.3,87.9,206.3"},
         r"place \d+ · 56 \+ \d+ = (\d+)", r"place (\d+), counts"),
    ],
    "dense_captioning": [
        ({}, r"log p = (-[\d.]+)\]", r"^ +(-[\d.]+)  "),
        ({"densecap_temperature": "1.5", "densecap_lot": "5"}, r"log p = (-[\d.]+)\]", r"^ +(-[\d.]+)  "),
    ],
    "mesh_rcnn": [
        ({}, r"of ([\d,]+) triangles", r"^([\d,]+) triangles"),
        ({"mesh_thing": "1", "mesh_step": "0"}, r"of ([\d,]+) triangles", r"^([\d,]+) triangles"),
    ],
    "position_sensitive": [
        ({}, r"mean of 9 = \*\*(-?[\d.]+)\*\*", r"^vote for dog: (-?[\d.]+)"),
        ({"rfcn_maps": "Without mistakes", "rfcn_parts_k": "5", "rfcn_box": "20,140,110,210", "rfcn_shift": "0.3"},
         r"mean of 25 = \*\*([\d.]+)\*\*", r"^vote for dog: ([\d.]+)"),
    ],
    "iou_nms_precision_recall": [
        ({"pr_scenes": "10", "fails_scenes": "10"}, r"\*\*IoU = ([\d.]+)\*\*", r"= IoU ([\d.]+),"),
        # a scene opened from the ranking
        ({"pr_scenes": "10", "fails_scenes": "10", "nms_threshold": "0.8", "nms_held": "10000003"},
         r"raw boxes → (\d+) kept", r"raw boxes, (\d+) kept"),
        ({"pr_scenes": "10", "fails_scenes": "10", "fails_iou": "0.75", "fails_score": "0.2"},
         r"\*\*SSD\*\*: AP \*\*([\d.]+)\*\*", r"^ssd: AP ([\d.]+)"),
    ],
    "yolo_grid": [
        ({}, r"\*\*Loss ([\d.]+)\*\*", r"^loss ([\d.]+)"),
        ({"yolo_layout": "anchor", "yolo_threshold": "0.1"}, r"\*\*(\d+) detections\*\*", r"^(\d+) detections"),
    ],
    "ssd": [
        ({"predict": "off"}, r"\*\*([\d,]+) default boxes\*\* in all", r"^([\d,]+) default boxes"),
        ({"predict": "off", "ssd_ratio": "7", "ssd_grids": "this lab's"}, r"\*\*Loss ([\d.]+)\*\*", r"^loss ([\d.]+)"),
    ],
    "panoptic": [
        ({}, r"void \*\*([\d,]+)\*\* of", r"^void: ([\d,]+) pixels"),
        ({"panoptic_networks": "Segmenter + detector", "panoptic_score": "0.2", "panoptic_taken": "0.8",
          "panoptic_mask": "0.7"}, r"void \*\*([\d,]+)\*\* of", r"^void: ([\d,]+) pixels"),
    ],
    "class_activation": [
        ({}, r"IoU with the truth \*\*([\d.]+)\*\*", r"IoU with the truth ([\d.]+)"),
        ({"cam_class": "dog", "cam_share": "0.5"},
         r"\*\*dog\*\* · probability ([\d.]+)", r"^dog: probability ([\d.]+)"),
        ({"cam_published_photo": "Temple"}, r"\*\*palace\*\*: probability \*\*([\d.]+)", r"^palace: ([\d.]+)"),
    ],
    "saliency": [
        ({"saliency_copies": "2"}, r"probability [\d.]+ → \*\*([\d.]+)\*\*", r"under the patch: probability ([\d.]+)"),
        ({"saliency_class": "cat", "saliency_copies": "2", "saliency_patch": "90,100,150,160"},
         r"sum of integrated gradients\*\* \| \*\*([\d.]+)", r"sum of the map ([\d.]+)"),
    ],
    "feature_space": [
        ({"predict": "off"}, r"class goes from (0\.\d\d to 0\.\d\d)", r"^from (0\.\d\d to 0\.\d\d)"),
        ({"space_k": "3", "space_network": "ImageNet", "space_distance": "Cosine"},
         r"; distance (0\.\d+) to", r"^(0\.\d+): "),
    ],
    "localization": [
        ({}, r"L2 \*\*(0\.\d{4})\*\*", r"^L2: (0\.\d{4})"),
        ({"localization_network": "Heads apart", "localization_box": "40,50,150,160", "localization_output": "dog",
          "multitask_alpha": "0.2"},
         r"\*\* \+ bias \*\*-?[\d.]+\*\* = dog = \*\*(-?[\d.]+)", r"^dog: products .* = (-?[\d.]+)"),
        ({"pose_seed": "7", "pose_joint": "right knee", "pose_rule": "no loss"},
         r"off by [\d.]+ px, then \*\*([\d.]+) px", r"right knee, second stage: off by ([\d.]+) px"),
    ],
    "sliding_window": [
        ({}, r"= \*\*([\d,]+)\*\* places", r"^one size: ([\d,]+) places"),
        ({"window_threshold": "0.3"}, r"keeps \*\*(\d+)\*\*", r"NMS keeps (\d+)"),
    ],
    "speed_accuracy": [
        ({}, r"Within \*\*40 ms\*\*: .*, AP \*\*(0\.\d{3})", r"^within 40 ms: .* AP (0\.\d{3})"),
        ({"trade_budget": "100", "trade_size": "small"},
         r"Within \*\*100 ms\*\*: .*, AP of small things \*\*(0\.\d{3})", r"^within 100 ms: .* AP (0\.\d{3})"),
    ],
    "selective_search": [
        ({}, r"\*\*(\d+)\*\* boxes so far", r"start, (\d+) boxes after"),
        ({"selective_alike": ["Size", "Fill"], "selective_at": "30,200", "selective_up": "3"},
         r"3 of (\d+)\*\* steps up", r"(\d+) steps up"),
    ],
    "focal_loss": [
        ({}, r"\*\*([\d,.]+) times less\*\*", r", ([\d,.]+) times less"),
        ({"focal_count_gamma": "0.5", "focal_said_by": "before training", "predict": "off"},
         r"easy negatives \*\*([\d.]+%)\*\*", r"easy negatives pay ([\d.]+%)"),
    ],
    "rcnn_family": [
        ({}, r"\*\*(\d+ × \d+)\*\* pixels become", r"^(\d+ × \d+) pixels, warped"),
        ({"rcnn_region": "5", "rcnn_class": "dog"}, r"margin \*\*(\S\d+\.\d+)\*\*", r"^dog: margin (\S\d+\.\d+)"),
        ({"predict": "off", "spp_levels": "7×7 only"}, r"describe this region\? \*\*(\d+)", r"bins, (\d+) numbers"),
    ],
    "video": [
        ({"predict": "off"}, r"\*\*(\d+ ms)\*\* from one look", r"one look in (\d+ ms)"),
        ({"predict": "off", "video_detector": "SSD", "video_every": "2"},
         r"\*\*(\d+ ms)\*\* from one look", r"one look in (\d+ ms)"),
    ],
    "lab_world": [({}, r"(\d+) things", r"(\d+) things"),
                  ({"objects": "9", "fog": "0.5"}, r"(\d+) things", r"(\d+) things")],
    "home": [({}, r"mIoU (0\.\d\d)\*\*", r"^mIoU (0\.\d\d)"),
             ({"home_fog": "0.9"}, r"mIoU (0\.\d\d)\*\*", r"^mIoU (0\.\d\d)")],
}  # fmt: skip
# The last of each page, whose controls have been moved; all the others in a sweep.
EACH = [
    pytest.param(page, which, marks=() if which == len(states) - 1 else pytest.mark.sweep)
    for page, states in STATES.items()
    for which in range(len(states))
]


# A Python that has read the large libraries and nothing of the lab, and runs each program that it is told in a fork of
# itself: as alone as in a process of its own, but without the seconds that reading PyTorch takes.
ALONE = """
import json, os, sys, traceback
import cv2, matplotlib.pyplot, scipy.sparse, torch, torchvision
for line in sys.stdin:
    source, printed, said = json.loads(line)
    child = os.fork()
    if not child:
        for path, stream in ((printed, 1), (said, 2)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
        code = 1
        try:
            exec(compile(source, "notebook", "exec"), {"__name__": "__main__"})
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="session")
def alone(tmp_path_factory):
    """Function: what a program prints that runs alone, in the folder of the lab, without a screen."""
    place = tmp_path_factory.mktemp("notebooks")
    process = subprocess.Popen(
        [sys.executable, "-c", ALONE], cwd=ROOT, env={**os.environ, "MPLBACKEND": "Agg"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

    def printed(source: str) -> str:
        out, said = (place / f"{len(list(place.iterdir()))}{kind}" for kind in (".out", ".said"))
        process.stdin.write(json.dumps([source, str(out), str(said)]) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "0\n", said.read_text()
        return out.read_text()

    yield printed
    process.stdin.close()
    process.wait()
    process.stdout.close()


def program(page: str, held) -> str:
    """The code cells of a page's notebook, in order, and that they need no Streamlit and have drawn something."""
    cells = importlib.import_module(f"pages.{page}.notebook").cells(held)
    assert cells[-1].kind == "markdown" and "1. " in cells[-1].source and "2. " in cells[-1].source
    source = "\n\n".join([notebook.WHERE, *(cell.source for cell in cells if cell.kind == "code")])
    assert "streamlit" not in source and "from ui" not in source and "import matplotlib" in source
    return source + "\nimport sys\nassert 'streamlit' not in sys.modules\nassert plt.get_fignums()"


def home(query: dict) -> AppTest:
    """A visit through the door: the page's links need all pages around it."""
    at = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=600)
    for key, value in query.items():
        at.query_params[key] = value
    return at.run()


def test_every_page_has_one():
    assert {lesson.file for lesson in course.LESSONS if lesson.notebook.exists()} == set(STATES)


@pytest.mark.parametrize(("page", "which"), EACH)
def test_a_notebook_prints_the_numbers_of_its_page(visit, said, drawn, alone, page, which):
    query, on_page, printed = STATES[page][which]
    at = home(query) if page == "home" else visit(page, query)
    for _ in range(2000 if page == "home" else 0):  # its networks are loaded behind it
        if re.search(on_page, said(at), re.MULTILINE):
            break
        time.sleep(0.1)
        at.run()
    text = "\n".join([said(at), *(str(each.get("caption", "")) for each in drawn.options.values())])
    shown = re.search(on_page, text, re.MULTILINE)
    assert shown, text[:3000]
    found = re.search(printed, alone(program(page, at.session_state)), re.MULTILINE)
    assert found and found[1] == shown[1]
