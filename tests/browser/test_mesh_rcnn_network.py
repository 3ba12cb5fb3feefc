"""The network's sections of the Mesh R-CNN page in a real browser: threshold, corner under the pointer, files."""

import io
import re

import pytest
import trimesh
from playwright.sync_api import expect

from models import catalog

pytestmark = pytest.mark.skipif("mesh" not in catalog.shipped(), reason="mesh has no weights yet")


def test_the_threshold_the_pointer_and_the_buttons_reach_the_network(server, page):
    page.goto(f"{server}/mesh_rcnn?predict=off&mesh_step=0")
    counts = page.locator(".st-key-mesh_counts-live .words")
    expect(counts).to_contain_text("of 13,824 voxels are above 0.50", timeout=180_000)
    before = counts.inner_text()
    page.get_by_role("slider", name="A voxel is full above").press("PageDown")
    expect(counts).not_to_have_text(before, timeout=60_000)
    expect(page.locator(".st-key-mesh_stages-live canvas")).to_have_count(5)

    reads = page.locator(".st-key-mesh_reads-live .words")
    expect(reads).to_contain_text("z plays no part", timeout=60_000)
    first, frame = reads.inner_text(), page.locator(".st-key-mesh_align-live .frame")
    frame.scroll_into_view_if_needed()
    at = frame.bounding_box()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    page.mouse.move(at["x"] + at["width"] / 2 + 6, at["y"] + at["height"] / 2 + 4, steps=3)
    expect(reads).not_to_have_text(first, timeout=60_000)

    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download OBJ").click()
    data = waiting.value.path().read_bytes()
    assert re.fullmatch(r"cat-stage-3\.obj", waiting.value.suggested_filename)
    mesh = trimesh.load(io.BytesIO(data), file_type="obj", force="mesh")
    assert len(mesh.faces) > 500 and mesh.volume > 0
