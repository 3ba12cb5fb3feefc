"""Porter's stemmer: what is left of an English word without its endings, so that “stripes” and “striped” are one.

Five steps of rules; of those of a step, the longest ending that fits decides. A word of one or two letters stays.
Source: Porter 1980, An algorithm for suffix stripping.
"""

import re
from collections.abc import Sequence
from functools import cache

_SECOND = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("abli", "able"),
    ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
    ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
    ("iviti", "ive"), ("biliti", "ble"),
)  # fmt: skip
_THIRD = (("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""))
_FOURTH = tuple(
    (ending, "")
    for ending in ("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism",
                   "ate", "iti", "ous", "ive", "ize")
)  # fmt: skip


@cache
def stem(word: str) -> str:
    """The stem of a word of small letters.

    >>> [stem(word) for word in ("caresses", "ponies", "striped", "stripes", "standing", "relational", "hopefulness")]
    ['caress', 'poni', 'stripe', 'stripe', 'stand', 'relat', 'hope']
    """
    if len(word) < 3:
        return word
    word = _replaced(word, (("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")), least=-1)
    word = _past(word)
    if word.endswith("y") and _has_vowel(word[:-1]):
        word = word[:-1] + "i"
    word = _replaced(word, _SECOND, least=0)
    word = _replaced(word, _THIRD, least=0)
    word = _replaced(word, _FOURTH, least=1)
    if word.endswith("e") and (measure(word[:-1]) > 1 or (measure(word[:-1]) == 1 and not _short(word[:-1]))):
        word = word[:-1]
    return word[:-1] if word.endswith("ll") and measure(word[:-1]) > 1 else word


def measure(stem: str) -> int:
    """How often vowels are followed by consonants: Porter's m.

    >>> [measure(part) for part in ("tree", "trouble", "oaten", "private")]
    [0, 1, 2, 2]
    """
    return len(re.findall("v+c+", _kinds(stem)))


def _kinds(word: str) -> str:
    """Per letter c or v; y is a vowel after a consonant."""
    kinds = ""
    for letter in word:
        vowel = letter in "aeiou" or (letter == "y" and kinds.endswith("c"))
        kinds += "v" if vowel else "c"
    return kinds


def _has_vowel(stem: str) -> bool:
    return "v" in _kinds(stem)


def _short(stem: str) -> bool:
    """Ends in consonant, vowel, consonant, the last not w, x or y."""
    return _kinds(stem).endswith("cvc") and stem[-1] not in "wxy"


def _past(word: str) -> str:
    """Without -eed, -ed and -ing, mended."""
    if word.endswith("eed"):
        return word[:-1] if measure(word[:-3]) > 0 else word
    for ending in ("ed", "ing"):
        rest = word.removesuffix(ending)
        if rest != word and _has_vowel(rest):
            if rest.endswith(("at", "bl", "iz")):
                return rest + "e"
            if len(rest) > 1 and rest[-1] == rest[-2] and rest[-1] not in "aeioulsz":
                return rest[:-1]
            return rest + "e" if measure(rest) == 1 and _short(rest) else rest
    return word


def _replaced(word: str, rules: Sequence[tuple[str, str]], least: int) -> str:
    """The longest ending that fits is replaced if the measure of what is before it is greater than `least`."""
    fitting = [rule for rule in rules if word.endswith(rule[0])]
    if not fitting:
        return word
    ending, instead = max(fitting, key=lambda rule: len(rule[0]))
    rest = word[: len(word) - len(ending)]
    allowed = measure(rest) > least and (ending != "ion" or rest.endswith(("s", "t")))
    return rest + instead if allowed else word
