"""The course: every page in teaching order, with the question it answers."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "models" / "weights"
# Of a page's script: the doors to the networks, and what it takes from pages/shared/.
_CATALOGUE = re.compile(r"^from models(?: import (?:\w+, )*|\.)(?:catalog|choice)\b", re.MULTILINE)
_SHARED = re.compile(r"^from pages\.shared(?: import|\.)([^\n]*)", re.MULTILINE)


@dataclass(frozen=True)
class Lesson:
    """One page: ``file``, its folder in pages/, its address, its title, the question it answers.

    ``heavy``: the page needs torch, so on a cold server it waits behind a skeleton. ``network``: the page stays out of
    the course until that network has been trained. ``topics``: what of a lecture it covers, for the map of the course.

    For whoever teaches it, shown with ``?notes=1``: ``goal``, what a student can do afterwards; ``minutes`` to show it
    in class; ``expect``, the wrong answer that students give, and what is right.
    """

    section: str
    file: str
    title: str
    icon: str
    question: str
    heavy: bool = True
    network: str = ""
    topics: str = ""
    goal: str = ""
    minutes: int = 0
    expect: str = ""

    @property
    def script(self) -> Path:
        """What Streamlit runs; its sections lie beside it."""
        return ROOT / "pages" / self.file / "page.py"

    @property
    def notebook(self) -> Path:
        """What of it can be taken home; not every page has one."""
        return self.script.with_name("notebook.py")

    @property
    def asks_network(self) -> bool:
        """True where the page runs a network: its scripts, or what they share with other pages, ask the catalogue."""
        return _asks_network(self.script.parent)

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
           "What does a convolutional network see, and why?", heavy=False,
           goal="Name six tasks on one picture and the kind of answer each gives: words, one box, boxes, a map, masks, "
                "joints.",
           minutes=5,
           expect="“Night is hard.” The networks learned from nights too. What they have never seen is hard: fog above "
                  "0.5."),
    Lesson("Start", "lab_world", "Lab World", ":material/landscape:",
           "Where do pictures with a perfect ground truth come from?", heavy=False,
           topics="Annotations: boxes, masks, semantic and panoptic maps, keypoints; the COCO format",
           goal="Tell semantic, instance and panoptic maps apart, and a visible box from a full one.",
           minutes=10,
           expect="“The semantic map shows how many cars there are.” Cars that touch are one region in it; instances "
                  "and the panoptic map keep them apart."),
    Lesson("Segment", "semantic_segmentation", "Semantic Segmentation", ":material/texture:",
           "Which class does every pixel belong to?",
           topics="Per-pixel cross-entropy, fully convolutional networks, mIoU, pixel accuracy",
           goal="Explain segmentation as one softmax and one cross-entropy per pixel, and why one pass replaces all "
                "windows.",
           minutes=25,
           expect="“97 % of the pixels are right, so it is good.” Sky and grass are most of the pixels. In mIoU a "
                  "small ball counts as much as the sky."),
    Lesson("Segment", "upsampling", "Upsampling", ":material/zoom_in:",
           "How does a network get its resolution back?",
           topics="Nearest, bed of nails, bilinear, bicubic; max unpooling; receptive field",
           goal="Compute nearest, bilinear and max unpooling by hand, and say what pooling does to the receptive "
                "field.",
           minutes=20,
           expect="“Bicubic blends the nearest four pixels.” It takes four per axis, 16 in all, and can leave the "
                  "range of its input."),
    Lesson("Segment", "transposed_convolution", "Transposed Convolution", ":material/grid_on:",
           "How can a network learn to upsample?",
           topics="Convolution as a matrix and its transpose; stride and padding; checkerboards",
           goal="Stamp a filter by hand and get the same numbers from the transposed matrix.",
           minutes=25,
           expect="“It undoes the convolution.” It brings back the size, not the values: the transpose is not the "
                  "inverse."),
    Lesson("Detect", "localization", "Localization", ":material/center_focus_strong:",
           "What is the one thing in the picture, and where?", network="localizer-joint",
           topics="Class and box from one trunk, box losses, the multitask loss, landmarks, pose by regression "
                  "(DeepPose), PCK and OKS, part affinity fields (OpenPose)",
           goal="Write a box as four regressed numbers, compute its loss by hand, and weigh it against the loss of the "
                "class.",
           minutes=30,
           expect="“With two things the network draws two boxes.” It has four numbers, so it draws one box, and the "
                  "loss pulls it between the two."),
    Lesson("Detect", "sliding_window", "Sliding Window", ":material/crop_free:",
           "What does it cost to look everywhere?", network="window-classifier",
           topics="Sliding windows, fully connected layers as convolutions, image pyramid, a box for every window",
           goal="Turn a fully connected layer into a convolution, map each output back to its window, and count what "
                "one pass saves.",
           minutes=25,
           expect="“The network must be trained again for larger pictures.” The weights stay as they are: the same "
                  "filter has more places to stand."),
    Lesson("Detect", "selective_search", "Selective Search", ":material/account_tree:",
           "Which boxes of a picture are worth a look?",
           topics="Region proposals, Felzenszwalb's regions, merging by colour, texture, size and fill; recall of "
                  "proposals",
           goal="Merge regions by the four similarities, read a proposal off the tree, and say what recall and "
                "precision such a list has.",
           minutes=20,
           expect="“It finds the things.” It finds boxes, and does not know which of the hundreds hold a thing: most "
                  "things are among them, and most of them hold none."),
    Lesson("Detect", "iou_nms_precision_recall", "IoU, NMS and Precision-Recall", ":material/join_inner:",
           "When is a detection right, and how good is a detector?", network="detector",
           topics="IoU, non-maximum suppression, precision, recall, average precision",
           goal="Judge every detection of a picture as true or false, and read average precision off the curve.",
           minutes=25,
           expect="“Three boxes on one dog with IoU 0.9 are three hits.” A truth counts once; the other two are "
                  "false."),
    Lesson("Detect", "anchors", "Anchors", ":material/select_all:",
           "Where could an object be?", network="detector",
           topics="Region proposal network, anchors and their labels, box transforms, recall",
           goal="Follow one anchor from its place on the grid over its label to a proposal.",
           minutes=20,
           expect="“The network predicts the anchors.” Anchors are fixed before training. The network says how likely "
                  "each holds a thing, and how to move it."),
    Lesson("Detect", "roi_pooling", "RoI Pool versus RoI Align", ":material/crop:",
           "How do boxes of any size become features of one size?", network="detector",
           topics="RoI Pool of Fast R-CNN, RoI Align, crop and resize; half a cell, gradients to the box",
           goal="Show where RoI Pool rounds and RoI Align does not, and what half a cell costs.",
           minutes=20,
           expect="“Rounding by half a cell is half a pixel.” On a map of stride 16, half a cell is 8 pixels of the "
                  "picture."),
    Lesson("Detect", "rcnn_family", "The R-CNN Family", ":material/account_tree:",
           "What did each step from R-CNN to Faster R-CNN save?", network="rcnn",
           topics="Warped regions, SVMs and ridge regression, spatial pyramid pooling, Fast and Faster R-CNN, training "
                  "in stages",
           goal="Say for each of the four detectors what is computed once for the picture, and what for every region.",
           minutes=35,
           expect="“Fast R-CNN looks at all regions at once.” The convolutions run once for the picture; pooling and "
                  "the head still run for every region."),
    Lesson("Detect", "mask_rcnn", "Mask R-CNN", ":material/gesture:",
           "Which pixels of a box are the thing?", network="detector",
           topics="Instance segmentation: a mask for each region and class, training targets, per-class sigmoid "
                  "against softmax, boundaries",
           goal="Follow a region to its mask, cut its training target by hand, and say why each class has a sigmoid "
                "of its own.",
           minutes=25,
           expect="“The mask says what the thing is.” The box head says it; the mask of that class is then taken, and "
                  "the masks of the other classes are not asked."),
    Lesson("Detect", "position_sensitive", "R-FCN: Parts That Vote", ":material/how_to_vote:",
           "What if nothing had to run per region?", network="r-fcn",
           topics="R-FCN, position-sensitive score maps and pooling, the vote, cost per region",
           goal="Say which score map each part of a box reads, compute its vote, and explain why one map per class "
                "cannot place a box.",
           minutes=20,
           expect="“Nine maps are nine classes.” Each class has nine maps, one for every part of a thing: k² (C + 1) "
                  "in all."),
    Lesson("Detect", "yolo_grid", "The YOLO Grid", ":material/grid_view:",
           "Can one look at the picture find everything?", network="yolo-anchor",
           topics="YOLO's output tensor, one class set per cell or per box, multi-part loss",
           goal="Read the numbers of one cell, and find two things of which YOLOv1 can learn only one.",
           minutes=20,
           expect="“Every cell that the dog covers predicts the dog.” Only the cell that holds its centre answers for "
                  "it."),
    Lesson("Detect", "ssd", "SSD", ":material/stacks:",
           "Which grid finds which thing?", network="ssd",
           topics="Single shot detection: default boxes on grids of all scales, matching, hard negative mining",
           goal="Count the default boxes of a pyramid, match them with a scene, and say which negatives stay in the "
                "loss and why.",
           minutes=20,
           expect="“The coarse grids see more, so they find more.” They have few places and large boxes: nearly all "
                  "things of this world are found by the two finest."),
    Lesson("Detect", "focal_loss", "Focal Loss", ":material/filter_tilt_shift:",
           "Why do thousands of easy anchors drown the few that matter?", network="retinanet",
           topics="RetinaNet, class imbalance, focal loss, the prior on the last bias; C·K sigmoids",
           goal="Compute the focal loss of one answer, and say whose loss it takes away and whose it leaves.",
           minutes=20,
           expect="“The focal loss makes hard anchors cost more.” It makes none cost more: it makes the easy ones cost "
                  "less."),
    Lesson("Detect", "speed_accuracy", "Speed and Accuracy", ":material/speed:",
           "Which detector is worth its time?", network="detector",
           topics="One stage against two, backbones, picture size, number of proposals (Huang et al. 2017)",
           goal="Read a Pareto front, and choose a detector for a budget of milliseconds.",
           minutes=20,
           expect="“The network with the best AP is the best network.” Within a budget it may not even take part: the "
                  "best one changes with the milliseconds."),
    Lesson("Detect", "panoptic", "Panoptic Segmentation", ":material/dashboard:",
           "How does every pixel get a class, and every thing a segment of its own?", network="panoptic-fpn",
           topics="Things and stuff, merging masks with a semantic map, Panoptic FPN, panoptic quality",
           goal="Merge masks of things and a map of stuff by hand, and say what each threshold of the rule drops.",
           minutes=25,
           expect="“It is a semantic map with outlines around the things.” Two dogs that touch are one region there; a "
                  "panoptic map has a segment for each, and no pixel in two."),
    Lesson("Explain", "class_activation", "Class Activation Maps", ":material/visibility:",
           "What did the network look at?", network="classifier-gap-28",
           topics="Global average and maximum pooling, CAM, Grad-CAM, Augmented Grad-CAM, weak localization",
           goal="Compute a class activation map as a weighted sum of feature maps, and name what it cannot show.",
           minutes=20,
           expect="“The map outlines the thing.” It shows what raised the score, on cells of many pixels: a box drawn "
                  "around it seldom fits."),
    Lesson("Explain", "saliency", "Saliency", ":material/flare:",
           "Which pixels mattered for the answer?", network="classifier-gap-28",
           topics="Saliency maps, SmoothGrad, integrated gradients, occlusion; segmentation with saliency maps",
           goal="Read a saliency map as a sensitivity, and say why it is not what the pixels contributed.",
           minutes=25,
           expect="“Dark pixels did not count.” The gradient says how a small change would move the score; a pixel can "
                  "carry much of the score while a small change of it moves nothing."),
    Lesson("Explain", "feature_space", "What a Network Remembers", ":material/hub:",
           "Which pictures does a network take for alike?", network="classifier-gap-28",
           topics="Image retrieval by last-layer features, PCA and t-SNE plots of them, LeNet-5 on digits",
           goal="Use the last features of a picture as its signature, find its neighbours by distance, and say what "
                "kind of likeness each layer keeps and what a t-SNE plot does not say.",
           minutes=30,
           expect="“The nearest picture has the same colour.” In early layers it has the same light. In the last one "
                  "it is most often of the same class, whatever its colour."),
    Lesson("Beyond boxes", "dense_captioning", "Dense Captioning", ":material/chat:",
           "Can a network say what it sees, region by region?", network="densecap",
           topics="Detection and captioning (DenseCap): a recurrent decoder, teacher forcing, temperature, beam "
                  "search, METEOR, mAP of boxes and sentences",
           goal="Follow a sentence word by word through its probabilities, and say what a wrong word does to the words "
                "after it.",
           minutes=25,
           expect="“It understands the picture, because the sentence is good.” It learned which words follow which "
                  "cells; show it a colour and a class that never came together, and listen."),
    Lesson("Beyond boxes", "mesh_rcnn", "Mesh R-CNN", ":material/deployed_code:",
           "What shape has the thing, also where nobody sees it?", network="mesh",
           topics="Inflated solids as truth, voxels, cubify, graph convolution, vertex alignment, Chamfer distance, "
                  "normal and edge losses",
           goal="Say what a mesh adds to a mask, and what each of the three losses of Mesh R-CNN does to a shape.",
           minutes=30,
           expect="“The smallest Chamfer distance is the best shape.” It looks at points only: without the edge loss "
                  "corners fly away and triangles cross, and the distance is small all the same."),
    Lesson("Beyond boxes", "video", "Video", ":material/movie:",
           "What does a film ask of a detector that a picture does not?", network="detector",
           topics="Detection while a film plays, every k-th frame, tracking by detection (SORT), counting across a "
                  "line; pedestrians and cars",
           goal="Say what a network may take per look, what a track is made of, and why counting needs tracks.",
           minutes=30,
           expect="“Tracking is one more network.” Here no network tracks: predicted boxes are laid on detected ones, "
                  "by IoU alone, so a thing that leaps, or two that cross, can change names."),
)  # fmt: skip

# Words that a page uses before or without explaining them: one sentence, and the page that explains.
TERMS = {
    "IoU": ("the area that two boxes share, divided by the area that they cover together: 0 apart, 1 equal.",
            "iou_nms_precision_recall"),
    "mIoU": ("the IoU of true and predicted pixels of each class, averaged over the classes.", "semantic_segmentation"),
    "NMS": ("non-maximum suppression keeps the surest box and drops those that overlap it by more than a given IoU.",
            "iou_nms_precision_recall"),
    "AP": ("average precision, the area under the curve of best precision over recall: 0 to 1, and 1 is best.",
           "iou_nms_precision_recall"),
    "Sliding window": ("a box of fixed size, put at every place of a picture and classified there.", "sliding_window"),
    "Receptive field": ("the part of the picture that one value of a feature map depends on.", "upsampling"),
    "Anchor": ("a box of fixed size and ratio at a position of the feature map, which the network scores and moves.",
               "anchors"),
    "RoI Pool": ("rounds a box to whole cells of the map and keeps the largest value of each part; RoI Align rounds "
                 "nothing. Average precision behind both is measured there.", "roi_pooling"),
    "Pose regression": ("a network that says the joints as numbers, an x and a y for each; both ways are compared over "
                        "many persons there.", "localization"),
    "Feature pyramid": ("maps of several strides, fine for small things and coarse for large ones, each told by the "
                        "coarser ones what lies around.", "anchors"),
}  # fmt: skip

# What a hurried hour shows first: pages in this order, and what to do on each.
DEMO = (
    ("home", "raise the fog"),
    ("iou_nms_precision_recall", "drag one box off the other"),
    ("transposed_convolution", "stamp, one input after the other"),
    ("class_activation", "choose another class"),
)


@functools.cache
def _asks_network(folder: Path) -> bool:
    own = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    taken = re.findall(r"\w+", " ".join(_SHARED.findall(own)))
    shared = [path for path in folder.parent.glob("shared/*.py") if path.stem in taken]
    return any(_CATALOGUE.search(text) for text in [own, *(path.read_text(encoding="utf-8") for path in shared)])


def ready() -> list[Lesson]:
    """The lessons whose networks have been trained, in teaching order."""
    return [lesson for lesson in LESSONS if not lesson.network or (WEIGHTS / f"{lesson.network}.json").exists()]


def question(title: str) -> str:
    """The question of the lesson with this title; empty if there is none."""
    return next((lesson.question for lesson in LESSONS if lesson.title == title), "")
