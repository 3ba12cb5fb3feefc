"""The shared choice of a network: one of the lab's, one that others trained on photographs, or somebody's own weights.

    network = model_choice.choose("anchors", choice.offers("detection"))

draws one slim row of controls and returns a network ready to be called, or None while its weights are on their way. ui/
imports no network: `offers` bring all that is needed (`models.choice.Offer`).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any, Protocol

import streamlit as st

from ui import lost_files, own_files, page
from ui.plain import plain

SLOW = 1.0  # seconds per picture that need a warning
KINDS = ("pt", "pth", "safetensors")
REFRESH = 0.5  # seconds between two looks at a download


class Download(Protocol):
    """A download, under way or over; `models.pretrained.fetching.Download`."""

    done: int
    total: int
    error: Exception | None

    @property
    def finished(self) -> bool: ...

    def leave(self, who: Hashable) -> None: ...


class Offer(Protocol):
    """A network on offer; `models.choice.Offer`. `load` and `load_own` raise ValueError with one sentence."""

    name: str
    line: str
    bytes: int
    comes_from: str

    def here(self) -> bool: ...

    def running(self) -> Download | None: ...

    def fetch(self, who: Hashable) -> Download: ...

    def seconds(self) -> tuple[float, bool] | None: ...

    def load(self) -> Any: ...

    def load_own(self, data: bytes, file_name: str) -> Any: ...

    def largest_own(self) -> int: ...


def choose(key: str, offers: Sequence[Offer], label: str = "Model") -> Any | None:
    """Draw the control row and return the chosen network; the first offer is the default.

    While weights are missing or on their way, or when something failed, the page says so here and None is returned: let
    the page do without. ``key`` starts the names of all controls, in the session and in the address
    (``?{key}_model=resnet50``). ``label`` tells two choices of one page apart; it names them to a screen reader.
    """
    by_name = {offer.name: offer for offer in offers}
    with st.container(key=f"model-{key}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            # The address holds what a select box shows, so names alone: size and state change.
            name = st.selectbox(
                label, list(by_name), key=f"{key}_model", width=240, label_visibility="collapsed",
                bind="query-params", persist_state="session",
            )  # fmt: skip
            offer = by_name[name]
            with st.popover("Models", icon=":material/database:", help="Sizes, what is here, your own weights"):
                st.markdown(_table(offers))
                file, network = _bring(key, offer), None
                if file is not None:
                    try:
                        network = _own(name, file.file_id, offer, file)
                    except ValueError as refused:
                        page.problem(str(refused))  # here, where the file was chosen: the popover stays open
        if file is not None:
            if network is None:
                st.caption(f"The file of own weights for {name} was not taken: see *Models* for why.")
            else:
                st.caption(f"{name} with the weights of “{plain(file.name)}”.")
                _warn(offer)
                return network
        lost_files.told(f"{key}_weights_{name}")
        if offer.bytes == 0:
            if offer.comes_from:
                st.caption(f"{offer.line}; {offer.comes_from}")
            return _load(offer)
        if not offer.here():
            _missing(key, offer)
            return None
        st.caption(f"{offer.line} · {_megabytes(offer.bytes)}, on this machine")
        _warn(offer)
        with st.spinner(f"Loading {name}"):
            return _load(offer)


def _bring(key: str, offer: Offer) -> Any | None:
    """The file of own weights that was chosen, if one may be."""
    most = offer.largest_own()
    if not most:
        st.caption(f"Own weights for {offer.name} are too large to bring along: choose a smaller network for that.")
        return None
    name = f"{key}_weights_{offer.name}"
    file = st.file_uploader(
        f"Own weights for {offer.name}: a state_dict", list(KINDS), key=name, max_upload_size=math.ceil(most / 1e6),
        on_change=own_files.cleared, args=(name,),
    )  # fmt: skip
    return own_files.chosen(name, file)


def _load(offer: Offer) -> Any | None:
    try:
        return offer.load()
    except ValueError as refused:
        page.problem(str(refused))
        return None


@st.cache_resource(max_entries=4, show_spinner=False)
def _own(name: str, file_id: str, _offer: Offer, _file) -> Any:
    return _offer.load_own(_file.getvalue(), _file.name)


def _warn(offer: Offer) -> None:
    """Before a slow network starts: how long a picture takes."""
    known = offer.seconds()
    if known and known[0] >= SLOW:
        how = "as measured last" if known[1] else "estimated from its multiply-adds"
        takes = f"{offer.name} takes about **{known[0]:.0f} s per picture** on this machine"
        st.caption(f":material/hourglass_top: {takes}, {how}.")


def _missing(key: str, offer: Offer) -> None:
    """The weights are not here: a button, or how far the download is."""
    slot, left = _slot(key, offer), _left(key, offer)
    if slot not in st.session_state and left not in st.session_state and offer.running():
        st.session_state[slot] = offer.fetch(_who())  # somebody else has started: join
    download = st.session_state.get(slot)
    if download is not None and not download.finished:
        _watch(key, offer)
        return
    failed = download is not None and download.error is not None
    if failed:
        page.problem(str(download.error))
    st.caption(f"{offer.line} · {_megabytes(offer.bytes)}, not on this machine yet. The lab's own networks are.")
    label = "Try again" if failed else f"Fetch {_megabytes(offer.bytes)}"
    st.button(label, icon=":material/download:", key=f"{key}_fetch", on_click=_start, args=(key, offer))


@st.fragment(run_every=REFRESH)
def _watch(key: str, offer: Offer) -> None:
    """Progress and Cancel; this fragment alone is rerun, and when it is over, the page."""
    download = st.session_state.get(_slot(key, offer))
    if download is None or download.finished:
        st.rerun()
    share = min(1.0, download.done / download.total) if download.total else 0.0
    st.progress(share, f"{offer.name}: {download.done / 1e6:.0f} of {_megabytes(download.total)}")
    st.button("Cancel", icon=":material/close:", key=f"{key}_cancel", on_click=_leave, args=(key, offer))


def _start(key: str, offer: Offer) -> None:
    st.session_state.pop(_left(key, offer), None)
    st.session_state[_slot(key, offer)] = offer.fetch(_who())


def _leave(key: str, offer: Offer) -> None:
    st.session_state[_left(key, offer)] = True
    download = st.session_state.pop(_slot(key, offer), None)
    if download is not None:
        download.leave(_who())


def _slot(key: str, offer: Offer) -> str:
    return f"_{key}_download_{offer.name}"


def _left(key: str, offer: Offer) -> str:
    return f"_{key}_left_{offer.name}"


def _who() -> Hashable:
    """This visitor, for a download that several want."""
    return st.session_state.setdefault("_model_choice_visitor", object())


def _table(offers: Sequence[Offer]) -> str:
    rows = ["| model | knows | weights |", "| --- | --- | ---: |"]
    for offer in offers:
        state = "on this machine" if offer.here() else f"{_megabytes(offer.bytes)} to fetch"
        rows.append(f"| {offer.name} | {offer.line} | {state} |")
    return "\n".join(rows)


def _megabytes(size: int) -> str:
    return f"{max(1, round(size / 1e6))} MB"
