"""Where is it? A window classifier slid over the picture, all of its windows in one pass, and what that costs."""

from labs import boxes as box_lab
from labs import image_pyramid, nms, segmentation_metrics, sliding_window
from pages.sliding_window import (
    boxes,
    convolution,
    count,
    evaluated,
    every,
    hand,
    pixels,
    price,
    pyramid,
    shared,
)
from ui import outside_lab_world, page

page.begin("Sliding Window")
look = shared.choose()
picture = look.picture
with page.guard():  # without weights there is one sentence
    outside_lab_world.warn(picture, [look.network])
    hand.play(look)
    count.counting(look)
    every.every(look)
    convolution.convolution(look)
    price.price(look)
    boxes.boxes(picture)
    pyramid.pyramid(picture)
    evaluated.evaluated()
    pixels.pixels(picture)

page.section("Show the code", "The functions on this page; the networks are built of the same layers.")
page.show_code(
    [sliding_window.layers, sliding_window.scores_by_window, sliding_window.scores_at_once],
    r"\#\text{windows} = \left(\frac{N - 28}{4} + 1\right)^2",
    "torch.nn.functional.conv2d(picture[None], weights, bias)",
)
page.show_code(
    [sliding_window.as_convolution, sliding_window.as_fully_connected],
    r"\sum_{k,i,j} w_{u,(k,i,j)}\, x_{k,\, r+i,\, c+j} + b_u = (w_u \star x)_{r,c} + b_u",
)
page.show_code(
    [sliding_window.above, nms.survivors],
    library="torchvision.ops.batched_nms(boxes, scores, labels, iou_threshold)",
)
page.show_code(
    [image_pyramid.candidates, box_lab.decode],
    r"b_x = p_x + p_w t_x, \quad b_y = p_y + p_h t_y, \quad b_w = p_w e^{t_w}, \quad b_h = p_h e^{t_h}",
)
page.show_code(
    [image_pyramid.level_sizes, image_pyramid.pyramid, image_pyramid.to_picture, image_pyramid.share_of_first_level],
    r"1 + \frac{1}{s^2} + \frac{1}{s^4} + \dots < \frac{s^2}{s^2 - 1}",
    "skimage.transform.pyramid_gaussian(picture, downscale=1.4, channel_axis=-1)",
)
page.show_code([image_pyramid.scores_of_centres, image_pyramid.at_stride, segmentation_metrics.scene_mean_iou])
page.show_code([sliding_window.positions, sliding_window.all_boxes, sliding_window.times_convolved])
page.sources(
    [
        (
            "Sermanet et al. 2014: OverFeat, Integrated Recognition, Localization and Detection",
            "paper",
            "https://arxiv.org/abs/1312.6229",
        ),
        (
            "Long, Shelhamer, Darrell 2015: Fully Convolutional Networks for Semantic Segmentation",
            "paper",
            "https://arxiv.org/abs/1411.4038",
        ),
        ("Dalal and Triggs 2005: Histograms of Oriented Gradients for Human Detection", "paper",
         "https://doi.org/10.1109/CVPR.2005.177"),
        ("Adelson et al. 1984: Pyramid methods in image processing", "paper",
         "https://persci.mit.edu/pub_pdfs/RCA84.pdf"),
        ("Rowley, Baluja, Kanade 1998: Neural Network-Based Face Detection", "paper",
         "https://doi.org/10.1109/34.655647"),
        ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
        ("Quinton and Chin: CNN applications", "lecture"),
        ("Ain Shams University CSE463: CNN applications", "lecture"),
    ]
)  # fmt: skip
