"""What a network remembers: the last features of a picture as its signature, and what lies near it."""

from labs import known_clouds, nearest_neighbours, principal_components, t_sne
from models.inside import signatures
from models.networks import lenet
from models.recipes import lenet as lenet_recipe
from pages.feature_space import clusters, digits, plot, precision, retrieval, signature
from pages.feature_space.shared import LAB
from ui import outside_lab_world, page, pictures

page.begin("What a Network Remembers")
picture = pictures.choose("space", seed=577)
outside_lab_world.warn(picture, [LAB])
with page.guard():
    found, measure = retrieval.choose()
    retrieval.play(picture, found, measure)
    precision.precision(found, measure)
    signature.signature(found)
    plot.plot(picture, found)
    clusters.clusters()
    digits.digits()

page.section("Show the code", "The functions that found the neighbours on this page.")
page.show_code(
    [nearest_neighbours.squared_distances, nearest_neighbours.euclidean, nearest_neighbours.nearest],
    r"\lVert a - b \rVert^2 = \lVert a \rVert^2 + \lVert b \rVert^2 - 2\, a \cdot b",
    "sklearn.neighbors.NearestNeighbors(n_neighbors=k).fit(signatures).kneighbors(signature)",
)
page.show_code(
    [nearest_neighbours.cosine, nearest_neighbours.precision_at_k, signatures.of_pictures],
    r"1 - \frac{a \cdot b}{\lVert a \rVert \, \lVert b \rVert}, \quad "
    r"\text{precision at } k = \frac{\text{of the query's kind among the } k \text{ nearest}}{k}",
)
page.show_code(
    [principal_components.principal_components, principal_components.project],
    r"X - \bar{x} = U S V^T, \quad y_i = V_2^T (x_i - \bar{x}), \quad \text{share of } v_k = s_k^2 / \sum_j s_j^2",
    "sklearn.decomposition.PCA(2, svd_solver='full').fit_transform(signatures)",
)
page.show_code(
    [t_sne.neighbour_probabilities, t_sne.affinities, t_sne.student_affinities, t_sne.kl_terms, t_sne.gradient,
     t_sne.descend, t_sne.median_of_nearest, t_sne.land],
    r"p_{j|i} \propto e^{-d_{ij}^2 / 2\sigma_i^2}, \; p_{ij} = \frac{p_{j|i} + p_{i|j}}{2n}, \; "
    r"q_{ij} \propto \frac{1}{1 + |y_i - y_j|^2}, \; KL = \sum_{ij} p_{ij} \log \frac{p_{ij}}{q_{ij}}",
    "openTSNE.TSNE(perplexity=30).fit(signatures).transform(yours)",
)  # fmt: skip
page.show_code(
    [known_clouds.two_widths, known_clouds.two_distances, known_clouds.widths, known_clouds.steps,
     known_clouds.evenness],
    library="scipy.spatial.KDTree(places).query(places, 2)",
)  # fmt: skip
page.show_code([lenet.LeNet, lenet.Tabled, lenet.Subsample, lenet.squash, lenet.as_tensor, lenet_recipe.learn])
page.sources(
    [
        ("Krizhevsky, Sutskever, Hinton 2012: ImageNet Classification with Deep Convolutional Neural Networks, "
         "section 6.1: retrieval by the Euclidean distance of the last features", "paper",
         "https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks"),
        ("Babenko, Slesarev, Chigorin, Lempitsky 2014: Neural Codes for Image Retrieval", "paper",
         "https://arxiv.org/abs/1404.1777"),
        ("Zeiler and Fergus 2014: Visualizing and Understanding Convolutional Networks", "paper",
         "https://arxiv.org/abs/1311.2901"),
        ("Manning, Raghavan, Schütze 2008: Introduction to Information Retrieval, chapter 8: precision at k", "book",
         "https://nlp.stanford.edu/IR-book/"),
        ("LeCun, Bottou, Bengio, Haffner 1998: Gradient-Based Learning Applied to Document Recognition (LeNet-5)",
         "paper", "https://doi.org/10.1109/5.726791"),
        ("Szegedy et al. 2016: Rethinking the Inception Architecture (Inception v3)", "paper",
         "https://arxiv.org/abs/1512.00567"),
        ("Van der Maaten and Hinton 2008: Visualizing Data using t-SNE", "paper",
         "https://www.jmlr.org/papers/v9/vandermaaten08a.html"),
        ("Van der Maaten 2014: Accelerating t-SNE using Tree-Based Algorithms", "paper",
         "https://www.jmlr.org/papers/v15/vandermaaten14a.html"),
        ("Wattenberg, Viégas, Johnson 2016: How to Use t-SNE Effectively", "paper",
         "https://distill.pub/2016/misread-tsne/"),
        ("Kobak and Berens 2019: The Art of Using t-SNE for Single-Cell Transcriptomics: start and learning rate",
         "paper", "https://doi.org/10.1038/s41467-019-13056-x"),
        ("Poličar, Stražar, Zupan 2024: openTSNE, a Modular Python Library for t-SNE", "paper",
         "https://doi.org/10.18637/jss.v109.i03"),
        ("Alpaydin and Kaynak 1998: Optical Recognition of Handwritten Digits, the 1,797 of scikit-learn", "data",
         "https://archive.ics.uci.edu/dataset/80"),
        ("Quinton-Chin: Applications of convolutional networks: image retrieval", "lecture"),
    ]
)  # fmt: skip
