"""Tool names: chooses O*NET tools that a text may name, and their wording."""

from __future__ import annotations

import re

KINDS = ("equipment", "program", "code")
"""Kinds of tools: equipment, software, or development tools."""
_LONGEST = 34
_ACRONYM = re.compile(r"^(?P<words>.+?) (?P<acronym>[A-Z]{2,5})(?P<rest> .*)?$")
_PUNCTUATED = re.compile(r"[,;:!?{}]|\.(?: |$)")
# Tools that are too common, or too unpleasant, to mention.
_COMMONPLACE = re.compile(
    r"computers?\b|printers?\b|facsimile|photocop|scanners?\b|telephone|phones?\b|smartphone|pagers?|paging|flash d|"
    r"typewriter|voice mail|calculator|headset|Microsoft (?:EarlyStop|Windows|Word|Edge|Office|Outlook|Teams)|"
    r"Adobe (?:Acrobat|Reader)|Kronos|on hold|Firefox|Safari|"
    r"Facebook|Zoom|browser|Webex|Google Docs|digital assistants|compact dis|projectors?\b|pencils?|scissors|staplers?|"
    r"lockers?|notebooks?|carts?\b|buckets?|mops?\b|hard hats?|gloves|aprons?|vehicles?|^Chef$|weapon|"
    r"handcuff|guns?\b|rifle|restraint|network interface|telecheck|sensormatic|trash",
    re.IGNORECASE,
)
# Development tools: odd in texts about other work.
_CODE = re.compile(
    r"JavaScript|C\+\+|C#|SQL\b|HTML|XML|Python|Java\b|Perl|PHP|Linux|UNIX|Ruby|Git|Apache|Visual (?:Basic|Studio)"
)
_VENDOR = re.compile(r"^(?:The MathWorks|Adobe Systems|IBM|Oracle) (?=[A-Z])")


def name_tool(text: str) -> tuple[str, str]:
    """Return the name of an O*NET tool for a sentence, and its kind; two empty strings to leave it out."""
    name = _name(text)
    if name is None or _COMMONPLACE.search(name):
        return "", ""
    if _CODE.search(name):
        return name, "code"
    if name[0].islower() and name.endswith(("s", "equipment")):
        return name, "equipment"
    return (name, "program") if name[0].isupper() else ("", "")


def _name(text: str) -> str | None:
    """Return a tool without a repeated acronym ("flash drives USB"); None if it is too long."""
    found = _ACRONYM.match(text)
    if found:
        words = found["words"].split(" ")
        initials = "".join(word[0] for word in words[-len(found["acronym"]) :]).upper()
        if initials == found["acronym"]:
            text = " ".join(words) + (found["rest"] or "")
            text = text[0].lower() + text[1:]
    text = _VENDOR.sub("", text)
    return text if len(text) <= _LONGEST and not _PUNCTUATED.search(text) else None
