"""What the parts of a hall cost apart from reruns: a network's call, a follower's connection, a message, a vote.

Costs are milliseconds of one core (CPU time), so a machine that is busy with other things measures the same. The
followers are web sockets on `/api/class` of one room, through HAProxy, to one server that shares a Redis.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import redis
import torch
import websockets

import scenes
from benchmarks.classroom import AT_WORK, Record, Visitor
from benchmarks.servers import PATIENCE, running, serve_hall
from deploy import hall
from models import catalog
from ui.rooms.redis_store import CHANNEL, Redis
from ui.rooms.room import Rooms
from ui.rooms.store import UnreachableError

TIMES = 5  # calls of each network
MOVES = 20  # of the lecturer
VOTES = 1000
VISITS = 40
LISTENERS = 200  # servers of a large hall
PUBLISHED = 500
OPENING = 20  # followers that come at the same time


def calls(times: int = TIMES) -> list[dict[str, Any]]:
    """The median CPU milliseconds of each shipped network on one Lab World scene of 224 pixels, with one thread."""
    torch.set_num_threads(1)
    image = scenes.render(scenes.sample(7, scenes.Knobs()), size=224).image
    rows = []
    for name in catalog.shipped():
        network, spent = catalog.load(name), []
        try:
            for _ in range(times + 1):
                start = time.process_time()
                network(image)
                spent.append(1000 * (time.process_time() - start))
        except (TypeError, ValueError):  # asked for more than a picture: regions, or a box
            print(f"{name} left out: it is not asked with a picture alone", file=sys.stderr)
            continue
        rows.append({"network": name, "cpu_ms": round(statistics.median(spent[1:]), 1)})
    return sorted(rows, key=lambda row: row["cpu_ms"])


class Parts:
    """The processes of a hall by name, and what they have used."""

    def __init__(self, keeper: int, redis: int):
        listed = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(keeper)], capture_output=True, text=True)
        rows = [line.split(None, 1) for line in listed.stdout.splitlines()]
        self.of = {"haproxy" if name.startswith("haproxy") else "server": int(process) for process, name in rows}
        self.of["redis"] = redis

    def cpu_ms(self) -> dict[str, float]:
        ticks = {part: Path(f"/proc/{process}/stat").read_text() for part, process in self.of.items()}
        fields = {part: line.rpartition(")")[2].split()[11:13] for part, line in ticks.items()}
        return {part: 1000 * sum(map(int, each)) / os.sysconf("SC_CLK_TCK") for part, each in fields.items()}

    def kilobytes(self) -> dict[str, int]:
        page = os.sysconf("SC_PAGE_SIZE") / 1000
        return {part: round(int(Path(f"/proc/{each}/statm").read_text().split()[1]) * page)
                for part, each in self.of.items()}  # fmt: skip

    def descriptors(self, part: str) -> int:
        return len(list(Path(f"/proc/{self.of[part]}/fd").iterdir()))


async def follow(address: str, rooms: Rooms, parts: Parts, followers: int) -> dict[str, Any]:
    """Let so many follow MOVES moves of a lecturer; what each connection and each message has cost."""
    code, key = rooms.open()
    gate, sockets = asyncio.Semaphore(OPENING), []

    async def enter() -> None:
        async with gate:
            socket = await websockets.connect(address, compression=None, open_timeout=PATIENCE, ping_interval=None)
            sockets.append(socket)
            await socket.send(json.dumps({"room": code}))
            await socket.recv()

    async def hear(socket: Any, number: int) -> None:
        while json.loads(await socket.recv()).get("number") != number:
            pass

    memory, cpu, open_files = parts.kilobytes(), parts.cpu_ms(), parts.descriptors("haproxy")
    try:
        await asyncio.gather(*(enter() for _ in range(followers)))
        connected, came = parts.kilobytes(), parts.cpu_ms()
        open_files = parts.descriptors("haproxy") - open_files
        for number in range(1, MOVES + 1):
            if not await asyncio.to_thread(rooms.move, code, key, f"upsampling?rf_layers={number}"):
                raise RuntimeError("the room took no move")
            await asyncio.wait_for(asyncio.gather(*(hear(each, number) for each in sockets)), PATIENCE)
        moved = parts.cpu_ms()
    finally:
        await asyncio.gather(*(each.close() for each in sockets), return_exceptions=True)
    found: dict[str, Any] = {"followers": followers, "haproxy_files_each": round(open_files / followers, 2)}
    for part in ("server", "haproxy"):
        found[f"{part}_kb_each"] = round((connected[part] - memory[part]) / followers, 1)
        found[f"{part}_ms_to_enter"] = round((came[part] - cpu[part]) / followers, 2)
        found[f"{part}_ms_per_message"] = round((moved[part] - came[part]) / (followers * MOVES), 3)
    return found | {"redis_ms_per_move": round((moved["redis"] - came["redis"]) / MOVES, 2)}


async def visit(address: str, parts: Parts, visits: int = VISITS) -> dict[str, Any]:
    """What a page costs that is opened, and the session that stays; each of the cheap pages was open before."""
    record = Record()
    visitors = [Visitor(number, AT_WORK[number % len(AT_WORK)], record) for number in range(visits + len(AT_WORK))]
    try:
        for each in visitors[: len(AT_WORK)]:
            await each.open(address)
        memory, cpu = parts.kilobytes()["server"], parts.cpu_ms()["server"]
        for each in visitors[len(AT_WORK) :]:
            await each.open(address)
        spent, kept = parts.cpu_ms()["server"] - cpu, parts.kilobytes()["server"] - memory
    finally:
        await asyncio.gather(*(each.socket.close() for each in visitors if each.socket), return_exceptions=True)
    if record.errors:
        raise RuntimeError(record.errors[0])
    return {
        "pages": visits,
        "server_ms_per_page": round(spent / visits, 1),
        "mb_per_session": round(kept / visits / 1000, 2),
    }


def publish(address: str, parts: Parts, listeners: int = LISTENERS) -> dict[str, Any]:
    """What it costs Redis to tell so many servers of a move."""
    with contextlib.ExitStack() as stack:
        asked = stack.enter_context(redis.Redis.from_url(address, max_connections=2 * listeners))
        for _ in range(listeners):
            stack.enter_context(asked.pubsub()).subscribe(CHANNEL)
        before = parts.cpu_ms()["redis"]
        for _ in range(PUBLISHED):
            asked.publish(CHANNEL, "AAAAAA {}")
        spent = parts.cpu_ms()["redis"] - before
    return {"listeners": listeners, "redis_ms_per_move_and_listener": round(spent / PUBLISHED / listeners, 4)}


def vote(rooms: Rooms, parts: Parts) -> dict[str, Any]:
    """What a vote costs Redis, and how long it takes until it is on the disk."""
    code, _ = rooms.open()
    before, start = parts.cpu_ms()["redis"], time.perf_counter()
    for number in range(VOTES):
        rooms.vote(code, "question", f"voter{number}", "12", "How many?")
    seconds = time.perf_counter() - start
    return {"votes": VOTES, "redis_ms_per_vote": round((parts.cpu_ms()["redis"] - before) / VOTES, 3),
            "ms_until_kept": round(1000 * seconds / VOTES, 2)}  # fmt: skip


def run(followers: int) -> list[dict[str, Any]]:
    """Pages, followers, moves and votes of a hall with one server.

    Raises:
        RuntimeError: HAProxy or Redis is not installed, or something did not start.
    """
    program = hall.redis_program()
    if program is None:
        raise RuntimeError("Redis is not installed: apt-get install redis-server.")
    port, named = hall.free_port(), os.environ.get(hall.REDIS)
    address = f"redis://127.0.0.1:{port}/0"
    store = Redis(address)
    rooms = Rooms(store)
    with tempfile.TemporaryDirectory() as folder:
        command = [program, str(hall.REDIS_SETTINGS), "--bind", "127.0.0.1", "--port", str(port), "--dir", folder]
        with running(command, hall.ROOT, lambda: answers(rooms), "Redis") as (memory, _):
            os.environ[hall.REDIS] = address
            try:
                with serve_hall(1) as server:
                    parts = Parts(server.process, memory)
                    socket = server.address.replace("http:", "ws:") + "/api/class"
                    return [
                        asyncio.run(visit(server.address, parts)),
                        asyncio.run(follow(socket, rooms, parts, followers)),
                        publish(address, parts),
                        vote(rooms, parts),
                    ]
            finally:
                os.environ.pop(hall.REDIS) if named is None else os.environ.update({hall.REDIS: named})
                store.close()


def answers(rooms: Rooms) -> bool:
    try:
        return not rooms.there("AAAAAA")
    except UnreachableError:
        return False
