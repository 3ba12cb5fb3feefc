"""R-CNN runs: one pass of the network for every proposal, boxes as they are found, and what 2000 would cost."""

from contextlib import AbstractContextManager

import streamlit as st

from labs.region_warp import PAPER_SIZE, computed_pixels
from models import catalog
from models.networks.rcnn import SIZE
from pages.rcnn_family import crops_work
from pages.rcnn_family.crops_work import IMAGENET, NETWORK
from pages.rcnn_family.shared import BLUE, Look, bars, duration, found_in, truths, xyxy
from pages.shared.watched import Watched
from ui import page
from ui.components import Box, Boxes, live_slider, stage
from ui.pictures import KEPT

LAB, LITE = "the lab's R-CNN", "EfficientNet-Lite0, no SVMs"
NETWORKS = {LAB: NETWORK, LITE: IMAGENET}
PAPER_REGIONS, PAPER_SECONDS = 2000, 47.0
REFRESH = 0.4  # seconds between two looks
MARGIN, SURE = -0.3, 0.5  # from which a box, and the name of a crop, is drawn at first
RUN = "_rcnn_run"  # in the session: what it works on, and the thread
SAID = {
    "waiting": "Others run on this machine already: yours begins when one of them ends.",
    "stopped": "Stopped. What is done stays done; the button goes on from here.",
    "failed": "It broke off; the server log says why. The button begins anew.",
}


@page.guard()
def running(look: Look) -> None:
    page.section(
        "One pass for every region",
        "Press the button: each proposal is warped and sent through the network on its own. Watch the clock.",
    )
    page.remind("NMS", "IoU")
    asked_pixels(look)
    runs(look)


@st.fragment
@page.guard()
def asked_pixels(look: Look) -> None:
    """How many pixels the network must look at."""
    height, width = look.picture.image.shape[:2]
    count, once = len(look.boxes), height * width
    times = computed_pixels(count, PAPER_SIZE) / once
    options = sorted({f"{max(round(times * each), 1):,}" for each in (0.01, 0.1, 1, 10)}, key=lambda each: int(
        each.replace(",", "")))  # fmt: skip
    with page.predict(
        "rcnn-pixels", f"{count} crops of {PAPER_SIZE} × {PAPER_SIZE} pixels: how many times the pixels of the picture "
        f"of {width} × {height}?", options,
    ) as prediction:  # fmt: skip
        st.markdown(
            f"{count} · {PAPER_SIZE}² = {computed_pixels(count, PAPER_SIZE):,} pixels, the picture has {once:,}: "
            f"**× {times:.1f}**. The lab's small network takes crops of {SIZE} × {SIZE}, "
            f"{computed_pixels(count, SIZE):,} pixels in all, × {computed_pixels(count, SIZE) / once:.1f}."
        )
        prediction.outcome(f"{max(round(times), 1):,}", "Regions overlap: most pixels are looked at again and again.")


@st.fragment
@page.guard()
def runs(look: Look) -> None:
    """The buttons, and below them the picture as far as it is done."""
    label = st.segmented_control(
        "Network", list(NETWORKS), default=LAB, required=True, key="rcnn_network", label_visibility="collapsed", **KEPT
    )
    network = NETWORKS[label]
    about = (look.picture.image.tobytes(), look.mode, look.most, network)
    on, run = st.session_state.get(RUN, (None, None))
    if run is not None and on != about:
        run.stop()
        run = None
    busy = run is not None and run.running
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            f"Run on {len(look.boxes)} proposals", type="primary", icon=":material/play_arrow:", key="rcnn_run",
            disabled=busy or not len(look.boxes),
        ):  # fmt: skip
            work = crops_work.work_on(look.picture.image, look.mode, network)
            run = Watched(crops_work.frames(look.picture.image, look.searched, network, work, len(look.boxes)))
            st.session_state[RUN] = (about, run)
            run.start()
            st.rerun()
        if st.button("Stop", icon=":material/stop:", key="rcnn_stop", disabled=not busy):
            run.stop(wait=5.0)
            st.rerun()
    with lowest_of(network) as lowest:
        if busy:
            watch(look, network, run, lowest)
        else:
            st.caption(SAID.get(run.state if run else "", " "))
            so_far(look, network, lowest)


def lowest_of(network: str) -> AbstractContextManager[float]:
    """The slider from which margin, or probability, on a box is drawn."""
    if network == NETWORK:
        return live_slider("Margin from", -1.0, 1.0, MARGIN, step=0.05, key="rcnn_lowest", format="%.2f")
    return live_slider("Probability from", 0.1, 1.0, SURE, step=0.05, key="rcnn_sure", format="%.2f")


@st.fragment(run_every=REFRESH)
@page.guard()
def watch(look: Look, network: str, run: Watched[int], lowest: float) -> None:
    """Only this runs again while the work goes on."""
    run.look()
    if not run.running:
        st.rerun()
    st.caption(SAID.get(run.state, "Region after region."))
    so_far(look, network, lowest)


def so_far(look: Look, network: str, lowest: float) -> None:
    """What was found among the regions that are done, and what it took."""
    done, seconds = crops_work.seconds_of(look, network)
    shown, total = min(done, len(look.boxes)), len(look.boxes)
    picture, clock = st.columns([1, 1], gap="large")
    with picture:
        if network == NETWORK:
            run = crops_work.run_of(look)
            found_in(look, run, "rcnn_found", lowest, "margin")
        else:
            names(look, lowest)
    with clock:
        st.progress(shown / max(total, 1), f"{shown} of {total} regions")
        if network == NETWORK:
            bars([run])
        if done:
            each = seconds / done
            st.markdown(
                f"One region took **{duration(each)}** here, measured on {done}. For {PAPER_REGIONS:,} that makes "
                f"**{duration(each * PAPER_REGIONS)}**. The lectures' R-CNN, with VGG16: {PAPER_SECONDS:.0f} s."
            )
            loaded = catalog.load(network)
            page.footer(loaded.name, loaded.device, seconds * 1000)
        else:
            st.caption("Nothing has run yet.")


def names(look: Look, lowest: float) -> None:
    """What an ImageNet classifier calls the crops it is sure of."""
    found = crops_work.named(look, lowest)
    boxes = [Box(f"named-{i}", xyxy(found.boxes[i]), f"{name} {float(found.scores[i]):.2f}", BLUE, width=2.5)
             for i, name in reversed(list(enumerate(found.names)))]  # fmt: skip
    stage("rcnn_found", zoom=False).show(
        look.picture.image, [Boxes([*truths(look), *boxes])], alt="What EfficientNet-Lite0 calls the regions",
        caption=f"EfficientNet-Lite0, trained on ImageNet's photographs of 1,000 classes: {len(boxes)} boxes with a "
        f"probability of {lowest:g} or more after NMS. It has no class for background, so it names that too.",
    )  # fmt: skip
