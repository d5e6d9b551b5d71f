"""Text files: read whole, within a bound, or refused in one line."""

from __future__ import annotations

from pathlib import Path

from census_personas.prompts.fields import TemplateError

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
    return text.replace("\r\n", "\n").replace("\r", "\n")
