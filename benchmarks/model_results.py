"""Results of a real model: a summary of its exchanges and people, and its records as Markdown."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from census_personas.foundation.schema import LISTS, PROSE
from census_personas.generator.llm.answer import AnswerError, parse_object
from census_personas.generator.llm.chat import ChatRequest, Completion
from census_personas.generator.narration.narrator import Narrated

_TYPES = {"string": str, "array": list, "integer": int}


@dataclass(frozen=True)
class Exchange:
    """A request and its answer; `seconds` is None if the answer comes from an earlier session."""

    request: ChatRequest
    answer: Completion
    seconds: float | None

    @property
    def is_repair(self) -> bool:
        """Whether fields are asked for again."""
        return self.request.schema_name.endswith("_repair")

    @property
    def values(self) -> dict[str, Any] | None:
        """The answer's object; None where none can be read."""
        try:
            return parse_object(self.answer.text)
        except AnswerError:
            return None

    @property
    def fits(self) -> bool:
        """Whether the answer has the fields of the schema and no others, each of its type."""
        values, wanted = self.values, self.request.schema["properties"]
        return (
            values is not None
            and values.keys() == wanted.keys()
            and all(isinstance(values[name], _TYPES[spec["type"]]) for name, spec in wanted.items())
        )

    def line(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return {
            "row": self.request.facts["row"],
            "call": self.request.schema_name,
            "seconds": self.seconds,
            "finish_reason": self.answer.finish_reason,
            "prompt_tokens": self.answer.prompt_tokens,
            "cached_tokens": self.answer.cached_tokens,
            "completion_tokens": self.answer.completion_tokens,
            "text": self.answer.text,
            "messages": self.request.messages,
        }


def measures(people: Sequence[Narrated], exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """What the benchmark prints; see its docstring."""
    accepted = [person for person in people if person.accepted]
    repairs = [exchange for exchange in exchanges if exchange.is_repair]
    asked = [exchange.seconds for exchange in exchanges if exchange.seconds is not None]
    return {
        "people": len(people),
        "accepted": len(accepted),
        "accepted_at_the_first_answers": sum(_is_first(person) for person in accepted),
        "accepted_after_repairs": sum(p.attempts == 1 and not _is_first(p) for p in accepted),
        "accepted_after_attempts": sum(person.attempts > 1 for person in accepted),
        "requests": len(exchanges),
        "requests_per_accepted": _ratio(len(exchanges), len(accepted), 2),
        "valid_json": _ratio(sum(exchange.values is not None for exchange in exchanges), len(exchanges), 3),
        "of_the_schema": _ratio(sum(exchange.fits for exchange in exchanges), len(exchanges), 3),
        "cut_off": sum(exchange.answer.finish_reason == "length" for exchange in exchanges),
        "repairs": len(repairs),
        "repairs_without_effect": _without_effect(exchanges),
        "errors_met": dict(Counter(code for person in people for code in person.met).most_common()),
        "errors_left": _codes(people, "error"),
        "warnings": _codes(people, "warning"),
        **_tokens(people, exchanges),
        "words": _lengths(people),
        "seconds_a_request": _ratio(sum(asked), len(asked), 1),
    }


def person_line(person: Narrated) -> dict[str, Any]:
    """Plain values of a person, for a file."""
    return {
        "accepted": person.accepted,
        "attempts": person.attempts,
        "requests": person.requests,
        "reasons": person.reasons,
        "met": dict(Counter(person.met)),
        "findings": [
            f"{f.severity} {f.code}: {f.field}: {f.message} ({f.evidence})" for f in person.findings
        ],
        "record": person.record,
    }


_FACTS = (
    "age", "sex", "marital_status", "household_type", "education_level", "labor_force_status", "occupation",
    "veteran_status", "city", "state", "ethnicity", "language_at_home",
)  # fmt: skip


def markdown(people: Iterable[Narrated], model: str, prompts: str) -> str:
    """Return the unedited records as Markdown: facts, texts and findings."""
    parts = [_HEAD.format(model=_escaped(model), prompts=prompts[:12])]
    for number, person in enumerate(people, 1):
        record = person.record
        name = _escaped(f"{record['first_name']} {record['last_name']}")
        facts = ", ".join(_escaped(str(record[key])) for key in _FACTS if record.get(key) not in (None, ""))
        parts.append(f"## {number}. {name}: {_outcome(person)}\n\n{facts}\n")
        texts = (f"- `{key}`: {_shown(record[key])}" for key in (*PROSE, *LISTS) if record.get(key))
        parts.append("\n".join(texts) + "\n")
        if person.findings:
            said = (
                f"- {f.severity} `{f.code}` in `{f.field}`: {_escaped(f.message)}" for f in person.findings
            )
            parts.append("What the rules say:\n\n" + "\n".join(said) + "\n")
    return "\n".join(parts)


_HEAD = """\
# Records of a small model

`benchmarks/real_model.py --markdown` wrote this page from the answers of `{model}` (digest of the
prompts {prompts}…). It shows the first finished people in the order of their file, good and bad, unedited. The engine's
mends (a dropped sentence, an added last name) are marked. A text that passes every rule may still be wrong: read it
beside the facts.
"""


def _outcome(person: Narrated) -> str:
    requests = f"{person.requests} requests"
    if not person.accepted:
        return f"rejected ({requests})"
    return (
        f"accepted ({requests})"
        if person.attempts == 1
        else f"accepted at attempt {person.attempts} ({requests})"
    )


def _shown(value: Any) -> str:
    return _escaped(value if isinstance(value, str) else "; ".join(value))


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]|#])", r"\\\1", html.escape(" ".join(text.split()), quote=False))


def _is_first(person: Narrated) -> bool:
    return person.attempts == 1 and person.requests <= len(("attributes", "personas"))


def _ratio(part: float, whole: int, digits: int) -> float | None:
    return round(part / whole, digits) if whole else None


def _codes(people: Iterable[Narrated], severity: str) -> dict[str, int]:
    codes = Counter(f.code for person in people for f in person.findings if f.severity == severity)
    return dict(codes.most_common())


def _tokens(people: Sequence[Narrated], exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """Of all exchanges, and for each person who is finished."""
    kinds = ("prompt_tokens", "cached_tokens", "completion_tokens")
    totals = {kind: sum(getattr(exchange.answer, kind) for exchange in exchanges) for kind in kinds}
    prompt, completion = (sum(getattr(p, kind) for p in people) for kind in (kinds[0], kinds[2]))
    return {
        **totals,
        "prompt_tokens_a_person": _ratio(prompt, len(people), 0),
        "completion_tokens_a_person": _ratio(completion, len(people), 0),
    }


def _lengths(people: Iterable[Narrated]) -> dict[str, float]:
    """Median words of a text, by field and of all."""
    lengths: dict[str, list[int]] = {"all": []}
    for person in people:
        for name in PROSE:
            if text := person.record.get(name):
                lengths.setdefault(name, []).append(len(str(text).split()))
                lengths["all"].append(len(str(text).split()))
    return {name: median(counts) for name, counts in lengths.items() if counts}


def _without_effect(exchanges: Iterable[Exchange]) -> int:
    """Count the repairs whose answer changed no field."""
    last: dict[tuple[Any, str], Any] = {}
    count = 0
    for exchange in exchanges:
        row = exchange.request.facts["row"]
        now = {(row, name): value for name, value in (exchange.values or {}).items()}
        unchanged = all(key in last and last[key] == value for key, value in now.items())
        count += exchange.is_repair and bool(now) and unchanged
        last |= now
    return count
