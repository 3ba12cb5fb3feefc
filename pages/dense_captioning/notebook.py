"""This page to take home: a region's sentence word by word, the beam, the lot, and the picture with all sentences."""

from pages.dense_captioning.shared import MIDDLE, SEED
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text


def cells(state: State) -> list[Cell]:
    """The region of the hand, decoded in three ways, and every region of the picture."""
    drawn = get(state, "densecap_scene", [])
    return [
        text("## A sentence, word by word"),
        notebook.picture(state, "densecap", SEED),
        notebook.boxes_drawn(),
        parameters(box=tuple(drawn[-1].xyxy) if drawn else MIDDLE, said=get(state, "densecap_word", 2)),
        code(
            """
            import numpy as np
            import torch

            from labs import caption_decoding
            from models import catalog
            from models.networks.caption_words import END, LONGEST, WORDS, sentence

            network = catalog.load("densecap")
            seen = network(image)
            region = network.regions(seen, torch.tensor([box], dtype=torch.float32))
            step = network.step(region)
            spoken = caption_decoding.greedy(step, END, LONGEST)
            caption = network.caption(region, spoken.words)
            print(caption.text)
            for word, log_p in zip(spoken.words, caption.log_probabilities):
                print(f"{WORDS[word]:12} {2.718281828 ** log_p:.3f}")

            after = network.follow(region, spoken.words[:said])[0][-1].exp()
            for p, word in zip(*after.topk(6)):
                print(f"next: {WORDS[int(word)]:12} {float(p):.3f}")

            figure, axes = plt.subplots(figsize=(5, 5))
            axes.imshow(image)
            draw(axes, [box], "orange", linewidth=3)
            axes.set_title(caption.text, wrap=True)
            plt.show()
            """
        ),
        text("## By lot, and by beam"),
        parameters(
            temperature=get(state, "densecap_temperature", 2.0), lot=get(state, "densecap_lot", 0),
            width=get(state, "densecap_width", 4), power=get(state, "densecap_power", 0.0),
        ),
        code(
            """
            for seed in range(lot, lot + 5):
                drawn = caption_decoding.sampled(step, END, LONGEST, temperature, seed)
                print(f"{drawn.log_probability:7.1f}  {sentence(drawn.words)}")
            won = caption_decoding.beam_search(step, END, LONGEST, width, power)[-1][0]
            print(f"beam {won.log_probability:7.2f}  {sentence(won.words)}")
            """
        ),
        text("## A sentence for every region"),
        parameters(
            overlap=get(state, "densecap_nms", 0.5), weight=get(state, "densecap_weight", 0.5),
            least=get(state, "densecap_least", 0.3),
        ),
        code(
            """
            from labs import caption_scores, nms

            boxes, scores = network.proposed(seen, overlap=0.95)
            captions = network.greedy(network.regions(seen, boxes)) if len(boxes) else []
            joint = caption_scores.joint(scores.numpy(), np.array([each.mean for each in captions]), weight)
            joint = torch.from_numpy(joint).float()
            kept = nms.survivors(boxes, joint, overlap, torch.zeros(len(boxes), dtype=torch.int64))
            kept = [int(row) for row in kept if joint[row] >= least]
            for row in kept:
                print(f"{float(joint[row]):.2f}  {captions[row].text}")

            figure, axes = plt.subplots(figsize=(6, 6))
            axes.imshow(image)
            draw(axes, boxes[kept].tolist(), "orange", linewidth=2)
            plt.show()
            """
        ),
        questions(
            "Set the first word of the sentence to “an” and go on greedily. Which colours follow now, and why?",
            "Cover the thing with grey and ask for the sentence of its region again. Which words stay, and where do "
            "they come from?",
        ),
    ]  # fmt: skip
