"""MOTA, IDF1 and HOTA: films worked by hand, the first figure of HOTA's paper, and searches of all possible pairs."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from labs import tracking_metrics as tm
from labs.tracking_metrics import Frame, Place


def film(*frames):
    """Frames of {(thing, track): similarity}; a thing or a track alone stands beside None."""
    made = []
    for pairs in frames:
        things = sorted({thing for thing, _ in pairs if thing is not None})
        tracks = sorted({track for _, track in pairs if track is not None})
        alike = np.array([[pairs.get((thing, track), 0.0) for track in tracks] for thing in things])
        made.append(Frame(np.array(things, int), np.array(tracks, int), alike.reshape(len(things), len(tracks))))
    return made


def single(*tracks):
    """One thing, and the track that it is given in each frame, if any."""
    return film(*({(1, track): 1.0} for track in tracks))


# Figure 1 of Luiten et al.: one thing, and three trackers that find more and more of it in more and more pieces.
HALF, FOUR = single(*[1] * 50, *[None] * 50), single(*([1] * 25 + [2] * 25 + [3] * 25 + [4] * 25))


def test_the_two_ends_of_the_papers_first_figure():
    """Half of the thing in one piece, or all of it in four: HOTA says one half of both, the others take sides."""
    assert (tm.hota(HALF).det[0], tm.hota(HALF).ass[0], tm.hota(HALF).value) == (0.5, 0.5, 0.5)
    assert (tm.hota(FOUR).det[0], tm.hota(FOUR).ass[0], tm.hota(FOUR).value) == (1.0, 0.25, 0.5)
    assert (tm.mota(HALF).value, tm.mota(FOUR).value) == (0.5, 0.97)
    assert tm.idf1(HALF).value == pytest.approx(2 / 3) and tm.idf1(FOUR).value == 0.25


def test_every_count_of_a_small_film_by_hand():
    found = film(
        {(1, 1): 0.9, (2, 2): 0.8},
        {(1, 1): 0.9, (2, None): 0.0},  # the second thing is missed
        {(1, 2): 0.7, (2, 1): 0.6},  # both have the other's track: two switches
        {(1, 2): 0.7, (None, 7): 0.0},  # a track of nothing
    )
    mota = tm.mota(found)
    assert (mota.truths, mota.matches, mota.misses, mota.false_positives, mota.switches) == (7, 6, 1, 1, 2)
    assert mota.switched == ((2, 1), (2, 2)) and mota.value == pytest.approx(1 - 4 / 7)
    # Things 1 and 2 with tracks 1 and 2: 2 + 1 frames; with 2 and 1: 2 + 1 as well. 7 frames of things and of tracks.
    idf1 = tm.idf1(found)
    assert (idf1.idtp, idf1.idfp, idf1.idfn) == (3, 4, 4) and idf1.value == 3 / 7
    hota = tm.hota(found)
    assert (hota.tp[0], hota.fn[0], hota.fp[0]) == (6, 1, 1) and hota.det[0] == 6 / 8
    # Thing 1 (4 frames) has track 1 (3 frames) twice, 2 / 5, and track 2 (3) twice, 2 / 5: four TP of 2 / 5.
    # Thing 2 (3 frames) has each of the two once: two TP of 1 / 5.
    assert hota.ass[0] == pytest.approx((4 * 2 / 5 + 2 * 1 / 5) / 6)


def test_ass_a_by_hand():
    """Four frames of a thing: three with its own track, which goes on for a fifth without it, and one with another."""
    found = film({(1, 1): 1}, {(1, 1): 1}, {(1, 1): 1}, {(1, 2): 1}, {(None, 1): 0})
    hota = tm.hota(found)
    # Track 1: TPA 3, FNA 1, FPA 1, so 3 / 5 for three of four TP. Track 2: TPA 1, FNA 3, so 1 / 4 for the fourth.
    assert hota.ass[0] == pytest.approx((3 * 3 / 5 + 1 / 4) / 4)
    assert hota.det[0] == pytest.approx(4 / 5)


def test_a_thing_keeps_its_track_while_it_is_alike_enough_though_another_fits_better():
    kept = film({(1, 1): 0.9, (1, 2): 0.0}, {(1, 1): 0.5, (1, 2): 0.9})
    assert tm.mota(kept).switches == 0
    assert tm.mota(film({(1, 1): 0.9, (1, 2): 0.0}, {(1, 1): 0.49, (1, 2): 0.9})).switches == 1


def test_a_switch_counts_across_a_gap_and_a_return_is_one_more():
    assert tm.mota(single(1, None, 2)).switches == 1
    assert tm.mota(single(1, 2, 1)).switches == 2
    assert tm.mota(single(1, None, 1)).switches == 0


@pytest.mark.parametrize(("alike", "matches"), [(0.5, 1), (0.4999, 0), (0.3 + 0.2, 1), (1 - 0.5, 1)])
def test_a_pair_at_the_threshold_counts(alike, matches):
    pair = film({(1, 1): alike})
    assert (tm.mota(pair).matches, tm.idf1(pair).idtp) == (matches, matches)


def test_hota_at_its_thresholds():
    assert tm.ALPHAS[0] == 0.05 and tm.ALPHAS[-1] == 0.95
    assert tm.hota(film({(1, 1): 0.95})).tp.tolist() == [1] * 19
    assert tm.hota(film({(1, 1): 0.15})).tp.tolist() == [1] * 3 + [0] * 16


def test_without_things_or_tracks():
    nothing, only_track, only_thing = [film({})[0]], film({(None, 1): 0}), film({(1, None): 0})
    for empty in ([], nothing):
        assert (tm.mota(empty).value, tm.idf1(empty).value, tm.hota(empty).value) == (None, None, 0)
    assert (tm.mota(only_track).value, tm.mota(only_track).false_positives) == (None, 1)
    assert (tm.idf1(only_track).value, tm.hota(only_track).value) == (0, 0)
    assert (tm.mota(only_thing).value, tm.idf1(only_thing).value, tm.hota(only_thing).value) == (0, 0, 0)


def test_a_frame_compares_boxes_of_one_class():
    box, half = np.array([0.0, 0, 4, 4]), np.array([0.0, 0, 4, 2])
    found = tm.frame([Place(7, 1, box), Place(8, 3, box)], [Place(5, 1, half)])
    assert found.things.tolist() == [7, 8] and found.tracks.tolist() == [5]
    assert found.similarity.tolist() == [[0.5], [0.0]]
    assert tm.frame([], []).similarity.shape == (0, 0)


random_films = some.tuples(some.integers(0, 9999), some.integers(1, 5)).map(
    lambda it: [
        Frame(
            np.sort(random.permutation(3)[: random.integers(0, 4)]),
            np.sort(10 + random.permutation(3)[: random.integers(0, 4)]),
            np.zeros((0, 0)),
        )
        for random in [np.random.default_rng(it[0])]
        for _ in range(it[1])
    ]
)


@some.composite
def films(draw):
    frames = draw(random_films)
    random = np.random.default_rng(draw(some.integers(0, 9999)))
    return [each._replace(similarity=random.uniform(0, 1, (len(each.things), len(each.tracks)))) for each in frames]


def matchings(rows, columns):
    """All ways to pair some of the rows with columns, as sets of pairs."""
    short, long = (rows, columns) if rows <= columns else (columns, rows)
    for way in permutations(range(long), short):
        yield [(i, j) if rows <= columns else (j, i) for i, j in enumerate(way)]


def brute_idtp(frames):
    best = 0
    for way in permutations(range(10, 13)):  # each of three things has one of three tracks
        best = max(best, sum(
            float(each.similarity[list(each.things).index(thing), list(each.tracks).index(track)]) >= 0.5
            for each in frames for thing, track in enumerate(way) if thing in each.things and track in each.tracks
        ))  # fmt: skip
    return best


@settings(deadline=None, max_examples=50)
@given(frames=films())
def test_idtp_is_the_best_of_all_ways_to_name_the_things(frames):
    found = tm.idf1(frames)
    assert found.idtp == brute_idtp(frames)
    assert found.idfp + found.idtp == sum(len(each.tracks) for each in frames)
    assert found.idfn + found.idtp == sum(len(each.things) for each in frames)


def brute_mota(frames, least=0.5):
    """Misses, false positives, switches: what is kept first, then the pairs of the greatest sum, by trying all."""
    misses = false = switches = 0
    before, last = {}, {}
    for each in frames:
        pair = {}
        for row, thing in enumerate(each.things):
            for column, track in enumerate(each.tracks):
                if before.get(thing) == track and each.similarity[row, column] >= least:
                    pair[row] = column
        best, worth = [], -1.0
        for way in matchings(len(each.things), len(each.tracks)):
            way = [(r, c) for r, c in way if each.similarity[r, c] >= least]
            free = [(r, c) for r, c in way if r not in pair and c not in pair.values()]
            if sum(each.similarity[r, c] for r, c in free) > worth:
                best, worth = free, sum(each.similarity[r, c] for r, c in free)
        pair |= dict(best)
        before = {each.things[r]: each.tracks[c] for r, c in pair.items()}
        switches += sum(thing in last and last[thing] != track for thing, track in before.items())
        last |= before
        misses, false = misses + len(each.things) - len(pair), false + len(each.tracks) - len(pair)
    return misses, false, switches


@settings(deadline=None, max_examples=50)
@given(frames=films())
def test_mota_is_that_of_a_search_of_all_pairs(frames):
    found = tm.mota(frames)
    assert (found.misses, found.false_positives, found.switches) == brute_mota(frames)


def brute_hota(frames, alpha):
    """DetA and AssA from lists of true positives, pairs by trying all of a frame's, with plain loops."""
    shared, things, tracks = {}, {}, {}
    for each in frames:
        for thing in each.things:
            things[thing] = things.get(thing, 0) + 1
        for track in each.tracks:
            tracks[track] = tracks.get(track, 0) + 1
        for r, thing in enumerate(each.things):
            for c, track in enumerate(each.tracks):
                total = each.similarity[r].sum() + each.similarity[:, c].sum() - each.similarity[r, c]
                shared[thing, track] = shared.get((thing, track), 0.0) + each.similarity[r, c] / total
    weight = {pair: value / (things[pair[0]] + tracks[pair[1]] - value) for pair, value in shared.items()}
    hits = []
    for each in frames:
        names = [[(t, k) for k in each.tracks] for t in each.things]
        best = max(matchings(len(each.things), len(each.tracks)),
                   key=lambda way: sum(weight[names[r][c]] * each.similarity[r, c] for r, c in way))  # fmt: skip
        hits += [names[r][c] for r, c in best if each.similarity[r, c] >= alpha]
    missed, false = sum(things.values()) - len(hits), sum(tracks.values()) - len(hits)
    det = len(hits) / max(len(hits) + missed + false, 1)
    ass = [hits.count(pair) / (things[pair[0]] + tracks[pair[1]] - hits.count(pair)) for pair in hits]
    return det, sum(ass) / max(len(ass), 1)


@settings(deadline=None, max_examples=50)
@given(frames=films())
def test_hota_is_that_of_plain_loops(frames):
    found = tm.hota(frames)
    for index in (0, 9, 18):
        assert (found.det[index], found.ass[index]) == pytest.approx(brute_hota(frames, tm.ALPHAS[index]))


def test_counts_of_films_are_added():
    first, second = single(1, 2), single(1, 1, None)
    both = tm.pooled([tm.mota(first), tm.mota(second)])
    assert (both.truths, both.misses, both.switches) == (5, 1, 1) and both.value == pytest.approx(0.6)
    names = tm.pooled_identities([tm.idf1(first), tm.idf1(second)])
    assert (names.idtp, names.idfp, names.idfn) == (3, 1, 2)
