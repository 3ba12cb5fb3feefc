"""The training that a visitor watches: it learns, stops, goes on, waits its turn, and ends when nobody looks."""

import time

import numpy as np
import pytest
import torch

from models.networks.tiny_segmenter import TinySegmenter
from models.recipes import tiny_segmenter
from models.recipes.tiny_segmenter import Settings, Training
from scenes import Knobs

QUICK = Settings(Knobs(objects=1, light=1.0, fog=0.0, noise=0.0), steps=40, size=32, batch=4, pool=8)
PICTURE = np.full((32, 32, 3), 90, np.uint8)


def wait(training: Training, *states: str, seconds: float = 120.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        now = training.progress()
        if now.state in states:
            return now
        time.sleep(0.01)
    raise AssertionError(f"still {training.progress().state}")


@pytest.fixture
def trainings():
    """Makes trainings, and ends them."""
    made = []

    def make(settings=QUICK, watched=(PICTURE,), **options):
        made.append(Training(settings, watched, **options))
        return made[-1]

    yield make
    for each in made:
        each.stop(wait=60)


def test_the_network_is_small_and_keeps_the_size():
    network = TinySegmenter().eval()
    assert tuple(network(torch.zeros(2, 3, 64, 96)).shape) == (2, 13, 64, 96)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(83_000, rel=0.02)


def test_it_learns(trainings):
    training = trainings()
    assert training.progress().state == "new" and not training.running
    training.start()
    now = wait(training, "done")
    assert now.step == len(now.losses) == 40 and now.steps_per_second > 0
    assert np.mean(now.losses[-5:]) < 0.6 * now.losses[0]
    assert [step for step, _ in now.scores] == [0, 10, 20, 30, 40]
    assert now.scores[-1][1] > now.scores[0][1]
    assert now.labels.shape == (1, 32, 32) and now.labels.dtype == np.uint8
    training._thread.join(10)
    training.start()
    assert not training.running  # all steps are done


def test_the_same_settings_give_the_same_losses(trainings):
    found = []
    for _ in range(2):
        training = trainings(Settings(QUICK.knobs, steps=4, size=32, batch=4, pool=8))
        training.start()
        found.append(wait(training, "done").losses)
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_stop_and_go_on(trainings):
    training = trainings(Settings(QUICK.knobs, steps=100_000, size=32, batch=4, pool=8))
    training.start()
    wait(training, "training")
    while training.progress().step < 3:
        time.sleep(0.01)
    training.stop(wait=60)
    stopped = training.progress()
    assert stopped.state == "stopped" and not training.running
    time.sleep(0.2)
    assert training.progress().step == stopped.step
    training.start()
    while training.progress().step < stopped.step + 3:
        time.sleep(0.01)
    assert training.progress().losses[: stopped.step] == stopped.losses


def test_a_third_waits_until_a_place_is_free(trainings):
    long = Settings(QUICK.knobs, steps=100_000, size=32, batch=4, pool=8)
    first, second, third = (trainings(long) for _ in range(3))
    for each in (first, second):
        each.start()
        wait(each, "training")
    third.start()
    time.sleep(0.5)
    assert third.progress().state == "waiting" and third.progress().step == 0
    first.stop(wait=60)
    wait(third, "training")
    second.stop(wait=60)
    third.stop(wait=60)
    assert tiny_segmenter._places._value == tiny_segmenter.AT_ONCE


def test_one_that_waits_can_be_stopped(trainings, monkeypatch):
    monkeypatch.setattr(tiny_segmenter._places, "acquire", lambda timeout: time.sleep(0.01) or False)
    training = trainings()
    training.start()
    assert training.progress().state == "waiting"
    training.stop(wait=10)
    assert training.progress().state == "stopped"


def test_unwatched_it_ends_and_frees_its_place(trainings):
    training = trainings(Settings(QUICK.knobs, steps=100_000, size=32, batch=4, pool=8), patience=0.3)
    training.start()
    training._thread.join(60)
    assert not training.running and training.state == "stopped"
    assert tiny_segmenter._places._value == tiny_segmenter.AT_ONCE


def test_a_failure_frees_the_place_and_is_told(trainings, monkeypatch):
    training = trainings()
    monkeypatch.setattr(training, "_batch", lambda step: 1 / 0)
    training.start()
    assert wait(training, "failed").step == 0
    training._thread.join(10)
    assert tiny_segmenter._places._value == tiny_segmenter.AT_ONCE


def test_other_threads_keep_their_number_of_threads(trainings):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        training = trainings()
        training.start()
        assert torch.get_num_threads() == 3
    finally:
        training.stop(wait=60)
        torch.set_num_threads(before)


def test_without_things_there_is_still_something_to_learn(trainings):
    training = trainings(Settings(Knobs(classes=(), objects=0), steps=2, size=32, batch=2, pool=4), watched=())
    training.start()
    now = wait(training, "done")
    assert np.isfinite(now.losses).all() and now.labels.shape == (0, 32, 32)
