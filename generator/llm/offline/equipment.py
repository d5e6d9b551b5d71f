"""Tools: which of the O*NET tools of an occupation are worth telling, and in what words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_LONGEST = 34
_ACRONYM = re.compile(r"^(?P<words>.+?) (?P<acronym>[A-Z]{2,5})(?P<rest> .*)?$")
_PUNCTUATED = re.compile(r"[,;:!?{}]|\.(?: |$)")
# What every desk has says nothing of anybody, and what is passed over in silence is no skill.
_COMMONPLACE = re.compile(
    r"computers?\b|printers?\b|facsimile|photocop|scanners?\b|telephone|phones?\b|smartphone|pagers?|paging|flash d|"
    r"typewriter|voice mail|calculator|headset|Microsoft (?:Outlook|Windows|Word|Edge|Office|Teams)|Firefox|Safari|"
    r"Facebook|Zoom|browser|Webex|Google Docs|digital assistants|compact dis|projectors?\b|pencils?|scissors|staplers?|"
    r"lockers?|notebooks?|carts?\b|buckets?|mops?\b|hard hats?|gloves|aprons?|vehicles?|^Chef$|weapon|"
    r"handcuff|guns?\b|rifle|restraint|network interface|telecheck|sensormatic|trash",
    re.IGNORECASE,
)
# Programs that say what somebody builds: odd where the work is something else.
_CODE = re.compile(
    r"JavaScript|C\+\+|C#|SQL\b|HTML|XML|Python|Java\b|Perl|PHP|Linux|UNIX|Ruby|Git|Apache|Visual (?:Basic|Studio)"
)
_VENDOR = re.compile(r"^(?:The MathWorks|Adobe Systems|IBM|Oracle) (?=[A-Z])")


@lru_cache(maxsize=4096)
def told_tools(tools: tuple[str, ...], *, coder: bool = False) -> tuple[Sequence[str], Sequence[str]]:
    """Return a piece of equipment and a program, or two pieces of equipment, without what is commonplace.

    `coder` if programs that others are built with belong to the work.
    """
    named = [text for text in map(_name, tools) if text and not _COMMONPLACE.search(text)]
    if not coder:
        named = [text for text in named if not _CODE.search(text)]
    equipment = [text for text in named if text[0].islower() and text.endswith(("s", "equipment"))]
    software = [text for text in named if text[0].isupper()]
    return equipment[: 1 if software else 2], software[:1]


def _name(text: str) -> str | None:
    """Return a tool without its spelled-out acronym ("flash drives USB"), None if too long to name in passing."""
    found = _ACRONYM.match(text)
    if found:
        words = found["words"].split(" ")
        initials = "".join(word[0] for word in words[-len(found["acronym"]) :]).upper()
        if initials == found["acronym"]:
            text = " ".join(words) + (found["rest"] or "")
            text = text[0].lower() + text[1:]
    text = _VENDOR.sub("", text)
    return text if len(text) <= _LONGEST and not _PUNCTUATED.search(text) else None
