"""Occupation titles: turns the plural titles of the Census code list into singular names and prose.

The rule, in order, on the Census 2018 title in lower case:

1. `, all other`, `, except …` and `, hand` go, and so does every `other`;
2. `, and`, `and` and `/` become `or`: one person is an accountant or an auditor;
3. each word loses its plural, unless it is one of `PLURAL` (words that only modify: sales, systems) or
   ends in `ss`;
4. for the name, punctuation and spaces become `_`.

`occupation_exceptions.csv` lists exceptions with their reasons: titles written backwards
("Bus drivers, school"), collective nouns, and titles too long to say.
"""

from __future__ import annotations

import re

# Words in -s that are not a plural of the person: modifiers, or words without a singular.
PLURAL = frozenset(
    """activities affairs analysis arts avionics benefits bus claims collections commodities communications
    electronics explosives facilities fitness furnishings gas goods grounds hazardous logistics materials
    miscellaneous news operations parts precious promotions relations religious resources sales sciences
    securities services simultaneous sports systems telecommunications trades utilities
    mathematics business""".split()
)
IRREGULAR = {"midwives": "midwife", "salespersons": "salesperson", "women": "woman", "men": "man"}


def singular(word: str) -> str:
    """Return the singular of a word: `-ies` to `-y`, `-sses`, `-shes`, `-ches` without `-es`, else without `-s`."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word in PLURAL or word.endswith("ss") or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1]


def prose(title: str) -> str:
    """Return a Census title for one person: "Accountants and auditors" -> "accountant or auditor"."""
    text = " ".join(title.lower().split())
    text = re.sub(r", (all other|hand)$|, except .*$|, including .*$", "", text)
    text = re.sub(r"\bother ", "", text).replace("--", ", ")
    text = re.sub(r",? and\b|/", lambda match: " or" if match[0] != "/" else " or ", text)
    text = re.sub(r"(, or\b|\bor( or\b)+)", " or", text)
    return re.sub(r"[a-z]+", lambda match: singular(match[0]), text)


def name(title: str) -> str:
    """Return the snake_case name of an occupation: `accountant_or_auditor`."""
    including = re.search(r", (including .*)$", title.lower())
    words = f"{prose(title)} {prose(including[1]) if including else ''}"
    return "_".join(re.findall(r"[a-z]+", words))
