"""What shape has a thing, also where nobody sees it? Solids as truth, and meshes that are pulled onto them."""

from labs import cubify, graph_convolution, inflated_solid, mesh_fitting, mesh_losses
from pages.mesh_rcnn import alignment, drawn_truth, export, fitting, scores, shared, stages, truth
from ui import outside_lab_world, page, pictures

page.begin("Mesh R-CNN")
picture = pictures.choose("mesh", seed=shared.SEED)
outside_lab_world.warn(picture, ["mesh"])
with page.guard():
    truth.play(picture)
    stages.refine(picture)
    alignment.align(picture)
    fitting.fit(picture)
    scores.judge(picture)
    export.take(picture)
    drawn_truth.drawn(picture)

page.section("Show the code", "The functions on this page; tests hold them equal to trimesh's and to known solutions.")
page.show_code(
    [inflated_solid.outline, inflated_solid.poisson, inflated_solid.level_set, inflated_solid.inflate],
    r"\Delta u = -4 \text{ inside}, \quad u = 0 \text{ on the outline}, \qquad \{(x, y, z) : z^2 \le u(x, y)\}",
    "skimage.measure.marching_cubes(volume, level=0)",
)
page.show_code([cubify.open_sides, cubify.cubify], library="pytorch3d.ops.cubify(voxels, thresh=0.5)")
page.show_code(
    [graph_convolution.edges_of, graph_convolution.sum_of_neighbours, graph_convolution.graph_convolution],
    r"f_i' = \text{ReLU}\Big(W_0 f_i + b + \sum_{j \in N(i)} W_1 f_j\Big)",
    "pytorch3d.ops.GraphConv(64, 64)(features, edges)",
)
page.show_code(
    [graph_convolution.corners_read, graph_convolution.vertex_alignment],
    library="pytorch3d.ops.vert_align(maps, places)",
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
        ("Wang et al. 2018: Pixel2Mesh, Generating 3D Mesh Models from Single RGB Images", "paper",
         "https://arxiv.org/abs/1804.01654"),
        ("Fan, Su, Guibas 2017: A Point Set Generation Network for 3D Object Reconstruction from a Single Image",
         "paper", "https://arxiv.org/abs/1612.00603"),
        ("Tatarchenko et al. 2019: What Do Single-view 3D Reconstruction Networks Learn?", "paper",
         "https://arxiv.org/abs/1905.03678"),
        ("Polimi: advanced CNN architectures", "lecture"),
    ]
)  # fmt: skip
