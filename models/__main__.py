"""python -m models list | train NAME | evaluate NAME [--json] [--write] | settings NAME [--times]
| fetch [NAME ... | all] | features"""

import argparse
import json
import platform
import shutil
import sys
from collections.abc import Callable
from typing import cast

import torch
from tqdm import tqdm

from models import catalog
from models.device import best_device, cache_folder
from models.inside import gallery, signatures
from models.inside.settings import Setting
from models.inside.signatures import Network
from models.pretrained import fetching, packaged, published
from models.recipes import speed_accuracy

# Whose signatures of the gallery are shipped.
GALLERY = ("classifier-gap-28", "efficientnet-lite0", signatures.UNTRAINED)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("list", help="the networks and their figures")
    command.add_argument("--markdown", action="store_true", help="as the table of the README")
    command = commands.add_parser("train", help="train a network; a stopped training goes on where it was")
    command.add_argument("name")
    command.add_argument("--restart", action="store_true", help="forget an unfinished training")
    command = commands.add_parser("evaluate", help="recompute a card's metrics on held-out scenes")
    command.add_argument("name")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument("--write", action="store_true", help="put them into the card, after a change of the metrics")
    command = commands.add_parser("settings", help="judge a detector at other picture sizes and numbers of proposals")
    command.add_argument("name")
    command.add_argument("--times", action="store_true", help="only measure the milliseconds of a judged one again")
    command = commands.add_parser("fetch", help="bring pretrained networks here, for a room without network")
    command.add_argument("names", nargs="*", metavar="NAME", help="or all; without a name: what there is")
    commands.add_parser("features", help="choose the gallery's pictures again, and write their signatures by layer")
    args = parser.parse_args(arguments)
    try:
        if args.command == "list":
            show_markdown() if args.markdown else show()
        elif args.command == "train":
            train(args.name, args.restart)
        elif args.command == "features":
            features()
        elif args.command == "settings":
            judge_settings(args.name, args.times)
        elif args.command == "fetch":
            fetch(args.names) if args.names else show_pretrained()
        else:
            evaluate(args.name, args.json, args.write)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = (
            "Nothing of it was kept" if args.command == "fetch" else "The same command goes on from the last checkpoint"
        )
        print(f"\nStopped. {kept}.", file=sys.stderr)
        return 130
    return 0


def show() -> None:
    """One line a network."""
    for name in catalog.names():
        try:
            facts = catalog.card(name)
        except ValueError:
            print(f"{name:26} not trained yet")
            continue
        figures = "  ".join(f"{key} {value}" for key, value in facts["metrics"].items() if _is_figure(value))
        print(f"{name:26} {facts['parameters']:>9,} parameters  {figures}")


def show_markdown() -> None:
    """The cards as one table for each task."""
    cards = [catalog.card(name) for name in catalog.shipped()]
    for task in dict.fromkeys(card["task"] for card in cards):
        alike = [card for card in cards if card["task"] == task]
        figures = list(dict.fromkeys(k for card in alike for k, value in card["metrics"].items() if _is_figure(value)))
        print(f"| {task} | parameters | training | " + " | ".join(figures) + " |")
        print("| --- | ---: | ---: |" + " ---: |" * len(figures))
        for card in alike:
            values = " | ".join(str(card["metrics"].get(key, "")) for key in figures)
            minutes = card["training_seconds"] / 60
            print(f"| `{card['name']}` | {card['parameters']:,} | {minutes:.0f} min, {card['trained_on']} | {values} |")
        print()


def _is_figure(value: object) -> bool:
    return isinstance(value, float)


def train(name: str, restart: bool) -> None:
    """Train, save weights and card, and evaluate."""
    family, device = catalog.family(name), best_device()
    folder = cache_folder() / "training" / name
    if restart and folder.exists():
        shutil.rmtree(folder)
    with tqdm(desc=f"{name} on {device}", unit="step") as bar:

        def report(step: int, steps: int, loss: float) -> None:
            bar.total = steps
            bar.n = step
            bar.set_postfix(loss=f"{loss:.3f}")

        start = family.STARTS_FROM and catalog.load(family.STARTS_FROM)
        module, facts = family.train(name, device, folder, report, start)
    facts = {
        "name": name,
        "task": family.TASK,
        "architecture": type(module).__module__ + "." + type(module).__qualname__,
        "parameters": sum(p.numel() for p in module.parameters()),
        "trained_on": f"{device.type} ({platform.machine()}, torch {torch.__version__})",
        **facts,
        "metrics": {},
    }
    catalog.save(name, module, facts)
    catalog.write_card(name, catalog.card(name) | {"metrics": measure(name)})
    shutil.rmtree(folder, ignore_errors=True)
    evaluated = catalog.card(name)["metrics"]
    print(json.dumps(evaluated, indent=2))


def measure(name: str) -> dict:
    """The metrics of a network on held-out scenes, behind a progress bar."""
    model, family = catalog.load(name), catalog.family(name)
    rival = getattr(family, "BESIDE", None)  # what some families judge on the same scenes
    beside = {"beside": catalog.load(rival)} if rival else {}
    with tqdm(desc=f"evaluating {name} on {model.device}", unit="scene") as bar:

        def report(done: int, count: int) -> None:
            bar.total = count
            bar.update(done - bar.n)

        return family.evaluate(model, report, **beside)


def evaluate(name: str, as_json: bool, write: bool = False) -> None:
    """Print what `evaluate` measures beside what the card says, and let the card say so from now on."""
    metrics, stated = measure(name), catalog.card(name)["metrics"]
    if write:
        catalog.write_card(name, catalog.card(name) | {"metrics": metrics})
    if as_json:
        print(json.dumps({"name": name, "metrics": metrics, "card": stated}))
        return
    print(f"{'metric':20} {'measured':>10} {'card':>10}")
    for key, value in metrics.items():
        if not isinstance(value, dict):
            print(f"{key:20} {value:>10} {stated.get(key, '-'):>10}")
    for label, value in metrics.get("iou_per_class", {}).items():
        print(f"  IoU {label:14} {value:>10} {stated.get('iou_per_class', {}).get(label, '-'):>10}")


def judge_settings(name: str, only_times: bool = False) -> None:
    """Write into a detector's card what it reaches and costs at other settings, and print it."""
    network = catalog.load(name)
    if "box_ap" not in network.card["metrics"]:
        raise ValueError(f"{name} finds no boxes: there is nothing to judge.")
    with tqdm(desc=f"{name} at other settings", unit="scene") as bar:
        if only_times:
            found = speed_accuracy.times(network, _onto(bar))
            known = {Setting(name, each["side"], each["proposals"]): each for each in network.card.get("settings", [])}
            judged = [each | {"milliseconds": found[setting]} for setting, each in known.items()]
        else:
            judged = speed_accuracy.judge(network, _onto(bar))
    catalog.write_card(name, catalog.card(name) | {"settings": judged})
    for each in judged:
        print(json.dumps(each))


def show_pretrained() -> None:
    """One line a network: its size, whether it is here, and what it knows."""
    for name, package in packaged.ENTRIES.items():
        print(f"{name:38} {'':>7}  {'here':8}  {package.line}; {package.comes_from}")
    for name in published.NAMES:
        entry = published.ENTRIES[name]
        state = "here" if published.on_disk(name) else "to fetch"
        print(f"{name:38} {published.megabytes(entry.source.size):>7}  {state:8}  {entry.line}")


def fetch(names: list[str]) -> None:
    """Bring the weights here, one after the other, behind a progress bar; print where they lie."""
    wanted = list(published.NAMES) if names == ["all"] else list(dict.fromkeys(names))
    for name in [name for name in wanted if name in packaged.ENTRIES]:
        print(f"{name}: here, {packaged.ENTRIES[name].comes_from}")
        wanted.remove(name)
    if unknown := [name for name in wanted if name not in published.ENTRIES]:
        known = ", ".join(catalog.pretrained_names())
        raise ValueError(f"There is no pretrained network {unknown[0]!r}: choose from {known}, or all.")
    for name in wanted:
        source = published.ENTRIES[name].source
        with tqdm(desc=name, total=source.size, unit="B", unit_scale=True) as bar:

            def report(done: int, total: int, bar: tqdm = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            path = fetching.fetch(source, report)
        print(f"{name}: {published.megabytes(path.stat().st_size)} in {path}")


def features() -> None:
    """Write the gallery's list and pictures, and what each network of GALLERY makes of them."""
    with tqdm(desc="gallery", unit="thing") as bar:
        pictures = gallery.gather(_onto(bar))
    for name in GALLERY:
        network = signatures.untrained() if name == signatures.UNTRAINED else cast(Network, catalog.load(name))
        with tqdm(desc=name, unit="picture") as bar:
            signatures.write(network, signatures.compute(network, pictures, _onto(bar)))
        file = signatures.file_of(name)
        print(f"{name}: {file.stat().st_size / 1e6:.1f} MB in {file}")


def _onto(bar: tqdm) -> Callable[[int, int], None]:
    """A function that shows on a bar how many of all are done."""

    def report(done: int, count: int) -> None:
        bar.total = count
        bar.update(done - bar.n)

    return report


if __name__ == "__main__":
    sys.exit(main())
