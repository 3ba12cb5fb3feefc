"""How does a network get its resolution back? Interpolation, max unpooling, receptive fields, five decoders."""

from labs import receptive_field, segmentation_metrics, upsampling
from pages.upsampling import field_of_view, interpolation, networks, unpooling
from ui import page

page.begin("Upsampling")
interpolation.enlarge()
unpooling.unpool()
field_of_view.receptive()
networks.networks()

page.section(
    "Show the code",
    "What made the pictures. The networks call nearest, bed of nails, bilinear and max unpooling themselves.",
)
page.show_code(
    [upsampling.bilinear, upsampling.weights_1d],
    r"f(x, y) = \sum_{i,j} f(i, j)\, \max(0, 1-|x-i|)\, \max(0, 1-|y-j|)",
    'torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)',
)
page.show_code(
    [upsampling.bicubic, upsampling.cubic_kernel],
    r"w(d) = \begin{cases} (a+2)|d|^3 - (a+3)|d|^2 + 1 & |d| \le 1 \\"
    r" a\,(|d|^3 - 5|d|^2 + 8|d| - 4) & 1 < |d| < 2 \end{cases}",
    'torch.nn.functional.interpolate(x, scale_factor=2, mode="bicubic")',
)
page.show_code(
    [upsampling.max_pool, upsampling.max_unpool],
    r"\text{out}[p_k] = v_k, \quad p_k = \arg\max_{p \in \text{window}_k} \text{in}[p]",
    "pool = torch.nn.MaxPool2d(2, return_indices=True)\nunpool = torch.nn.MaxUnpool2d(2)",
)
page.show_code(
    [receptive_field.trace, receptive_field.measure],
    r"r_l = r_{l-1} + (k_l - 1)\, j_{l-1}, \quad j_l = j_{l-1}\, s_l",
)
page.show_code(
    [
        segmentation_metrics.scene_mean_iou,
        segmentation_metrics.stray_pixels,
        segmentation_metrics.class_boundary_f,
        segmentation_metrics.boundary_f,
    ],
    r"\text{IoU} = \frac{|T \cap P|}{|T \cup P|}, \qquad F = \frac{2PR}{P + R}",
    "torchmetrics.segmentation.MeanIoU(num_classes=13)",
)
page.sources(
    [
        (
            "Noh, Hong, Han 2015: Learning Deconvolution Network for Semantic Segmentation",
            "paper",
            "https://arxiv.org/abs/1505.04366",
        ),
        (
            "Keys 1981: Cubic Convolution Interpolation for Digital Image Processing",
            "paper",
            "https://doi.org/10.1109/TASSP.1981.1163711",
        ),
        ("Luo et al. 2016: Understanding the Effective Receptive Field", "paper", "https://arxiv.org/abs/1701.04128"),
        (
            "Araujo, Norris, Sim 2019: Computing Receptive Fields of Convolutional Neural Networks",
            "article",
            "https://distill.pub/2019/computing-receptive-fields",
        ),
        ("Csurka et al. 2013: What is a good evaluation measure for semantic segmentation?", "paper"),
        ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
    ]
)
