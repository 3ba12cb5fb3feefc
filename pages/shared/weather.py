"""More fog, less light, more noise: what sliders add to a scene's own weather, and both in words."""

from dataclasses import replace

from scenes import Scene
from ui.components import words


def disturbed(scene: Scene, fog: float, night: float, noise: float) -> Scene:
    """The scene with the knobs added to its own weather: 0 leaves it as it is, 1 is the end of the scale."""
    return replace(
        scene,
        fog=scene.fog + fog * (1 - scene.fog),
        light=scene.light * (1 - night),
        noise=scene.noise + noise * (1 - scene.noise),
    )


def weather(own: Scene, shown: Scene, key: str) -> None:
    """One line: the weather that the scene has of its own, and that which is shown."""
    each = lambda scene: f"fog {scene.fog:.2f}, light {scene.light:.2f}, noise {scene.noise:.2f}"  # noqa: E731
    words(f":gray[Of its own this scene has {each(own)}. With the sliders: {each(shown)}.]", key)
