"""The course: every page in teaching order, with the question it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WEIGHTS = Path(__file__).resolve().parent.parent / "models" / "weights"


@dataclass(frozen=True)
class Lesson:
    """One page: ``file`` without suffix in pages/, its address, its title, the question it answers.

    ``heavy``: the page needs torch, so on a cold server it waits behind a skeleton. ``network``: the page stays out of
    the course until that network has been trained.
    """

    section: str
    file: str
    title: str
    icon: str
    question: str
    heavy: bool = True
    network: str = ""

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
           "Where do pictures with a perfect ground truth come from?", heavy=False),
    Lesson("Segment", "upsampling", "Upsampling", ":material/zoom_in:",
           "How does a network get its resolution back?"),
    Lesson("Segment", "transposed_convolution", "Transposed Convolution", ":material/grid_on:",
           "How can a network learn to upsample?"),
    Lesson("Detect", "anchors", "Anchors", ":material/select_all:",
           "Where could an object be?", network="detector"),
    Lesson("Detect", "iou_nms_precision_recall", "IoU, NMS and Precision-Recall", ":material/join_inner:",
           "When is a detection right, and how good is a detector?", network="detector"),
)  # fmt: skip


def ready() -> list[Lesson]:
    """The lessons whose networks have been trained, in teaching order."""
    return [lesson for lesson in LESSONS if not lesson.network or (WEIGHTS / f"{lesson.network}.json").exists()]


def question(title: str) -> str:
    """The question of the lesson with this title; empty if there is none."""
    return next((lesson.question for lesson in LESSONS if lesson.title == title), "")
