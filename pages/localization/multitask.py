"""One loss from two: α by hand on this picture's numbers, and two heads that learn with it while the page looks on."""

import plotly.graph_objects as go
import streamlit as st
import torch

from labs import localization
from labs.localization import BOX_LOSSES
from models import catalog
from models.recipes.localizer import STARTS_FROM
from models.recipes.localizer_heads import HELD_OUT, TRAINING, Looked, Progress, Settings, learn
from pages.localization.shared import BLUE, NETWORKS, ORANGE, SIZE, Focus, xyxy
from pages.shared.watched import AT_ONCE, Watched
from scenes import THINGS
from ui import figures, page
from ui.components import Box, Boxes, live_slider, stage, words
from ui.pictures import KEPT

RUN, DONE = "_multitask_run", "_multitask_done"  # in the session: a run with its settings; what finished runs reached
REFRESH = 0.3  # seconds between two looks
UNITS = (8, 32, 128)
SHOWN = 4  # held-out scenes that are watched
MOST = 24  # finished runs in the chart
SAID = {
    "waiting": f"{AT_ONCE} runs are under way on this machine already: yours begins when one of them ends.",
    "stopped": "Stopped. *Start* goes on from here.",
    "done": "Done. Another α, and *Start* again, puts both into the chart.",
    "failed": "It broke off; the server log says why. *Start* begins anew.",
}
PARTS = ("α S, the class", "(1 − α) R, the box")


@st.cache_resource(show_spinner=False)
def looked() -> Looked:
    """What the frozen trunk says of all scenes, once for all visitors of this process."""
    return Looked(catalog.load(STARTS_FROM))


@st.fragment
@page.guard()
def multitask(focus: Focus) -> None:
    page.section(
        "The multitask loss",
        "A gradient is that of one number, so both losses become one: α decides which of them the network listens to.",
    )
    run: tuple[Settings, Watched[Progress]] | None = st.session_state.get(RUN)
    running = run is not None and run[1].running
    with st.container(horizontal=True, vertical_alignment="bottom"):
        loss = st.segmented_control("Box loss R", list(BOX_LOSSES), default="L2", required=True, key="multitask_loss",
                                    **KEPT)  # fmt: skip
        units = st.segmented_control("Shared hidden layer", UNITS, default=32, required=True, key="multitask_units",
                                     **KEPT)  # fmt: skip
        seed = st.number_input("Seed", 0, 99, 0, key="multitask_seed", width=110, **KEPT)
    with live_slider("α", 0.0, 1.0, 0.5, step=0.05, key="multitask_alpha", format="%.2f") as alpha:
        by_hand(focus, alpha, loss)
    with st.container(horizontal=True):
        settings = Settings(alpha=alpha, box_loss=loss, units=units, seed=seed)
        if st.button("Start", type="primary", icon=":material/play_arrow:", key="multitask_start", disabled=running):
            if run is None or run[1].over or run[0] != settings:
                run = st.session_state[RUN] = (settings, Watched(learn(settings, looked())))
            run[1].start()
            st.rerun()
        if st.button("Stop", icon=":material/stop:", key="multitask_stop", disabled=not running):
            run[1].stop(wait=5.0)
            st.rerun()
    st.caption(
        f"*Start* trains one hidden layer and two heads at this α: {settings.steps} steps on what the frozen trunk of "
        f"{STARTS_FROM}, which never saw a box, says of {TRAINING} scenes, each also mirrored. {HELD_OUT} other scenes "
        "judge. The first time the trunk has to look at all of them, which takes half a minute; after that a run takes "
        "seconds."
    )
    if running:
        watch()
    elif run is not None:
        draw(*run)
    together()


def together() -> None:
    """What the cards of the shipped networks say about learning together."""
    cards = {name: catalog.card(network)["metrics"] for name, network in NETWORKS.items()}
    st.subheader("Apart or together?", anchor="apart-or-together")
    rows = ["| heads | accuracy | mean IoU | right class and IoU ≥ 0.5 |", "|---|---:|---:|---:|"]
    for name, told in cards.items():
        rows.append(f"| {name} | {told['accuracy']:.1%} | {told['mean_iou']:.3f} | {told['localized']:.1%} |")
    st.markdown("\n".join(rows))
    joint, apart = cards["Joint"], cards["Heads apart"]
    gains = {"accuracy": joint["accuracy"] - apart["accuracy"], "mean IoU": joint["mean_iou"] - apart["mean_iou"]}
    said = " and ".join(f"{name} by {gain:+.3f}".replace("-", "−") for name, gain in gains.items())
    st.markdown(
        "A slide says that the two heads can be trained apart, and that fine-tuning them together is always better. "
        f"Here it changed {said}. The frozen trunk has learned names, and never where a thing is: the box has more to "
        "gain."
    )
    st.caption(
        f"On {joint['scenes']} scenes with one thing that no network has seen; one training of each. *Joint* begins "
        "with the heads of the other network, so it has also learned longer."
    )


def by_hand(focus: Focus, alpha: float, loss: str) -> None:
    """L of the picture above, and which of its parts is the larger one."""
    if focus.truth is None:
        words("This picture has no known truth, so it has no loss: choose Lab World above.", "multitask_hand")
        return
    numbers = localization.to_numbers(focus.true_box, SIZE, SIZE)
    label = torch.tensor([THINGS.index(focus.truth.label)])
    s = localization.class_loss(focus.said.scores[None], label)[0]
    r = BOX_LOSSES[loss](focus.said.numbers, numbers)
    both = [alpha * float(s), (1 - alpha) * float(r)]
    total = float(localization.multitask_loss(s, r, alpha))
    with page.predict(
        "localization-larger", f"At α = {alpha:g} with R = {loss}, which part of L is larger for the picture at the "
        "top?", PARTS,
    ) as prediction:  # fmt: skip
        lam = localization.lambda_of(alpha)
        other = f"S + λ R with λ = (1 − α) / α = {lam:.3g}" if alpha else "no λ: S is not asked at all"
        words(
            f"L = α S + (1 − α) R = {alpha:g} · {float(s):.4f} + {1 - alpha:g} · {float(r):.4f} = {both[0]:.4f} + "
            f"{both[1]:.4f} = **{total:.4f}**\n\n:gray[The same minimum as {other}.]",
            "multitask_hand",
        )
        prediction.outcome(
            PARTS[int(both[1] > both[0])],
            "S is in nats, R in sides of the picture: an α of a half does not weigh them alike.",
        )


@st.fragment(run_every=REFRESH)
@page.guard()
def watch() -> None:
    """Only this fragment is rerun while the heads learn; when they are done, the section."""
    run = st.session_state.get(RUN)
    if run is None or not run[1].running:
        st.rerun()
    draw(*run)


def draw(settings: Settings, run: Watched[Progress]) -> None:
    """How far it is, the curves, held-out scenes with their boxes, and what all finished runs have reached."""
    now = run.look()
    if run.state == "done" and now is not None:
        remember(settings, now)
    words(told(settings, run, now), "multitask_told")
    if now is None or not now.scores:
        return
    left, right = st.columns(2, gap="large")
    with left:
        curves(settings, now)
    with right:
        finished()
    watched(now)


def told(settings: Settings, run: Watched[Progress], now: Progress | None) -> str:
    """In words, with the newest figures."""
    state = "" if run.state == "running" else SAID.get(run.state, "")
    at = f"α = {settings.alpha:g}, R = {settings.box_loss}, {settings.units} units, seed {settings.seed}"
    if now is None or not now.scores:
        seen = 0 if now is None else now.looked
        return f"{state} The trunk has seen **{seen}** of {TRAINING + HELD_OUT} scenes. :gray[{at}]".strip()
    step, accuracy, overlap = now.scores[-1]
    return (
        f"{state} Step **{step}** of {settings.steps} · accuracy **{accuracy:.2f}** · mean IoU **{overlap:.3f}** "
        f":gray[({at})]"
    ).strip()


def curves(settings: Settings, now: Progress) -> None:
    """Accuracy and mean IoU on the held-out scenes over the steps."""
    figure = go.Figure()
    steps = [step for step, _, _ in now.scores]
    looks = (("accuracy", BLUE, "solid"), ("mean IoU", ORANGE, "dash"))
    for column, (name, colour, dash) in enumerate(looks, start=1):
        figure.add_scatter(x=steps, y=[score[column] for score in now.scores], name=name, mode="lines",
                           line={"color": colour, "dash": dash})  # fmt: skip
    figures.across(figure, y=1 / len(THINGS), text="one class in eight")
    figure.update_layout(
        xaxis={"title": "step", "range": [0, settings.steps]}, yaxis={"title": "held-out scenes", "range": [0, 1]}
    )
    page.figure(figure, "multitask_curves", height=300, alt="Accuracy and mean IoU over the steps of the training")


def remember(settings: Settings, now: Progress) -> None:
    """Keep what a finished run has reached."""
    done = st.session_state.setdefault(DONE, {})
    done.pop(settings, None)
    done[settings] = now.scores[-1][1:]
    while len(done) > MOST:
        del done[next(iter(done))]


def finished() -> None:
    """Accuracy and mean IoU of the finished runs against their α."""
    done = sorted(st.session_state.get(DONE, {}).items(), key=lambda each: each[0].alpha)
    if not done:
        return
    figure = go.Figure()
    notes = [f"R = {each.box_loss}, {each.units} units, seed {each.seed}" for each, _ in done]
    for column, (name, colour, symbol) in enumerate((("accuracy", BLUE, "circle"), ("mean IoU", ORANGE, "diamond"))):
        figure.add_scatter(
            x=[each.alpha for each, _ in done], y=[reached[column] for _, reached in done], name=name, mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 10}, text=notes,
        )  # fmt: skip
    figure.update_layout(
        xaxis={"title": "α of a finished run", "range": [-0.03, 1.03]}, yaxis={"title": "reached", "range": [0, 1]}
    )
    page.figure(figure, "multitask_finished", height=300, alt="What finished runs have reached, against their α")


def watched(now: Progress) -> None:
    """Some held-out scenes, with the true box and what the heads say now."""
    views = looked().held_out()[:SHOWN]
    if now.guesses is None or now.names is None:
        return
    for index, (column, view) in enumerate(zip(st.columns(SHOWN, gap="small"), views, strict=False)):
        truth, name = view.instances[0], THINGS[int(now.names[index])]
        boxes = [
            Box("truth", xyxy(torch.from_numpy(truth.box)), "", BLUE, width=2),
            Box("guess", xyxy(now.guesses[index] * SIZE), name, ORANGE, width=2),
        ]
        with column:
            stage(f"multitask_scene_{index}", zoom=False).show(
                view.image, [Boxes(boxes)], alt=f"A held-out {truth.label}, called {name}",
                caption=f"True: {truth.label}",
            )  # fmt: skip
