"""The thirteen classes of Lab World: five kinds of stuff and eight kinds of things."""

STUFF = ("sky", "grass", "road", "water", "tree")
THINGS = ("person", "cat", "dog", "duck", "car", "motorcycle", "street sign", "ball")
CLASSES = STUFF + THINGS

# Told apart by lightness as well as hue, so that they stay apart for colour-blind eyes and on a washed-out projector.
PALETTE = {
    "sky": "#9fd3f2",
    "grass": "#3f7d3a",
    "road": "#7c7f86",
    "water": "#2f5fa8",
    "tree": "#14432f",
    "person": "#d55e00",
    "cat": "#e69f00",
    "dog": "#7a3b12",
    "duck": "#f5e663",
    "car": "#b3123f",
    "motorcycle": "#5b2a86",
    "street sign": "#f29ac0",
    "ball": "#ffffff",
}

# The 14 joints of Polimi's pose slide, and which of them a limb connects.
JOINTS = (
    "left_foot", "right_foot", "left_knee", "right_knee", "left_hip", "right_hip", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_hand", "right_hand", "neck", "head_top",
)  # fmt: skip
SKELETON = (
    (0, 2), (2, 4), (1, 3), (3, 5), (4, 5), (4, 6), (5, 7), (6, 7), (6, 8), (8, 10), (7, 9), (9, 11),
    (6, 12), (7, 12), (12, 13),
)  # fmt: skip
