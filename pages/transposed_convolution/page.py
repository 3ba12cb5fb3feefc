"""How can a network learn to upsample? Stamps, the transposed matrix, zero insertion, and checkerboards."""

import streamlit as st

from labs import checkerboard as counting
from labs import learned_upsampling as learned
from labs import transposed_convolution as tc
from pages.transposed_convolution import blocks, checkerboard, inverse, learning, matrix, stamping, zeros
from ui import page

page.begin("Transposed Convolution")
if page.section(
    "Stamp and add",
    "Weight the filter by an input value, copy it to the output, move on by the stride, add where copies overlap.",
):
    stamping.stamp()

if page.section(
    "A filter that learns",
    "Nobody has to choose the filter: gradient descent finds it from small pictures and their large originals.",
):
    learning.learn()
st.markdown(
    "The filter that *Stamp and add* begins with, 1 2 1 times 1 2 1, is the bilinear filter times 4. FCN starts its "
    "upsampling layers with the bilinear filter, and lets them learn from there."
)

if page.section(
    "The matrix and its transpose",
    "A convolution is a matrix $X$, the filter sliding along its rows. Transposed convolution multiplies by $X^\\top$.",
):
    matrix.matrix()
st.markdown(
    "**One operation, many names:** *transposed convolution* is the best one. Also in use: *upconvolution*, "
    "*fractionally strided convolution*, *backward strided convolution*, and *deconvolution*."
)
page.erratum(
    slide="This layer is a deconvolution.",
    truth="Deconvolution is a bad name for this layer. In signal processing it undoes a convolution; $X^\\top$ brings "
    "back the size, not the values, because it is not $X^{-1}$. See *Not an inverse* below.",
)

if page.section(
    "Two axes: blocks of blocks",
    "Flatten the maps and the 2-D case is a matrix again: blocks repeat like taps, and taps repeat inside each block.",
):
    blocks.blocks()

if page.section(
    "Zeros in between, then a normal convolution",
    "Put stride minus one zeros between the inputs, turn the filter by 180 degrees, and convolve with stride 1.",
):
    zeros.zeros()
page.erratum(
    slide="With a stride above 1, transposed convolution cannot be expressed as a normal convolution.",
    truth="With a stride above 1 it still is a normal convolution: insert $s-1$ zeros between neighbours, then "
    "convolve with the flipped filter. Multiplying so many zeros is wasteful, so libraries compute it as the gradient "
    "of a convolution with respect to its input.",
)

if page.section(
    "Not an inverse", "Several input sizes shrink to the same output size, so the way back must be told which."
):
    inverse.inverse()

if page.section(
    "Uneven overlap",
    "If the stride does not divide the filter size, neighbouring pixels get different numbers of copies.",
):
    checkerboard.overlap()

if page.section(
    "On a real network",
    "Two segmenters of this lab, alike but for their upsampling, look at the same picture. The transposed one uses 3×3 "
    "filters at stride 2: does the pattern survive training?",
):
    checkerboard.trained()

page.section("Show the code", "The functions that made the pictures above.")
page.show_code(
    [tc.tap_matrix, tc.convolution_matrix, tc.transposed_convolution_matrix],
    r"\text{conv}(u) = X u, \quad \text{conv}^\top(v) = X^\top v",
    "torch.nn.functional.conv_transpose1d(v, w, stride=2, padding=1, output_padding=1)",
)
page.show_code(
    [tc.scatter_steps, tc.trim],
    r"y[s\,i + d\,k - p] \mathrel{+}= x[i]\, w[k]",
    "torch.nn.ConvTranspose2d(64, 32, kernel_size=4, stride=2, padding=1)",
)
page.show_code(
    [learned.bilinear_filter, learned.double, learned.gradient, learned.step],
    r"\frac{\partial L}{\partial w[a, b]} = \frac{2}{N} \sum_{i,j} x[i,j]\, e[2i + a - p,\, 2j + b - p]",
    "torch.optim.SGD(layer.parameters(), lr=2.0, momentum=0.9)",
)
page.show_code(
    [tc.insert_zeros, tc.border, tc.as_normal_convolution],
    r"\text{size} = s\,(n-1) + d\,(k-1) + 1 - 2p + p_\text{out}",
    "torch.nn.functional.conv_transpose2d(x, w, stride=2)",
)
page.show_code(
    [counting.overlap_counts, counting.phase_share, counting.nyquist_peak],
    r"\frac{\sum_c \mathrm{Var}_{\text{phase}}(\bar f_{c,\text{phase}})}{\sum_c \mathrm{Var}(f_c)}",
)
page.sources(
    [
        ("Dumoulin, Visin 2016: A guide to convolution arithmetic for deep learning", "paper", "https://arxiv.org/abs/1603.07285"),
        ("Odena, Dumoulin, Olah 2016: Deconvolution and Checkerboard Artifacts", "article", "https://distill.pub/2016/deconv-checkerboard"),
        ("Zeiler et al. 2010: Deconvolutional Networks", "paper"),
        ("Long, Shelhamer, Darrell 2015: Fully Convolutional Networks for Semantic Segmentation", "paper", "https://arxiv.org/abs/1411.4038"),
        ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
    ]
)  # fmt: skip
