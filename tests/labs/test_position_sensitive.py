"""Position-sensitive pooling: torchvision's operators over any boxes, whose map a part reads, and the vote."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close
from torchvision import ops

from labs import position_sensitive as ps

QUICK = settings(deadline=None, max_examples=60)
numbers = st.one_of(st.floats(-40, 90, width=32), st.integers(-80, 180).map(lambda n: n / 2))
upright = st.tuples(numbers, numbers, numbers, numbers).map(
    lambda b: [min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])]
)
points = st.tuples(numbers, numbers).map(lambda p: [*p, *p])
malformed = st.tuples(numbers, numbers, numbers, numbers).map(list)
boxes = st.lists(st.one_of(upright, points, malformed), min_size=1, max_size=4).map(torch.tensor)
maps = st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 14), st.integers(1, 14), st.integers(0, 9)).map(
    lambda s: torch.randn(s[0], s[1], s[1], s[2], s[3], generator=torch.Generator().manual_seed(s[4]))
)
scales = st.sampled_from([1.0, 0.5, 0.25, 1 / 16, 0.3])


def as_torchvision_wants(maps, boxes):
    return maps.reshape(1, -1, *maps.shape[-2:]), torch.cat([torch.zeros(len(boxes), 1), boxes.float()], 1)


@QUICK
@given(maps, boxes, scales)
def test_pool_is_torchvisions(maps, boxes, scale):
    flat, rois = as_torchvision_wants(maps, boxes)
    assert_close(ps.pool(maps, boxes.float(), scale), ops.ps_roi_pool(flat, rois, maps.shape[1], scale))


@QUICK
@given(maps, boxes, scales, st.integers(1, 4))
def test_align_is_torchvisions(maps, boxes, scale, ratio):
    flat, rois = as_torchvision_wants(maps, boxes)
    theirs = ops.ps_roi_align(flat, rois, maps.shape[1], scale, ratio)
    assert_close(ps.align(maps, boxes.float(), scale, ratio), theirs, rtol=1e-4, atol=1e-4)


def test_the_papers_numbers_of_maps():
    """k²(C + 1): 3×3 parts and the 20 classes of PASCAL VOC, 80 of COCO."""
    assert ps.map_count(3, 20) == 9 * 21 == 189 and ps.map_count(3, 80) == 729 and ps.map_count(1, 20) == 21


@pytest.mark.parametrize("read", [ps.pool, ps.align])
def test_each_part_reads_its_own_map_alone(read):
    maps = torch.arange(18.0).reshape(2, 3, 3, 1, 1).expand(2, 3, 3, 40, 40)
    read = read(maps, torch.tensor([[3.0, 5.0, 33.0, 29.0]]))[0]
    assert_close(read, torch.arange(18.0).reshape(2, 3, 3))
    assert_close(ps.vote(read), torch.tensor([4.0, 13.0]))


def test_a_part_does_not_see_the_other_maps_nor_the_other_cells():
    box = torch.tensor([[6.0, 6.0, 24.0, 24.0]])
    maps = torch.zeros(1, 3, 3, 30, 30)
    maps[0, 0, 2] = 1  # the upper right map says yes everywhere
    assert ps.pool(maps, box)[0, 0].tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    maps[0, 0, 2, :13, 17:] = 0  # and is silenced where its own part lies
    assert not ps.pool(maps, box).any() and float(maps.sum()) > 700


def test_the_last_row_and_column_are_never_pooled():
    """As torchvision has it; align reads them."""
    maps = torch.zeros(1, 1, 1, 4, 4)
    maps[..., 3, :] = maps[..., :, 3] = 1
    whole = torch.tensor([[0.0, 0.0, 4.0, 4.0]])
    assert float(ps.pool(maps, whole)) == 0 and float(ps.align(maps, whole, sampling_ratio=4)) == 7 / 16


def test_an_empty_box_has_one_cell_and_one_outside_nothing():
    rows, columns = ps.pool_cells(torch.tensor([2.0, 3.0, 2.0, 3.0]), 1, 1.0, (8, 8))
    assert rows.tolist() == [[3, 4]] and columns.tolist() == [[2, 3]]
    maps = torch.ones(1, 3, 3, 8, 8)
    assert ps.pool(maps, torch.tensor([[2.0, 3.0, 2.0, 3.0], [90.0, 90.0, 99.0, 99.0]])).sum((1, 2, 3)).tolist() == [
        9,
        0,
    ]


def test_adaptive_sampling_is_refused_where_torchvision_gives_nan():
    point = torch.tensor([[0.0, 2.0, 2.0, 2.0, 2.0]])
    assert bool(ops.ps_roi_align(torch.ones(1, 9, 8, 8), point, 3, 1.0, -1).isnan().all())
    with pytest.raises(ValueError, match="at least one sample"):
        ps.align(torch.ones(1, 3, 3, 8, 8), point[:, 1:], sampling_ratio=0)


@pytest.mark.parametrize("parts", [1, 3, 5, 7])
def test_parts_cover_the_box(parts):
    cut = ps.part_boxes(torch.tensor([10.0, 20.0, 45.0, 90.0]), parts)
    assert cut[0, 0, :2].tolist() == [10, 20] and cut[-1, -1, 2:].tolist() == [45, 90]
    areas = (cut[..., 2:] - cut[..., :2]).prod(-1)
    assert_close(areas, torch.full((parts, parts), 35 * 70 / parts**2))
    assert_close(cut[:, :-1, 2], cut[:, 1:, 0])
    assert_close(cut[:-1, :, 3], cut[1:, :, 1])


@pytest.mark.parametrize("parts", [1, 3, 5, 7])
def test_on_perfect_maps_the_vote_says_how_far_a_box_is_off(parts):
    thing = torch.tensor([42.0, 42.0, 147.0, 147.0])  # 105 pixels: whole parts for 1, 3, 5 and 7
    maps = ps.perfect_maps(thing[None], torch.tensor([2]), 4, parts, (200, 260))
    for shift in (0, 6, 15, 21, 30, 60):
        moved = thing + torch.tensor([shift, 0, shift, 0])
        votes = ps.vote(ps.align(maps, moved[None], 1.0, 105 // parts))[0]
        assert_close(votes[2], ps.vote_after_shift(torch.tensor(shift / 105), parts), atol=1e-4, rtol=0)
        assert_close(votes[0], 1 - votes[2])
        assert not votes[[1, 3]].any()


def test_perfect_maps_of_things_that_overlap_and_of_none():
    things, labels = torch.tensor([[0.0, 0.0, 6.0, 6.0], [1.0, 0.0, 7.0, 6.0]]), torch.tensor([1, 2])
    maps = ps.perfect_maps(things, labels, 3, 3, (6, 9))
    assert maps[1, 0, 0].nonzero().max() == 1 and maps[2, 0, 0, :2, 1:3].all() and maps[2].sum() == 36
    assert float(maps[0].min()) == 0 and float(maps[0, 0, 0].sum()) == 54 - 2 * 3
    alike = ps.perfect_maps(
        torch.tensor([[0.0, 0.0, 3.0, 6.0], [6.0, 0.0, 9.0, 6.0]]), torch.tensor([1, 1]), 2, 3, (6, 9)
    )
    assert alike[1].sum() == 36 and alike[1, 0, 0, 0, [0, 6]].tolist() == [1, 1], "both of one class"
    nothing = ps.perfect_maps(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), 3, 3, (6, 9))
    assert bool((nothing[0] == 1).all()) and not nothing[1:].any()
    for wrong in (0, 3):
        with pytest.raises(ValueError, match="from 1 to 2"):
            ps.perfect_maps(things[:1], torch.tensor([wrong]), 3, 3, (6, 9))


def test_a_half_box_fools_one_map_but_not_nine():
    thing = torch.tensor([20.0, 20.0, 140.0, 140.0])
    half = torch.tensor([[50.0, 20.0, 110.0, 140.0]])
    votes = [
        float(ps.vote(ps.align(ps.perfect_maps(thing[None], torch.tensor([1]), 2, k, (160, 160)), half, 1.0, 10))[0, 1])
        for k in (1, 3)
    ]
    assert votes == pytest.approx([1, 2 / 3], abs=0.02)
