"""The words of Lab World's sentences, and what of a thing a sentence tells."""

import re
from collections.abc import Sequence

START = 0  # what stands before the first word; no sentence has it
_ALL = """
(bumps) (curve) (exclamation) (junction) (walker) 20 30 40 50 60 70 80 90 SUV a air an and arms arrow ball bans
basket basketball beach beagle bearded bedroll behind beige black blue board body brown by calico canoe car case cat
charcoal chocolate chopper classic coat convertible corgi crates cream crossed crossing cruiser cut dachshund
dalmatian dark diamond disc dog dots dotted dress duck duckling dungarees edge estate football for from front ginger
give-way golden grass green grey hands hatchback hay hidden hips in jumping kicking labrador light like lilac lime
limit loaded loaf luggage lying mallard mandarin mint motocross motorcycle navy no-entry octagon of off on one-way
orange over panniers parking partly patched pedestrian pentagons person pick-up picture pink pointing pole priority
pumpkins purple rack red red-brown road roof runner running scarf scooter second sedan seen shepherd shorts siamese
side sign silver sitting skirt sky spaniel speckled speed sports spotted square standing star stop street striped
stripes sturdy surfboard swimming tabby tall taxi teal tennis terrier that the top tourer tree triangle trousers
tufted turning tuxedo two-tone van walking warning water waving white with wooden yellow young
"""
WORDS = ("<start>", ".", ",", *_ALL.split())
END = WORDS.index(".")
LONGEST = 40  # words of a sentence, the full stop among them: Lab World's own have at most 35
_NUMBERS = {word: number for number, word in enumerate(WORDS)}


def tokens(sentence: str) -> list[int]:
    """The numbers of a sentence's words; commas and the full stop are words, and the first letter is made small.

    Raises:
        ValueError: a word that Lab World does not have.

    >>> [WORDS[number] for number in tokens("A black cat, sitting on the road.")]
    ['a', 'black', 'cat', ',', 'sitting', 'on', 'the', 'road', '.']
    """
    words = re.findall(r"[^\s,.]+|[,.]", sentence[:1].lower() + sentence[1:])
    if unknown := [word for word in words if word not in _NUMBERS]:
        raise ValueError(f"Lab World has no word “{unknown[0]}”.")
    return [_NUMBERS[word] for word in words]


def sentence(numbers: Sequence[int]) -> str:
    """The sentence of these words, as a caption is written.

    >>> sentence(tokens("A black cat, sitting on the road."))
    'A black cat, sitting on the road.'
    """
    text = re.sub(r" ([,.])", r"\1", " ".join(WORDS[number] for number in numbers))
    return text[:1].upper() + text[1:]
