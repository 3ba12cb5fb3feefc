"""Signs what is handed in with the lab's secret, and says of what comes back whether it is unchanged.

The seal says that the lab wrote exactly this, not who sat before it. Labs that share a secret believe each other: the
environment names it, or the first lab that needs one makes it and keeps it beside the caches.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
import zlib
from dataclasses import dataclass
from pathlib import Path

from ui.hand_in.work import Work, checked

OPTION = "RECEPTIVE_SECRET"  # environment variable; all servers of a hall need the same one
MOST = 512 * 1024  # bytes of a file, and of a code when it is opened
MARK = "receptive-1."
UNCHANGED, ELSEWHERE, CHANGED = "unchanged", "elsewhere", "changed"
UNREADABLE = "unreadable"
SAID = {
    UNCHANGED: "Unchanged, from this lab",
    ELSEWHERE: "From another lab: not checked",
    CHANGED: "Changed since the lab wrote it",
    UNREADABLE: "Not readable: damaged, or no hand-in",
}
_CODE = re.compile(r"([0-9a-f\s]{8,40})\.([A-Za-z0-9_\s-]+)\.([A-Za-z0-9_\s-]+)\.")


@dataclass(frozen=True)
class Opened:
    """What has come back: one of SAID, and the work, None where it cannot be read or is not what the lab wrote."""

    verdict: str
    work: Work | None = None


def secret() -> bytes:
    """The lab's secret. Raises ValueError where none is named and none can be kept."""
    if named := os.environ.get(OPTION, ""):
        return named.encode()
    file = Path(os.environ.get("RECEPTIVE_CACHE", Path.home() / ".cache" / "receptive")) / "hand_in.secret"
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            mine = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
            with open(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
                made.write(secrets.token_hex(32))
            try:
                os.link(mine, file)  # whole, and of several servers that begin at once only the first one's
            except FileExistsError:
                pass
            finally:
                mine.unlink()
        return file.read_text().strip().encode()
    except OSError as error:
        raise ValueError(f"This lab cannot keep a secret to sign with ({error.strerror}): set {OPTION}.") from error


def _lab(key: bytes) -> str:
    """Tells labs apart and says nothing of the secret."""
    return hmac.digest(key, b"receptive lab", "sha256").hex()[:16]


def _body(work: object) -> bytes:
    return json.dumps(work, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _seal(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, b"receptive hand-in\n" + body, hashlib.sha256).digest()


def as_file(work: Work) -> str:
    """JSON, to read for everybody."""
    key = secret()
    sealed = {"receptive": "hand-in", "lab": _lab(key), "seal": _seal(key, _body(work)).hex(), "work": work}
    return json.dumps(sealed, ensure_ascii=False, indent=1)


def as_code(work: Work) -> str:
    """One line of letters, digits, dots, dashes and underscores."""
    key, body = secret(), _body(work)
    seal, packed = (_letters(each) for each in (_seal(key, body), zlib.compress(body, 9)))
    return f"{MARK}{_lab(key)}.{seal}.{packed}."


def open_file(data: bytes) -> Opened:
    """What `as_file` has written, or something else: nothing here believes what comes."""
    key = secret()
    try:
        if len(data) > MOST:
            raise ValueError("too large")
        found = json.loads(data.decode("utf-8-sig"))
        if not isinstance(found, dict) or set(found) != {"receptive", "lab", "seal", "work"}:
            raise ValueError("no hand-in")
        return _judged(key, found["lab"], bytes.fromhex(found["seal"]), found["work"])
    except (ValueError, TypeError, RecursionError):
        return Opened(UNREADABLE)


def open_codes(text: str) -> list[Opened]:
    """All codes in a text, in order; line breaks that a platform has put into one do no harm."""
    key = secret()
    return [_open_code(key, piece) for piece in text.split(MARK)[1:]]


def _open_code(key: bytes, piece: str) -> Opened:
    found = _CODE.match(piece[: 2 * MOST])
    if found is None:
        return Opened(UNREADABLE)
    lab, seal, packed = ("".join(part.split()) for part in found.groups())
    try:
        unpacking = zlib.decompressobj()
        body = unpacking.decompress(_bytes(packed), MOST)
        if not unpacking.eof:
            raise ValueError("too large, or cut off")
        return _judged(key, lab, _bytes(seal), json.loads(body))
    except (ValueError, TypeError, RecursionError, zlib.error):
        return Opened(UNREADABLE)


def _judged(key: bytes, lab: object, seal: bytes, work: object) -> Opened:
    if lab != _lab(key):
        return Opened(ELSEWHERE, checked(work))
    if not hmac.compare_digest(seal, _seal(key, _body(work))):
        return Opened(CHANGED)
    return Opened(UNCHANGED, checked(work))


def _letters(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(letters: str) -> bytes:
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("no code") from error
