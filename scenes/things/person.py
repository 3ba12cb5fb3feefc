"""Persons: a skeleton in three dimensions, posed by forward kinematics, projected, and dressed.

Body frame: f forward, l to the person's own left, u up. A view turns the body by a yaw: 0 looks at the viewer, 90 to
the right. The camera looks slightly down, so what is nearer is lower.
"""

import numpy as np

from scenes.shapes import Drawing, Point, Shape, blob, curve, ellipse, extent, inside, mix, moved, polygon, shade
from scenes.things.anatomy import dark, line_of, paint, pick, stroke

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
    body = _Body(look)
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


# --- the skeleton


def _bone(swing: float, spread: float, side: int) -> np.ndarray:
    """A unit vector (f, l, u); side is 1 for the left and -1 for the right."""
    a, b = np.radians(swing), np.radians(spread)
    return np.array([np.sin(a) * np.cos(b), side * np.sin(b), -np.cos(a) * np.cos(b)])


class _Body:
    """Joints in the picture (`at`), their nearness to the viewer (`near`) and the proportions of the body."""

    def __init__(self, look: dict):
        kind, k = look["variant"], look["stature"]
        leg, trunk, arm, wide, head = {
            "adult": (38.0, 27.0, 28.5, 1.0, 1.0), "child": (24.0, 20.0, 20.0, 0.88, 0.97),
            "tall": (43.0, 28.0, 31.5, 0.88, 0.95), "broad": (35.0, 28.0, 27.5, 1.27, 1.03),
        }[kind]  # fmt: skip
        self.wide, self.head = wide * look["girth"], 11.2 * head * look["head"]
        self.yaw = np.radians(VIEWS[look["view"]] + look["yaw"])
        leg, trunk, arm = leg * k, trunk * k, arm * k
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
        bones = [
            (swing * (step if i < 4 else 1) + (look["swing"] if i > 3 else 0) * 0.8, spread)
            for i, (swing, spread) in enumerate(bones)
        ]
        up = np.array([np.sin(np.radians(lean)), 0, np.cos(np.radians(lean))])
        joint = {"pelvis": np.zeros(3), "neck": up * trunk * 1.06}
        joint["head"] = joint["neck"] + up * self.head * 0.22 + np.array([0.8, 0, self.head * 0.9])
        self.toe = {}
        for i, (name, side) in enumerate((("left", 1), ("right", -1))):
            thigh, shin, upper, fore = bones[2 * i], bones[2 * i + 1], bones[4 + 2 * i], bones[5 + 2 * i]
            hip = np.array([0, side * 5.2 * self.wide, 0.0])
            knee = hip + _bone(*thigh, side) * leg * 0.5
            ankle = knee + _bone(*shin, side) * leg * 0.47
            flat = look["pose"] not in ("running", "jumping", "sitting")
            forward = _bone(shin[0] * (0.55 if flat else 0.8) + 88, 16 if look["pose"] != "sitting" else 8, side)
            if look["pose"] == "sitting" and look["view"] != "side":
                forward = _bone(80, -30, side)
            self.toe[name] = ankle + forward * 6.4 + (0, 0, -0.8)
            shoulder = up * trunk * 0.9 + (0, side * 8.9 * self.wide, 0)
            elbow = shoulder + _bone(*upper, side) * arm * 0.49
            hand = elbow + _bone(*fore, side) * arm * 0.53
            joint |= {
                f"{name}_hip": hip,
                f"{name}_knee": knee,
                f"{name}_foot": ankle * 0.7 + self.toe[name] * 0.3,
                f"{name}_ankle": ankle,
                f"{name}_shoulder": shoulder,
                f"{name}_elbow": elbow,
                f"{name}_hand": hand,
            }
        joint |= {f"{name}_toe": toe for name, toe in self.toe.items()}
        self.at, self.near = {}, {}
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        for name, (f, left, u) in joint.items():
            self.near[name] = float(f * c - left * s)
            self.at[name] = np.array([left * c + f * s, -u + 0.14 * self.near[name]])
        nod = np.radians(look["nod"])
        self.at["head_top"] = self.at["head"] + np.array([np.sin(nod), -np.cos(nod)]) * self.head * 0.9

    def breadth(self, across: float, deep: float) -> float:
        """Half the width in the picture of a trunk with these half axes."""
        return float(np.hypot(across * np.cos(self.yaw), deep * np.sin(self.yaw))) * self.wide


def _hidden(name: str, body: _Body, outlines: list[tuple]) -> bool:
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


# --- flesh and clothes


def _bar(a: Point, b: Point, wa: float, wb: float, **ink) -> Shape:
    """A straight tapering bone of the given full widths with round ends."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-6)
    if not along.any():
        along = np.array([0.0, 1.0])
    across, rows = np.array([-along[1], along[0]]), []
    for end, out, half in ((b, along, wb / 2), (a, -along, wa / 2)):
        side = across if out is along else -across
        p, tip, q, k = end - side * half, end + out * half, end + side * half, 0.5523 * half
        if rows:
            rows.append(_side(rows[-1][3], p))
        rows += [[p, p + out * k, tip - side * k, tip], [tip, tip + side * k, q + out * k, q]]
    rows.append(_side(rows[-1][3], rows[0][0]))
    return Shape(np.array(rows), **ink)


def _side(p: np.ndarray, q: np.ndarray) -> list[np.ndarray]:
    return [p, p + (q - p) / 3, q - (q - p) / 3, q]


def _bend(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _hull(points: np.ndarray) -> np.ndarray:
    """The convex hull of points (n, 2), by Andrew's monotone chain."""
    rows = sorted(map(tuple, points))
    halves = []
    for chain in (rows, rows[::-1]):
        half: list = []
        for p in chain:
            while len(half) > 1 and _bend(half[-2], half[-1], p) <= 0:
                half.pop()
            half.append(p)
        halves += half[:-1]
    return np.array(halves)


def _ink(*parts: Shape, width: float = 1.1) -> list[Shape]:
    """Shapes of one form: each has an outline in its own dark, and no line runs between them."""
    under = [Shape(p.segments, fill=line_of(p.fill), stroke=line_of(p.fill), width=2 * width) for p in parts]
    return under + list(parts)


def _dressed(look: dict, body: _Body) -> list[tuple[str, list[Shape]]]:
    """All parts from back to front."""
    legs = sorted(("left", "right"), key=lambda side: body.near[f"{side}_knee"] + body.near[f"{side}_foot"])
    turned = look["view"] != "front"
    parts = [(f"{side} leg", _leg(look, body, side, far=turned and i == 0)) for i, side in enumerate(legs)]
    trunk = [("trunk", _trunk(look, body))]
    back = [("hair", _back_hair(look, body))]
    pack = [("pack", _backpack(look, body))] if look["backpack"] else []
    if look["pose"] == "sitting":
        # feet and knees of someone on the ground come before the belly
        parts = [*pack, *trunk, *parts] if not turned else [parts[0], *pack, *trunk, parts[1]]
    else:
        parts += [*pack, *trunk]
    parts = back + parts if look["gaze"] == "front" else parts + back
    parts.append(("head", _head(look, body)))
    for side in ("left", "right"):
        depth = body.near[f"{side}_elbow"] / 2 + body.near[f"{side}_hand"] / 2
        order = [name for name, _ in parts]
        place = 0 if depth < -2.5 else len(parts) if depth > 4 else order.index("head")
        if 0 < place < len(parts):
            place = max(place, max(order.index(f"{leg} leg") for leg in legs) + 1)
        parts.insert(place, (f"{side} arm", _arm(look, body, side, far=turned and depth < -2.5)))
    return parts


def _arm(look: dict, body: _Body, side: str, far: bool) -> list[Shape]:
    w, dim = body.wide**0.5, -0.14 if far else 0.0
    skin, cloth = shade(look["skin"], dim), shade(look["top"], dim)
    shoulder, elbow, hand = (body.at[f"{side}_{name}"] for name in ("shoulder", "elbow", "hand"))
    along = (hand - elbow) / max(np.linalg.norm(hand - elbow), 1.0)
    palm = [_bar(hand - along * 1.2, hand + along * 1.0, 5.4 * w, 5.6 * w, fill=skin)]
    if look["pose"] == "waving" and hand[1] < shoulder[1] - 8:
        out = np.array([-along[1], along[0]]) * (1 if hand[0] < body.at["neck"][0] else -1)
        palm.append(_bar(hand, hand + out * 3.6 - along * 0.4, 2.6, 2.2, fill=skin))
        palm += [_bar(hand, hand + along * 4.8 + out * k, 2.5, 2.2, fill=skin) for k in (-2.2, 0, 2.2)]
    fore = (elbow, hand - along * 1.6, 6.3 * w, 5.0 * w)
    if look["sleeves"] == "long" or look["clothes"] == "coat":
        return _ink(*palm) + _ink(_bar(shoulder, elbow, 7.2 * w, 6.4 * w, fill=cloth), _bar(*fore, fill=cloth))
    bare = _ink(*palm, _bar(*fore, fill=skin), _bar(shoulder, elbow, 6.6 * w, 6.2 * w, fill=skin))
    return bare + _ink(_bar(shoulder, shoulder + (elbow - shoulder) * 0.55, 7.2 * w, 7.6 * w, fill=cloth))


def _leg(look: dict, body: _Body, side: str, far: bool) -> list[Shape]:
    w, dim, kind = body.wide**0.5, -0.14 if far else 0.0, look["clothes"]
    hip, knee, ankle, toe = (body.at[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "toe"))
    skin, cloth, boot = (shade(look[name], dim) for name in ("skin", "bottom", "shoes"))
    heel = ankle + (ankle - toe) * 0.12
    shoe = _bar(heel, toe, 6.4 * w, 5.6 * w, fill=boot)
    sole = curve([heel + (0, 2.9 * w), toe + (0, 2.6 * w)], stroke=shade("#f6f1e6", dim), width=1.9)
    foot = _ink(shoe) + inside(shoe, sole)
    if kind in ("trousers", "dungarees"):
        cuff = knee + (ankle - knee) * 0.94
        return foot + _ink(
            _bar(hip, knee, 10.4 * w, 8.4 * w, fill=cloth), _bar(knee, cuff, 8.4 * w, 7.0 * w, fill=cloth)
        )
    tights = shade(look["accent"], dim) if kind in ("skirt", "dress", "coat") and look["sleeves"] == "long" else skin
    bare = _ink(_bar(knee, ankle, 6.8 * w, 5.4 * w, fill=tights), _bar(hip, knee, 9.0 * w, 6.8 * w, fill=tights)) + foot
    if kind == "shorts":
        bare += _ink(_bar(hip, hip + (knee - hip) * 0.66, 10.4 * w, 10.0 * w, fill=cloth))
    return bare


class _Trunk:
    """Points on the trunk: t runs from the hips (0) to the neck (1), s across from -1 to 1."""

    def __init__(self, body: _Body):
        self.body, self.low = body, body.at["left_hip"] / 2 + body.at["right_hip"] / 2
        self.axis = body.at["neck"] - self.low
        self.across = np.array([-self.axis[1], self.axis[0]]) / np.linalg.norm(self.axis)
        self.face = float(np.sin(body.yaw))

    def __call__(self, t: float, s: float) -> np.ndarray:
        half = np.interp(t, [-0.12, 0, 0.35, 0.78, 0.93, 1.02], [self.body.breadth(*w) for w in (
            (8.6, 6.0), (9.0, 6.4), (8.0, 6.2), (9.9, 6.6), (9.4, 5.2), (4.0, 3.8))])  # fmt: skip
        return self.low + self.axis * t + self.across * s * half

    def outline(self, bottom: float, **ink) -> Shape:
        side = [(t, s) for t, s in ((0.0, 1), (0.35, 1), (0.78, 1), (0.94, 0.93), (1.02, 0.9)) if t > bottom + 0.05]
        side.insert(0, (bottom, 0.94))
        return blob([self(t, -s) for t, s in side] + [self(t, s) for t, s in side[::-1]], 0.9, **ink)


def _trunk(look: dict, body: _Body) -> list[Shape]:
    at, kind, w = _Trunk(body), look["clothes"], body.wide**0.5
    neck, head = body.at["neck"], body.at["head"]
    shapes = _ink(_bar(neck + (0, 2), head, 7.0 * w, 6.6 * w, fill=shade(look["skin"], -0.1)))
    top, bottom = look["top"], look["bottom"]
    shirt = at.outline(0.22 if kind == "skirt" else -0.1, fill=top)
    if kind in ("trousers", "shorts", "dungarees"):
        hips = (body.breadth(8.6, 5.2) * 0.98, 4.9 * w)
        shapes.append(ellipse(tuple(at.low + (0, 0.6)), *hips, fill=bottom))
        shapes += _ink(shirt)
    else:
        reach, flare = {"skirt": (0.86, 5.6), "dress": (1.0, 6.4), "coat": (0.8, 6.2)}[kind]
        turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        rim = np.stack([np.cos(turn) * flare, np.sin(turn) * 3.2], axis=1) * w
        cloud = [at(0.34, -1), at(0.34, 1), at(0, -1), at(0, 1)]
        for side in ("left", "right"):
            hip, knee = body.at[f"{side}_hip"], body.at[f"{side}_knee"]
            cloud += list(hip + (knee - hip) * reach + rim)
        skirt = polygon(_hull(np.array(cloud)), fill=bottom if kind == "skirt" else top)
        shapes += _ink(skirt) + _ink(shirt) if kind == "skirt" else _ink(skirt, shirt)
        folds = [body.at[f"{side}_knee"] * 0.7 + body.at[f"{side}_hip"] * 0.3 for side in ("left", "right")]
        shapes += inside(
            skirt,
            *[stroke([at(0.02, s), p], shade(skirt.fill, -0.18), 1.0) for s, p in zip((0.3, -0.3), folds, strict=True)],
        )
    marks = []
    if kind == "coat":
        pass
    elif look["pattern"] == "stripes":
        marks += [stroke([at(t, -1.1), at(t, 1.1)], look["accent"], 2.4) for t in (0.16, 0.42, 0.68)]
    elif look["pattern"] == "dots":
        marks += [
            ellipse(tuple(at(t, s)), 1.35, 1.35, fill=look["accent"])
            for t, s in ((0.2, -0.55), (0.2, 0.45), (0.45, -0.1), (0.45, 0.8), (0.7, -0.55), (0.7, 0.45), (0.45, -0.9))
        ]
    elif look["pattern"] == "two-tone":
        marks.append(polygon([at(0.5, -1.3), at(0.5, 1.3), at(-0.3, 1.5), at(-0.3, -1.5)], fill=look["accent"]))
    face = at.face
    if kind == "dungarees":
        wide = 0.62 if look["view"] == "front" else 0.5
        marks.append(polygon([at(0.3, -1.3), at(0.3, 1.3), at(-0.3, 1.5), at(-0.3, -1.5)], fill=bottom))
        marks.append(
            polygon(
                [
                    at(t, s + face * 0.55)
                    for t, s in ((0.28, -wide), (0.68, -wide * 0.9), (0.68, wide * 0.9), (0.28, wide))
                ],
                fill=bottom,
            )
        )
        for s in (-wide * 0.75 + face * 0.5, wide * 0.75 + face * 0.5):
            marks.append(stroke([at(0.66, s), at(1.0, s * 0.9 - face * 0.3)], bottom, 2.4))
            marks.append(ellipse(tuple(at(0.66, s)), 1.0, 1.0, fill="#f3d060"))
    elif kind == "coat":
        edge = shade(top, -0.32)
        marks.append(stroke([at(1.0, face * 0.4), at(0.5, face * 0.85), at(-0.12, face * 0.8)], edge, 1.1))
        marks += [ellipse(tuple(at(t, face * 0.8 + 0.16)), 0.95, 0.95, fill=look["accent"]) for t in (0.66, 0.4, 0.14)]
        marks.append(stroke([at(0.99, -0.9), at(0.93, face * 0.5), at(0.99, 0.9)], look["accent"], 3.4))
    elif kind == "dress":
        marks.append(stroke([at(0.33, -1.2), at(0.33, 1.2)], look["accent"], 2.6))
    else:
        marks.append(ellipse(tuple(at(1.03, face * 0.25)), 3.6 * w, 2.6, fill=look["skin"]))
    shade_side = polygon([at(1.0, -1.2), at(1.0, -0.72), at(-0.2, -0.6), at(-0.2, -1.4)], fill="#1b1430", opacity=0.13)
    shapes += inside(shirt, *[paint(m, opacity=m.opacity) if m.fill else m for m in [*marks, shade_side]])
    if look["backpack"]:
        straps = [-0.62, 0.62] if look["view"] == "front" else [-0.1, 0.8] if look["view"] != "side" else [0.1]
        for s in straps:
            shapes += inside(
                shirt,
                stroke([at(1.02, s * 0.7), at(0.7, s + face * 0.25), at(0.35, s)], line_of(look["gear"]), 4.2),
                stroke([at(1.02, s * 0.7), at(0.7, s + face * 0.25), at(0.35, s)], look["gear"], 2.6),
            )
    return shapes


def _backpack(look: dict, body: _Body) -> list[Shape]:
    at, fill = _Trunk(body), look["gear"]
    x = -at.face * 8.5 * body.wide
    wide = body.breadth(9.6, 5.0) + 0.6
    points = [
        at(t, 0) + at.across * (x + wide * k)
        for t, k in (
            (0.16, -1),
            (0.5, -1.06),
            (0.86, -0.9),
            (0.98, -0.3),
            (0.98, 0.3),
            (0.86, 0.9),
            (0.5, 1.06),
            (0.16, 1),
            (0.1, 0),
        )
    ]
    pack = blob(points, 0.8, fill=fill)
    pocket = stroke(
        [at(0.42, 0) + at.across * (x - wide), at(0.42, 0) + at.across * (x + wide)], shade(fill, -0.3), 1.3
    )
    return _ink(pack) + inside(pack, pocket)


# --- head: local units of one head radius, x towards where the face looks


def _placed(shapes: list[Shape], look: dict, body: _Body) -> list[Shape]:
    return [moved(s, *body.at["head"], scale=body.head, angle=look["nod"]) for s in shapes]


def _ball(x: float, y: float, rx: float, ry: float, fill: str, **ink) -> Shape:
    return ellipse((x, y), rx, ry, fill=fill, **ink)


def _back_hair(look: dict, body: _Body) -> list[Shape]:
    """What hangs or stands behind the head."""
    style, fill, view = look["hair"], look["hair_paint"], look["gaze"]
    b = {"front": 0.0, "three-quarter": -0.28, "side": -0.42}[view]
    shapes = []
    if style == "long":
        end = 1.9 if view == "front" else 2.0
        shapes = [
            blob(
                [
                    (b - 1.0, -0.5),
                    (b - 1.16, 0.5),
                    (b - 1.12, end),
                    (b - 0.3, end + 0.1),
                    (b + 0.4, end),
                    (b + (1.16 if view == "front" else 0.7), end - 0.05),
                    (b + 1.14 * (view == "front") + 0.5 * (view != "front"), 0.5),
                    (b + 0.9, -0.5),
                    (b, -1.0),
                ],
                fill=fill,
            )
        ]
    elif style == "bob":
        shapes = [
            blob(
                [
                    (b - 0.9, -0.5),
                    (b - 1.2, 0.3),
                    (b - 1.12, 0.98),
                    (b, 1.02),
                    (b + 1.12 + b, 0.98),
                    (b + 1.2 + b, 0.3),
                    (b + 0.9, -0.5),
                ],
                fill=fill,
            )
        ]
    elif style == "curly":
        t = np.arange(36) * 2 * np.pi / 36
        r = np.choose(np.arange(36) % 3, (1.2, 1.33, 1.33))
        shapes = [blob(np.stack([b * 0.6 + r * np.cos(t), -0.16 + r * np.sin(t) * 0.98], axis=1), fill=fill)]
    elif style == "ponytail":
        if view == "front":
            points = [(0.5, -0.7), (1.1, -0.85), (1.5, -0.3), (1.42, 0.5)]
        else:
            points = [(-0.7, -0.5), (-1.25, -0.6), (-1.62, -0.05), (-1.6, 0.75)]
        shapes = [_tress(points, fill)]
    elif style == "bun":
        shapes = [_ball(b * 1.7, -1.22 if view == "front" else -1.0, 0.46, 0.42, fill)]
    elif style == "pigtails":
        sides = (-1, 1) if view == "front" else (-1,)
        shapes = [_tress([(k * 0.9, 0.1), (k * 1.28, 0.3), (k * 1.4, 0.85), (k * 1.26, 1.4)], fill) for k in sides]
    if not shapes:
        return []
    return _ink(*_placed(shapes, look, body))


def _tress(points: list, fill: str) -> Shape:
    p = np.array(points)
    d = np.gradient(p, axis=0)
    n = np.stack([-d[:, 1], d[:, 0]], axis=1) / np.linalg.norm(d, axis=1, keepdims=True)
    w = np.array([[0.2], [0.33], [0.34], [0.12]])
    return blob(np.vstack([p + n * w, (p - n * w)[::-1]]), fill=fill)


def _head(look: dict, body: _Body) -> list[Shape]:
    view, skin = look["gaze"], look["skin"]
    d = {"front": 0.0, "three-quarter": 0.26, "side": 0.5}[view]
    skull = blob(
        [
            (0, -0.97),
            (0.66, -0.76),
            (0.96, -0.16),
            (0.86, 0.46),
            (0.44 + d * 0.3, 0.9),
            (d * 0.5, 0.99),
            (-0.44 + d * 0.3, 0.9),
            (-0.86, 0.46),
            (-0.96, -0.16),
            (-0.66, -0.76),
        ],
        fill=skin,
    )
    form = [skull]
    if view == "side":
        form.append(_ball(0.99, 0.2, 0.15, 0.13, skin))
    else:
        form = [_ball(k * 0.95 - d * 0.25, 0.14, 0.17, 0.22, skin) for k in ((-1, 1) if view == "front" else ())] + form
    shapes = _ink(*_placed(form, look, body))
    local: list[Shape] = []
    if look["beard"]:
        beard = [
            (-0.88 + d * 0.9, 0.12),
            (-0.62 + d, 0.34),
            (d, 0.3),
            (0.62 + d * 0.6, 0.34),
            (0.9, 0.1),
            (0.92, 0.7),
            (0.5, 1.06),
            (d * 0.5, 1.12),
            (-0.5 + d * 0.4, 1.04),
            (-0.86 + d * 0.6, 0.66),
        ]
        local += inside(skull, blob(beard, 0.8, fill=look["hair_paint"]))
    shapes += _placed(local + _face(look, d), look, body)
    return shapes + _hair(look, body, d)


def _face(look: dict, d: float) -> list[Shape]:
    skin, view = look["skin"], look["gaze"]
    line = shade(skin, -0.62) if not dark(skin) else "#1d1210"
    eyes = {"front": (-0.36, 0.36), "three-quarter": (-0.12, 0.56), "side": (0.52,)}[view]
    blush = mix(skin, "#e2574f", 0.34)
    marks = [_ball(x + (0.1 * np.sign(x - d) if view != "side" else -0.04), 0.4, 0.17, 0.12, blush) for x in eyes]
    for x in eyes:
        thin = 0.82 if view == "three-quarter" and x > d else 0.8 if view == "side" else 1.0
        marks += [
            _ball(x, 0.06, 0.19 * thin, 0.23, "#fdfbf7"),
            _ball(x + d * 0.08, 0.075, 0.125 * thin, 0.175, "#2a1c18"),
            _ball(x + d * 0.08 + 0.04, 0.0, 0.05, 0.055, "#ffffff"),
        ]
        lift = 0.05 if look["mood"] in ("open", "grin") else 0.0
        brow = line if look["hair"] in ("bald", "headscarf") else shade(look["hair_paint"], -0.25)
        marks.append(stroke([(x - 0.17, -0.26 - lift), (x, -0.32 - lift), (x + 0.17, -0.27 - lift)], brow, 0.085))
    if view != "side":
        marks.append(
            stroke(
                [(d * 1.15 + 0.02, 0.22), (d * 1.15 + 0.09, 0.32), (d * 1.15 - 0.04, 0.34)], shade(skin, -0.35), 0.07
            )
        )
    x, w = (d * 1.0, 0.28) if view != "side" else (0.66, 0.17)
    lips = mix(skin, "#c8574f", 0.65) if dark(skin) else mix(line, "#b4443f", 0.45)
    if look["beard"]:
        lips = "#f0c3b4" if dark(look["hair_paint"]) else "#7c2f2c"
    mood = look["mood"]
    if mood in ("grin", "open"):
        depth = 0.24 if mood == "grin" else 0.3
        rim = [
            (x - w, 0.54),
            (x, 0.58 if mood == "grin" else 0.52),
            (x + w, 0.54),
            (x + w * 0.55, 0.54 + depth * 0.8),
            (x, 0.54 + depth),
            (x - w * 0.55, 0.54 + depth * 0.8),
        ]
        mouth = blob(rim, 0.8, fill="#7c2a2c")
        marks += [mouth, *inside(mouth, _ball(x, 0.56 + depth, w * 0.7, 0.12, "#e5827c"))]
    else:
        bow = 0.13 if mood == "smile" else 0.05
        marks.append(stroke([(x - w, 0.56), (x, 0.56 + bow), (x + w, 0.55)], lips, 0.085))
    if look["glasses"]:
        rims = [
            ellipse((x, 0.07), 0.3 if view != "side" else 0.26, 0.3, stroke="#2f2b33", width=0.08, silhouette=False)
            for x in eyes
        ]
        marks += rims + [stroke([(eyes[0] - 0.3, 0.05), (-0.85 + d * 0.2, 0.0)], "#2f2b33", 0.07)]
        if len(eyes) == 2:
            marks.append(stroke([(eyes[0] + 0.29, 0.05), (eyes[1] - 0.29, 0.05)], "#2f2b33", 0.08))
    return [Shape(**{**m.__dict__, "silhouette": False}) for m in marks]


def _hair(look: dict, body: _Body, d: float) -> list[Shape]:
    """Hair over the skull, ears beside it, and the hat."""
    style, fill, view = look["hair"], look["hair_paint"], look["gaze"]
    ear = {"front": None, "three-quarter": -0.62, "side": -0.16}[view]
    low = {"front": 0.0, "three-quarter": 0.3, "side": 0.55}[
        view
    ]  # how far the hair comes down at the back of the head
    shapes: list[Shape] = []
    if style == "headscarf":
        around = [
            (0, -1.12),
            (0.78, -0.86),
            (1.1, -0.1),
            (0.98, 0.66),
            (0.72, 1.2),
            (0, 1.42),
            (-0.8, 1.2),
            (-1.06, 0.6),
            (-1.12, -0.1),
            (-0.8, -0.86),
        ]
        face = _ball(d * 0.62, 0.12, 0.72 - d * 0.1, 0.78, look["skin"], silhouette=False)
        shapes = _ink(*_placed([blob(around, fill=look["gear"])], look, body))
        opening = Shape(**{**face.__dict__, "stroke": line_of(look["gear"]), "width": 0.09})
        return shapes + _placed([opening, *_face(look, d * 0.9)], look, body)
    if style != "bald":
        left = [(-1.02, low), (-1.05, -0.4), (-0.66, -0.98), (0, -1.14), (0.62, -1.0), (0.98, -0.46)]
        if view == "front":
            left[0] = (-1.0, 0.12)
            line = [(1.0, 0.12), (0.84, -0.1), (0.7, -0.44), (0.1, -0.6), (-0.7, -0.44), (-0.84, -0.1)]
            if style in ("parted", "bob", "long"):
                line = [(1.0, 0.16), (0.84, -0.1), (0.62, -0.36), (-0.36, -0.74), (-0.72, -0.4), (-0.86, -0.06)]
        elif view == "three-quarter":
            line = [(0.98, -0.16), (0.8, -0.42), (0.3, -0.6), (-0.34, -0.4), (-0.5, 0.0), (-0.56, 0.36), (-0.8, 0.5)]
            if style in ("parted", "bob", "long"):
                line = [
                    (0.98, -0.1),
                    (0.86, -0.34),
                    (0.6, -0.64),
                    (-0.1, -0.46),
                    (-0.44, -0.1),
                    (-0.5, 0.4),
                    (-0.8, 0.6),
                ]
        else:
            left[-2:] = [(0.5, -1.06), (0.86, -0.62)]
            line = [(0.74, -0.5), (0.3, -0.36), (0.06, -0.04), (-0.02, 0.2), (-0.3, 0.34), (-0.4, 0.74), (-0.84, 0.72)]
        if style == "spiky" and look["hat"] == "none":
            crown = []
            for i, a in enumerate(np.radians(np.linspace(190, 350, 13))):
                r = (1.04, 1.36)[i % 2]
                crown.append((r * np.cos(a), r * np.sin(a) * 1.02))
            top = polygon([left[0], *crown, *line], fill=fill)
        else:
            top = blob(left + line, 0.9, fill=fill)
        shapes += _ink(*_placed([top], look, body), width=0.9)
        gleam = shade(fill, 0.24)
        shapes += inside(
            shapes[-1], *_placed([stroke([(-0.6, -0.72), (-0.2, -0.93), (0.24, -0.94)], gleam, 0.1)], look, body)
        )
    if ear is not None and style not in ("long", "bob", "curly"):
        lobe = _ball(
            ear, 0.16, 0.15, 0.21, look["skin"], stroke=shade(look["skin"], -0.4), width=0.08, silhouette=False
        )
        shapes += _placed([lobe], look, body)
    return shapes + _hat(look, body, d)


def _hat(look: dict, body: _Body, d: float) -> list[Shape]:
    kind, fill = look["hat"], look["gear"]
    if kind == "none":
        return []
    dome = blob(
        [
            (-1.08, -0.36),
            (-0.98, -0.86),
            (-0.5, -1.26),
            (0.1, -1.34),
            (0.62, -1.2),
            (1.0, -0.82),
            (1.06, -0.36),
            (0.5, -0.46 + d * 0.1),
            (0, -0.5),
            (-0.5, -0.44),
        ],
        0.9,
        fill=fill,
    )
    if kind == "beanie":
        band = blob(
            [(-1.12, -0.62), (0, -0.8), (1.1, -0.62), (1.12, -0.28), (0, -0.44), (-1.14, -0.26)],
            0.7,
            fill=shade(look["accent"], -0.05),
        )
        return _ink(*_placed([_ball(0, -1.44, 0.28, 0.26, look["accent"]), dome], look, body)) + _ink(
            *_placed([band], look, body), width=0.9
        )
    if kind == "cap":
        reach = {"front": 0.0, "three-quarter": 0.5, "side": 0.78}[look["gaze"]]
        visor = blob(
            [
                (-0.72 + reach, -0.5),
                (reach, -0.62),
                (0.72 + reach, -0.5),
                (0.86 + reach, -0.34),
                (reach, -0.3),
                (-0.76 + reach, -0.36),
            ],
            0.8,
            fill=shade(fill, -0.2),
        )
        return _ink(*_placed([_ball(0, -1.36, 0.12, 0.09, fill), dome], look, body)) + _ink(
            *_placed([visor], look, body), width=0.9
        )
    crown = _placed([dome], look, body)
    brim = _placed([_ball(0.04, -0.5, 1.72, 0.27, fill)], look, body)
    band = _placed([stroke([(-1.0, -0.78), (0, -0.86), (1.0, -0.78)], look["accent"], 0.2)], look, body)
    return (
        _ink(*brim)
        + _ink(*crown)
        + inside(crown[0], *band)
        + inside(brim[0], *_placed([_ball(0.04, -0.34, 1.6, 0.12, shade(fill, -0.15))], look, body))
    )
