"""The skeleton of a person: forward kinematics of its bones in three dimensions, projected into the picture."""

import numpy as np


def _bone(swing: float, spread: float, side: int) -> np.ndarray:
    """A unit vector (f, l, u); side is 1 for the left and -1 for the right."""
    a, b = np.radians(swing), np.radians(spread)
    return np.array([np.sin(a) * np.cos(b), side * np.sin(b), -np.cos(a) * np.cos(b)])


class Body:
    """Joints in the picture (`at`), their nearness to the viewer (`near`) and the proportions of the body."""

    def __init__(self, look: dict, turn: float, lean: float, bones: list[tuple[float, float]]):
        """Turn and lean in degrees; bones as (swing, spread): thighs and shins, then upper arms and forearms."""
        kind, k = look["variant"], look["stature"]
        leg, trunk, arm, wide, head = {
            "adult": (38.0, 27.0, 28.5, 1.0, 1.0), "child": (24.0, 20.0, 20.0, 0.88, 0.97),
            "tall": (43.0, 28.0, 31.5, 0.88, 0.95), "broad": (35.0, 28.0, 27.5, 1.27, 1.03),
        }[kind]  # fmt: skip
        self.wide, self.head = wide * look["girth"], 11.2 * head * look["head"]
        self.yaw = np.radians(turn + look["yaw"])
        leg, trunk, arm = leg * k, trunk * k, arm * k
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
