"""The truth of an own picture or a photograph, drawn by hand: boxes with classes, and what a detector is worth by it.

    own_truth.section("ssd", picture, ["ssd"])

A picture of Lab World has its truth already, so there the section is left out.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import replace

import streamlit as st

from labs import annotator_agreement, average_precision, coco_file
from labs.coco_file import Mark
from models import choice
from pages.shared import drawing_files, drawing_link, drawn_scores, two_drawings
from pages.shared.drawn_scores import Judged, Said
from pages.shared.photograph_found import LOWEST, look, xyxy
from scenes import THINGS
from ui import model_choice, page
from ui.components import Box, Boxes, Stage, address, following, live_slider, resting, stage, words
from ui.pictures import KEPT, Picture
from ui.rooms import collect

BLUE, ORANGE, GREEN, VERMILION, PURPLE, WHITE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#FFFFFF"
MARKS = {"true": ("✓", GREEN), "duplicate": ("2×", ORANGE)}
COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
KNOWN = tuple(dict.fromkeys((*THINGS, *COCO)))
DRAWN, EVERY = "Classes drawn", "All classes"
NAMED = 12  # so many detections bear their class and score; the others say it when pointed at
TITLE = "Draw the truth"
SENTENCE = (
    "Nobody has marked what is in this picture: do it, and the same functions that judge on Lab World judge here. Drag "
    "on the picture to draw a box."
)
WHOLE = (
    "Draw every thing of a class: one left out makes a right detection false. AP of one picture is coarse; a benchmark "
    "takes thousands."
)


def section(key: str, picture: Picture, lab: Sequence[str]) -> None:
    """The section, with a choice of the network that is judged: those of the lab by name, and published ones."""
    if not opened(key, picture):
        return
    network = model_choice.choose(f"{key}_judged", choice.offers("detection", lab=list(lab)), "Model to judge")
    draw(f"{key}_truth", picture, [] if network is None else [network])


def beside(
    key: str, picture: Picture, networks: Sequence, also: Callable[[Sequence[Mark]], None] | None = None
) -> None:  # fmt: skip
    """The section for a page whose networks stand above it: loaded ones, or what was `Said` already.

    Where that takes work, a page asks whether the section is `opened` and then calls `draw`. `also` says more of what
    is drawn, in words.
    """
    if opened(key, picture):
        draw(f"{key}_truth", picture, list(networks), also)


def opened(key: str, picture: Picture, title: str = TITLE) -> bool:
    """The heading and the switch, where the picture has no truth; whether somebody wants to draw.

    A page with several of these sections gives each a `title`.
    """
    if picture.view is not None:
        drawing_link.waiting(
            f"{key}_truth", lambda text: drawing_link.marks_of(text, KNOWN, picture.image.shape[:2]),
            "The link holds a truth drawn on another picture: choose that picture, and it is there.",
        )  # fmt: skip
        return False
    page.section(title, SENTENCE)
    return st.toggle(title, key=f"{key}_draw", bind="query-params")


@st.fragment
@page.guard()
def draw(
    key: str, picture: Picture, networks: list, also: Callable[[Sequence[Mark]], None] | None = None
) -> None:  # fmt: skip
    size, held = picture.image.shape[:2], f"{key}_stage"
    if drawing_link.turned_to(key, picture, (held, f"{key}_second", f"_{key}_undone")) == "first":
        st.session_state[held] = from_link(key, size)
        st.session_state[f"{key}_second"] = from_link(f"{key}_2", size)
    tools = st.container(key=f"{key}_tools", horizontal=True, vertical_alignment="bottom")
    with tools:
        name = st.selectbox("Class", KNOWN, key=f"{key}_class", width=190, **KEPT)
        folder = st.popover("Files", icon=":material/folder_open:")
    with folder:
        files(key, picture, held)
    with ExitStack() as sliders:
        iou, least, every = controls(key, sliders, networks)
        left, right = st.columns(2, gap="medium")
        with left:
            view = stage(
                held, drawable=True, hollow=True, new_box=Box("new", (0, 0, 1, 1), name, BLUE), most=coco_file.MOST,
                zoom=False, window=2 if not networks else 1,
            )  # fmt: skip
        marks = marks_of(view.boxes, size)
        if not following():
            hands(tools, held, view, name)
            with folder:
                drawing_files.offered(key, picture, marks)
        results = [judge(network, picture, marks, least, iou, every) for network in networks]
        with right:
            shown = chosen(key, picture, networks, results)
        with left:
            mine(view, marks, picture, shown)
            if not following():
                collect.box(key, picture.image, picture.name, name, in_hand(view, marks, name))
        if also is not None:
            also(marks)
        told(key, marks, networks, results, iou)
        second = st.session_state.get(f"{key}_second", [])
        if second:
            two_drawings.boxes(f"{key}_two", picture, marks, marks_of(second, size), iou)
    remembered(key, held, marks, second, size)


def controls(key: str, sliders: ExitStack, networks: list) -> tuple[float, float, bool]:
    """IoU for a match, lowest score, and whether detections of classes that nobody drew count."""
    with st.container(key=f"abreast-{key}"):
        places = st.columns(3 if networks else 1, vertical_alignment="bottom")
    with places[0]:
        iou = sliders.enter_context(
            live_slider("IoU for a match", 0.05, 0.95, 0.5, step=0.05, key=f"{key}_iou", format="%.2f",
                        help="A detection fits a box of yours when their IoU is at least this: equal is enough.")
        )  # fmt: skip
    if not networks:
        return iou, LOWEST, False
    with places[1]:
        least = sliders.enter_context(
            live_slider("Score threshold", LOWEST, 0.95, 0.5, step=0.05, key=f"{key}_score", format="%.2f", play=True,
                        help="For precision and recall. AP takes all detections, from the surest on.")
        )  # fmt: skip
    with places[2]:
        every = st.segmented_control(
            "Judged", [DRAWN, EVERY], default=DRAWN, required=True, key=f"{key}_every", bind="query-params",
            help="Whether detections of a class that you have not drawn are false, or do not count.",
        )  # fmt: skip
    return iou, least, every == EVERY


def files(key: str, picture: Picture, held: str) -> None:
    """Load a drawing, and a second one."""
    size = picture.image.shape[:2]
    if (found := drawing_files.taken(f"{key}_load", "Load a drawing", picture, KNOWN)) is not None:
        st.session_state[f"_{key}_undone"] = st.session_state.get(held, [])
        st.session_state[held] = boxes_of(found.marks, size)
    undone = st.session_state.get(f"_{key}_undone")
    st.button("Take back the last load or deletion", icon=":material/undo:", key=f"{key}_undo", disabled=undone is None,
              on_click=take_back, args=(key, held))  # fmt: skip
    if (found := drawing_files.taken(f"{key}_other", "A second drawing to compare", picture, KNOWN)) is not None:
        st.session_state[f"{key}_second"] = boxes_of(found.marks, size)
    st.button("Without the second drawing", icon=":material/close:", key=f"{key}_alone",
              disabled=not st.session_state.get(f"{key}_second"), on_click=alone, args=(key,))  # fmt: skip


def take_back(key: str, held: str) -> None:
    st.session_state[held] = st.session_state.pop(f"_{key}_undone")


def alone(key: str) -> None:
    st.session_state[f"{key}_second"] = []


def hands(tools, held: str, view: Stage, name: str) -> None:
    """What a finger has no key for: another class for the selected box, and its end."""
    box = next((each for each in view.boxes if each.id == view.selected), None)
    with tools:
        st.button("Rename box", icon=":material/label:", key=f"{held}_rename",
                  disabled=box is None or box.label == name, on_click=renamed, args=(view, name),
                  help="Gives the selected box the class that is chosen here.")  # fmt: skip
        st.button("Delete box", icon=":material/delete:", key=f"{held}_delete", disabled=box is None,
                  on_click=deleted, args=(view,), help="The selected box. Key: Delete.")  # fmt: skip
        st.button("Delete all", icon=":material/delete_sweep:", key=f"{held}_clear", disabled=not view.boxes,
                  on_click=cleared, args=(view, f"_{held.removesuffix('_stage')}_undone"))  # fmt: skip


def in_hand(view: Stage, marks: Sequence[Mark], name: str) -> tuple[float, float, float, float] | None:
    """The selected box if it is of this class, else the last one that is."""
    mine = {box.id: mark.box for box, mark in zip(view.boxes, marks, strict=True) if mark.name == name}
    return mine.get(view.selected, next(reversed(mine.values()), None))


def renamed(view: Stage, name: str) -> None:
    boxes = view.by_now()
    st.session_state[view.key] = [replace(box, label=name) if box.id == view.selected else box for box in boxes]


def deleted(view: Stage) -> None:
    st.session_state[view.key] = [box for box in view.by_now() if box.id != view.selected]


def cleared(view: Stage, undone: str) -> None:
    st.session_state[undone], st.session_state[view.key] = view.by_now(), []


def marks_of(boxes: Sequence[Box], size: tuple[int, int]) -> list[Mark]:
    """The boxes of a stage, in whole pixels."""
    return [Mark(box.label, drawing_link.rounded(box.xyxy, size)) for box in boxes]


def boxes_of(marks: Sequence[Mark], size: tuple[int, int]) -> list[Box]:
    """Marks as boxes to edit. The label is the class; what is said beside it is added when they are drawn."""
    return [Box(f"box-{number}", drawing_link.rounded(mark.box, size), mark.name, BLUE, editable=True)
            for number, mark in enumerate(marks, start=1)]  # fmt: skip


def from_link(link: str, size: tuple[int, int]) -> list[Box]:
    """The boxes in the address; none, with a sentence, where they are not of this picture."""
    try:
        return boxes_of(drawing_link.marks_of(address.linked(link) or "", KNOWN, size), size)
    except ValueError as refused:
        page.problem(str(refused))
        return []


def remembered(key: str, held: str, marks: Sequence[Mark], second: Sequence[Box], size: tuple[int, int]) -> None:
    """Once the hand rests, both drawings stand in the address."""
    if following() or not resting(held):
        return
    texts = {key: drawing_link.text_of(marks), f"{key}_2": drawing_link.text_of(marks_of(second, size))}
    if not all([drawing_link.keep(link, text) for link, text in texts.items()]):
        st.caption(drawing_link.TOO_LONG)


def judge(network, picture: Picture, marks: Sequence[Mark], least: float, iou: float, every: bool) -> Judged:
    """The network's detections of the picture against what is drawn; it looks once."""
    found = network if isinstance(network, Said) else look(network, picture.image, heads=False)
    return drawn_scores.judged(found.boxes, found.names, found.scores, marks, least, iou, every)


def mine(view: Stage, marks: Sequence[Mark], picture: Picture, judged: Judged | None) -> None:
    """The drawing: a thing that is found is green, one that is missed purple and dashed."""
    missed = () if judged is None else judged.judgement.missed
    boxes = []
    for i, (box, mark) in enumerate(zip(view.boxes, marks, strict=True)):
        sign, colour = ("", BLUE) if judged is None else ("✗ ", PURPLE) if i in missed else ("✓ ", GREEN)
        boxes.append(replace(box, xyxy=mark.box, label=f"{i + 1} {sign}{mark.name}", colour=colour, dash=i in missed,
                             width=3))  # fmt: skip
    view.show(
        picture.image, [Boxes(boxes)], alt=f"Your drawing: {len(boxes)} boxes",
        caption="Drag: a new box, also inside another. A line moves its box, a handle resizes it, a click selects it. "
        "Keys: N, arrows, Alt + arrows, Delete.",
    )  # fmt: skip


def chosen(key: str, picture: Picture, networks: list, results: Sequence[Judged]) -> Judged | None:
    """The detections of one network in the colours of their verdicts, over the outlines of the drawing."""
    if not networks:
        st.caption("No network is here to be judged: draw, save, and compare two drawings all the same.")
        return None
    judged, names = results[0], [network.name for network in networks]
    if len(networks) > 1:
        which = st.segmented_control("Shown", names, default=names[0], required=True, key=f"{key}_shown", **KEPT)
        judged = results[names.index(which)]
    outlines = [Box(f"truth-{i}", xyxy(box), "", WHITE, dash=True) for i, box in enumerate(judged.truths.boxes)]
    boxes = []
    for d, verdict in enumerate(judged.judgement.verdicts):
        sign, colour = MARKS.get(verdict.kind, ("✗", VERMILION))
        told = f"{sign} {judged.named(d)}"
        note = f"{judged.named(d)}: {drawn_scores.SAID.get(verdict.kind, 'true')}"
        boxes.append(
            Box(f"said-{d}", xyxy(judged.shown.boxes[d]), told if d < NAMED else "", colour, width=3, note=note)
        )
    stage(f"{key}_judged", zoom=False).show(
        picture.image, [Boxes([*outlines, *boxes[::-1]])], alt=f"{len(boxes)} detections, judged by your drawing",
        caption="Detections. Green ✓: true. Vermilion ✗: false. Orange 2×: again. Dashed white: your boxes.",
    )  # fmt: skip
    return judged


def told(key: str, marks: Sequence[Mark], networks: list, results: Sequence[Judged], iou: float) -> None:
    """The figures of every network, then thing by thing."""
    if not networks:
        return
    if not marks:
        words(":gray[Draw the first box: without a thing there is no recall and no AP.]", f"{key}_figures")
        return
    pairs = list(zip(networks, results, strict=True))
    words("\n\n".join(drawn_scores.figures(network.name, judged, iou) for network, judged in pairs), f"{key}_figures")
    each = (f"**{network.name}**\n\n" * (len(pairs) > 1) + drawn_scores.lines(judged, iou) for network, judged in pairs)
    words("\n\n".join(each), f"{key}_lines")
    if following():
        return
    strange = [s for network in networks if (s := strangers(network, {mark.name for mark in marks}))]
    st.caption(" ".join([*strange, WHOLE]))
    page.show_code([average_precision.average_precision, annotator_agreement.compare])


def strangers(network, drawn: Collection[str]) -> str:
    """The classes drawn that a network has never heard of."""
    unknown = sorted(set(drawn) - set(getattr(network, "classes", THINGS)))
    if not unknown:
        return ""
    return f"{network.name} knows no {' and no '.join(unknown)}: there it can only miss."
