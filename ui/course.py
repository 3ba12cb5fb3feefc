"""The course: every page in teaching order, with the question it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "models" / "weights"


@dataclass(frozen=True)
class Lesson:
    """One page: ``file``, its folder in pages/, its address, its title, the question it answers.

    ``heavy``: the page needs torch, so on a cold server it waits behind a skeleton. ``network``: the page stays out of
    the course until that network has been trained. ``topics``: what of a lecture it covers, for the map of the course.
    """

    section: str
    file: str
    title: str
    icon: str
    question: str
    heavy: bool = True
    network: str = ""
    topics: str = ""

    @property
    def script(self) -> Path:
        """What Streamlit runs; its sections lie beside it."""
        return ROOT / "pages" / self.file / "page.py"

    @property
    def notebook(self) -> Path:
        """What of it can be taken home; not every page has one."""
        return self.script.with_name("notebook.py")

    @property
    def menu(self) -> str:
        """Its name in the navigation."""
        return "Home" if self.file == "home" else self.title

    @property
    def path(self) -> str:
        """Address under the site, without slash; empty for the first page."""
        return "" if self.file == "home" else self.file


LESSONS = (
    Lesson("Start", "home", "Receptive", ":material/home:",
           "What does a convolutional network see, and why?", heavy=False),
    Lesson("Start", "lab_world", "Lab World", ":material/landscape:",
           "Where do pictures with a perfect ground truth come from?", heavy=False,
           topics="Annotations: boxes, masks, semantic and panoptic maps, keypoints; the COCO format"),
    Lesson("Segment", "semantic_segmentation", "Semantic Segmentation", ":material/texture:",
           "Which class is every pixel?",
           topics="Per-pixel cross-entropy, fully convolutional networks, sliding windows, mIoU, pixel accuracy"),
    Lesson("Segment", "upsampling", "Upsampling", ":material/zoom_in:",
           "How does a network get its resolution back?",
           topics="Nearest, bed of nails, bilinear, bicubic; max unpooling; receptive field"),
    Lesson("Segment", "transposed_convolution", "Transposed Convolution", ":material/grid_on:",
           "How can a network learn to upsample?",
           topics="Convolution as a matrix and its transpose; stride and padding; checkerboards"),
    Lesson("Detect", "anchors", "Anchors", ":material/select_all:",
           "Where could an object be?", network="detector",
           topics="Region proposal network, anchors and their labels, box transforms, recall"),
    Lesson("Detect", "roi_pooling", "RoI Pool versus RoI Align", ":material/crop:",
           "How do boxes of any size become features of one size?", network="detector",
           topics="RoI Pool of Fast R-CNN, RoI Align, crop and resize; half a cell, gradients to the box"),
    Lesson("Detect", "iou_nms_precision_recall", "IoU, NMS and Precision-Recall", ":material/join_inner:",
           "When is a detection right, and how good is a detector?", network="detector",
           topics="IoU, non-maximum suppression, precision, recall, average precision"),
    Lesson("Detect", "yolo_grid", "The YOLO Grid", ":material/grid_view:",
           "Can one look at the picture find everything?", network="yolo-anchor",
           topics="YOLO's output tensor, one class set per cell or per box, multi-part loss"),
    Lesson("Explain", "class_activation", "Class Activation Maps", ":material/visibility:",
           "What did the network look at?", network="classifier-gap-28",
           topics="Global average and maximum pooling, CAM, Grad-CAM, Augmented Grad-CAM, weak localization"),
)  # fmt: skip


def ready() -> list[Lesson]:
    """The lessons whose networks have been trained, in teaching order."""
    return [lesson for lesson in LESSONS if not lesson.network or (WEIGHTS / f"{lesson.network}.json").exists()]


def question(title: str) -> str:
    """The question of the lesson with this title; empty if there is none."""
    return next((lesson.question for lesson in LESSONS if lesson.title == title), "")
