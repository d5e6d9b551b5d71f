"""Conversation: the previous calls of an attempt, as its next request repeats them for the server's prefix cache."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from census_personas.prompts.fields import FieldSpec

Message = Mapping[str, str]
# An answer is repeated unchanged unless whitespace or escapes make it longer than this many times its content.
_MOST_BLANKS = 2


@dataclass(frozen=True, slots=True)
class Turn:
    """One call: its messages, its fields, the text of the answer and the values parsed from it."""

    messages: tuple[Message, ...]
    fields: tuple[FieldSpec, ...]
    text: str
    values: Mapping[str, Any]


def so_far(
    turns: Iterable[Turn], written: Mapping[str, Any], without: Collection[str] = ()
) -> tuple[Message, ...]:
    """Return the messages of some calls, each followed by its current answer.

    Args:
        turns: calls in order; the messages of the first one begin the conversation.
        written: the current value of each field, which a repair or a mend may have changed.
        without: fields that are about to be rewritten. Their text is left out, as a model repeats what it sees.

    A later call without remaining fields is left out. An unchanged answer is repeated byte for byte, because a server
    caches its computations for exactly these tokens.
    """
    said: list[Message] = []
    for turn in turns:
        left = {
            spec.name: written[spec.name]
            for spec in turn.fields
            if spec.name in written and spec.name not in without
        }
        if left or not said:
            said += turn.messages
        if left:
            said.append({"role": "assistant", "content": _answer(turn, left)})
    return tuple(said)


def joined(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Return the messages with neighbours of one role merged: chat templates require alternating roles."""
    return tuple(_alternating(messages))


def _alternating(messages: Iterable[Message]) -> Iterator[Message]:
    held: Message | None = None
    for message in messages:
        if held is not None and held["role"] == message["role"]:
            held = {**held, "content": f"{held['content']}\n\n{message['content']}"}
            continue
        if held is not None:
            yield held
        held = message
    if held is not None:
        yield held


def _answer(turn: Turn, left: Mapping[str, Any]) -> str:
    plain = json.dumps(left, ensure_ascii=False)
    if left != turn.values or len(turn.text) > _MOST_BLANKS * len(plain):
        return plain
    try:
        is_bare = orjson.loads(turn.text).keys() == left.keys()
    except (orjson.JSONDecodeError, AttributeError):
        is_bare = False
    return turn.text if is_bare else plain
