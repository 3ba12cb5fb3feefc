"""A film painted ahead of the play head, in a thread of its own, for as long as somebody watches."""

import threading
import time

import cv2
import numpy as np

from models.background import Background
from scenes.film import Film

PATIENCE = 5.0  # seconds without a look after which the painting stops
MOST = 32_000_000  # bytes of frames kept; 30 seconds at 224 pixels are about 15 MB
QUALITY = 92  # of the JPEG
AT_ONCE = 2  # films painted at a time in one process; the others wait

_places = threading.BoundedSemaphore(AT_ONCE)


class Ahead(Background):
    """Paints a film from the play head on, round to its beginning, and keeps what fits as JPEG files.

        ahead = Ahead(film)
        ahead.start()
        ahead.look(12)  # bytes of frame 12, or None while it is not painted yet

    Args:
        film: what is painted.
        size: width and height of a frame in pixels.
        patience: seconds without a `look` after which it stops; `start` goes on.
        most: bytes of frames kept; the frames that will be shown last make room.
    """

    def __init__(self, film: Film, size: int = 224, patience: float = PATIENCE, most: int = MOST):
        super().__init__("film painted ahead", _places, patience, working="painting")
        self.film, self.size, self.most = film, size, most
        self._frames: dict[int, bytes] = {}
        self._head, self._bytes = 0, 0
        self._lock = threading.Lock()

    @property
    def finished(self) -> bool:
        """Whether every frame is there."""
        return len(self._frames) == len(self.film)

    def look(self, index: int) -> bytes | None:
        """Frame `index` as a JPEG file, None while it is not painted; the play head is there from now on."""
        self._looked()
        self._head = index
        return self._frames.get(index)

    def ready(self, index: int) -> int:
        """How many frames from `index` on are there, without a gap."""
        with self._lock:
            return next((k for k in range(len(self.film)) if (index + k) % len(self.film) not in self._frames),
                        len(self.film))  # fmt: skip

    def now(self, index: int) -> bytes:
        """Frame `index` as a JPEG file, painted by the caller if it is not there yet."""
        frame = self.look(index)
        return frame if frame is not None else self._keep(index, as_jpeg(self.film.frame(index, self.size)))

    def _work(self) -> bool:
        while not self._left():
            index = self._next()
            if index is None:
                if self.finished:
                    return True
                time.sleep(0.02)  # nothing more fits before the play head moves on
                continue
            self._keep(index, as_jpeg(self.film.frame(index, self.size)))
            time.sleep(0.001)  # other sessions first
        return False

    def _next(self) -> int | None:
        """The first frame from the play head on that is missing and still finds room."""
        with self._lock:
            frames, head = len(self.film), self._head
            missing = next((k for k in range(frames) if (head + k) % frames not in self._frames), None)
            if missing is None:
                return None
            average = self._bytes / max(len(self._frames), 1)
            return (head + missing) % frames if (missing + 2) * average <= self.most else None

    def _keep(self, index: int, frame: bytes) -> bytes:
        with self._lock:
            if index not in self._frames:
                self._frames[index] = frame
                self._bytes += len(frame)
            while self._bytes > self.most and len(self._frames) > 1:
                last = max(self._frames, key=lambda each: (each - self._head) % len(self.film))
                self._bytes -= len(self._frames.pop(last))
        return frame


def as_jpeg(image: np.ndarray) -> bytes:
    """A picture, uint8 (H, W, 3) RGB, as a JPEG file."""
    done, file = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done, "OpenCV writes JPEG."
    return file.tobytes()
