"""The rules of a room: who leads, where the class stands, what has been asked, and who may still answer.

Nothing personal is kept: of the lecturer's key its hash, of a student a random number that her browser has made up for
this room. A room ends after a day.

A question is answered as it stands: what is right may hang on the page's controls, so answers are counted apart by the
`case`, the page and what stands in its address. In an open round the class's case is where the lecturer is.
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
from urllib.parse import parse_qsl, urlencode

from ui.rooms.store import Store

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # no I and no O, which look like 1 and 0
LENGTH = 6
DAY = 24 * 3600.0  # s
LONGEST = 16_000  # characters of an address; brush strokes are long
MOST = 5_000  # votes in a round
CASES = 1_000  # questions of a room at most, each counted once for every state of the page in which it is answered
OWN = (  # of an address: everybody's own, as in class_line.js
    "lecture", "notes", "predict", "room", "follow", "pinned", "put", "embed", "embed_options", "section",
)  # fmt: skip
PINNED = "pin"  # of an address: the class follows it, but the question is asked on the live side
COUNTED, LATE, ELSEWHERE = "counted", "late", "elsewhere"  # what becomes of a vote
FIRST, DISCUSS, SECOND, SHOWN = "first", "discuss", "second", "shown"  # what becomes of a question
ROUNDS = {FIRST: 1, SECOND: 2}  # in these, answers are taken
_QUESTION = re.compile(r"[\w-]{1,80}")
_PLACE = re.compile(r"[a-z0-9_]{0,60}(\?[^#\s]*)?(#[\w-]{0,100})?")


@dataclass(frozen=True)
class Poll:
    """How far the class is with a question, and in which case the rounds that are over were asked; "" for no round."""

    phase: str = FIRST
    first: str = ""
    second: str = ""

    @property
    def round(self) -> int | None:
        """1 or 2 while answers are taken."""
        return ROUNDS.get(self.phase)

    def cases(self, here: str) -> tuple[str, str]:
        """Of both rounds; the one that is open is asked `here`."""
        return (here if self.phase == FIRST else self.first), (here if self.phase == SECOND else self.second)

    def then(self, phase: str, here: str) -> Poll:
        """After the lecturer, who stands `here`, has brought the question into a phase."""
        return Poll(phase) if phase == FIRST else Poll(phase, *self.cases(here))


@dataclass(frozen=True)
class Standing:
    """Where somebody is: a page, and its address without what is everybody's own, in one order; or `ANY` of its
    states."""

    page: str = ""
    query: str = ""

    @property
    def case(self) -> str:
        return hashlib.blake2b(f"{self.page}?{self.query}".encode(), digest_size=8).hexdigest()


NOWHERE = Standing()
ANY = "any"  # query of a question that hangs on nothing in the address, such as where a thing is on a picture


def standing(place: str) -> Standing:
    """The standing at `place`: page, query and anchor."""
    page, _, query = place.partition("#")[0].partition("?")
    pairs = [(name, text) for name, text in parse_qsl(query, keep_blank_values=True)
             if name not in (*OWN, PINNED) and not name.startswith("predict-")]  # fmt: skip
    return Standing(page, urlencode(sorted(pairs)))


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
        found = self.store.read(code, "polls").get(question)
        return Poll(*found.split(",")) if found else Poll()

    def asked(self, code: str) -> dict[tuple[str, str], dict[str, str]]:
        """The questions that somebody has answered, by key and case: the `text`, the `page` and the `query`."""
        found = self.store.read(code, "asked")
        return {(name.partition(":")[2], name.partition(":")[0]): json.loads(said) for name, said in found.items()}

    def ask(self, code: str, key: str, question: str, phase: str, here: Standing = NOWHERE) -> bool:
        """Bring a question into a phase, as it stands `here`; back in the first, its votes here are forgotten."""
        if phase not in (FIRST, DISCUSS, SECOND, SHOWN) or not _QUESTION.fullmatch(question):
            return False
        if not self.leads(code, key):
            return False
        for number in (1, 2) if phase == FIRST else ():
            self.store.clear(code, _votes(question, number, here.case))
        poll = self.poll(code, question).then(phase, here.case)
        self.store.write(code, {question: f"{poll.phase},{poll.first},{poll.second}"}, "polls")
        self.store.tell(code, json.dumps({"polls": time.time_ns() // 1_000_000}))
        return True

    def vote(self, code: str, question: str, voter: str, answer: str, text: str = "",
             here: Standing = NOWHERE) -> str:  # fmt: skip
        """Take an answer to the question, in words `text`, by a voter who stands `here`, in place of her last one.

        COUNTED; LATE if no round is open or it is no vote; ELSEWHERE if the class is on this page in another state, or
        on another page and nobody has answered this one as it stands.
        """
        number = self.poll(code, question).round
        if number is None or not _QUESTION.fullmatch(question) or not voter or len(voter) > 64 or len(answer) > LONGEST:
            return LATE
        place = self.place(code)
        there = standing(place[1]) if place is not None else here
        if here.query == ANY:
            there = Standing(there.page, ANY)
        if there != here and (there.page == here.page or (question, here.case) not in self.asked(code)):
            return ELSEWHERE
        table, asked = _votes(question, number, here.case), f"{here.case}:{question}"
        if self.store.count(code, table) >= MOST and voter not in self.store.read(code, table):
            return LATE
        if self.store.count(code, "asked") >= CASES and asked not in self.store.read(code, "asked"):
            return LATE
        said = {"text": text[:1000], "page": here.page[:100], "query": here.query[:1000]}
        self.store.write(code, {asked: json.dumps(said)}, "asked")
        return COUNTED if self.store.write(code, {voter: answer}, table) else LATE

    def answered(self, code: str, question: str, number: int, here: Standing = NOWHERE) -> int:
        return self.store.count(code, _votes(question, number, here.case))

    def answered_elsewhere(self, code: str, question: str, number: int, here: Standing) -> int:
        """Answers in this round to the same question in other states of the page."""
        cases = [case for name, case in self.asked(code) if name == question and case != here.case]
        return sum(self.store.count(code, _votes(question, number, case)) for case in cases)

    def answers(self, code: str, question: str, cases: tuple[str, str]) -> tuple[list[str], list[str]]:
        """What was said in the two rounds, each in its case, without who said it; none in the case ""."""
        first, second = (
            sorted(self.store.read(code, _votes(question, number, case)).values()) if case else []
            for number, case in enumerate(cases, start=1)
        )
        return first, second

    def mine(self, code: str, question: str, voter: str, here: Standing = NOWHERE) -> str | None:
        """The voter's own answer here in the round that is open."""
        number = self.poll(code, question).round
        return self.store.read(code, _votes(question, number, here.case)).get(voter) if number else None

    def count_in(self, code: str, process: str, present: int) -> None:
        """So many students of the room are connected to this process."""
        self.store.write(code, {process: f"{present} {time.time():.0f}"}, "present")

    def present(self, code: str, lately: float = 60.0) -> int:
        """Students connected to any process that has counted `lately` (s)."""
        found = [text.split() for text in self.store.read(code, "present").values()]
        return sum(int(count) for count, when in found if time.time() - float(when) < lately)


def _votes(question: str, number: int, case: str) -> str:
    return f"votes:{number}:{case}:{question}"


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


__all__ = [
    "COUNTED", "DISCUSS", "ELSEWHERE", "FIRST", "LATE", "SECOND", "SHOWN", "Doubts", "Poll", "Rooms", "Standing",
    "legible", "standing",
]  # fmt: skip
