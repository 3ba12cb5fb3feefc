"""Persons: a skeleton in three dimensions, posed by forward kinematics, projected, and dressed.

Body frame: f forward, l to the person's own left, u up. A view turns the body by a yaw: 0 looks at the viewer, 90 to
the right. The camera looks slightly down, so what is nearer is lower.
"""

import numpy as np

from scenes.shapes import Drawing, Shape, extent, mix, moved, shade
from scenes.things.anatomy import pick
from scenes.things.person_clothes import arm, backpack, leg, trunk
from scenes.things.person_hair import back_hair, hair
from scenes.things.person_head import head
from scenes.things.person_skeleton import Body

VARIANTS = ("adult", "child", "tall", "broad")
VIEWS = {"front": 0.0, "three-quarter": 42.0, "side": 86.0}
CLOTHES = ("trousers", "shorts", "skirt", "dress", "coat", "dungarees")
PATTERNS = ("plain", "plain", "stripes", "dots", "two-tone")
HAIR = ("short", "parted", "curly", "long", "bob", "ponytail", "bun", "spiky", "bald", "headscarf", "pigtails")
BEARDED = ("short", "parted", "curly", "bald", "spiky")
HATS = ("none", "none", "none", "cap", "beanie", "sun hat")
JOINTS = ("left_foot", "right_foot", "left_knee", "right_knee", "left_hip", "right_hip", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_hand", "right_hand", "neck", "head_top")  # fmt: skip
# Bones as (swing, spread) in degrees: swing goes forward from hanging down, spread outward from the body.
# Each pose: lean, then thigh and shin of the left and of the right leg, then upper arm and forearm of both.
POSES = {
    "standing": (0, (-6, 5), (-10, 3), (7, 5), (2, 3), (-4, 15), (14, 8), (-4, 15), (12, 8)),
    "walking": (4, (-22, 2), (-40, 2), (27, 2), (12, 2), (26, 12), (52, 4), (-30, 12), (-8, 6)),
    "running": (14, (-30, 3), (-58, 3), (66, 3), (-28, 3), (48, 14), (126, -8), (-62, 16), (20, 4)),
    "waving": (0, (6, 5), (2, 3), (-6, 5), (-10, 3), (20, 108), (12, 162), (-4, 16), (14, 8)),
    "sitting": (-8, (128, 7), (24, 4), (120, 8), (20, 5), (-28, 15), (-18, 10), (44, 6), (72, -6)),
    "jumping": (3, (22, 24), (-42, 12), (34, 24), (-30, 12), (14, 128), (10, 158), (14, 124), (10, 152)),
    "kicking": (-9, (-8, 5), (-14, 3), (62, 6), (48, 4), (34, 42), (58, 24), (-42, 42), (-10, 34)),
    "arms crossed": (0, (7, 6), (2, 4), (-6, 6), (-10, 4), (8, 20), (78, -64), (8, 20), (66, -62)),
    "hands on hips": (0, (-6, 8), (-10, 5), (7, 8), (2, 5), (-18, 46), (34, -48), (-18, 46), (34, -48)),
}
CROSS_LEGGED = ((72, 56), (46, -62), (72, 56), (60, -60))
SKINS = ("#fbe3d0", "#f6d0b0", "#eebc93", "#dca277", "#c88a5c", "#ad7047", "#8f5734", "#714226", "#54301d", "#3d2318")
HAIRS = {
    "black": "#26222a", "dark brown": "#46301f", "brown": "#6f4a2a", "auburn": "#8e4424", "red": "#bf5a26",
    "blond": "#e3b95c", "fair": "#f0d894", "grey": "#a3a3a8", "white": "#ece9e4", "blue": "#4a78c2", "pink": "#e07cae",
}  # fmt: skip
HAIR_ODDS = (5, 4, 4, 2, 2, 3, 2, 2, 1, 0.5, 0.5)
CLOTH = {
    "red": "#cf4040", "orange": "#e8853a", "yellow": "#f0c748", "green": "#4f9a5a", "mint": "#8fd0b0",
    "teal": "#2f8f92",
    "sky blue": "#7fbbe6", "blue": "#3b6fba", "navy": "#2f3f6b", "purple": "#7d58a8", "pink": "#e88bb0",
    "brown": "#87593a", "beige": "#d9c29c", "white": "#f4f1ea", "grey": "#8e949e", "black": "#35343d",
}  # fmt: skip


def sample(rng: np.random.Generator) -> dict:
    """A person's look: body, pose, view, clothes, hair, colours as #rrggbb, proportions as factors near 1."""
    colours = [pick(rng, tuple(CLOTH)) for _ in range(5)]
    top, bottom = colours[:2]
    if top == bottom:
        bottom = "navy" if top != "navy" else "beige"
    tone = rng.uniform(0, len(SKINS) - 1)
    skin = mix(SKINS[int(tone)], SKINS[int(tone) + 1], float(tone % 1))
    hair = pick(rng, tuple(HAIRS), HAIR_ODDS)
    style = pick(rng, HAIR, (4, 3, 3, 3, 2, 3, 2, 2, 1, 1, 1.5))
    view, variant = pick(rng, tuple(VIEWS)), pick(rng, VARIANTS, (4, 3, 2, 2))
    return {
        "variant": variant,
        "pose": pick(rng, tuple(POSES)),
        "view": view,
        "gaze": "three-quarter" if view == "side" and (style == "headscarf" or rng.random() < 0.35) else view,
        "clothes": pick(rng, CLOTHES, (5, 3, 2, 2, 2, 2)),
        "pattern": pick(rng, PATTERNS),
        "sleeves": pick(rng, ("long", "short", "short")),
        "hair": style,
        "hat": pick(rng, HATS) if style != "headscarf" else "none",
        "hair_colour": hair,
        "top_colour": top,
        "bottom_colour": bottom,
        "skin": skin,
        "hair_paint": shade(HAIRS[hair], float(rng.uniform(-0.12, 0.12))),
        "top": shade(CLOTH[top], float(rng.uniform(-0.15, 0.15))),
        "bottom": shade(CLOTH[bottom], float(rng.uniform(-0.2, 0.1))),
        "accent": CLOTH[colours[2]] if colours[2] != top else "#f4f1ea",
        "shoes": CLOTH[colours[3]],
        "gear": CLOTH[colours[4]],
        "backpack": bool(rng.random() < 0.2),
        "glasses": bool(rng.random() < 0.2),
        "beard": bool(rng.random() < 0.35) and variant != "child" and style in BEARDED and hair not in ("blue", "pink"),
        "mood": pick(rng, ("smile", "grin", "calm", "open")),
        "left_handed": bool(rng.random() < 0.5),
        "yaw": float(rng.uniform(-8, 4)),
        "swing": float(rng.normal(0, 5)),
        "stride": float(rng.uniform(0.8, 1.12)),
        "nod": float(rng.normal(0, 4)),
        "stature": float(rng.uniform(0.95, 1.04)),
        "girth": float(rng.uniform(0.92, 1.12)),
        "head": float(rng.uniform(0.95, 1.06)),
    }


def draw(look: dict) -> Drawing:
    """The person in its own frame: an adult is about 100 units high, a child about 72; jumpers are 5 off the ground."""
    body = Body(look, VIEWS[look["view"]], *_posed(look))
    parts = _dressed(look, body)
    shapes = [shape for _, drawn in parts for shape in drawn]
    x1, _, x2, y2 = extent(shapes)
    dx, dy = -float(x1 + x2) / 2, -float(y2) - (5.0 if look["pose"] == "jumping" else 0.0)
    outlines = [(part, shape.points()) for part, drawn in parts for shape in drawn if shape.silhouette and shape.fill]
    outlines = [(part, points, points.min(0), points.max(0)) for part, points in outlines]
    joints = {}
    for name in JOINTS:
        x, y = body.at[name]
        joints[name] = (float(x + dx), float(y + dy), not _hidden(name, body, outlines))
    return Drawing(tuple(moved(shape, dx, dy) for shape in shapes), joints)


def phrase(look: dict) -> str:
    """The noun phrase of a caption."""
    body = {"adult": "person", "child": "young person", "tall": "tall person", "broad": "sturdy person"}
    pattern = {"plain": "", "stripes": "striped ", "dots": "dotted ", "two-tone": "two-tone "}[look["pattern"]]
    top = f"{pattern}{look['top_colour']} top"
    wear = {
        "dress": f"a {look['top_colour']} dress",
        "coat": f"a {look['top_colour']} coat",
        "dungarees": f"{look['bottom_colour']} dungarees",
        "skirt": f"a {look['bottom_colour']} skirt and a {top}",
    }.get(look["clothes"], f"{look['bottom_colour']} {look['clothes']} and a {top}")
    wear = wear.replace("a orange", "an orange")
    pose = f"with {look['pose']}" if look["pose"] in ("arms crossed", "hands on hips") else look["pose"]
    return f"a {body[look['variant']]} in {wear}, {pose}"


def attributes(look: dict) -> dict[str, str]:
    """What can be asked about the person."""
    return {
        "body": look["variant"],
        "pose": look["pose"],
        "view": look["view"],
        "clothes": look["clothes"],
        "top": look["top_colour"],
        "bottom": look["top_colour"] if look["clothes"] == "dress" else look["bottom_colour"],
        "hair": "covered" if look["hair"] == "headscarf" else "none" if look["hair"] == "bald" else look["hair_colour"],
        "hat": look["hat"],
        "glasses": "yes" if look["glasses"] else "no",
        "backpack": "yes" if look["backpack"] else "no",
    }


def _posed(look: dict) -> tuple[float, list[tuple[float, float]]]:
    """The lean and the bones of a pose, suited to the view, to the handedness and to the stride."""
    lean, *bones = POSES[look["pose"]]
    if look["pose"] == "sitting" and look["view"] != "side":
        lean, bones[:4] = 0, list(CROSS_LEGGED)
        bones[4:] = (24, 22), (54, -14), (24, 22), (54, -14)
    if look["pose"] == "running" and look["view"] == "front":
        bones[:4] = (-14, 3), (-88, 3), (54, 3), (-4, 3)  # one foot up behind, which shows from the front
    if look["pose"] == "kicking" and look["view"] == "front":
        bones[2:4] = (18, 50), (8, 38)
    if look["pose"] in ("waving", "jumping") and look["view"] == "side":
        bones[4:6] = (104, 20), (160, 8)  # in front of the face, not across it
        bones[6:8] = bones[6:8] if look["pose"] == "waving" else [(96, 20), (148, 8)]
    if look["left_handed"] != (look["pose"] == "waving"):  # the table waves with the left and steps with the right
        bones = [bones[i] for i in (2, 3, 0, 1, 6, 7, 4, 5)]
    raised = look["pose"] == "jumping" or (look["pose"] == "waving" and look["left_handed"])
    if look["view"] == "three-quarter" and raised:
        bones[4:6] = (98, 62), (152, 16)  # the far arm, beside the head rather than behind it
    step = look["stride"] if look["pose"] in ("walking", "running", "kicking") else 1.0
    return lean, [
        (swing * (step if i < 4 else 1) + (look["swing"] if i > 3 else 0) * 0.8, spread)
        for i, (swing, spread) in enumerate(bones)
    ]


def _dressed(look: dict, body: Body) -> list[tuple[str, list[Shape]]]:
    """All parts from back to front."""
    legs = sorted(("left", "right"), key=lambda side: body.near[f"{side}_knee"] + body.near[f"{side}_foot"])
    turned = look["view"] != "front"
    parts = [(f"{side} leg", leg(look, body, side, far=turned and i == 0)) for i, side in enumerate(legs)]
    middle = [("trunk", trunk(look, body))]
    back = [("hair", back_hair(look, body))]
    pack = [("pack", backpack(look, body))] if look["backpack"] else []
    if look["pose"] == "sitting":
        # feet and knees of someone on the ground come before the belly
        parts = [*pack, *middle, *parts] if not turned else [parts[0], *pack, *middle, parts[1]]
    else:
        parts += [*pack, *middle]
    parts = back + parts if look["gaze"] == "front" else parts + back
    parts.append(("head", head(look, body) + hair(look, body)))
    for side in ("left", "right"):
        depth = body.near[f"{side}_elbow"] / 2 + body.near[f"{side}_hand"] / 2
        order = [name for name, _ in parts]
        place = 0 if depth < -2.5 else len(parts) if depth > 4 else order.index("head")
        if 0 < place < len(parts):
            place = max(place, max(order.index(f"{name} leg") for name in legs) + 1)
        parts.insert(place, (f"{side} arm", arm(look, body, side, far=turned and depth < -2.5)))
    return parts


def _hidden(name: str, body: Body, outlines: list[tuple]) -> bool:
    """Whether the person's own body is painted over a joint: another limb, or the trunk before a far one."""
    side, _, kind = name.partition("_")
    own = {"neck": ("trunk", "head", "hair"), "head_top": ("head", "hair")}.get(name)
    if own is None:
        limb = f"{side} leg" if kind in ("foot", "knee", "hip") else f"{side} arm"
        if kind in ("hip", "shoulder"):
            if body.yaw > np.radians(60) and side == "left":
                return True  # the far side of a trunk seen from its side
            own = (limb, "trunk")
            if kind == "hip":
                own += ("left leg", "right leg")
        else:
            own = (limb, "trunk") if kind in ("knee", "foot") else (limb,)  # cloth over a knee hides no knee
    point = body.at[name]
    first = [part for part, *_ in outlines].index(own[0])
    return any(
        part not in own and (low <= point).all() and (point <= high).all() and _covers(points, point)
        for part, points, low, high in outlines[first + 1 :]
    )


def _covers(points: np.ndarray, point: np.ndarray) -> bool:
    """Whether a point lies inside a closed outline (crossings of a ray to the right)."""
    a = points - point
    b = np.concatenate([a[1:], a[:1]])
    crossing = (a[:, 1] > 0) != (b[:, 1] > 0)
    a, b = a[crossing], b[crossing]
    return bool(np.sum(a[:, 0] - a[:, 1] * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1]) > 0) % 2)
