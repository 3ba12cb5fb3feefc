"""python -m benchmarks latency | class --students N | heatmaps | rcnn | video | scale | dropped"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from benchmarks.views import NAMES, VIEWS


def between(low: float, high: float, kind: Callable[[str], float]) -> Callable[[str], float]:
    """An argparse type: a number from `low` to `high`."""

    def number(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
        return value

    return number


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures what README says about speed.")
    commands = top.add_subparsers(dest="command", required=True)
    latency = commands.add_parser("latency", help="redraws while dragging in a real browser, beside plain Streamlit")
    latency.add_argument("--view", nargs="+", choices=NAMES, metavar="NAME", help=f"one or more of {', '.join(NAMES)}")
    latency.add_argument("--seconds", type=between(1, 60, float), default=4.0, help="drag for so long (default 4)")
    room = commands.add_parser("class", help="many students at once over the web socket protocol")
    room.add_argument("--students", type=between(1, 1000, int), required=True, help="1 to 1000")
    room.add_argument("--minutes", type=between(0.1, 60, float), default=1.0, help="work for so long (default 1)")
    room.add_argument("--view", nargs="+", choices=NAMES, metavar="NAME", help="only these views")
    room.add_argument("--processes", type=between(1, 64, int), metavar="P", help="so many servers behind HAProxy")
    room.add_argument("--follow", action="store_true", help="they follow a lecturer who moves a slider")
    room.add_argument("--room", action="store_true", help="they sit in a lecturer's room and work by themselves")
    room.add_argument("--cold", action="store_true", help="nobody's rerun is shared: every one is run")
    kinds = ["attacks", "lines", "floods", "crowds"]
    room.add_argument("--beside", choices=kinds, help="as long again beside a client that attacks, and compare")
    maps = commands.add_parser("heatmaps", help="heat maps on exact masks, and the solver of Augmented Grad-CAM")
    maps.add_argument("--scenes", type=between(1, 500, int), default=40, help="judge so many (default 40)")
    family = commands.add_parser("rcnn", help="from R-CNN to Faster R-CNN: milliseconds by part, AP50, training")
    family.add_argument("--scenes", type=between(1, 500, int), default=20, help="time so many (default 20)")
    films = commands.add_parser("video", help="how fast a film plays, and how well things are followed in it")
    films.add_argument("--films", type=between(1, 10, int), default=10, help="score so many held-out ones (default 10)")
    films.add_argument("--plays", type=between(1, 9, int), default=3, help="play each way so often (default 3)")
    parts = commands.add_parser("scale", help="what a network's call, a follower and a vote cost in a hall")
    parts.add_argument("--followers", type=between(1, 2000, int), default=500, help="in one room (default 500)")
    gone = commands.add_parser("dropped", help="what visitors who come and go leave behind in the server")
    gone.add_argument("--sessions", type=between(300, 10_000, int), default=1000, help="so many (default 1000)")
    for command in (latency, room, maps, family, films, parts, gone):
        command.add_argument("--json", action="store_true", help="JSON instead of a table")
    return top


def main(words: Sequence[str] | None = None) -> int:
    given = parser().parse_args(words)
    try:
        if given.command == "heatmaps":
            return heatmaps(given)
        if given.command == "rcnn":
            return rcnn(given)
        if given.command == "video":
            return video(given)
        if given.command == "scale":
            return scale(given)
        if given.command == "dropped":
            return dropped(given)
        chosen = [view for view in VIEWS if given.view is None or view.name in given.view]
        return latency(chosen, given) if given.command == "latency" else classroom(chosen, given)
    except (RuntimeError, ValueError) as error:
        print(f"The measurement did not come to its end: {error}", file=sys.stderr)
        return 1


def latency(views: list, given: argparse.Namespace) -> int:
    from benchmarks import latency, summary

    rows = latency.run(views, given.seconds)
    print(json.dumps(rows, indent=1) if given.json else summary.table(latency.with_bars(views, rows)))
    return 0


def classroom(views: list, given: argparse.Namespace) -> int:
    from benchmarks import classroom, followers, summary

    if given.follow:
        found = followers.run(given.students, given.minutes, given.processes)
    else:
        found = classroom.run(given.students, given.minutes, views if given.view else (), given.beside,
                              given.processes, given.cold, given.room)  # fmt: skip
    if given.json:
        print(json.dumps(found, indent=1))
    else:
        parts, kinds = found.pop("views"), found.pop("error_kinds")
        for each in ("rss_mb_by_minute", "p95_ms_by_minute"):  # too long for a table
            found.pop(each, None)
        print(summary.table([found]), summary.table(parts), *kinds, sep="\n\n")
    return 0


def rcnn(given: argparse.Namespace) -> int:
    from benchmarks import rcnn, summary

    rows = rcnn.run(given.scenes)
    print(json.dumps(rows, indent=1) if given.json else summary.table(rows))
    return 0


def video(given: argparse.Namespace) -> int:
    from benchmarks import summary, video

    found = video.run(given.films, given.plays)
    if given.json:
        print(json.dumps(found, indent=1))
        return 0
    bars = [{"measure": name, "found": found[name], "bar": bar} for name, bar in video.BARS.items()]
    print(summary.table(bars), summary.table([found]), sep="\n\n")
    return 0


def scale(given: argparse.Namespace) -> int:
    from benchmarks import scale, summary

    parts, networks = scale.run(given.followers), scale.calls()
    if given.json:
        print(json.dumps({"hall": parts, "networks": networks}, indent=1))
    else:
        print(*(summary.table([each]) for each in parts), summary.table(networks), sep="\n\n")
    return 0


def dropped(given: argparse.Namespace) -> int:
    from benchmarks import dropped, summary

    found = dropped.run(given.sessions)
    if given.json:
        print(json.dumps(found, indent=1))
        return 0
    rows = [{"grown": name, "before": one, "after": other} for name, (one, other) in found["grown"].items()]
    print(summary.table(found["counts"]), summary.table(rows) or "Nothing has grown.",
          f"{found['errors']} errors", *found["error_kinds"], sep="\n\n")  # fmt: skip
    return 0


def heatmaps(given: argparse.Namespace) -> int:
    from benchmarks import heatmaps, summary

    found = heatmaps.run(given.scenes)
    if given.json:
        print(json.dumps(found, indent=1))
        return 0
    rest = {name: value for name, value in found.items() if name not in heatmaps.BARS and name != "quality"}
    print(summary.table(heatmaps.with_bars(found)), summary.table([rest]), summary.table(found["quality"]), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
