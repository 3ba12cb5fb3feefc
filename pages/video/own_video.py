"""Your own video: any detector of the catalogue looks at its frames, tracks join them, and the result goes home."""

from dataclasses import replace

import streamlit as st

from labs import tracking
from labs.tracking import Settings
from models import choice
from models.choice import Offer
from pages.shared import offered, own_truth, photograph_found
from pages.shared.drawn_scores import Said
from pages.video import shared
from pages.video.own_looks import OwnLooks, drawn
from scenes import THINGS
from ui import lost_files, model_choice, own_files, own_video, page
from ui.components import Mark, Marked, Reel, live_slider, player, words
from ui.own_video import Video, Written
from ui.pictures import KEPT, Picture

KEY = "video_own"
ENDINGS = ("mp4", "m4v", "webm", "mov")
PLAYS = {
    "H.264": "Every browser and telephone plays it.",
    "VP9": "Browsers, Android and newer iPhones play it; PowerPoint wants H.264, which this machine’s OpenCV lacks.",
    "VP8": "Browsers and Android play it; iPhones and PowerPoint may not.",
    "MPEG-4 Part 2": "VLC plays it; most browsers do not.",
}
FOUND = tracking.FOUND


def offers() -> list[Offer]:
    """Every detector of the catalogue: the lab's that are here, then those for photographs."""
    ours = choice.offers("detection", lab=shared.detectors())
    theirs = [offer for task in ("instance segmentation", "keypoints") for offer in choice.offers(task, lab=[])]
    return list({offer.name: offer for offer in (*ours, *theirs)}.values())


@st.fragment
@page.guard()
def own() -> None:
    page.section(
        "Your own video",
        "Bring a film: a network of your choice looks at its frames, tracks join what it finds, and you take it home.",
    )
    left, right = st.columns([3, 2], gap="medium")
    with right:
        file = st.file_uploader(
            "MP4, WebM or MOV, up to 30 seconds or 100 MB", list(ENDINGS), key=f"{KEY}_file",
            max_upload_size=own_video.LARGEST // 10**6, on_change=own_files.cleared, args=(f"{KEY}_file",),
        )  # fmt: skip
        file = own_files.chosen(f"{KEY}_file", file)
        network = model_choice.choose(KEY, offers(), "Network for your video")
        every = st.slider(
            "Look at every k-th frame of your video", 1, shared.LONGEST_PAUSE, shared.EVERY, key=f"{KEY}_every", **KEPT
        )
    with left:
        if file is None:
            lost_files.told(f"{KEY}_file")
            st.caption("No video yet. It is opened on the machine that runs this lab, and forgotten when you leave.")
            return
        video = _video(file)
        if video is None or network is None:
            return
        looks = _looks(file.file_id, video, network)
        with right:
            _told(video, network)
            done, parts = looks.done(every)
            if done < parts:
                offered.offer(
                    f"{KEY}_look", (file.file_id, network.name, every), f"Look at {parts} frames",
                    lambda: looks.work(every),
                )  # fmt: skip
        _result(video, looks, network, every)
    _truth(video, looks)


@st.fragment
@page.guard()
def _result(video: Video, looks: OwnLooks, network, every: int) -> None:
    """The film with what has been found so far, and the file to take home."""
    with live_slider(
        "Score of a detection in your video, at least", 0.1, 0.95, 0.5, step=0.05, key=f"{KEY}_least", format="%.2f"
    ) as least:
        settings = Settings(least_score=least)
        frames = looks.tracked(settings, every)
        done, parts = looks.done(every)
        marks = [[_mark(each, looks) for each in frame] for frame in frames]
        view = player(f"{KEY}_play", tall=420)
        here = marks[min(view.frame, len(marks) - 1)] if marks else []
        told = ", ".join(f"{mark.label} {mark.track}" for mark in here) or "nothing"
        reel = Reel(looks.name, len(video), video.rate, (video.width, video.height), video.frame)
        if done:
            padded = marks + [[] for _ in range(len(video) - len(marks))]
            reel = replace(
                reel, marks=lambda first, last: Marked(padded[first:last], None, looks.typical),
                marked=f"{looks.name} {network.name} {every} {settings} {done}",
            )  # fmt: skip
        view.show(reel, alt=f"Your video, frame {view.frame + 1}: {network.name} finds {told}")
    numbers = {mark.track for frame in marks for mark in frame}
    words(
        f"**{len(numbers)} tracks** in {done} of {parts} frames that were looked at."
        if done
        else "No frame has been looked at yet.",
        f"{KEY}_count",
    )
    if done:
        page.footer(network.name, looks.device, looks.typical)
        _written(video, marks, f"{looks.name} {network.name} {every} {least} {done}")


@st.fragment
@page.guard()
def _truth(video: Video, looks: OwnLooks) -> None:
    """The truth of a frame that stands still, drawn by hand; the network looks at it if it has not yet."""
    at = min(st.session_state.get(f"{KEY}_play_frame", 0), len(video) - 1)
    frame = Picture(video.frame(at), f"Frame {at + 1} of your video")
    if not own_truth.opened(KEY, frame, "Draw the truth of a frame"):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Take the frame where the film stands", icon=":material/center_focus_strong:", key=f"{KEY}_take")
        st.caption(f"This is frame **{at + 1}**. Every frame has a drawing of its own.")
    found, network = looks.at(at), looks.network
    names = [looks.names[label] for label in found.labels.tolist()]
    own_truth.draw(f"{KEY}_truth", frame, [
        Said(network.name, found.boxes, names, found.scores, getattr(network, "classes", THINGS))
    ])  # fmt: skip


def _written(video: Video, marks: list[list[Mark]], kept: str) -> None:
    """The button that writes the film with its boxes, and the file; `kept` names both."""
    if st.button("Write the video with boxes", icon=":material/movie_edit:", key=f"{KEY}_write"):
        with st.spinner("Writing the video", show_time=True):
            pictures = (drawn(video.frame(at), frame) for at, frame in enumerate(marks))
            st.session_state[f"_{KEY}_written"] = (kept, own_video.write(pictures, video.rate))
    of, written = st.session_state.get(f"_{KEY}_written", ("", None))
    if written is not None and of == kept:
        _take_home(written)


def _take_home(written: Written) -> None:
    st.download_button(
        f"Take it home: {len(written.data) / 1e6:.1f} MB", written.data, f"receptive-video.{written.ending}",
        f"video/{written.ending}", key=f"{KEY}_home", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    st.caption(f"{written.codec} in {written.ending.upper()}, without sound. {PLAYS[written.codec]}")


def _mark(each: tracking.Tracked, looks: OwnLooks) -> Mark:
    found = each.state == FOUND
    box = (float(each.box[0]), float(each.box[1]), float(each.box[2]), float(each.box[3]))
    return Mark(box, looks.names[each.label], each.score if found else None, each.track, "detected" if found
                else "predicted")  # fmt: skip


def _video(file) -> Video | None:
    """The opened file, kept while it is chosen; or one sentence why not."""
    of, video = st.session_state.get(f"_{KEY}_video", ("", None))
    if of != file.file_id:
        try:
            with st.spinner("Opening the video", show_time=True):
                video = own_video.read(file.getvalue(), file.name)
        except ValueError as refused:
            video = str(refused)
        st.session_state[f"_{KEY}_video"] = (file.file_id, video)
    if isinstance(video, str):
        page.problem(video)
        return None
    return video


def _looks(file_id: str, video: Video, network) -> OwnLooks:
    """What this network has seen of this file, kept while both stay."""
    of, looks = st.session_state.get(f"_{KEY}_looks", (None, None))
    if looks is None or of != (file_id, network.name, id(network)):
        looks = OwnLooks(f"own {file_id}", video, network)
        st.session_state[f"_{KEY}_looks"] = ((file_id, network.name, id(network)), looks)
    return looks


def _told(video: Video, network) -> None:
    length = f"{len(video)} frames, {len(video) / video.rate:.1f} s at {video.rate:g} a second"
    st.caption(" ".join([f"{length}, {video.width} × {video.height} pixels.", *video.notes]))
    st.markdown(photograph_found.knows(network))
    if not hasattr(network, "classes"):
        st.caption("On a film of the real world its answers are guesses: choose a published network for that.")
