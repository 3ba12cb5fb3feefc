"""Serves the scripts and styles of ui/ to the browser under /assets, and nothing else of it."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}


class Assets(StaticFiles):
    """Static files whose suffix is in MEDIA_TYPES; anything else is 404, Python sources above all.

    An address with ``?v=`` carries a hash of the content, so browsers may keep it for a year.
    """

    async def get_response(self, path: str, scope):
        media_type = MEDIA_TYPES.get(Path(path).suffix)
        if media_type is None:
            raise HTTPException(status_code=404)
        response = await super().get_response(path, scope)
        response.headers["content-type"] = media_type
        versioned = scope["query_string"].startswith(b"v=")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        return response
