"""SSD on the narrow detector's frozen trunk: the recipe of `ssd`, another trunk."""

from models.recipes import ssd

TASK = ssd.TASK
NAMES = ("ssd-narrow",)
STARTS_FROM = "detector-narrow"  # its trunk, which stays as it is
build, wrap, train, evaluate = ssd.build, ssd.wrap, ssd.train, ssd.evaluate
