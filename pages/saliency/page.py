"""Which pixels mattered? Gradients, occlusion, and whether either can be believed."""

from labs import grab_cut_seeds, heat_map_quality, planted_mark, saliency
from labs import occlusion as occlusion_lab
from models.inside import attribution
from pages.saliency import (
    compared,
    gradients,
    integrated,
    occlusion,
    randomised,
    scores,
    segmentation,
    shared,
    shortcut,
    smoothgrad,
)
from ui import page, pictures

page.begin("Saliency")
picture = pictures.choose("saliency", seed=448)
with page.guard():  # without weights there is one sentence
    page.section("Play", "Ask for a class: which pixels would change its score the most if they changed a little?")
    focus = shared.choose(picture)
    gradients.play(focus)
    gradients.spread(focus)
    smoothgrad.smoothgrad(focus)
    integrated.integrated(focus)
    compared.compared(focus)
    occlusion.cover(focus)
    segmentation.segmentation(focus)
    scores.scores()
    randomised.randomised(focus)
    shortcut.shortcut(focus)

page.section("Show the code", "The functions that made the maps on this page.")
page.show_code(
    [saliency.largest_magnitude, saliency.fewest_pixels],
    r"M_c(x, y) = \max_k \left| \frac{\partial S_c}{\partial I_k(x, y)} \right|",
    "captum.attr.Saliency(model).attribute(pictures, target=c).amax(1)",
)
page.show_code(
    [saliency.noisy_copy, saliency.mean_so_far],
    r"\frac{1}{n} \sum_{i=1}^{n} \frac{\partial S_c}{\partial I}(I + \mathcal{N}(0, \sigma^2))",
    "captum.attr.NoiseTunnel(captum.attr.Saliency(model)).attribute(pictures, nt_samples=n, stdevs=0.1, target=c)",
)
page.show_code(
    [saliency.straight_path, saliency.contribution, saliency.integrated_gradients],
    r"(I - I_0) \cdot \frac{1}{m} \sum_{k=0}^{m-1} \frac{\partial S_c}{\partial I}"
    r"\Big(I_0 + \frac{k + 1/2}{m} (I - I_0)\Big)",
    "captum.attr.IntegratedGradients(model).attribute(pictures, baselines, target=c, n_steps=m)",
)
page.show_code(
    [occlusion_lab.occluded, occlusion_lab.patches_of, occlusion_lab.occlusion_map],
    r"\text{fall} = S_c(I) - S_c(I \text{ with the patch})",
    "captum.attr.Occlusion(model).attribute(pictures, (3, 48, 48), (3, 24, 24), baselines, target=c)",
)
page.show_code(
    [grab_cut_seeds.seeds, grab_cut_seeds.cut, grab_cut_seeds.mask_iou],
    r"\text{thing}: M > q_{0.95}(M), \quad \text{rest}: M \le q_{0.30}(M)",
    "cv2.grabCut(image, mask, None, rest_model, thing_model, rounds, cv2.GC_INIT_WITH_MASK)",
)
page.show_code(
    [attribution.randomised, heat_map_quality.rank_correlation, heat_map_quality.similarity],
    r"\rho = \text{corr}\big(\text{rank}(M_\text{trained}), \text{rank}(M_\text{drawn anew})\big)",
    "scipy.stats.spearmanr(a.ravel(), b.ravel()), skimage.metrics.structural_similarity(a, b, data_range=1)",
)
page.show_code([planted_mark.marked, planted_mark.covered, heat_map_quality.energy_over_area])
page.erratum(
    "A saliency map shows which pixels contributed to the score.",
    "The gradient is **not a contribution**: it says how far the score would move if a pixel changed a little. Where "
    "the score has saturated, pixels that made it may have no gradient. Integrated gradients are contributions "
    "against a baseline, and add up to the score's difference.",
)
page.erratum(
    "Guided backpropagation shows what the network looked for in this class.",
    "Its map **barely depends on the class**: ask for another one, and it hardly changes. It draws the edges that pass "
    "through the network, whatever was asked.",
)
page.sources(
    [
        ("Simonyan, Vedaldi, Zisserman 2014: Deep Inside Convolutional Networks", "paper",
         "https://arxiv.org/abs/1312.6034"),
        ("Smilkov et al. 2017: SmoothGrad, removing noise by adding noise", "paper",
         "https://arxiv.org/abs/1706.03825"),
        ("Sundararajan, Taly, Yan 2017: Axiomatic Attribution for Deep Networks (integrated gradients)", "paper",
         "https://arxiv.org/abs/1703.01365"),
        ("Shrikumar, Greenside, Kundaje 2017: Learning Important Features, gradient × input", "paper",
         "https://arxiv.org/abs/1704.02685"),
        ("Springenberg et al. 2015: Striving for Simplicity (guided backpropagation)", "paper",
         "https://arxiv.org/abs/1412.6806"),
        ("Nie, Zhang, Patel 2018: why guided backpropagation hardly depends on the class", "paper",
         "https://arxiv.org/abs/1805.07039"),
        ("Zeiler, Fergus 2014: Visualizing and Understanding Convolutional Networks (occlusion)", "paper",
         "https://arxiv.org/abs/1311.2901"),
        ("Zhang et al. 2016: Top-down Neural Attention by Excitation Backprop, the pointing game", "paper",
         "https://arxiv.org/abs/1608.00507"),
        ("Boykov, Jolly 2001: Interactive Graph Cuts; Rother et al. 2004: GrabCut", "paper",
         "https://doi.org/10.1145/1015706.1015720"),
        ("Adebayo et al. 2018: Sanity Checks for Saliency Maps", "paper", "https://arxiv.org/abs/1810.03292"),
        ("Lapuschkin et al. 2019: Unmasking Clever Hans predictors", "paper", "https://arxiv.org/abs/1902.10178"),
        ("Geirhos et al. 2020: Shortcut Learning in Deep Neural Networks", "paper", "https://arxiv.org/abs/2004.07780"),
        ("Quinton and Chin: CNN applications", "lecture"),
    ]
)  # fmt: skip
