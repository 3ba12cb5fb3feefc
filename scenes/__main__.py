"""python -m scenes render | export: a contact sheet of Lab World, or a COCO data set of any length."""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from scenes import THINGS, Knobs, render_image, sample
from scenes.coco import MASKS, export


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scenes", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sheet = commands.add_parser("render", help="draw a contact sheet")
    sheet.add_argument("--columns", type=int, default=6)
    sheet.add_argument("--out", type=Path, default=Path("contact-sheet.png"))
    data = commands.add_parser("export", help="write images and annotations")
    data.add_argument("folder", type=Path)
    data.add_argument("--format", choices=["coco"], default="coco")
    data.add_argument("--masks", choices=MASKS, default=MASKS[0], help="polygons, or run-length codes")
    for command, count in ((sheet, 24), (data, 1000)):
        command.add_argument("--count", type=int, default=count)
        command.add_argument("--seed", type=int, default=0, help="the first seed")
        command.add_argument("--size", type=int, default=224, help="pixels a side")
        command.add_argument("--objects", type=int, nargs="+", default=[2, 6], help="how many, or fewest and most")
        command.add_argument("--classes", nargs="+", default=list(THINGS), metavar="CLASS")
        command.add_argument("--occlusion", type=float, default=Knobs.occlusion)
        for knob in ("light", "fog", "noise"):
            command.add_argument(f"--{knob}", type=float, default=None, help="0 to 1; the seed decides if not given")
    args = parser.parse_args(arguments)
    try:
        knobs = Knobs(
            objects=(args.objects[0], args.objects[-1]),
            classes=tuple(args.classes),
            occlusion=args.occlusion,
            light=args.light,
            fog=args.fog,
            noise=args.noise,
        )
        if args.count < 1:
            raise ValueError(f"--count must be at least 1, not {args.count}.")
        if args.command == "render":
            contact_sheet(args.out, args.count, args.seed, args.size, args.columns, knobs)
        else:
            run_export(args.folder, args.count, args.seed, args.size, knobs, args.masks)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def contact_sheet(out: Path, count: int, seed: int, size: int, columns: int, knobs: Knobs) -> None:
    """Scenes side by side in one PNG."""
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    sheet = np.full((rows * (size + 4) + 4, columns * (size + 4) + 4, 3), 255, np.uint8)
    for index in tqdm(range(count), unit="scene", desc=out.name):
        y, x = 4 + index // columns * (size + 4), 4 + index % columns * (size + 4)
        sheet[y : y + size, x : x + size] = render_image(sample(seed + index, knobs), size)
    if not cv2.imwrite(str(out), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
        raise OSError(f"{out} could not be written.")
    print(out)


def run_export(folder: Path, count: int, seed: int, size: int, knobs: Knobs, masks: str) -> None:
    """An export behind a progress bar, going on where an earlier one stopped."""
    with tqdm(total=count, unit="scene", desc=str(folder)) as bar:
        for done in export(folder, count, seed, size, knobs, masks):
            bar.update(done - bar.n)
    print(folder / "annotations.json")


if __name__ == "__main__":
    sys.exit(main())
