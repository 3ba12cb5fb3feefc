"""The rules of a room: who leads, where the class stands, what has been asked, and who may still answer.

Nothing personal is kept: of the lecturer's key its hash, of a student a random number that her browser has made up for
this room. A room ends after a day.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ui.rooms.store import Store

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # no I and no O, which look like 1 and 0
LENGTH = 6
DAY = 24 * 3600.0  # s
LONGEST = 16_000  # characters of an address; brush strokes are long
MOST = 5_000  # votes in a round
FIRST, DISCUSS, SECOND, SHOWN = "first", "discuss", "second", "shown"  # what becomes of a question
ROUNDS = {FIRST: 1, SECOND: 2}  # in these, answers are taken
_QUESTION = re.compile(r"[\w-]{1,80}")
_PLACE = re.compile(r"[a-z0-9_]{0,60}(\?[^#\s]*)?(#[\w-]{0,100})?")


@dataclass(frozen=True)
class Poll:
    """How far the class is with a question."""

    phase: str = FIRST

    @property
    def round(self) -> int | None:
        """1 or 2 while answers are taken."""
        return ROUNDS.get(self.phase)


def legible(code: str) -> str | None:
    """The code as it is kept, whatever its case and spaces; None if no room can have it."""
    found = "".join(code.split()).upper()
    return found if len(found) == LENGTH and set(found) <= set(LETTERS) else None


def _hidden(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class Rooms:
    """All rooms of a store."""

    def __init__(self, store: Store):
        self.store = store

    def open(self) -> tuple[str, str]:
        """A new room: its code, and the key of who leads it."""
        key = secrets.token_urlsafe(32)
        while True:
            code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
            if self.store.create(code, {"key": _hidden(key), "place": "", "number": "0"}, DAY):
                return code, key

    def there(self, code: str) -> bool:
        return bool(self.store.read(code))

    def leads(self, code: str, key: str) -> bool:
        """Whether this is the key of the room."""
        hidden = self.store.read(code).get("key", "")
        return bool(hidden) and hmac.compare_digest(hidden, _hidden(key))

    def place(self, code: str) -> tuple[int, str] | None:
        """Where the class is, with the number of the move; None if there is no room or nobody has moved yet."""
        found = self.store.read(code)
        return (int(found["number"]), found["place"]) if found.get("number", "0") != "0" else None

    def move(self, code: str, key: str, place: str) -> bool:
        """The class goes to `place`: page, query and anchor. False without the key, or where that is no place."""
        if len(place) > LONGEST or not _PLACE.fullmatch(place) or not self.leads(code, key):
            return False
        number = int(self.store.read(code)["number"]) + 1
        self.store.write(code, {"place": place, "number": str(number)})
        self.store.tell(code, json.dumps({"place": place, "number": number}))
        return True

    def show(self, code: str, key: str, drawings: dict[str, str]) -> bool:
        """What the lecturer's page has drawn, JSON by component, for all who follow; False without the key."""
        if not self.leads(code, key):
            return False
        self.store.tell(code, json.dumps({"drawings": drawings}))
        return True

    def end(self, code: str, key: str) -> bool:
        if not self.leads(code, key):
            return False
        self.store.end(code)
        self.store.tell(code, json.dumps({"over": True}))
        return True

    def poll(self, code: str, question: str) -> Poll:
        return Poll(self.store.read(code, "polls").get(question, FIRST))

    def asked(self, code: str) -> dict[str, str]:
        """The questions that somebody has answered, in words, by their keys."""
        return self.store.read(code, "asked")

    def ask(self, code: str, key: str, question: str, phase: str) -> bool:
        """Bring a question into a phase; back in the first, its votes are forgotten."""
        if phase not in (FIRST, DISCUSS, SECOND, SHOWN) or not _QUESTION.fullmatch(question):
            return False
        if not self.leads(code, key):
            return False
        for number in (1, 2) if phase == FIRST else ():
            self.store.clear(code, _votes(question, number))
        self.store.write(code, {question: phase}, "polls")
        self.store.tell(code, json.dumps({"polls": time.time_ns() // 1_000_000}))
        return True

    def vote(self, code: str, question: str, voter: str, answer: str, text: str = "") -> bool:
        """Count an answer to the question, in words `text`, in the round that is open, in place of the voter's last;
        False if none is."""
        number = self.poll(code, question).round
        if number is None or not _QUESTION.fullmatch(question) or not voter or len(voter) > 64 or len(answer) > LONGEST:
            return False
        table = _votes(question, number)
        if self.store.count(code, table) >= MOST and voter not in self.store.read(code, table):
            return False
        self.store.write(code, {question: text[:1000]}, "asked")
        return self.store.write(code, {voter: answer}, table)

    def answered(self, code: str, question: str, number: int) -> int:
        return self.store.count(code, _votes(question, number))

    def answers(self, code: str, question: str) -> tuple[list[str], list[str]]:
        """What was said in the two rounds, without who said it."""
        first, second = (sorted(self.store.read(code, _votes(question, number)).values()) for number in (1, 2))
        return first, second

    def mine(self, code: str, question: str, voter: str) -> str | None:
        """The voter's own answer in the round that is open."""
        number = self.poll(code, question).round
        return self.store.read(code, _votes(question, number)).get(voter) if number else None

    def count_in(self, code: str, process: str, present: int) -> None:
        """So many students of the room are connected to this process."""
        self.store.write(code, {process: f"{present} {time.time():.0f}"}, "present")

    def present(self, code: str, lately: float = 60.0) -> int:
        """Students connected to any process that has counted `lately` (s)."""
        found = [text.split() for text in self.store.read(code, "present").values()]
        return sum(int(count) for count, when in found if time.time() - float(when) < lately)


def _votes(question: str, number: int) -> str:
    return f"votes:{number}:{question}"


class Doubts:
    """Slows down who guesses codes: each address has so many wrong ones, and gets one back every `back` seconds.

    A whole hall may be one address, so there are many: at one a second a code of six letters is found in years."""

    def __init__(self, most: int = 200, back: float = 1.0, clock: Callable[[], float] = time.monotonic):
        self.most, self.back, self._clock = most, back, clock
        self._wrong: OrderedDict[str, tuple[float, float]] = OrderedDict()  # by address: how many, and when

    def _count(self, address: str) -> float:
        count, when = self._wrong.get(address, (0.0, self._clock()))
        return max(0.0, count - (self._clock() - when) / self.back)

    def may_ask(self, address: str) -> bool:
        return self._count(address) <= self.most - 1

    def wrong(self, address: str) -> None:
        self._wrong[address] = (min(self._count(address) + 1, self.most), self._clock())
        self._wrong.move_to_end(address)
        while len(self._wrong) > 10_000:
            self._wrong.popitem(last=False)


__all__ = ["DISCUSS", "FIRST", "SECOND", "SHOWN", "Doubts", "Poll", "Rooms", "legible"]
