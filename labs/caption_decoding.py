"""From the probability of every next word to a sentence: greedy, sampled at a temperature, or the best of a beam.

A network gives, for the words so far, the log probability of every word that may follow. It is asked by a function, a
`Step`; how its answers become a sentence is what this module is about. Logarithms are natural. Sources: Sutskever et
al. 2014 (beam search); Wu et al. 2016, section 7 (length normalisation); Williams and Zipser 1989 (teacher forcing).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

Step = Callable[[tuple[int, ...]], Tensor]


@dataclass(frozen=True)
class Spoken:
    """Words as numbers, the log probability of all of them together, and whether the last one ends the sentence.

    >>> Spoken((4, 2, 0), -1.5, True).score(), Spoken((4, 2, 0), -1.5, True).score(length_power=1.0)
    (-1.5, -0.5)
    """

    words: tuple[int, ...]
    log_probability: float
    ended: bool

    def score(self, length_power: float = 0.0) -> float:
        """What beams are compared by: the log probability over the number of words to a power. 0: no help for long
        sentences; 1: the mean of a word."""
        return self.log_probability / max(len(self.words), 1) ** length_power


def greedy(step: Step, end: int, longest: int) -> Spoken:
    """Always the most probable next word, until `end` is said or `longest` words are.

    >>> step = lambda said: torch.tensor([[0.1, 0.9], [0.6, 0.4]][len(said)]).log()
    >>> greedy(step, end=0, longest=5).words
    (1, 0)
    """
    words: tuple[int, ...] = ()
    total = 0.0
    while len(words) < longest:
        log_p, word = step(words).max(0)
        words, total = (*words, int(word)), total + float(log_p)
        if words[-1] == end:
            return Spoken(words, total, True)
    return Spoken(words, total, False)


def tempered(log_probabilities: Float[Tensor, "v"], temperature: float) -> Float[Tensor, "v"]:
    """The log probabilities at a temperature: divided by it, and normalised again.

    Below 1 the probable words gain, above 1 the others. At 0 the most probable word has all of it; of equals, the
    first.

    Errors: ValueError for a negative temperature.

    >>> tempered(torch.tensor([0.8, 0.2]).log(), 0.5).exp()
    tensor([0.9412, 0.0588])
    """
    if temperature < 0:
        raise ValueError(f"A temperature is at least 0, not {temperature:g}.")
    if temperature == 0:
        best = torch.full_like(log_probabilities, float("-inf"))
        best[log_probabilities.argmax()] = 0
        return best
    return (log_probabilities / temperature).log_softmax(0)


def sampled(step: Step, end: int, longest: int, temperature: float, seed: int) -> Spoken:
    """Every next word by lot, with its probability at a temperature; the same seed gives the same sentence.

    `log_probability` is the network's own, at temperature 1.

    >>> step = lambda said: torch.tensor([[0.1, 0.9], [0.6, 0.4]][len(said)]).log()
    >>> sampled(step, end=0, longest=5, temperature=0.0, seed=3).words
    (1, 0)
    """
    random = torch.Generator().manual_seed(seed)
    words: tuple[int, ...] = ()
    total = 0.0
    while len(words) < longest:
        log_p = step(words)
        word = int(torch.multinomial(tempered(log_p, temperature).exp(), 1, generator=random))
        words, total = (*words, word), total + float(log_p[word])
        if word == end:
            return Spoken(words, total, True)
    return Spoken(words, total, False)


def beam_search(step: Step, end: int, longest: int, width: int, length_power: float = 0.0) -> list[list[Spoken]]:
    """After every word, the `width` best beginnings, best first; the last entry holds the sentences that won.

    All words are tried after every beginning that has not ended; those that have ended stay and compete. With width 1
    it is greedy.

    Errors: ValueError for a width below 1.

    >>> table = {(): [0.0, 0.6, 0.4], (1,): [0.4, 0.3, 0.3], (2,): [0.9, 0.05, 0.05]}
    >>> step = lambda said: torch.tensor(table[said]).log()
    >>> greedy(step, end=0, longest=2).words, beam_search(step, end=0, longest=2, width=2)[-1][0].words
    ((1, 0), (2, 0))
    """
    if width < 1:
        raise ValueError(f"A beam holds at least one beginning, not {width}.")
    beam, history = [Spoken((), 0.0, False)], []
    while len(history) < longest and not all(each.ended for each in beam):
        candidates = [each for each in beam if each.ended]
        for each in beam:
            if not each.ended:
                following = step(each.words)
                log_p, words = following.topk(min(width, len(following)))
                candidates += [
                    Spoken((*each.words, word), each.log_probability + cost, word == end)
                    for cost, word in zip(log_p.tolist(), words.tolist(), strict=True)
                ]
        candidates.sort(key=lambda each: -each.score(length_power))
        beam = candidates[:width]
        history.append(beam)
    return history


def teacher_forced(step: Step, truth: Sequence[int]) -> tuple[Float[Tensor, "n"], Int64[Tensor, "n"]]:
    """Before every word of the true sentence, having heard the true words only: the log probability of the true next
    word, and the word that the network would have said.

    The mean of the first, without sign, is the loss that training makes small.

    >>> step = lambda said: torch.tensor([[0.1, 0.9], [0.6, 0.4]][len(said)]).log()
    >>> costs, said = teacher_forced(step, [0, 0])
    >>> costs.exp(), said
    (tensor([0.1000, 0.6000]), tensor([1, 0]))
    """
    steps = [step(tuple(truth[:length])) for length in range(len(truth))]
    if not steps:
        return torch.zeros(0), torch.zeros(0, dtype=torch.int64)
    table = torch.stack(steps)
    return table.gather(1, torch.tensor(truth)[:, None])[:, 0], table.argmax(1)
