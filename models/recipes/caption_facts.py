"""What a sentence of Lab World tells of its thing, read back from its words: class, attributes, and where it is."""

import re

COLOURS = (
    "sky blue", "light blue", "red-brown", "red", "orange", "yellow", "green", "mint", "teal", "blue", "navy", "purple",
    "pink", "brown", "beige", "white", "grey", "black", "lime", "cream", "silver", "golden", "ginger", "chocolate",
    "charcoal", "lilac",
)  # fmt: skip
_C = "(" + "|".join(COLOURS) + ")"
_BUILDS = "labrador|dachshund|terrier|spaniel|dalmatian|shepherd|beagle|corgi"
_CLASS = re.compile(r"\b(person|cat|dog|duckling|duck|car|motorcycle|street sign|football|basketball|ball)\b")
_SAME = {"duckling": "duck", "football": "ball", "basketball": "ball"}
# Per class and attribute, where its words stand; what is not said has the value "".
ATTRIBUTES: dict[str, dict[str, str]] = {
    "person": {
        "body": r"\b(young|tall|sturdy) person",
        "clothes": r"\b(dress|coat|dungarees|skirt|trousers|shorts)\b",
        "colour": rf"in (?:an? )?{_C} (?:dress|coat|dungarees|skirt|trousers|shorts)",
        "top": rf"\b{_C} top",
        "pattern": r"\b(striped|dotted|two-tone) ",
        "pose": r", (?:with )?(standing|walking|running|waving|sitting|jumping|kicking|arms crossed|hands on hips)\b",
    },
    "cat": {
        "coat": r"\b(tabby|tuxedo|siamese|calico|white and)\b",
        "colour": rf"\b{_C} (?:tabby |tuxedo )?cat",
        "pose": r", (walking|sitting like a loaf|sitting|lying|standing)\b",
    },
    "dog": {
        "build": rf"\b({_BUILDS})\b",
        "coat": r"\b(spotted|patched|bearded)\b",
        "colour": rf"\b{_C} (?:{_BUILDS})",
        "pose": r", (walking|sitting|lying|standing)\b",
    },
    "duck": {
        "kind": r"\b(mallard|speckled|mandarin|duckling|tufted|runner)\b",
        "colour": rf"\b{_C} (?:duckling|runner duck|duck)",
        "scarf": r"\b(red|blue|purple) scarf",
        "pose": r", (standing|walking|swimming)\b",
    },
    "car": {
        "body": r"\b(hatchback|sedan|estate|pick-up|sports|classic|SUV|convertible|van)\b",
        "colour": rf"^an? {_C}",
        "second colour": rf" and {_C}",
        "load": r"\b(rack|luggage|surfboard|taxi sign|blue light|canoe|hay|crates|pumpkins)\b",
        "view": r"seen from (the side|the front|behind)",
    },
    "motorcycle": {
        "build": r"\b(classic|cruiser|scooter|sports|motocross|tourer|chopper) motorcycle",
        "colour": rf"^an? {_C}",
        "second colour": rf" and {_C}",
        "luggage": r"\b(top case|panniers|basket|bedroll)\b",
    },
    "street sign": {
        "kind": r"\b(warning triangle|warning diamond|speed limit|stop octagon|bans turning|no-entry|with an arrow"
                r"|parking|pedestrian crossing|one-way|give-way|priority|pointing board)\b",
        "shows": r"\((\w+)\)|limit of (\d+)",
        "colour": rf"^a street sign with an? {_C}",
        "second sign": r"\b(second sign)\b",
        "pole": r"\b(grey|striped|dark|wooden|white) pole",
    },
    "ball": {
        "kind": r"\b(football|beach|basketball|tennis|stripes|star|dots)\b",
        "colour": rf"^an? {_C}",
        "second colour": rf"(?:with (?:an? )?|, ){_C} (?:pentagons|stripes|star|dots|and)",
        "third colour": rf"and {_C} beach",
    },
}  # fmt: skip


def class_of(sentence: str) -> str:
    """The class that a sentence names; empty if it names none.

    >>> class_of("A brown duckling, standing on the grass, partly hidden behind a car."), class_of("The sky.")
    ('duck', '')
    """
    found = _CLASS.search(_own(sentence))
    return _SAME.get(found[1], found[1]) if found else ""


def attributes_of(sentence: str) -> dict[str, str]:
    """Every attribute that the sentences of its class can tell; empty where it is not said.

    >>> attributes_of("A spotted dalmatian dog, sitting on the road.")
    {'build': 'dalmatian', 'coat': 'spotted', 'colour': '', 'pose': 'sitting'}
    """
    own, told = _own(sentence), {}
    for name, pattern in ATTRIBUTES.get(class_of(sentence), {}).items():
        found = re.search(pattern, own)
        told[name] = next((group for group in found.groups() if group), "") if found else ""
    return told


def place_of(sentence: str) -> dict[str, str]:
    """The ground, whether it is in the air, what hides it, and whether the picture's edge cuts it.

    >>> place_of("A red ball, in the air over the grass, partly hidden behind a car.")
    {'ground': 'grass', 'in the air': 'air', 'hidden behind': 'car', 'cut off': ''}
    """
    patterns = {"ground": r"\b(grass|road|water)\b", "in the air": r"in the (air)", "cut off": r"\b(cut off)\b",
                "hidden behind": r"hidden behind an? ([a-z ]+)"}  # fmt: skip
    found = {name: re.search(pattern, sentence) for name, pattern in patterns.items()}
    order = ("ground", "in the air", "hidden behind", "cut off")
    return {name: match[1] if (match := found[name]) else "" for name in order}


def _own(sentence: str) -> str:
    """Without what hides the thing, its first letter small."""
    own = sentence.split(", partly hidden behind")[0]
    return own[:1].lower() + own[1:]
