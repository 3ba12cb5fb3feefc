"""Lab World: procedural scenes with exact ground truth. The data set that never runs out.

scene = sample(seed=7, knobs=Knobs(objects=4, light=0.0))
view = render(scene, size=224)
"""

from scenes.classes import CLASSES, JOINTS, PALETTE, SKELETON, STUFF, THINGS
from scenes.render import Instance, View, render, render_image
from scenes.scene import Knobs, Placed, Scene, sample

__all__ = [
    "CLASSES", "JOINTS", "PALETTE", "SKELETON", "STUFF", "THINGS",
    "Instance", "Knobs", "Placed", "Scene", "View", "render", "render_image", "sample",
]  # fmt: skip
