"""The lab beside a Streamlit that lacks a part: one process for each part, forked from one that has loaded Streamlit.

python -m tests.ui.hidden_parts PART... writes a line of JSON for each: what the log had, and how a visit went. A part
is a dotted name below `streamlit.`; "" is nothing, the Streamlit that is installed. With a + before it the lab is also
served, and visited by a browser without eyes. The part is hidden from the lab's own code only, by name and before any
of it is imported; Streamlit itself still has it.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import json
import logging
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[2]
LAB = {"app", "ui", "pages"}
PAGE, QUERY = "lab_world", {"size": "64"}  # cheap: small pictures and no network
PATIENCE = 120  # seconds


def of_the_lab(frame: Any) -> bool:
    """Whether this frame runs code of the lab that touches Streamlit."""
    return str(frame.f_globals.get("__name__")).partition(".")[0] in LAB


class Hidden:
    """An attribute of a class that Streamlit sees and the lab does not."""

    def __init__(self, owner: type, name: str):
        self.name = name
        self.real = next((vars(each)[name] for each in owner.__mro__ if name in vars(each)), None)
        self.on_objects = self.real is None or hasattr(self.real, "__set__")

    def __get__(self, instance: Any, owner: type) -> Any:
        if of_the_lab(sys._getframe(1)):
            raise AttributeError(f"{owner.__name__} has no {self.name!r}")
        if hasattr(self.real, "__get__"):
            return self.real.__get__(instance, owner)
        if instance is not None and self.name in vars(instance):
            return vars(instance)[self.name]
        if self.on_objects:
            raise AttributeError(self.name)
        return self.real

    def __set__(self, instance: Any, value: Any) -> None:
        if hasattr(self.real, "__set__"):
            self.real.__set__(instance, value)
        else:
            vars(instance)[self.name] = value


def hide(part: str) -> None:
    """Hide the part from the lab."""
    place, _, name = f"streamlit.{part}".rpartition(".")
    owner = find(place)
    if isinstance(owner, type):
        hide_in_class(owner, name)
    else:
        hide_in_module(owner, name)


def find(path: str) -> Any:
    """The module, class or function under a dotted name."""
    module, rest = path, []
    while module not in sys.modules:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError:
            module, _, last = module.rpartition(".")
            rest.insert(0, last)
    found: Any = sys.modules[module]
    for name in rest:
        found = getattr(found, name)
    return found


def hide_in_class(owner: type, name: str) -> None:
    hidden, begin = Hidden(owner, name), owner.__init__
    setattr(owner, name, hidden)
    own = vars(owner).get("__annotations__", {})
    if name in (begins := getattr(getattr(begin, "__code__", None), "co_names", ())):
        owner.__init__ = lambda self, *given, **named: begin(self, *given, **named)
        own |= dict.fromkeys(begins, object)  # the others are there
    own.pop(name, None)
    owner.__annotations__ = own


def hide_in_module(module: ModuleType, name: str) -> None:
    real_import, real = builtins.__import__, vars(module)[name]

    class Hiding(type(module)):
        def __getattribute__(self, wanted: str) -> Any:
            if wanted == name and of_the_lab(sys._getframe(1)):
                raise AttributeError(f"{module.__name__} has no {name!r}")
            return super().__getattribute__(wanted)

    def import_some(wanted, namespace=None, local=None, fromlist=(), level=0):
        # A module that is loaded would be found without asking the package for it.
        here = isinstance(real, ModuleType) and wanted == module.__name__ and name in (fromlist or ())
        if here and of_the_lab(sys._getframe(1)):
            raise ImportError(f"cannot import name {name!r} from {wanted!r}")
        return real_import(wanted, namespace, local, fromlist, level)

    module.__class__ = Hiding
    builtins.__import__ = import_some


def load() -> None:
    """All of Streamlit and what the page needs, but nothing that touches Streamlit's inside."""
    import pandas  # noqa: F401
    import plotly.graph_objects  # noqa: F401
    import streamlit.components.v2.bidi_component.main
    import streamlit.testing.v1
    import streamlit.web.cli
    import streamlit.web.server.starlette.starlette_websocket  # noqa: F401
    import uvicorn  # noqa: F401
    import websockets.sync.client  # noqa: F401

    import benchmarks.protocol  # noqa: F401
    import scenes.coco  # noqa: F401

    inspect.stack()  # Streamlit looks at it once a process; what Python reads for that it keeps


def visit_alone() -> dict[str, Any]:
    """Streamlit's own test of a page, with a word from one of its sliders."""
    from streamlit.testing.v1 import AppTest

    at = AppTest.from_file(str(ROOT / "pages" / f"{PAGE}/page.py"), default_timeout=PATIENCE)
    at.query_params.update(QUERY)
    at.session_state["objects.live"] = {"message": {"sequence": 1, "value": 7, "settled": True}}
    at.run()
    return {
        "broken": [each.message for each in at.exception] + [each.value for each in at.error],
        "value": at.session_state["objects"],
        "address": dict(at.query_params).get("objects"),
    }


def visit_server() -> dict[str, Any]:
    """The whole lab served: a page opened, a slider moved on the direct line and let go, and the browser leaves."""
    import uvicorn
    from websockets.sync.client import connect

    import app
    from benchmarks import protocol
    from ui import departed
    from ui.sleeping_loop import SleepingLoop

    config = uvicorn.Config(app.app, port=0, log_level="error", ws="websockets-sansio", ws_ping_interval=None)
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    until = time.monotonic() + PATIENCE
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    address = f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    found: dict[str, Any] = {"broken": 0, "followed": False}
    with connect(f"ws://{address}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as socket:

        def finish() -> list[dict[str, Any]]:
            seen = []
            while True:
                answer = protocol.ForwardMsg.FromString(socket.recv(timeout=PATIENCE))
                found["broken"] += protocol.failed(answer)
                if answer.WhichOneof("type") == "navigation":
                    found["page"] = answer.navigation.page_script_hash
                if slider := protocol.find_slider(answer, "objects"):
                    found["slider"] = slider
                    seen.append(json.loads(answer.delta.new_element.bidi_component.json)[0])
                if protocol.ends(answer):
                    return seen

        socket.send(protocol.visit(PAGE, urlencode(QUERY)))
        token = finish()[-1]["live"]
        slider = found.pop("slider")
        if token:
            with connect(f"ws://{address}/api/live", subprotocols=[token], max_size=None) as line:
                message = {"value": 6, "settled": False, "sequence": 1}
                line.send(json.dumps({"key": "objects.live", "message": message}))
                found["followed"] = bool(json.loads(line.recv(timeout=PATIENCE))["drawings"])
                slider.sequence = 1
        moved = protocol.BackMsg.FromString(protocol.move(slider, 7, PAGE, urlencode(QUERY)))
        moved.rerun_script.page_script_hash = found.pop("page")  # as browsers do: the page reruns itself
        socket.send(moved.SerializeToString())
        found["value"] = finish()[-1]["value"]
        del found["slider"], found["page"]
        found["quiet"] = departed.quiet()
    from streamlit import net_util  # this module is none of the lab's: it sees all
    from streamlit.runtime import Runtime

    [session] = [each.session for each in Runtime.instance()._session_mgr.list_sessions()]
    found["asleep"] = isinstance(getattr(session, "_script_event_loop", None), SleepingLoop)
    found["external"] = net_util.get_external_ip()
    departed.close_expired()
    return found


def watch(part: str, output: int) -> None:
    """What becomes of the lab without this part, as JSON."""
    written: list[str] = []

    class Log(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(record.getMessage() + (f" {record.exc_info[1]!r}" if record.exc_info else ""))

    logging.getLogger().addHandler(Log(logging.WARNING))
    found: dict[str, Any] = {"part": part, "log": written}
    try:
        if part.strip("+"):
            hide(part.strip("+"))
        from ui import page, warmup

        page.FIRST = 0.0  # there are no eyes to wait for
        warmup.LIBRARIES = ()  # the page needs none of them
        import app  # noqa: F401

        found["alone"] = visit_alone()
        if part.startswith("+"):
            found["served"] = visit_server()
    except BaseException:
        found["raised"] = traceback.format_exc()
    os.write(output, (json.dumps(found) + "\n").encode())


def main(parts: list[str]) -> None:
    """Several at a time, one for each core."""
    load()
    at_work: set[int] = set()
    for part in parts:
        if len(at_work) >= (os.cpu_count() or 1):
            at_work.discard(os.wait()[0])
        child = os.fork()
        if not child:
            watch(part, 1)
            os._exit(0)
        at_work.add(child)
    while at_work:
        at_work.discard(os.wait()[0])


if __name__ == "__main__":
    main(sys.argv[1:])
