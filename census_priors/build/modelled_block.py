"""The `modelled:` block of a priors.yaml, as the builder writes it; everything else of the file stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

BLOCK = re.compile(r"^modelled:.*\n(?:(?:[ \t#].*)?\n)*?(?=^\S|\Z)", re.MULTILINE)


def write_modelled(path: Path, modelled: Mapping[str, tuple[str, ...]]) -> None:
    """Replace the block that says which attributes of which areas were modelled, or add one at the end."""
    text = path.read_text(encoding="utf-8")
    lines = [f"  {area}: [{', '.join(names)}]" for area, names in modelled.items()]
    block = (
        "\n".join(("modelled:  # written by `personas priors build`", *lines)) if lines else "modelled: {}"
    )
    block = f"{block}\n\n"
    changed = (
        BLOCK.sub(lambda _: block, text, count=1) if BLOCK.search(text) else f"{text.rstrip()}\n\n{block}"
    )
    path.write_text(changed.rstrip() + "\n", encoding="utf-8")
