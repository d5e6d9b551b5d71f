"""Counterfactual: measures how a run's narrator changes its texts when one fact of a person is swapped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from census_personas.census_priors.roles import NAME
from census_personas.foundation import event_loop
from census_personas.foundation.atomic_file import write_whole
from census_personas.foundation.dataset_reader import read_frames
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.plugin import PluginError
from census_personas.foundation.plugins import NO_PLUGINS, Plugins
from census_personas.foundation.run_layout import RunLayout
from census_personas.foundation.schema import PROSE
from census_personas.foundation.user_path import check_input
from census_personas.generator.config.config_file import load
from census_personas.generator.narration.backends import connect
from census_personas.generator.report.report_types import Swap
from census_personas.generator.run.resources import RunResources
from census_personas.validators.dataset.swap_effect import Pair, SwapEffect, more_than_chance, swap_effect

if TYPE_CHECKING:
    from census_personas.generator.llm.chat import ChatModel, ChatRequest, Completion
    from census_personas.generator.narration.narrator import Narrated, Narrator

FACTS = ("sex", "origin", "age", "name")
"""Roles that are swapped, one at a time, and the name; `--swap` also accepts the locale's name of a role."""
PEOPLE = 60
YEARS = 20  # added to ages below TURN, and subtracted from others
TURN = 50
_FILE = "effects.json"
_BLOCK = 1000  # rows searched at a time for narrated people
_OTHER = 0x5EED  # changes a request's seed
_NAMESAKES = 500

Record = Mapping[str, Any]
_EFFECTS = TypeAdapter(list[Swap])


@dataclass(frozen=True, slots=True)
class Reseeded:
    """A chat model that changes the seed of every request, so that it writes other texts about the same facts."""

    model: ChatModel

    @property
    def name(self) -> str:
        """The model's own name."""
        return self.model.name

    @property
    def needs_messages(self) -> bool:
        """The same as for the model."""
        return self.model.needs_messages

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer the request with the changed seed."""
        return await self.model.complete(replace(request, seed=request.seed ^ _OTHER))

    def account(self) -> Mapping[str, Any]:
        """Return the model's account."""
        return self.model.account()

    async def aclose(self) -> None:
        """Do nothing: whoever opened the model closes it."""


def of_run(
    folder: Path, people: int = PEOPLE, facts: Sequence[str] = FACTS, plugins: Plugins = NO_PLUGINS
) -> list[dict[str, Any]]:
    """Swap one fact at a time of a run's first people, narrate them again, and compare the texts.

    Sex and origin become the next state of the domain, ages change by twenty years, and a name becomes that of somebody
    with the same sex and another origin. Everything else is unchanged, so that only the effect of the one fact is
    measured. Each person is also narrated again unchanged, with another seed, to measure the effect of chance. The
    run's own texts are reused; answers are journaled in `counterfactual/` in the run folder, so that none is paid for
    twice, and the effects are stored there. Plug-ins of the run are used only if `plugins` has them: reading a folder
    must not run its code.

    Raises:
        DatasetError: not a run folder, or one without rows; or a fact cannot be swapped.
        PluginError: the run has plug-ins, but none are given.
        LLMError: the endpoint cannot be used.
    """
    layout = RunLayout(folder)
    if not layout.config.exists():
        raise DatasetError(f"{folder}: is not a run folder; a counterfactual test needs the model of a run")
    config = load(layout.config)
    if config.plugins and not plugins.members:
        raise PluginError(
            f"{folder}: was written with plug-ins, whose code runs only if you name them: "
            + " ".join(f"--plugins {name}" for name in config.plugins)
        )
    named = tuple(plugin.reference for plugin in plugins.members)
    resources = RunResources.load(config.model_copy(update={"plugins": named}))
    roles = resources.priors.roles
    known = {role: roles[role] for role in FACTS if role in roles} | {"name": "name"}
    unknown = [name for name in facts if name not in {*FACTS, *known.values()}]
    if unknown:
        raise DatasetError(f"--swap {unknown[0]}: cannot be swapped; known: {', '.join(known.values())}")
    narrated = list(_narrated(folder, resources, people))
    if not narrated:
        raise DatasetError(f"{folder}: has no rows yet; finish the run first")
    swapped = [known.get(fact, fact) for fact in facts]
    wanted = [fact for fact in swapped if fact == "name" or fact in resources.priors.domain]
    found = event_loop.run(partial(_effects, folder, resources, narrated, wanted))
    effects = [effect.as_dict() for effect in found]
    write_whole(layout.counterfactual / _FILE, json.dumps(effects, indent=1, ensure_ascii=False) + "\n")
    return effects


def load_effects(folder: Path) -> list[dict[str, Any]]:
    """Load the last computed effects of a run; empty if there are none."""
    file = RunLayout(folder).counterfactual / _FILE
    if not file.exists():
        return []
    try:
        check_input(file)
        effects = _EFFECTS.validate_json(file.read_bytes())
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file}: cannot be read; delete it, and repeat the test") from error
    return [effect.model_dump(mode="json") for effect in effects]


def judged(swap: Mapping[str, Any], tests: int) -> dict[str, Any]:
    """Judge an effect as one of `tests` tests of a report."""
    exceeds = more_than_chance(swap["effect"], swap["error"], swap["records"], tests)
    return {**swap, "exceeds": exceeds}


def _narrated(folder: Path, resources: RunResources, people: int) -> Iterator[tuple[Record, Record]]:
    """Yield facts and texts of the run's first people."""
    texts: dict[str, Record] = {}
    for frame in read_frames(folder, ("uuid", *PROSE)):
        texts |= {row["uuid"]: row for row in frame[: people - len(texts)].to_dict("records")}
        if len(texts) >= people:
            break
    left = len(texts)
    for start in range(0, resources.config.rows, _BLOCK):
        if not left:
            return
        for facts in resources.sample(min(_BLOCK, resources.config.rows - start), start).to_dict("records"):
            if facts["uuid"] in texts:
                left -= 1
                yield facts, texts[facts["uuid"]]  # type: ignore[misc]


async def _effects(
    folder: Path, resources: RunResources, narrated: Sequence[tuple[Record, Record]], facts: Sequence[str]
) -> list[SwapEffect]:
    config, reference = resources.config, resources.checker.reference
    model = connect(config.llm, resources.grammar)
    journal = None if config.llm.backend == "offline" else RunLayout(folder).counterfactual
    slots = asyncio.Semaphore(config.llm.concurrency)

    async def write(narrator: Narrator, facts: Record) -> Narrated:
        async with slots:
            return await narrator.narrate(facts)

    try:
        with (
            resources.narrator(Reseeded(model), config, journal and journal / "again") as anew,
            resources.narrator(model, config, journal and journal / "swapped") as narrator,
        ):
            again = await asyncio.gather(*(write(anew, who) for who, _ in narrated))
            effects = []
            for fact in facts:
                turned = list(swapped_people([who for who, _ in narrated], fact, resources))
                others = await asyncio.gather(*(write(narrator, swapped) for *_, swapped in turned))
                pairs = [
                    Pair(before, after, who, swapped, texts, other.record, once_more.record)
                    for (who, texts), (before, after, swapped), other, once_more in zip(
                        narrated, turned, others, again, strict=True
                    )
                    if other.accepted and once_more.accepted
                ]
                effects.append(swap_effect(fact, pairs, reference.language, reference.read))
    finally:
        await model.aclose()
    return effects


def swapped_people(
    people: Sequence[Record], fact: str, resources: RunResources
) -> Iterator[tuple[str, str, Record]]:
    """Yield each person's value of the fact, the swapped value, and the facts with it."""
    roles = resources.priors.roles
    sex, origin, age = roles["sex"], roles.get("origin") or "", roles["age"]
    if fact == "name":
        others = resources.population.sample(_NAMESAKES, seed=resources.config.seed).to_dict("records")
        for position, who in enumerate(people):
            turned = [*others[position % _NAMESAKES :], *others[: position % _NAMESAKES]]
            fits = (o for o in turned if o[sex] == who[sex] and o.get(origin) != who.get(origin))
            other = next(fits, turned[0])
            names = {name: other[name] for name in roles.named(NAME) if name in who}
            yield f"{who.get(origin, 'any')} name", f"{other.get(origin, 'any')} name", {**who, **names}
    elif fact == age:
        for who in people:
            by = YEARS if who[age] < TURN else -YEARS
            born = {"birth_year": who["birth_year"] - by} if "birth_year" in who else {}
            before, after = ("younger", "older")[:: 1 if by > 0 else -1]
            yield before, after, {**who, age: who[age] + by, **born}
    else:
        states = resources.priors.domain[fact]
        following = dict(zip(states, (*states[1:], states[0]), strict=True))
        for who in people:
            yield str(who[fact]), str(following[who[fact]]), {**who, fact: following[who[fact]]}
