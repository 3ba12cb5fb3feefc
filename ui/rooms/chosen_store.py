"""Which store this process has: Redis where the environment names one, else memory."""

from __future__ import annotations

import os
from functools import cache

from ui.rooms.store import Memory, Store

OPTION = "RECEPTIVE_REDIS"  # environment variable: redis://host:port/0 for several processes; without it, memory


@cache
def the_store() -> Store:
    """The store of this process: Redis where OPTION names one, else memory."""
    address = os.environ.get(OPTION, "")
    if not address:
        return Memory()
    from ui.rooms.redis_store import Redis

    return Redis(address)
