"""Things and stuff in one map: every pixel has a class, and every thing a segment of its own."""

from labs import panoptic, panoptic_quality
from pages.panoptic import merging, paint, quality, shared, uniqueness
from ui import outside_lab_world, page, pictures

page.begin("Panoptic Segmentation")
picture = pictures.choose("panoptic", seed=shared.SEED)
outside_lab_world.warn(picture, [shared.SEGMENTER, shared.DETECTOR])
with page.guard():  # without weights there is one sentence
    merging.play(picture)
    uniqueness.unique()
    quality.scored(picture, quality.map_of(shared.seen(picture.image)))
    paint.paint(picture)

page.section("Show the code", "The functions on this page are those that the networks are judged with.")
page.show_code([panoptic.take_turns, panoptic.merge])
page.show_code(
    [panoptic_quality.judge, panoptic_quality.tally, panoptic_quality.quality],
    r"\mathrm{PQ} = \underbrace{\frac{\sum_{(p, g) \in TP} \mathrm{IoU}(p, g)}{|TP|}}_{\mathrm{SQ}} \times "
    r"\underbrace{\frac{|TP|}{|TP| + \frac12 |FP| + \frac12 |FN|}}_{\mathrm{RQ}}",
    "torchmetrics.detection.PanopticQuality(things, stuffs, return_sq_and_rq=True)",
)
page.sources(
    [
        ("Kirillov, He, Girshick, Rother, Dollár 2019: Panoptic Segmentation", "paper",
         "https://arxiv.org/abs/1801.00868"),
        ("Kirillov, Girshick, He, Dollár 2019: Panoptic Feature Pyramid Networks", "paper",
         "https://arxiv.org/abs/1901.02446"),
    ]
)  # fmt: skip
