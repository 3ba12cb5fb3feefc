"""What every task makes of the scene: one panel each, the network's answer beside the truth."""

from dataclasses import replace

import streamlit as st

from pages.home import networks
from pages.home.moment import SIZE, Moment
from pages.home.networks import Seen
from pages.home.pair import WIDTH, Answer, pictures, truth_alone
from pages.home.tasks import Task, detectors
from pages.shared.detectors import NAMES
from pages.shared.swatches import class_swatches
from ui import page
from ui.components import following, stage, words
from ui.pictures import KEPT

FOLLOWING = 0.1  # seconds of networks for one step of a drag; what does not fit follows when the hand rests
DETECTOR, CHOICE = "detector", "home_detector"
LAST = "home_seen"  # in the session: per network, what its panels show


def panels(moment: Moment, tasks: list[Task], beside: dict, below, moving: bool) -> None:
    """All panels: that of a task in `beside` at the place given there, the others in pairs `below`. Each
    network runs when its first panel is drawn; the panels of those that cannot keep up with a moving hand keep the last
    picture, with the answer to that picture."""
    names = tuple(dict.fromkeys(task.network for task in tasks))
    ready, last = networks.loaded(names), st.session_state.setdefault(LAST, {})
    now: dict[str, Seen | None] = {}
    spent = 0.0
    others = [task for task in tasks if task.key not in beside]
    with below:
        places = [place for _ in others[::2] for place in st.columns(2, gap="medium")]
    where = dict(zip((task.key for task in others), places, strict=False)) | beside
    frames = {task.key: framed(task, where[task.key]) for task in tasks}
    chosen = st.session_state.get(CHOICE, DETECTOR)  # of the frame of detection
    if chosen != DETECTOR and DETECTOR in ready:
        with page.guard():
            networks.fetch(chosen)
            ready = ready | {chosen}
            tasks = [replace(task, network=chosen) if task.key == "detection" else task for task in tasks]
            names = tuple(dict.fromkeys(task.network for task in tasks))
    for task in sorted(tasks, key=lambda each: each.key not in beside):  # what is in sight comes first
        name, before = task.network, last.get(task.network)
        with frames[task.key]:
            with page.guard():
                if name not in now:
                    now[name] = None  # also when it fails
                    if name in ready:
                        slow = moving and before is not None and spent + before.cost > FOLLOWING
                        now[name] = before if slow else networks.seen(name, moment.key, moment)
                        spent += 0 if slow else now[name].cost
                if not (following() and now[name] is before):
                    draw(task, now[name], moment)
            link(task)
    last |= {name: each for name, each in now.items() if each is not None}
    run = [each for each in now.values() if each is not None]
    if run:
        page.footer(", ".join(names), run[0].device, 1000 * sum(each.forward for each in run))


def framed(task: Task, place):
    """The frame of a panel, with its title; that of detection has the choice of a detector."""
    with place:
        frame = st.container(border=True, key=f"home-{task.key}", gap="xsmall")
    with frame:
        st.markdown(f"**{task.title}.** {task.sentence}")
        if task.key == "detection":
            choose_detector()
    return frame


def choose_detector() -> None:
    """Who fills the panel of detection."""
    st.selectbox(
        "Detector", detectors(), key=CHOICE, format_func=NAMES.get, width=220, label_visibility="collapsed", **KEPT
    )


def link(task: Task) -> None:
    """The way to the page that opens the task, where there is one."""
    lesson = task.lesson()
    if lesson is not None:
        page.link(lesson, f"Explained in: {lesson.title}")


def draw(task: Task, seen: Seen | None, moment: Moment) -> None:
    """The pair and the number; the truth alone while the network is loading."""
    if seen is None:
        answer = Answer(truth_alone(task.key, moment.view), "*The network is being loaded*", "The truth, on the right")
    else:
        answer, moment = seen.answers[task.key], seen.moment
    picture = pictures(moment, waiting=seen is None, window=answer.window) if answer.picture else None
    stage(f"home_pair_{task.key}", zoom=False).show(picture, answer.layers, size=(WIDTH, SIZE), alt=answer.alt)
    words(answer.line, f"home_line_{task.key}")
    if task.key == "semantic" and not following():
        legend(moment)


def legend(moment: Moment) -> None:
    """The colours of the classes that are in the scene."""
    st.html(class_swatches(moment.view.semantic))
