"""What shape has a thing, also where nobody sees it? Solids as truth, and meshes that are pulled onto them."""

from labs import inflated_solid, mesh_fitting, mesh_losses
from pages.mesh_rcnn import fitting, shared, truth
from ui import outside_lab_world, page, pictures

page.begin("Mesh R-CNN")
picture = pictures.choose("mesh", seed=shared.SEED)
outside_lab_world.warn(picture, ["detector"])
with page.guard():
    truth.play(picture)
    fitting.fit(picture)

page.section("Show the code", "The functions on this page; tests hold them equal to trimesh's and to known solutions.")
page.show_code(
    [inflated_solid.outline, inflated_solid.poisson, inflated_solid.level_set, inflated_solid.inflate],
    r"\Delta u = -4 \text{ inside}, \quad u = 0 \text{ on the outline}, \qquad \{(x, y, z) : z^2 \le u(x, y)\}",
    "skimage.measure.marching_cubes(volume, level=0)",
)
page.show_code(
    [mesh_losses.sample_points, mesh_losses.chamfer, mesh_losses.normal_loss, mesh_losses.edge_loss, mesh_fitting.Fit],
    r"L_{cham} = \frac{1}{|P|} \sum_{p \in P} \min_{q \in Q} \|p - q\|^2 + "
    r"\frac{1}{|Q|} \sum_{q \in Q} \min_{p \in P} \|q - p\|^2, \qquad "
    r"L = L_{cham} + w_n L_{norm} + w_e L_{edge}",
)
page.sources(
    [
        ("Gkioxari, Malik, Johnson 2019: Mesh R-CNN", "paper", "https://arxiv.org/abs/1906.02739"),
        ("Fan, Su, Guibas 2017: A Point Set Generation Network for 3D Object Reconstruction from a Single Image",
         "paper", "https://arxiv.org/abs/1612.00603"),
        ("Tatarchenko et al. 2019: What Do Single-view 3D Reconstruction Networks Learn?", "paper",
         "https://arxiv.org/abs/1905.03678"),
        ("Polimi: advanced CNN architectures", "lecture"),
    ]
)  # fmt: skip
