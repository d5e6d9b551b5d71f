"""Results of a real model with the shipped prompts: twelve fixed people, narrated through an endpoint.

    export PERSONAS_SMALL_MODEL_URL=http://127.0.0.1:8090/v1                     # an endpoint that is there, or
    export PERSONAS_SMALL_MODEL=model.gguf PERSONAS_LLAMA_SERVER=llama-server    # a file, and what serves it
    python benchmarks/real_model.py [--people 12] [--json] [--resume FOLDER] [--markdown FILE] [--set KEY=VALUE]

Any OpenAI-compatible endpoint will do; a key is read from OPENAI_API_KEY. A record of a model of 1.5 billion
parameters takes minutes on two cores. Every answer is kept in FOLDER (by default one in the user's cache) as it comes,
and the same command resumes a stopped session without asking for anything twice. `--replay` sends no request and sums
up the folder. Other prompts or settings need another folder.

FOLDER has `run.json` (prompts and settings), `answers.jsonl` (the journal), `people.jsonl` (each finished person with
texts, findings and reasons), `exchanges.jsonl` (each request with its answer) and `measures.json`. `--markdown` writes
ten people for reading.

`requests_per_accepted` counts the requests of rejected and unfinished people too. `of_the_schema`: answers with the
fields that were asked for, each of its type. `repairs_without_effect`: every field came back as it was. `errors_met`:
errors that answers had, by rule, repaired or not; `errors_left` and `warnings`: those of the last version of each
person. `cached_tokens` are those of the prompt that the endpoint says it had in its cache. `words`: medians, by field.
Acceptance says that no rule found an error, not that a text is sound: read them.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import platformdirs

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from model_endpoint import SLOTS, MissingEndpointError, model_endpoint
from model_results import Exchange, markdown, measures, person_line

from census_personas.foundation.errors import PersonasError
from census_personas.generator.config.config_file import parse
from census_personas.generator.config.run_config import Config
from census_personas.generator.llm.chat import ChatModel, ChatRequest, Completion, DeferredError
from census_personas.generator.llm.request_key import request_key
from census_personas.generator.narration.backends import connect
from census_personas.generator.narration.journal import Journal
from census_personas.generator.narration.narrator import Narrated, Narrator
from census_personas.generator.run.early_stop import EarlyStop
from census_personas.generator.run.pipeline import Pipeline, Tally
from census_personas.generator.run.resources import RunResources
from census_personas.generator.run.shard_store import Shard, ShardInfo
from census_personas.prompts.set_folder import people_of

RUN = "run.json"
SHOWN = 10  # people in Markdown


class OtherRunError(ValueError):
    """The folder's answers belong to other prompts or settings."""


class RecordedModel:
    """`ChatModel` that answers from a journal where it can, and remembers what passed through it."""

    needs_messages = True

    def __init__(self, model: ChatModel | None, name: str, journal: Journal) -> None:
        """Without a model, an answer that is not in the journal is not there yet."""
        self._model, self._name, self._journal = model, name, journal
        self.exchanges: list[Exchange] = []

    @property
    def name(self) -> str:
        """The served model's."""
        return self._name

    async def complete(self, request: ChatRequest) -> Completion:
        """The kept answer, or a new one, which is kept before it is used."""
        key = request_key(request, self._name)
        answer, seconds = self._journal.get(key), None
        if answer is None:
            if self._model is None:
                raise DeferredError("was not asked for yet")
            began = time.monotonic()
            answer = await self._model.complete(request)
            seconds = round(time.monotonic() - began, 1)
            await self._journal.put(key, answer)
        self.exchanges.append(Exchange(request, answer, seconds))
        return answer

    def account(self) -> Mapping[str, Any]:
        """What the served model says."""
        return self._model.account() if self._model else {}

    async def aclose(self) -> None:
        """Release connections."""
        if self._model:
            await self._model.aclose()


class Narration:
    """The people of one session, written to the folder as they are finished."""

    def __init__(self, resources: RunResources, model: RecordedModel, folder: Path) -> None:
        """Nothing is asked before `run`."""
        self._resources, self._model, self._folder = resources, model, folder
        self.people: list[Narrated] = []
        self._written = 0

    async def run(self) -> None:
        """Narrate them, `llm.concurrency` at once."""
        config = self._resources.config
        early_stop = EarlyStop(stops=config.validation.stop_early)
        pipeline = Pipeline(
            self._resources.sample,
            lambda _: self._narrator(early_stop),
            lambda shard, rows: ShardInfo(shard.start, shard.stop, len(rows), 0),
            concurrency=config.llm.concurrency,
            observe=self._observe,
            early_stop=early_stop,
        )
        try:
            await pipeline.run((Shard(0, 0, config.rows),), Tally(config.rows))
        finally:
            await self._model.aclose()
            self.write()

    def write(self) -> dict[str, Any]:
        """Write what there is so far; the measures are returned too."""
        measured = measures(self.people, self._model.exchanges)
        _write_lines(self._folder / "people.jsonl", map(person_line, self.people))
        _write_lines(self._folder / "exchanges.jsonl", (each.line() for each in self._model.exchanges))
        (self._folder / "measures.json").write_bytes(orjson.dumps(measured, option=orjson.OPT_INDENT_2))
        return measured

    @contextmanager
    def _narrator(self, early_stop: EarlyStop) -> Iterator[_Kept]:
        with self._resources.narrator(self._model, self._resources.config, None, early_stop.hear) as narrator:
            yield _Kept(narrator, self.people)

    def _observe(self, tally: Tally) -> None:
        finished = tally.accepted + tally.rejected
        if finished > self._written:
            self._written = finished
            print(f"{finished} of {tally.rows} people, {tally.accepted} accepted", file=sys.stderr)
            self.write()


class _Kept:
    """A narrator whose people are kept in the order in which they are finished."""

    def __init__(self, narrator: Narrator, people: list[Narrated]) -> None:
        self._narrator, self._people = narrator, people

    async def narrate(self, record: dict[str, Any]) -> Narrated:
        result = await self._narrator.narrate(record)
        self._people.append(result)
        return result


def _write_lines(place: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    place.write_bytes(b"".join(orjson.dumps(line, default=str) + b"\n" for line in lines))


def settings(options: argparse.Namespace, model: str, base_url: str | None) -> Config:
    """The configuration that the people are narrated with."""
    usual: dict[str, Any] = {
        "input": str(options.input or people_of("en_US", "evaluation")),
        "rows": options.people,
        "llm": {
            "backend": "openai",
            "model": model,
            "base_url": base_url,
            "concurrency": options.at_once,
            # A small model loops; servers other than llama.cpp may ignore or refuse the keys of its DRY sampler.
            "temperature": 0.6,
            "top_p": 0.9,
            "frequency_penalty": 0.1,
            "extra_body": {"dry_multiplier": 0.6, "dry_allowed_length": 5, "dry_penalty_last_n": 1500},
            "timeout_s": 7200,
        },
        "output": {"schema": "full"},
    }
    # As the text of a config, which `--set` is laid over; JSON is YAML.
    return parse(orjson.dumps(usual).decode(), "benchmark", tuple(options.set))


def narrate(config: Config, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Narrate into the folder; the measures."""
    resources = RunResources.load(config)
    _claim(folder, config, resources.prompts.digest)
    with Journal(folder) as journal:
        name = config.llm.model or ""
        model = RecordedModel(None if options.replay else connect(config.llm), name, journal)
        narration = Narration(resources, model, folder)
        asyncio.run(narration.run())
        if account := model.account():
            print(f"endpoint: {dict(account)}", file=sys.stderr)
    order = {row: place for place, row in enumerate(resources.sample(config.rows)["row"].tolist())}
    narration.people.sort(key=lambda person: order[person.record["row"]])
    if options.markdown:
        options.markdown.write_text(markdown(narration.people[:SHOWN], name, resources.prompts.digest))
    return narration.write()


def _claim(folder: Path, config: Config, prompts: str) -> None:
    """Write the prompts and settings that the folder's answers belong to.

    Raises:
        OtherRunError: the answers belong to others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / RUN
    decides = {"fingerprint": config.fingerprint(), "prompts": prompts}
    kept = orjson.loads(place.read_bytes()) if place.exists() else decides
    if {name: kept[name] for name in decides} != decides:
        raise OtherRunError(
            f"{folder}: holds answers to other prompts or settings; give another folder (--resume)"
        )
    said = decides | {"config": config.model_dump(mode="json", by_alias=True)}
    place.write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=12, help="how many")
    parser.add_argument("--input", type=Path, help="a dataset of people other than the twelve")
    parser.add_argument("--at-once", type=int, default=SLOTS)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of `personas`")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="where answers are kept")
    parser.add_argument("--replay", action="store_true", help="ask nothing; sum up what FOLDER has")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write ten people for reading")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.replay and not options.resume:
        parser.error("--replay needs --resume FOLDER")
    return options


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    if options.replay:
        kept = orjson.loads((options.resume / RUN).read_bytes())["config"]
        return narrate(Config.model_validate(kept), options.resume, options)
    log = platformdirs.user_cache_path("census-personas", ensure_exists=True) / "llama-server.log"
    with model_endpoint(log) as endpoint:
        named = re.sub(r"[^\w.-]+", "-", endpoint.model)
        folder = options.resume or platformdirs.user_cache_path("census-personas") / "real-model" / named
        print(f"{endpoint.model} at {endpoint.base_url}; answers are kept in {folder}", file=sys.stderr)
        return narrate(settings(options, endpoint.model, endpoint.base_url), folder, options)


def main() -> None:
    """Narrate and print."""
    options = _arguments()
    try:
        measured = _measured(options)
    except (PersonasError, MissingEndpointError, OtherRunError, FileNotFoundError) as error:
        raise SystemExit(f"real_model: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit("real_model: stopped; the same command goes on") from None
    if options.json:
        print(orjson.dumps(measured).decode())
    else:
        print("\n".join(f"{name}: {value}" for name, value in measured.items()))


if __name__ == "__main__":
    main()
