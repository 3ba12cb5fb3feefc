"""What a network of the catalogue finds in the frames of a visitor's video, and how it is drawn for taking home."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from labs import tracking
from labs.matching import Detections
from labs.tracking import COUNTED, Settings, Tracked
from models.networks.published import Objects
from pages.shared.photograph_found import COLOURS, LOWEST
from pages.video.looks import NONE, Looks, looked_at
from scenes import THINGS
from ui.components import Mark
from ui.own_video import Video

LAB_WORLD = 224  # pixels of the longer side


class OwnLooks(Looks):
    """One network and one video: what it has found so far.

    Attributes:
        name: of the video. names: the class of each label, in the order in which they were found.
    """

    def __init__(self, name: str, video: Video, network):
        super().__init__(len(video))
        self.name, self.video, self.network = name, video, network
        self.names: list[str] = []

    def work(self, every: int) -> Iterator[tuple[int, int, str]]:
        """Look at what has not been looked at; after each frame: how many are done, of how many, and what it does."""
        for at in looked_at(0, len(self.video), every):
            if self.found[at] is None:
                self._look(at)
                yield (*self.done(every), f"{self.network.name} looks at your video")

    def tracked(self, settings: Settings, every: int) -> list[list[Tracked]]:
        """The tracks in each frame, from the first one to the last that was looked at without a gap."""
        whole = next((at for at in looked_at(0, len(self.video), every) if self.found[at] is None), len(self.video))
        seen = [self.found[at] or NONE if at % every == 0 else NONE for at in range(whole)]
        frames = tracking.track(seen, settings, every) if seen else []
        return [[each for each in frame if each.state in COUNTED] for frame in frames]

    def at(self, at: int) -> Detections:
        """What the network finds in frame `at`, best first; it looks if it has not yet."""
        if self.found[at] is None:
            self._look(at)
        return self.found[at]

    def _look(self, at: int) -> None:
        picture, scale = self.video.frame(at), 1.0
        if not hasattr(self.network, "classes"):  # the lab's networks know things at the size of Lab World
            scale = LAB_WORLD / max(picture.shape[:2])
            size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        said = self._boxes(self.network, picture)
        kept = (said.scores >= LOWEST).numpy()
        every = said.names if isinstance(said, Objects) else [THINGS[label - 1] for label in said.labels.tolist()]
        labels = [self._label(name) for name, some in zip(every, kept, strict=True) if some]
        self.found[at] = Detections(
            said.boxes.numpy()[kept] / scale, np.array(labels, np.int64), said.scores.numpy()[kept]
        )

    def _label(self, name: str) -> int:
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)


def drawn(picture: np.ndarray, marks: Sequence[Mark]) -> np.ndarray:
    """A frame, uint8 (H, W, 3) RGB, with its boxes: class and number of the track; thinner where only predicted."""
    image = np.ascontiguousarray(picture)
    for mark in marks:
        colour = COLOURS[(mark.track or 0) % len(COLOURS)]
        rgb = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
        x1, y1, x2, y2 = (round(side) for side in mark.box)
        cv2.rectangle(image, (x1, y1), (x2, y2), rgb, 2 if mark.kind == "detected" else 1)
        text = f"{mark.label} {mark.track}"
        (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.42, 1)
        foot = max(y1 - 3, high + 2)
        cv2.rectangle(image, (x1, foot - high - 2), (x1 + wide + 2, foot + 3), rgb, -1)
        cv2.putText(image, text, (x1 + 1, foot), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return image
