"""Servers on two machines, HAProxy and Redis on a third: a class goes on when a machine falls silent."""

from __future__ import annotations

import os
import shutil

import pytest
from playwright.sync_api import expect

from tests.browser.test_hall import server_of, until_with, visitor
from tests.browser.test_rooms import LAYERS, bar, joined, opened, step
from tests.deploy import hosts


@pytest.fixture(scope="module")
def three(chromium, tmp_path_factory):
    for program in ("haproxy", "redis-server"):
        if shutil.which(program) is None:
            message = f"No {program} on this machine: install it to test three hosts."
            pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    with hosts.hosts(tmp_path_factory.mktemp("hosts")) as found:
        yield found


@pytest.mark.sweep
def test_a_class_over_two_machines_goes_on_when_one_falls_silent(three, chromium):
    address, names = three.address, hosts.NAMES
    with visitor(chromium, address, names["left"]) as lecturer, visitor(chromium, address, names["right"]) as student:
        code = opened(lecturer, address)
        joined(student, address, code)
        assert (server_of(lecturer), server_of(student)) == ("lab1", "lab2")
        expect(bar(lecturer).get_by_text("1 here")).to_be_visible()
        theirs = student.get_by_role("slider", name=LAYERS).first
        expect(theirs).to_have_attribute("aria-valuenow", step(lecturer))

        three.cable("right", "down")
        until_with(student, lambda name: name == "lab1")
        expect(theirs).to_have_attribute("aria-valuenow", step(lecturer))
        expect(bar(student).get_by_text("Following")).to_be_visible()
        three.ready("left")

        three.cable("right", "up")
        three.ready("left", "right")
        three.cable("left", "down")  # and now the lecturer's
        until_with(lecturer, lambda name: name == "lab2")
        expect(theirs).to_have_attribute("aria-valuenow", step(lecturer))
        expect(bar(lecturer).get_by_text("here")).to_be_visible()
