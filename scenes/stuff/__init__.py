"""The backdrops of Lab World, drawn in the frame of the scene, back to front."""

from scenes.stuff import grass, road, sky, water

MODULES = {"sky": sky, "grass": grass, "water": water, "road": road}
