"""Rooms in Redis or Valkey, for several processes: each table a hash, all of a room with one end.

Who finds the server silent asks again only after REST seconds, so that no page waits for it twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import redis

from ui.rooms.store import MISSED, ROOM, Hear, UnreachableError

PREFIX = "receptive:room:"
CHANNEL = "receptive:rooms"
PATIENCE = 1.0  # s for an answer
AT_ONCE = 2000  # questions; the client's own limit of 100 would lose the votes of a hall that answers together
REST = 2.0  # s without a question after one that was not answered
_LOG = logging.getLogger(__name__)

# A table ends with its room, and there is none without one.
CREATE = """if redis.call('exists', KEYS[1]) == 1 then return 0 end
redis.call('hset', KEYS[1], unpack(ARGV, 2)) redis.call('pexpire', KEYS[1], ARGV[1]) return 1"""
WRITE = """local left = redis.call('pttl', KEYS[1])
if left < 1 then return 0 end
redis.call('hset', KEYS[2], unpack(ARGV, 2))
if KEYS[1] ~= KEYS[2] then
  redis.call('pexpire', KEYS[2], left) redis.call('sadd', KEYS[3], ARGV[1]) redis.call('pexpire', KEYS[3], left)
end
return 1"""


class Redis:
    """Rooms at `address`, such as redis://127.0.0.1:6379/0."""

    def __init__(self, address: str):
        limits: dict[str, Any] = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
        self._redis = redis.Redis.from_url(
            address, decode_responses=True, retry=None, max_connections=AT_ONCE, **limits
        )
        self._hearing: list[Hear] = []
        self._again = 0.0  # when the server is asked again
        self._listening: threading.Thread | None = None
        self._closed = threading.Event()

    def _ask(self, question: Callable[[], Any]) -> Any:
        if time.monotonic() < self._again:
            raise UnreachableError
        try:
            return question()
        except (redis.RedisError, OSError) as error:
            self._again = time.monotonic() + REST
            raise UnreachableError from error

    @staticmethod
    def _name(code: str, table: str = ROOM) -> str:
        return f"{PREFIX}{code}:{table}" if table else f"{PREFIX}{code}"

    def create(self, code: str, fields: Mapping[str, str], seconds: float) -> bool:
        given = [str(max(1, round(seconds * 1000))), *_pairs(fields)]
        return bool(self._ask(lambda: self._redis.eval(CREATE, 1, self._name(code), *given)))

    def read(self, code: str, table: str = ROOM) -> dict[str, str]:
        return self._ask(lambda: self._redis.hgetall(self._name(code, table)))

    def write(self, code: str, fields: Mapping[str, str], table: str = ROOM) -> bool:
        names = [self._name(code), self._name(code, table), self._name(code, "*tables")]
        return bool(self._ask(lambda: self._redis.eval(WRITE, 3, *names, table, *_pairs(fields))))

    def count(self, code: str, table: str) -> int:
        return self._ask(lambda: self._redis.hlen(self._name(code, table)))

    def clear(self, code: str, table: str) -> None:
        self._ask(lambda: self._redis.delete(self._name(code, table)))

    def end(self, code: str) -> None:
        tables = self._ask(lambda: self._redis.smembers(self._name(code, "*tables")))
        names = [self._name(code, table) for table in (ROOM, "*tables", *tables)]
        self._ask(lambda: self._redis.delete(*names))

    def tell(self, code: str, said: str) -> None:
        self._ask(lambda: self._redis.publish(CHANNEL, f"{code} {said}"))

    def listen(self, hear: Hear) -> None:
        self._hearing.append(hear)
        if self._listening is None:
            self._listening = threading.Thread(target=self._hear, name="rooms", daemon=True)
            self._listening.start()

    def close(self) -> None:
        """Listen no more."""
        self._closed.set()
        if self._listening is not None:
            self._listening.join()
        self._redis.close()

    def _hear(self) -> None:
        """Until the process ends; a server that is gone is waited for."""
        again = False
        while not self._closed.is_set():
            with suppress(redis.RedisError, OSError), self._redis.pubsub(ignore_subscribe_messages=True) as heard:
                heard.subscribe(CHANNEL)
                heard.get_message(timeout=PATIENCE)  # the server says that it has understood
                if again:
                    self._pass_on(MISSED, "{}")
                again = True
                while not self._closed.is_set():
                    message = heard.get_message(timeout=PATIENCE / 2)
                    if message is not None:
                        self._pass_on(*message["data"].partition(" ")[::2])
            self._closed.wait(REST)

    def _pass_on(self, code: str, said: str) -> None:
        for hear in list(self._hearing):
            try:
                hear(code, said)
            except Exception:
                _LOG.exception("Somebody could not hear what was said in a room")


def _pairs(fields: Mapping[str, str]) -> list[str]:
    return [each for pair in fields.items() for each in pair]
