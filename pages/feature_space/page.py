"""What a network remembers: the last features of a picture as its signature, and what lies near it."""

from labs import nearest_neighbours
from models.inside import signatures
from pages.feature_space import clusters, digits, plot, precision, retrieval
from pages.feature_space.shared import LAB
from ui import outside_lab_world, page, pictures

page.begin("What a Network Remembers")
picture = pictures.choose("space", seed=577)
outside_lab_world.warn(picture, [LAB])
with page.guard():
    found, measure = retrieval.choose()
    retrieval.play(picture, found, measure)
    precision.precision(found, measure)
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
        ("Quinton-Chin: Applications of convolutional networks: image retrieval", "lecture"),
    ]
)  # fmt: skip
