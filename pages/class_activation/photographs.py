"""Networks for photographs: the five best classes, the maps of two of a thousand, and whether there is a CAM at all."""

import streamlit as st
from torch import Tensor

from labs.heat_map_quality import points_at
from models import catalog, choice
from models.inside import photograph_attribution
from models.inside.photograph_attribution import Explained, Head
from models.networks.published import PretrainedClassifier, TopClasses
from pages.class_activation.photograph_augmented import augmented
from pages.class_activation.photograph_box import weak_box
from pages.class_activation.photograph_shared import Asked, best_of, classified, head, inside, unique
from pages.class_activation.shared import evidence, limit_of, xyxy
from pages.shared import photograph_source as source
from pages.shared.heat_maps import SIGNED, SKY, WHITE, colour_bar, greyed, number
from ui import model_choice, page
from ui.components import Box, Boxes, stage
from ui.pictures import KEPT, Picture

FIRST, SECOND = "most probable", "another thing"
CAM, GRAD_CAM = "CAM", "Grad-CAM"


def photographs(above: Picture) -> None:
    """The sections; what they share is chosen outside the fragments, as `model_choice` wants it."""
    offers = choice.offers("classification", lab=[])
    if above.view is None:
        page.section("A network for photographs", "Here answers a network trained on photographs.")
        picture, network = above, model_choice.choose("cam_published", offers)
    else:
        page.section(
            "A network for photographs",
            "The same question to classifiers of a thousand ImageNet classes: which pixels speak for which name?",
        )
        left, right = st.columns([3, 1])
        with right:
            picture = source.choose("cam_published", above, default="Cameraman")
        with left:
            network = model_choice.choose("cam_published", offers)
    if network is None:
        heads()
        return
    asked = ask(picture, network)
    play(asked)
    heads()
    weak_box(asked)
    augmented(asked)


def ask(picture: Picture, network: PretrainedClassifier) -> Asked:
    """Draw the choice of two classes by name."""
    with st.spinner(f"{network.name} looks at the picture", show_time=True):
        seen = classified(network.name, id(network), network, picture.image)
    names = unique(network.classes)
    # Without visible labels: on a telephone the picture below is whole only if both stand in one row.
    with st.container(horizontal=True, width=620):
        first, second = (
            st.selectbox(label, [default, *names], key=key, label_visibility="collapsed", **KEPT)
            for label, default, key in (
                ("Class", FIRST, "cam_published_class"),
                ("Class beside it", SECOND, "cam_published_other"),
            )
        )
    target = int(seen.logits.argmax()) if first == FIRST else names.index(first)
    other = next_to(target, picture, seen) if second == SECOND else names.index(second)
    return Asked(picture, network, seen, target, other)


def next_to(target: int, picture: Picture, seen: TopClasses) -> int:
    """The best class of a marked thing that `target` does not name, or else the next best of all."""
    things = [thing.names for thing in picture.things if seen.classes[target] not in thing.names]
    if things:
        return max((best_of(names, seen) for names in things), key=lambda label: float(seen.logits[label]))
    return next(label for label in seen.logits.argsort(descending=True).tolist() if label != target)


@st.fragment
@page.guard()
def play(asked: Asked) -> None:
    picture, network, seen = asked.picture, asked.network, asked.seen
    each = head(network.card["name"])
    panels, below = st.columns(3, gap="medium"), st.container()
    with below:
        options = [CAM, GRAD_CAM] if each.has_cam else [GRAD_CAM]
        kind = st.segmented_control(
            "Map", options, default=options[0], required=True, key="cam_published_map",
            help="CAM from the weights alone; Grad-CAM, before its ReLU, from the gradients.", **KEPT,
        )  # fmt: skip
    with st.spinner("Forward and backward", show_time=True):
        found = {target: asked.explain(target) for target in (asked.target, asked.other)}
    maps = {target: map_of(each, kind) for target, each in found.items()}
    limit = limit_of(*maps.values())
    with panels[0]:
        frames = [Box(f"thing-{i}", xyxy(thing.box), thing.names[0], WHITE, width=2)
                  for i, thing in enumerate(picture.things)]  # fmt: skip
        x1, y1, x2, y2 = network.window(*picture.image.shape[:2])
        if (x1, y1, x2, y2) != (0, 0, asked.side, asked.side):
            frames.append(Box("window", (x1, y1, x2, y2), colour=SKY, dash=True, note="what the network is shown"))
        stage("cam_published_picture", zoom=False).show(
            picture.image, [Boxes(frames)], alt=f"{picture.name}, with what was marked in it by hand"
        )
        st.markdown(table(seen))
        if frames and frames[-1].id == "window":
            st.caption(f"Dashed: the middle that the network is shown, {photograph_attribution.SIZE} pixels a side.")
        if picture.view is not None:
            st.caption("Lab World is drawn, and these networks know photographs: expect odd answers.")
    for panel, target, key in zip(panels[1:], (asked.target, asked.other), ("first", "second"), strict=True):
        name, heat = network.classes[target], maps[target]
        with panel:
            stage(f"cam_published_{key}", zoom=False).show(
                greyed(picture.image), [asked.layer(heat, limit)], alt=f"{kind} of {name} by {network.name}"
            )
            st.markdown(
                f"**{name}**: probability **{float(seen.probabilities[target]):.3f}**, score S = "
                f"**{number(float(seen.logits[target]), 4)}**"
            )
            st.caption(f"{kind}, {heat.shape[0]}×{heat.shape[1]}: {evidence(heat, name)}")
    unit = "logit per cell" if kind == CAM else "logit per cell and pixel of the mean"
    colour_bar(SIGNED, limit, unit)
    discriminates(asked, maps)
    if each.has_cam:
        st.markdown(exact(found[asked.target], each))
    else:
        st.info(no_cam(each), icon=":material/info:")
    page.footer(network.name, seen.device, seen.seconds * 1000)


def map_of(found: Explained, kind: str) -> Tensor:
    """CAM where it is asked for and exists."""
    return found.cam if kind == CAM and found.cam is not None else found.grad_cam


def discriminates(asked: Asked, maps: dict[int, Tensor]) -> None:
    """Where both classes have a box drawn by hand: what each map holds on the one thing and on the other."""
    classes = list(maps)
    boxes = {target: asked.boxes(target) for target in classes}
    if len(classes) < 2 or not all(boxes.values()) or boxes[classes[0]] == boxes[classes[1]]:
        return
    names = [asked.network.classes[target] for target in classes]
    masks = [inside(boxes[target], asked.side) for target in classes]
    rows = [
        f"| map of | mean in the box of the {names[0]} | in that of the {names[1]} | its largest value lies |",
        "|---|---:|---:|---|",
    ]
    for name, target, own in zip(names, classes, masks, strict=True):
        heat = asked.on_picture(maps[target])
        means = [number(float(heat.numpy()[mask].mean())) for mask in masks]
        rows.append(f"| **{name}** | {means[0]} | {means[1]} | {'in' if points_at(heat, own) else 'beside'} its box |")
    st.markdown("\n".join(rows))
    st.caption(
        "One picture, one network, two classes: a map shows its thing also where the class is far from winning, unless "
        "the network does not know the thing. White boxes: drawn by hand."
    )


def heads() -> None:
    """What follows the last maps of every network on offer; known without their weights."""
    st.markdown("**Whether CAM exists is decided by the head of a network:**")
    rows = ["| network | last maps | then | linear layers | CAM |", "|---|---|---|---|---|"]
    for name in catalog.pretrained_names("classification"):
        each = head(name)
        pooled = "global average" if each.pooled == (1, 1) else f"pooling to {each.pooled[0]}×{each.pooled[1]}"
        rows.append(
            f"| {name} | {shape(each.maps)} | {pooled} | {layers(each)} | "
            + (":material/check: exact |" if each.has_cam else ":material/close: does not exist |")
        )
    st.markdown("\n".join(rows))


def exact(found: Explained, each: Head) -> str:
    """CAM against Grad-CAM in numbers."""
    cells = found.cam.numel()
    gap = float((found.grad_cam - found.cam / cells).abs().max())
    mean = float(found.cam.mean())
    return (
        f"**Largest difference between Grad-CAM and CAM / {cells}: {number(gap, 2)}**, of values up to "
        f"{number(limit_of(found.grad_cam))}. {each.maps[0]} maps, their means, one linear layer: ∂S/∂fₖ is "
        f"wₖ / {cells} in every cell. The mean of CAM plus the bias is {number(mean, 4)} + {number(found.bias, 2)} = "
        f"**{number(mean + found.bias, 4)}**; the score is **{number(found.score, 4)}**."
    )


def no_cam(each: Head) -> str:
    """Why this head has no class activation map."""
    return (
        f"**CAM does not exist here.** Between the {each.maps[0]} maps and the classes stand {len(each.linear)} linear "
        f"layers ({layers(each)}) with nonlinearities between them. No single weight joins a map to a class, so there "
        "is nothing to add the maps up with. Grad-CAM asks for gradients instead, and those every network has."
    )


def table(seen: TopClasses) -> str:
    """The five most probable classes."""
    lines = ["| class | probability | score S |", "|---|---:|---:|"]
    best = seen.logits.topk(min(5, len(seen.classes))).indices.tolist()
    lines += [f"| {seen.classes[i]} | {float(seen.probabilities[i]):.3f} | {number(float(seen.logits[i]))} |"
              for i in best]  # fmt: skip
    return "\n".join(lines)


def shape(maps: tuple[int, int, int]) -> str:
    return f"{maps[0]} of {maps[1]}×{maps[2]}"


def layers(each: Head) -> str:
    """ "2048 → 1000"."""
    return " → ".join(str(n) for n in (each.linear[0][0], *(outputs for _, outputs in each.linear)))
