"""What a served language model makes of the shipped prompts: twelve fixed people, or those of a file.

    export PERSONAS_MODEL_URL=http://127.0.0.1:8090/v1 PERSONAS_MODEL_NAME=qwen2.5-coder-1.5b-instruct
    python benchmarks/real_model.py FOLDER [--people evaluation] [--rows 12] [--at-once 4] [--set KEY=VALUE] [--json]

Any OpenAI-compatible endpoint will do; a key is read from OPENAI_API_KEY. Everything is kept in FOLDER as it comes:
`exchanges.jsonl` has each request with its answer, `people.jsonl` each finished person with texts, findings and
reasons. The same command goes on where it was stopped, and asks for nothing twice; other prompts or settings want
another folder. Measures are over all exchanges and people in the folder.

`requests_per_accepted` counts all requests, those of rejected people included. `repairs_without_effect` are repairs
whose answer has every field as it was. `errors_met` counts the errors that answers had, by rule; `words` is the median
length of a text. Acceptance says that no rule found an error, not that a text is sound: read them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from census_personas.foundation.dataset_reader import count_rows
from census_personas.foundation.schema import PROSE
from census_personas.generator.config.config_file import parse
from census_personas.generator.config.run_config import Config
from census_personas.generator.llm.chat import ChatModel, ChatRequest, Completion
from census_personas.generator.llm.request_key import request_key
from census_personas.generator.narration.backends import connect
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.resources import RunResources
from census_personas.prompts.set_folder import people_of

_KEPT = ("text", "model", "finish_reason", "prompt_tokens", "completion_tokens")


class KeptModel:
    """A chat model whose answers are kept in a file, from which the same requests are answered the next time."""

    def __init__(self, model: ChatModel, place: Path) -> None:
        """Read what the file has."""
        self._model, self._place = model, place
        lines = place.read_bytes().splitlines() if place.exists() else []
        self._kept = {line["key"]: line for line in map(orjson.loads, lines)}

    @property
    def name(self) -> str:
        """The served model's."""
        return self._model.name

    @property
    def needs_messages(self) -> bool:
        """Always, as the narrator without a model is not measured here."""
        return True

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer from the file, or ask and keep."""
        key = request_key(request, self.name)
        if key not in self._kept:
            began = time.monotonic()
            answer = await self._model.complete(request)
            self._kept[key] = {
                "key": key,
                "row": request.facts["row"],
                "call": request.schema_name,
                "fields": request.schema["required"],
                "seconds": round(time.monotonic() - began, 1),
                **{name: getattr(answer, name) for name in _KEPT},
                "messages": request.messages,
            }
            with self._place.open("ab") as file:
                file.write(orjson.dumps(self._kept[key]) + b"\n")
        return Completion(**{name: self._kept[key][name] for name in _KEPT})

    def account(self) -> Mapping[str, Any]:
        """What the served model says."""
        return self._model.account()

    async def aclose(self) -> None:
        """Release connections."""
        await self._model.aclose()

    @property
    def exchanges(self) -> list[Mapping[str, Any]]:
        """All that the file has, in the order in which answers came."""
        return list(self._kept.values())


async def narrated(resources: RunResources, model: ChatModel, folder: Path, at_once: int) -> list[Narrated]:
    """The people, so many at once, each written to the folder as it is finished."""
    places = asyncio.Semaphore(at_once)
    people = folder / "people.jsonl"
    people.unlink(missing_ok=True)

    async def one(narrator: Any, record: dict[str, Any]) -> Narrated:
        async with places:
            result: Narrated = await narrator.narrate(record)
        with people.open("ab") as file:
            file.write(orjson.dumps(_line(result), default=str) + b"\n")
        return result

    rows = resources.sample(resources.config.rows).to_dict("records")
    with resources.narrator(model, resources.config, None) as narrator:
        return await asyncio.gather(*(one(narrator, {str(k): v for k, v in row.items()}) for row in rows))


def _line(result: Narrated) -> dict[str, Any]:
    return {
        "accepted": result.accepted,
        "attempts": result.attempts,
        "requests": result.requests,
        "reasons": result.reasons,
        "met": dict(Counter(result.met)),
        "findings": [
            f"{f.severity} {f.code}: {f.field}: {f.message} ({f.evidence})" for f in result.findings
        ],
        "record": result.record,
    }


def measures(results: Iterable[Narrated], exchanges: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the benchmark prints."""
    people, asked = list(results), list(exchanges)
    accepted = [person for person in people if person.accepted]
    requests = sum(person.requests for person in people)
    repairs = [exchange for exchange in asked if exchange["call"].endswith("_repair")]
    texts = [str(person.record[name]) for person in people for name in PROSE if person.record.get(name)]
    return {
        "people": len(people),
        "accepted": len(accepted),
        "accepted_at_the_first_answers": sum(person.requests == 2 for person in accepted),
        "accepted_after_repairs": sum(person.requests > 2 and person.attempts == 1 for person in accepted),
        "accepted_after_attempts": sum(person.attempts > 1 for person in accepted),
        "requests": requests,
        "requests_per_accepted": round(requests / len(accepted), 2) if accepted else None,
        "valid_json": round(sum(_values(e) is not None for e in asked) / max(len(asked), 1), 3),
        "cut_off": sum(exchange["finish_reason"] == "length" for exchange in asked),
        "repairs": len(repairs),
        "repairs_without_effect": _without_effect(asked),
        "errors_met": dict(Counter(code for person in people for code in person.met).most_common()),
        "mends": sum(finding.code == "mended" for person in people for finding in person.findings),
        "prompt_tokens_a_person": round(sum(p.prompt_tokens for p in people) / max(len(people), 1)),
        "completion_tokens_a_person": round(sum(p.completion_tokens for p in people) / max(len(people), 1)),
        "words": median(len(text.split()) for text in texts) if texts else 0,
        "seconds_a_request": round(sum(e["seconds"] for e in asked) / max(len(asked), 1), 1),
    }


def _without_effect(exchanges: Iterable[Mapping[str, Any]]) -> int:
    last: dict[tuple[Any, str], Any] = {}
    count = 0
    for exchange in exchanges:
        values = _values(exchange) or {}
        now = {(exchange["row"], name): value for name, value in values.items()}
        count += exchange["call"].endswith("_repair") and bool(now) and now.items() <= last.items()
        last |= now
    return count


def _values(exchange: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        values = orjson.loads(exchange["text"])
    except orjson.JSONDecodeError:
        return None
    return values if isinstance(values, dict) else None


def settings(options: argparse.Namespace) -> Config:
    """The run's configuration."""
    file = Path(options.people)
    file = file if file.exists() else people_of("en_US", options.people)
    llm = {
        "backend": "openai",
        "model": os.environ["PERSONAS_MODEL_NAME"],
        "base_url": os.environ["PERSONAS_MODEL_URL"],
        "concurrency": options.at_once,
        "structured_output": "json_schema",
        "temperature": 0.8,
        "timeout_s": 7200,
    }
    given = {"input": str(file), "rows": min(options.rows or count_rows(file), count_rows(file))}
    return parse("", "benchmark", tuple(options.set), {**given, "llm": llm, "output": {"schema": "full"}})


def main() -> None:
    """Narrate and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", default="evaluation")
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    resources = RunResources.load(settings(options))
    model = KeptModel(connect(resources.config.llm), options.folder / "exchanges.jsonl")

    async def run() -> list[Narrated]:
        try:
            return await narrated(resources, model, options.folder, options.at_once)
        finally:
            await model.aclose()

    found = measures(asyncio.run(run()), model.exchanges)
    if options.json:
        print(orjson.dumps(found).decode())
    else:
        print("\n".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
