"""The same proposals through both networks: what each finds in this picture, and their figures on held-out scenes."""

import streamlit as st

from models import catalog
from pages.position_sensitive.price import rival
from pages.position_sensitive.shared import NETWORK, RIVAL, WHITE, seen, truth_of, xyxy
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, live_slider, stage, words
from ui.pictures import Picture

NAMES = {NETWORK: "R-FCN", RIVAL: "Faster R-CNN"}
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#8A9099")


@st.fragment
@page.guard()
def found(picture: Picture) -> None:
    page.section(
        "Beside Faster R-CNN",
        "Trunk, RPN and proposals are the same; only what becomes of a proposal differs.",
    )
    said = {NETWORK: seen(picture.image), RIVAL: rival(picture.image)}
    with live_slider("Show scores from", 0.05, 0.95, 0.5, step=0.05, key="rfcn_shown", format="%.2f",
                     window=2) as least:  # fmt: skip
        for place, (name, each) in zip(st.columns(2, gap="medium"), said.items(), strict=True):
            shown = (each.scores >= least).nonzero()[:, 0].tolist()
            boxes = [
                Box(f"found-{i}", xyxy(each.boxes[i]), f"{THINGS[each.labels[i] - 1]} {each.scores[i]:.2f}",
                    COLOURS[each.labels[i] - 1], width=2.5)
                for i in reversed(shown)
            ]  # fmt: skip
            truth = [Box(f"truth-{i}", xyxy(box), "", WHITE, dash=True, width=1.5, note="truth")
                     for i, box in enumerate(truth_of(picture)[0])]  # fmt: skip
            with place:
                words(f"**{NAMES[name]}**: {len(shown)} {'box' if len(shown) == 1 else 'boxes'}", f"rfcn_{name}_words")
                stage(f"rfcn_found_{name}", zoom=False, window=2).show(
                    picture.image, [Boxes([*truth, *boxes])], alt=f"{len(shown)} boxes of {NAMES[name]}",
                    caption="White, dashed: the truth." if truth else "",
                )  # fmt: skip
    cards = {name: catalog.card(name) for name in NAMES}
    better = max(cards, key=lambda name: cards[name]["metrics"]["box_ap"])
    scenes = cards[NETWORK]["metrics"]["scenes"]
    with page.predict(
        "rfcn-better", f"Which of the two has the higher box AP over {scenes} held-out scenes?", list(NAMES.values())
    ) as prediction:
        st.markdown(table(cards))
        prediction.outcome(NAMES[better], "The heads of Faster R-CNN were trained together with the trunk, for "
                           "longer; R-FCN's maps had to do with the trunk as it was.")  # fmt: skip
    page.remind("AP")
    recipe = cards[NETWORK]["recipe"]
    st.caption(
        f"`{NETWORK}` stands on the frozen trunk and RPN of `{RIVAL}`: its score maps alone were trained, "
        f"{recipe['steps']} steps of {recipe['batch']} scenes."
    )


def table(cards: dict[str, dict]) -> str:
    lines = ["| network | box AP | AP50 | small | medium | large |", "|---|" + "---:|" * 5]
    for name, card in cards.items():
        figures, sizes = card["metrics"], card["metrics"]["box_ap_per_size"]
        by_size = " | ".join(f"{sizes[size]:.3f}" for size in ("small", "medium", "large"))
        lines.append(f"| {NAMES[name]} (`{name}`) | {figures['box_ap']:.3f} | {figures['box_ap50']:.3f} | {by_size} |")
    return "\n".join(lines)
