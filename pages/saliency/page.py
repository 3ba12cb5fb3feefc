"""Which pixels mattered? Gradients, occlusion, and whether either can be believed."""

from labs import saliency
from pages.saliency import gradients, shared
from ui import outside_lab_world, page, pictures

page.begin("Saliency")
picture = pictures.choose("saliency", seed=577)
outside_lab_world.warn(picture, [shared.DRAWINGS])
with page.guard():  # without weights there is one sentence
    page.section("Play", "Ask for a class: which pixels would change its score the most if they changed a little?")
    focus = shared.choose(picture)
    gradients.play(focus)
    gradients.spread(focus)

page.section("Show the code", "The functions that made the maps on this page.")
page.show_code(
    [saliency.largest_magnitude, saliency.fewest_pixels],
    r"M_c(x, y) = \max_k \left| \frac{\partial S_c}{\partial I_k(x, y)} \right|",
    "captum.attr.Saliency(model).attribute(pictures, target=c).amax(1)",
)
page.sources(
    [
        ("Simonyan, Vedaldi, Zisserman 2014: Deep Inside Convolutional Networks", "paper",
         "https://arxiv.org/abs/1312.6034"),
        ("Quinton and Chin: CNN applications", "lecture"),
    ]
)  # fmt: skip
