"""4-step alternating training against joint training: who learns when, both curves, and what is shared in the end."""

import plotly.graph_objects as go
import streamlit as st

from labs import region_head_loss, region_proposal_loss
from models import catalog
from models.inside import four_losses, two_stages
from models.recipes import alternating_detector, milestones
from pages.rcnn_family.losses import NAMES
from pages.rcnn_family.shared import BLUE, ORANGE
from ui import figures, page
from ui.components import live_slider, words
from ui.pictures import KEPT

JOINT, ALTERNATING = "detector-narrow", "detector-alternating"
LEARNS, RUNS, FROZEN, NONE = "learns", "gives boxes", "frozen", "–"
PARTS = {  # what each part does in steps 1 to 4, and in use
    "trunk 1": (LEARNS, RUNS, NONE, NONE, NONE),
    "RPN 1": (LEARNS, RUNS, NONE, NONE, NONE),
    "trunk 2": (NONE, LEARNS, FROZEN, FROZEN, "shared"),
    "RPN 2": (NONE, NONE, LEARNS, RUNS, "in use"),
    "heads": (NONE, LEARNS, NONE, LEARNS, "in use"),
}
TELLS = (
    "A trunk and an RPN learn, from the RPN's two losses. There are no heads yet, so nothing can be found.",
    "Another trunk learns with the heads, from the head's two losses: Fast R-CNN on the boxes of RPN 1. Nothing is "
    "shared: two networks see every picture.",
    "Trunk 2 is frozen, and a new RPN learns on it. From here on there is one trunk, and trunk 1 is thrown away.",
    "The heads go on learning on the boxes of RPN 2. The trunk stays frozen, so RPN 2 stays right for it.",
)
BANDS = {"below 0.1": 0.1, "0.1 to 0.5": 0.5, "0.5 to 0.9": 0.9, "0.9 or more": 1.01}
SOURCES = [
    ("Ren et al. 2015: Faster R-CNN, with 4-step alternating training in section 3.2", "paper",
     "https://arxiv.org/abs/1506.01497"),
]  # fmt: skip
LINES = {"Joint": (BLUE, "solid"), "Alternating": (ORANGE, "dash")}


def ready() -> bool:
    """Whether both networks are there, with the curves of their training."""
    return all(name in catalog.shipped() and "curve" in catalog.card(name) for name in (JOINT, ALTERNATING))


@st.fragment
@page.guard()
def alternating() -> None:
    page.section(
        "4-step alternating training",
        "The paper trained RPN and heads in turns, the lectures' joint training adds the losses up: go through the "
        "steps.",
    )
    joint, turns = catalog.card(JOINT), catalog.card(ALTERNATING)
    with live_slider("Step", 1, 4, 1, key="alternating_step", play=True, play_seconds=8) as step:
        st.html(table(step))
        stage = turns["stages"][step - 1]
        words(f"**Step {step}, {stage['name']}, {stage['steps']:,} training steps.** {TELLS[step - 1]}",
              "alternating_told")  # fmt: skip
        with page.predict(
            "alternating-start", f"What AP50 does the detector have at the *beginning* of step {step}?", list(BANDS)
        ) as prediction:  # fmt: skip
            curve(joint, turns, "box_ap50", "AP50 on held-out scenes", step, "alternating_ap")
            start = next(point for point in turns["curve"] if point["stage"] == step).get("box_ap50", 0.0)
            why = (
                "There are no heads yet.", "Trunk 2 and the heads have learned nothing yet.",
                "The heads have learned, but RPN 2 is random: they look in the wrong places.",
                "RPN 2 has learned on the trunk that the heads know, so they find its boxes.",
            )  # fmt: skip
            band = next(name for name, top in BANDS.items() if start < top)
            prediction.outcome(band, f"{start:.2f}. {why[step - 1]}")
    name = st.segmented_control("Loss", list(NAMES.values()), default=next(iter(NAMES.values())), required=True,
                                key="alternating_loss", **KEPT)  # fmt: skip
    kind = next(each for each, said in NAMES.items() if said == name)
    with page.predict(
        "alternating-lower", f"After 3,000 steps: which training ends with the lower loss “{name}”?", list(LINES)
    ) as prediction:
        curve(joint, turns, kind, f"{name}, held-out scenes", step, "alternating_losses")
        last = {label: card["curve"][-1][kind] for label, card in zip(LINES, (joint, turns), strict=True)}
        prediction.outcome(
            min(last, key=last.__getitem__), " and ".join(f"{label} {value:.4f}" for label, value in last.items()) + "."
        )
    st.caption(
        f"Both saw the same pictures in the same order from the same random start, 3,000 steps of 8. The curves: means "
        f"over {milestones.SCENES} scenes that no network has learned from. Where the steps of alternating training "
        "meet, the network changes: that is the jump. At the start of step 3 the head's losses are low and nothing is "
        "found: RPN 2 is random, nearly all of its regions are background, and background is easy."
    )
    outcome(joint, turns)
    shared(turns)
    page.erratum(
        "Step 1 trains the RPN with the backbone frozen.",
        "In the paper's step 1 the backbone learns **with** the RPN, from weights of ImageNet. The backbone is frozen "
        "in steps 3 and 4. Here step 1 begins with random weights: a frozen random trunk would be of no use.",
    )


def table(step: int) -> str:
    """Who does what in the four steps, the chosen one framed."""
    looks = {LEARNS: f"background:{ORANGE};color:#000;font-weight:bold", RUNS: "border:1px dashed currentColor",
             FROZEN: "background:color-mix(in srgb,currentColor 14%,transparent)"}  # fmt: skip
    cell = "text-align:center;padding:.25em .3em;border-radius:4px"
    heads = "".join(
        f'<th style="padding:.2em .3em;border-bottom:3px solid {BLUE if number == step else "transparent"}">'
        f"{f'step {number}' if number < 5 else 'in use'}</th>" for number in range(1, 6)
    )  # fmt: skip
    rows = "".join(
        f'<tr><th style="text-align:left;padding:.2em .5em .2em 0">{part}</th>'
        + "".join(f'<td style="{cell};{looks.get(does, "")}">{does}</td>' for does in doing)
        + "</tr>" for part, doing in PARTS.items()
    )  # fmt: skip
    return (f'<table style="width:100%;border-collapse:separate;border-spacing:3px;table-layout:fixed;font-size:.9em">'
            f"<tr><th></th>{heads}</tr>{rows}</table>")  # fmt: skip


def curve(joint: dict, turns: dict, key: str, title: str, step: int, name: str) -> None:
    """One figure of both trainings over the steps; the chosen step of the four is shaded."""
    figure = go.Figure()
    for (label, (colour, dash)), card in zip(LINES.items(), (joint, turns), strict=True):
        points = [point for point in card["curve"] if key in point]
        x, y = [], []
        for before, point in zip([None, *points], points, strict=False):
            if before and before["stage"] != point["stage"]:  # the network changes: no line leads over
                x.append(None), y.append(None)
            x.append(point["step"]), y.append(point[key])
        figure.add_scatter(x=x, y=y, name=label, mode="lines+markers", line={"color": colour, "dash": dash},
                           marker={"size": 6})  # fmt: skip
    ends = [0]
    for each in turns["stages"]:
        ends.append(ends[-1] + each["steps"])
        figures.across(figure, x=ends[-1], width=1)
    figure.add_vrect(x0=ends[step - 1], x1=ends[step], fillcolor=ORANGE, opacity=0.12, line_width=0)
    figure.update_layout(xaxis={"title": "training steps", "range": [0, ends[-1]]},
                         yaxis={"title": title, "type": "linear" if key == "box_ap50" else "log"})  # fmt: skip
    page.figure(figure, name, height=300, alt=f"{title} over the steps of joint and of alternating training")


def outcome(joint: dict, turns: dict) -> None:
    """Both on the 500 held-out scenes."""
    st.subheader("Which is better?", anchor="joint-or-alternating")
    rows = ["| training | AP | AP50 | minutes |", "|---|---:|---:|---:|"]
    for label, card in zip(LINES, (joint, turns), strict=True):
        told = card["metrics"]
        rows.append(
            f"| {label} | {told['box_ap']:.3f} | {told['box_ap50']:.3f} | {card['training_seconds'] / 60:.0f} |"
        )
    st.markdown("\n".join(rows))
    gap = joint["metrics"]["box_ap"] - turns["metrics"]["box_ap"]
    fast = turns["stages"][1]["steps"]
    st.markdown(
        f"Alternating training ends {abs(gap):.3f} AP {'below' if gap > 0 else 'above'} joint training. Its final "
        f"trunk has learned in {fast:,} of the 3,000 steps, and from the head's losses alone; what step 1 taught trunk "
        f"1 is lost. Here both begin with random weights, which costs more than with weights of ImageNet."
    )
    st.caption(f"On {joint['metrics']['scenes']} scenes that no network has seen; one training of each.")


def shared(turns: dict) -> None:
    """What one trunk for both saves."""
    count = weights()
    two = 2 * count["backbone"] + count["rpn"] + count["roi_heads"]
    one = two - count["backbone"]
    minutes = " + ".join(f"{each['training_seconds'] / 60:.1f}" for each in turns["stages"])
    st.markdown(
        f"**Shared after step 3 and 4:** the trunk, {count['backbone']:,} numbers. RPN 2 ({count['rpn']:,}) and the "
        f"heads ({count['roi_heads']:,}) stand on it, together {one:,}. After step 2 it was {two:,}, and every picture "
        f"went through two trunks. The four steps took {minutes} minutes."
    )


@st.cache_data(max_entries=1, show_spinner=False)
def weights() -> dict[str, int]:
    """The number of parameters of each part."""
    module = alternating_detector.build(ALTERNATING)
    return {
        part: sum(each.numel() for each in module.get_submodule(part).parameters())
        for part in ("backbone", "rpn", "roi_heads")
    }


def code() -> None:
    """What ran in the sections on Faster R-CNN, its losses and its training."""
    page.show_code(two_stages.walk, library="torchvision.models.detection.FasterRCNN(backbone, num_classes)(pictures)")
    page.show_code(
        [region_head_loss.name, region_head_loss.region_losses, region_proposal_loss.anchor_loss,
         four_losses.open_losses],
        r"L = L_\text{RPN}^\text{object} + L_\text{RPN}^\text{box} + L_\text{head}^\text{class} + "
        r"L_\text{head}^\text{box}",
        "losses = detector.train()(pictures, targets)",
    )  # fmt: skip
    page.show_code([alternating_detector.train, alternating_detector.rpn_losses, alternating_detector.head_losses])
