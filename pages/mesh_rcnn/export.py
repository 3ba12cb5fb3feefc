"""The mesh to take home: OBJ for any 3-D program, GLB for the web."""

import streamlit as st
import trimesh
from torch import Tensor

from models.networks.mesh_rcnn import THRESHOLD as USUAL
from pages.mesh_rcnn import predicted, shared
from pages.mesh_rcnn.predicted import NAMES
from ui import page
from ui.components import words
from ui.pictures import KEPT, Picture

TRUTH = "truth"
KINDS = {"OBJ": ("obj", "model/obj"), "GLB": ("glb", "model/gltf-binary")}


@st.fragment
@page.guard()
def take(picture: Picture) -> None:
    page.section(
        "Take it home", "The same triangles as a file: OBJ is plain text, GLB opens in a browser or on a phone."
    )
    region = predicted.region_of(picture)
    if region is None:
        words("Without a thing there is no mesh.", "mesh_export_none")
        return
    thing = shared.chosen(picture)
    names = [*NAMES, TRUTH] if thing is not None else list(NAMES)
    name = st.segmented_control("Which", names, default=NAMES[-1], required=True, key="mesh_export", **KEPT)
    if name == TRUTH and thing is not None:
        mesh = shared.truth_of(picture, thing).mesh
        vertices, faces = mesh.vertices, mesh.faces
    else:
        threshold = st.session_state.get(predicted.THRESHOLD)
        stages = predicted.stages_of(picture, region, threshold if isinstance(threshold, float) else USUAL)
        vertices, faces = stages.vertices[NAMES.index(name)], stages.faces
    with st.container(horizontal=True):
        for kind, (ending, mime) in KINDS.items():
            st.download_button(
                f"Download {kind}", exported(vertices, faces, ending),
                f"{region.name}-{name}.{ending}".replace(" ", "-"), mime, key=f"mesh_get_{ending}",
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
    words(f"**{len(vertices):,}** corners and **{len(faces):,}** triangles; the longer side is 1, and y points up.",
          "mesh_export_said")  # fmt: skip


def exported(vertices: Tensor, faces: Tensor, kind: str) -> bytes:
    """A mesh as the bytes of a file, around its middle, its longest side 1, with y up as 3-D programs have it: y and z
    change their signs together, so the solid is turned and not mirrored."""
    low, high = vertices.amin(0), vertices.amax(0)
    placed = (vertices - (low + high) / 2) / (high - low).max() * vertices.new_tensor([1, -1, -1])
    data = trimesh.Trimesh(placed.numpy(), faces.numpy(), process=False).export(file_type=kind)
    return data.encode() if isinstance(data, str) else data
