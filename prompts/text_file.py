"""Text file: reads a whole text file up to a size, or refuses it in one line."""

from __future__ import annotations

import re
from pathlib import Path

from census_personas.prompts.fields import TemplateError

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# Most bytes per character in UTF-8.
_BYTES = 4


def read_text(place: Path, most: int) -> str:
    """Read a text file of at most `most` characters.

    Raises:
        TemplateError: it is not a file, cannot be read, is too long, or is not UTF-8; the message names it.
    """
    try:
        if place.exists() and not place.is_file():
            raise TemplateError(f"{place}: is not a file; a prompt set holds files")
        with place.open("rb") as file:
            text = file.read(_BYTES * most + 1).decode("utf-8")
    except UnicodeDecodeError as error:
        raise TemplateError(
            f"{place}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from error
    except OSError as error:
        raise TemplateError(f"{place}: cannot be read ({error.strerror})") from error
    if len(text) > most:
        raise TemplateError(f"{place}: more than {most} characters; shorten or split it")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if (control := _CONTROL.search(text)) is not None:
        line = text.count("\n", 0, control.start()) + 1
        raise TemplateError(f"{place}:{line}: has the control character {control.group()!r}; delete it")
    return text
