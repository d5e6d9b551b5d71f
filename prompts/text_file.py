"""Text files: read whole, within a bound, or refused in one line."""

from __future__ import annotations

import re
from pathlib import Path

from census_personas.prompts.fields import TemplateError

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# UTF-8 takes at most so many bytes for a character.
_BYTES = 4


def read_text(place: Path, most: int) -> str:
    """The text of a file that has at most `most` characters.

    Raises:
        TemplateError: naming the file, for one that is no file, cannot be read, is longer, or is not UTF-8.
    """
    try:
        if place.exists() and not place.is_file():
            raise TemplateError(f"{place}: is no file; a prompt set holds files")
        with place.open("rb") as file:
            text = file.read(_BYTES * most + 1).decode("utf-8")
    except UnicodeDecodeError as error:
        raise TemplateError(
            f"{place}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from error
    except OSError as error:
        raise TemplateError(f"{place}: cannot be read ({error.strerror})") from error
    if len(text) > most:
        raise TemplateError(f"{place}: more than {most} characters; shorten it, or divide it")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if (control := _CONTROL.search(text)) is not None:
        line = text.count("\n", 0, control.start()) + 1
        raise TemplateError(f"{place}:{line}: has the control character {control.group()!r}; delete it")
    return text
