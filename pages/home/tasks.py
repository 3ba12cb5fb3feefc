"""The tasks of the home page: the network that does each, and the page that opens it. Needs no torch."""

from dataclasses import dataclass

from pages.shared.detectors import NAMES
from ui.course import WEIGHTS, Lesson, ready


@dataclass(frozen=True)
class Task:
    """`network` is the catalogue's name; of the `pages` (files in pages/) the first that is ready opens it."""

    key: str
    title: str
    sentence: str
    network: str
    pages: tuple[str, ...]

    def lesson(self) -> Lesson | None:
        """The page that opens this task; None while there is none."""
        lessons = {lesson.file: lesson for lesson in ready()}
        return next((lessons[file] for file in self.pages if file in lessons), None)


TASKS = (
    Task("classification", "Classification",
         "Which classes are in the picture? ✓ right, ✗ wrong, ○ missed.",
         "classifier-gap", ("class_activation",)),
    Task("localization", "Localization",
         "One class and one box. Dashed: drawn from the map of a network that was never shown a box.",
         "localizer-joint", ("localization", "class_activation")),
    Task("semantic", "Semantic segmentation",
         "Which class does every pixel belong to? mIoU: mean over the classes that are there.",
         "segmenter-bilinear", ("semantic_segmentation", "upsampling")),
    Task("detection", "Detection",
         "What is where? Green is right, dashed is false or missed.",
         "detector", ("iou_nms_precision_recall", "anchors")),
    Task("instances", "Instance segmentation",
         "Which pixels belong to which thing? One colour each.",
         "detector", ("mask_rcnn",)),
    Task("keypoints", "Keypoints",
         "Where are the fourteen joints of every person? Yellow is right, orange-red is off.",
         "detector", ("mask_rcnn",)),
)  # fmt: skip


def detectors() -> list[str]:
    """Who can fill the panel of detection: those that have been trained."""
    return [name for name in NAMES if (WEIGHTS / f"{name}.json").exists()]


def available() -> list[Task]:
    """The tasks whose networks have been trained."""
    return [task for task in TASKS if (WEIGHTS / f"{task.network}.json").exists()]
