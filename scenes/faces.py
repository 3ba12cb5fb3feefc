"""Faces in close-up, and where exactly their landmarks are: two eyes, the nose and both corners of the mouth.

A close-up is an ordinary scene with one more person, so near that the face fills a part of the picture; everything else
stands behind. The landmarks are read off the very curves that paint the face, so they are exact by construction. What
scenes draw does not depend on this module.
"""

from dataclasses import dataclass, replace

import numpy as np

from scenes.render import render_image
from scenes.scene import FRAME, Knobs, Placed, Scene, _stream, sample
from scenes.shapes import Drawing, Shape
from scenes.things import person

LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")  # sides are the person's own
SIZE = 192  # pixels a side of a close-up
TILT = 30.0  # degrees: the most that a seed turns a head to either side
EYES = (0.12, 0.26)  # the distance between the eyes that a seed chooses, in sides of the picture
SHIFT = 0.1  # in sides of the picture: how far from its middle a seed puts the middle of the landmarks
EYE = "#fdfbf7"  # the white of an eye, which nothing else in Lab World has
BACKGROUND = Knobs(objects=(0, 3))


@dataclass(frozen=True)
class CloseUp:
    """A face in close-up: the scene, whose nearest object is the `person`."""

    scene: Scene

    @property
    def person(self) -> Placed:
        return self.scene.objects[-1]

    def picture(self, size: int = SIZE) -> np.ndarray:
        """uint8 (size, size, 3) RGB."""
        return render_image(self.scene, size)

    def landmarks(self, size: int = SIZE) -> np.ndarray:
        """Float array (5, 2), x and y in pixels of a picture of that size, in the order of LANDMARKS."""
        return landmarks(self.person) * (size / FRAME)


def landmarks(thing: Placed) -> np.ndarray:
    """The landmarks of a person in a scene, float array (5, 2) of x, y in frame units, in the order of LANDMARKS.

    Also where something hides them, or outside the picture. In a mirror the left eye becomes the right one.

    Raises:
        ValueError: the thing is no person, or a face in profile, which has one eye only.
    """
    if thing.label != "person" or thing.look["gaze"] == "side":
        raise ValueError("Only a person's face seen from the front or half turned has all five landmarks.")
    found = _marks(thing.drawing)[1] * thing.scale
    if thing.flip:
        found = (found * (-1, 1))[[1, 0, 2, 4, 3]]
    return found + (thing.x, thing.y - thing.lift)


def close_up(seed: int, tilt: float | None = None, eyes: float | None = None, light: float | None = None) -> CloseUp:
    """Draw a face in close-up, seen from the front or half turned, nothing in front of its landmarks.

    Args:
        seed: any integer >= 0: who it is, the scene behind, and all that follows where it is None.
        tilt: degrees that the head leans to its left, which is the viewer's right: -90 to 90.
        eyes: distance between the eyes in sides of the picture, above 0 to 0.5.
        light: 0 (night), 0.5 (dusk) to 1 (day).

    Raises:
        ValueError: a number out of its range.
    """
    if tilt is not None and not -90 <= tilt <= 90:
        raise ValueError(f"A head leans by -90 to 90 degrees, not by {tilt:g}.")
    if eyes is not None and not 0 < eyes <= 0.5:
        raise ValueError(f"Eyes are more than 0 and at most 0.5 sides of the picture apart, not {eyes:g}.")
    scene = sample(seed, replace(BACKGROUND, light=light))
    rng = _stream(seed, "face")
    look = person.sample(rng)
    while look["gaze"] == "side" or _covered(person.draw(look)):
        look = person.sample(rng)
    flip, leans = bool(rng.random() < 0.5), float(rng.uniform(-TILT, TILT))
    apart, (right, down) = float(rng.uniform(*EYES)), rng.uniform(-SHIFT, SHIFT, 2)
    tilt, eyes = leans if tilt is None else tilt, apart if eyes is None else eyes
    thing = Placed("person", look | {"nod": -tilt if flip else tilt}, 0.0, 0.0, 1.0, flip)
    at = landmarks(thing)
    scale = float(eyes * FRAME / np.linalg.norm(at[0] - at[1]))
    x, y = (FRAME * (0.5 + right), FRAME * (0.5 + down)) - at.mean(0) * scale
    near = replace(thing, x=float(x), y=float(y), scale=scale)
    return CloseUp(replace(scene, objects=(*scene.objects, near)))


def _marks(drawing: Drawing) -> tuple[int, np.ndarray]:
    """Where the face begins among the shapes, and its landmarks (5, 2) in the thing's own frame.

    `person_head.face` paints for each eye its white, pupil, glint and brow, then the nose, then the mouth; under a
    headscarf the face is painted twice, and the later one is seen.
    """
    whites = [index for index, shape in enumerate(drawing.shapes) if shape.fill == EYE]
    first, second = whites[-2:]
    nose, mouth = drawing.shapes[second + 4 : second + 6]
    eyes = [drawing.shapes[index].segments[:, 0].mean(0) for index in (first, second)]
    return first, np.array([*eyes, nose.segments[1, 0], *_corners(mouth)])


def _corners(mouth: Shape) -> tuple[np.ndarray, np.ndarray]:
    """An open mouth is a rim of six points, a closed one a line from corner to corner."""
    return mouth.segments[0, 0], mouth.segments[2, 0] if mouth.closed else mouth.segments[-1, 3]


def _covered(drawing: Drawing) -> bool:
    """Whether a hat, hair or an arm that is painted after the face lies over a landmark."""
    first, found = _marks(drawing)
    later = [shape.points() for shape in drawing.shapes[first:] if shape.silhouette and shape.fill]
    return any(person._covers(points, point) for points in later for point in found)
