"""Key: a column whose values identify the rows of a file."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from census_personas.generator.config.run_config import ConfigError
from census_personas.generator.input.mapping import InputMapping, count, shown
from census_personas.generator.input.source import InputSource
from census_personas.generator.input.spelling import cell_text

_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}")


def is_uuid_column(source: InputSource, mapping: InputMapping) -> InputMapping:
    """Return the mapping, with its uuid column as the key instead if it holds something else.

    A named key that holds uuids becomes the uuid column if the file has no other.
    """
    if mapping.key is not None and mapping.uuid is None and _holds_uuids(source, mapping.key):
        return replace(mapping, uuid=mapping.key, key=None)
    if mapping.uuid is not None and not _holds_uuids(source, mapping.uuid):
        return replace(mapping, uuid=None, key=mapping.key or mapping.uuid)
    return mapping


def check_key(source: InputSource, mapping: InputMapping) -> InputMapping:
    """Return the mapping after checking that its keys or uuids are unique.

    Raises:
        ConfigError: a key is empty somewhere, or occurs twice.
    """
    for column, may_lack in ((mapping.key, False), (mapping.uuid, True)):
        if column is None:
            continue
        empty, twice = _repeats(source, column)
        if empty and not may_lack:
            raise ConfigError(
                f"{source.path}: key {column!r} is empty in {count(empty, 'row')}; fill it in, or name another "
                "input.key"
            )
        if twice:
            raise ConfigError(
                f"{source.path}: {column!r} does not name each row once: {shown(twice)}; take the repeated rows out, "
                "or name another input.key"
            )
    return mapping


def _repeats(source: InputSource, column: str) -> tuple[int, Counter[str]]:
    """How many cells are empty, and the texts that stand there more than once.

    Eight bytes are kept of a row: the texts themselves are counted only where hashes are equal.
    """
    empty, hashes = 0, array("q")
    for texts in _texts(source, column):
        said = [text for text in texts if text is not None]
        empty += len(texts) - len(said)
        hashes.extend(map(hash, said))
    ordered = np.sort(np.frombuffer(hashes, dtype=np.int64)) if hashes else np.zeros(0, dtype=np.int64)
    equal = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    if not equal:
        return empty, Counter()
    counts = Counter(
        text for texts in _texts(source, column) for text in texts if text is not None and hash(text) in equal
    )
    return empty, Counter({text: times for text, times in counts.items() if times > 1})


def _texts(source: InputSource, column: str) -> Iterator[list[str | None]]:
    return ([*map(cell_text, block[column])] for block in source.blocks((column,)))


def _holds_uuids(source: InputSource, column: str) -> bool:
    texts = (text for texts in _texts(source, column) for text in texts if text is not None)
    return all(_UUID.fullmatch(text) is not None for text in texts)
