"""Faster R-CNN: the network finds its own regions, so selective search and its time are gone."""

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import region_proposals
from labs.boxes import iou_matrix
from models import catalog
from models.inside import two_stages
from models.inside.two_stages import Stages
from models.networks.detector import PROPOSALS
from models.networks.fast_rcnn import FastDetection
from pages.rcnn_family.shared import (
    COLOURS, DETECTORS, FAST, FASTER, GREEN, SKY, Look, Run, Step, bars, duration, found_in, searched, truths, xyxy,
)  # fmt: skip
from ui import page
from ui.components import Box, Boxes, following, live_slider, stage, words
