"""Narration: writes the persona of one sampled row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from census_personas.census_priors.occupations import UnknownOccupationError
from census_personas.census_priors.places import UnknownPlaceError
from census_personas.foundation.randomness import GROUNDING, RowGenerator, sampling_seed
from census_personas.generator.config.run_config import Config
from census_personas.generator.llm.answer import read
from census_personas.generator.llm.chat import ChatModel, ChatRequest, Completion
from census_personas.generator.llm.credentials import secrets_of
from census_personas.generator.llm.payload import usable
from census_personas.generator.llm.request_key import request_key
from census_personas.generator.narration.check_batcher import CheckBatcher
from census_personas.generator.narration.conversation import Message, Turn
from census_personas.generator.narration.draft import Draft
from census_personas.generator.narration.facts import FactSheet
from census_personas.generator.narration.journal import Journal
from census_personas.generator.narration.judge import CALL as JUDGE
from census_personas.generator.narration.judge import Judge, Verdict
from census_personas.generator.narration.repair_prompt import faults_shown, rejects, wants_repair
from census_personas.prompts.template import PromptSet, RenderError, Template
from census_personas.validators.finding import Finding

CALLS = ("attributes", "personas")
FACTS = "known_facts"
IMPOSSIBLE = "impossible"
"""Key that holds why a row is impossible in the locale; also the code of its rejection."""
PROMPT = "prompt"
PROVENANCE = ("model", "prompt_digest", "attempts", "flags")
"""Columns of a narrated record about how it was written."""


@dataclass(frozen=True, slots=True)
class Narrated:
    """A narrated record.

    `reasons`: why it was not accepted. `met`: the rules of the errors in all its attempts, once per error and
    occurrence. `requests`: all requests of its attempts; `asked`: those whose answers were not in the journal.
    """

    record: dict[str, Any]
    findings: tuple[Finding, ...]
    accepted: bool
    attempts: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasons: tuple[str, ...] = ()
    verdict: Verdict | None = None
    met: tuple[str, ...] = ()
    requests: int = 0
    asked: int = field(default=0, compare=False)


@dataclass(slots=True)
class _Cost:
    prompt_tokens: int = 0
    completion_tokens: int = 0
    met: list[str] = field(default_factory=list)
    requests: int = 0
    asked: int = 0


class Narrator:
    """Writes personas for rows. Keeps no state between rows; safe for many concurrent `narrate` calls.

    An attempt makes the two calls and, after each, at most `max_repairs` repairs, which request the wrong fields
    again and show the findings. Mends come before repairs. When an attempt fails, the row is narrated again with a
    new sampling seed, at most `max_attempts` times in all; the row itself is never replaced.
    """

    def __init__(
        self,
        model: ChatModel,
        prompts: PromptSet,
        facts: FactSheet,
        review: CheckBatcher,
        settings: Config,
        journal: Journal | None = None,
        policy: Mapping[str, str] | None = None,
        review_facts: CheckBatcher | None = None,
    ) -> None:
        """Take the parts of a narration.

        Args:
            model: answers the requests.
            prompts: renders the requests, unless the model needs no messages and there is no journal.
            facts: words for a row's codes, and its grounding.
            review: findings about a complete or partial record.
            settings: seed, sampling parameters and the bounds of the repair loop.
            journal: keeps answers; without one, every answer is requested.
            policy: what to do about an error, by rule; errors of other rules are repaired.
            review_facts: findings about a record without texts; by default `review`.
        """
        self._model = model
        self._prompts = prompts
        self._facts = facts
        self._review = review
        self._review_facts = review_facts or review
        self._settings = settings
        self.hear: Callable[[bool], None] = lambda _: None
        """Called for each new answer with whether any field of it was readable."""
        self._journal = journal
        # The key of a journal entry depends on the messages.
        self._renders = model.needs_messages or journal is not None
        self._continues = self._renders and settings.prompts.continue_
        # Faults of the offline narrator are corrected in its grammar instead.
        self._mends = model.needs_messages
        self._policy = settings.validation.policy if policy is None else policy
        self._fields = [[spec.name for spec in prompts.templates[call].fields] for call in CALLS]
        self._specs = {spec.name: spec for call in CALLS for spec in prompts.templates[call].fields}
        self._judge = Judge(prompts.templates[JUDGE], settings)
        self._repairs: dict[tuple[str, ...], Template] = {}
        self._stream = RowGenerator(settings.seed, GROUNDING)
        self._secrets = secrets_of(settings.llm)
        self._options = settings.llm.options()

    async def again(self, result: Narrated) -> Narrated | None:
        """Narrate a row again with its remaining attempts; return None if it has none.

        Raises:
            LLMError: the endpoint cannot answer.
        """
        if result.attempts >= self._settings.validation.max_attempts:
            return None
        row = {name: result.record[name] for name in result.record if name not in {*self._specs, *PROVENANCE}}
        later = await self.narrate(row, beyond=result.attempts)
        return replace(
            later,
            prompt_tokens=result.prompt_tokens + later.prompt_tokens,
            completion_tokens=result.completion_tokens + later.completion_tokens,
            asked=result.asked + later.asked,
        )

    async def narrate(self, record: Mapping[str, Any], *, beyond: int = 0) -> Narrated:
        """Narrate one row; `beyond` is the number of attempts that it already had.

        A bad answer is repaired, attempted again or reported in `reasons`; it never raises.

        Raises:
            LLMError: the endpoint cannot answer.
            TemplateError: the prompts need a value that the row does not have.
        """
        cost = _Cost()
        if reason := record.get(IMPOSSIBLE):
            return self._result(
                record, Draft({}, attempt=0), [Finding(IMPOSSIBLE, "error", "facts", reason)], cost
            )
        draft = Draft({}, attempt=0, found=await self._review_facts.of(record))
        wrong = [f for f in draft.found if f.severity == "error" and f.field in record]
        if wrong:
            # No text can correct a wrong fact, so none is paid for.
            return self._result(record, draft, wrong, cost)
        try:
            told = self._facts.of(record, self._stream.at(int(record["row"])))
        except (UnknownOccupationError, UnknownPlaceError) as error:
            # Rows of a user's file may have an occupation or a place that the locale does not know.
            role = "occupation" if isinstance(error, UnknownOccupationError) else "postcode"
            wrong = [Finding(FACTS, "error", self._facts.column(role), str(error))]
            return self._result(record, draft, wrong, cost)
        for attempt in range(beyond + 1, self._settings.validation.max_attempts + 1):
            draft = Draft(told, attempt, name=self._facts.name_of(record))
            wrong = await self._attempt(record, draft, cost)
            if not wrong:
                break
        verdict = None
        if not wrong and self._judge.hears(told["row"]):
            seed = sampling_seed(self._settings.seed, told["row"], JUDGE, 1, 0)
            verdict = await self._judge.of(draft.told(), seed, lambda request: self._paid(request, cost))
        return self._result(record, draft, wrong, cost, verdict)

    async def _attempt(self, record: Mapping[str, Any], draft: Draft, cost: _Cost) -> list[Finding]:
        """Write the record once, with repairs; return the remaining errors."""
        wrong: list[Finding] = []
        for call in CALLS:
            template = self._prompts.templates[call]
            try:
                await self._ask(template, call, draft, cost)
            except RenderError as error:
                return [Finding(PROMPT, "error", call, str(error))]
            for _ in range(self._settings.validation.max_repairs + 1):
                wrong = await self._errors(record, draft)
                cost.met += [finding.code for finding in wrong]
                if not wrong or not self._repairable(wrong):
                    break
                if draft.turn >= self._settings.validation.max_repairs:
                    break
                draft.turn += 1
                try:
                    await self._repair(template, call, draft, wrong, cost)
                except RenderError as error:
                    return [*wrong, Finding(PROMPT, "error", call, str(error))]
            wrong = [finding for finding in wrong if rejects(finding)]
            if wrong:
                return wrong
            draft.turn = 0
        return wrong

    async def _errors(self, record: Mapping[str, Any], draft: Draft) -> list[Finding]:
        """Return the errors to repair in the fields written so far; a misshapen field reports only its shape."""
        draft.found = await self._review.of({**record, **draft.written})
        started = draft.written.keys() | draft.misshapen.keys()
        content = [f for f in draft.found if wants_repair(f) and f.field not in draft.misshapen]
        whole = len(started) == len(self._specs)
        return [*draft.misshapen.values(), *(f for f in content if whole or f.field in started)]

    def _repairable(self, wrong: Iterable[Finding]) -> bool:
        return all(f.field in self._specs and self._policy.get(f.code, "repair") == "repair" for f in wrong)

    async def _repair(
        self, template: Template, call: str, draft: Draft, wrong: Sequence[Finding], cost: _Cost
    ) -> None:
        names = dict.fromkeys(finding.field for finding in wrong)
        if not draft.written.keys() & {spec.name for spec in template.fields}:
            # No field was readable, so there is nothing to show; ask the same question again.
            await self._ask(template, call, draft, cost)
            return
        fields = tuple(spec.name for spec in self._specs.values() if spec.name in names)
        if fields not in self._repairs:
            asked = [self._specs[name] for name in fields]
            self._repairs[fields] = self._prompts.templates["repair"].asking(asked)
        more = faults_shown(wrong, fields, draft.written, self._fields)
        await self._ask(self._repairs[fields], f"{call}_repair", draft, cost, more)

    async def _ask(
        self, template: Template, call: str, draft: Draft, cost: _Cost, more: Mapping[str, Any] | None = None
    ) -> None:
        told = {**draft.told(), **(more or {})}
        llm = self._settings.llm
        goes_on = self._continues and template.can_continue and draft.has_said(call)
        asked = self._asked(template, told, goes_on=goes_on)
        request = ChatRequest(
            messages=draft.so_far(call, template.fields, asked) if goes_on else asked,
            schema_name=call,
            schema=template.schema,
            temperature=llm.temperature,
            top_p=llm.top_p,
            max_tokens=llm.max_tokens,
            seed=sampling_seed(self._settings.seed, told["row"], call, draft.attempt, draft.turn),
            facts=told,
            options=self._options,
        )
        paid = cost.asked
        completion = await self._paid(request, cost)
        answer = read(completion.text, template.fields, completion.fault, completion.finish_reason)
        if cost.asked > paid:
            self.hear(bool(answer.values))
        draft.take(answer, template.fields)
        if self._mends:
            draft.mend(template.fields, self._policy)
        if self._continues and call in CALLS:
            turn = Turn(asked, template.fields, completion.text, answer.values)
            draft.calls = {**draft.calls, call: turn} if goes_on else {call: turn}

    def _asked(self, template: Template, told: Mapping[str, Any], *, goes_on: bool) -> tuple[Message, ...]:
        if not self._renders:
            return ()
        return (template.render_next(told),) if goes_on else template.render(told)

    async def _paid(self, request: ChatRequest, cost: _Cost) -> Completion:
        completion = await self._complete(request, cost)
        cost.prompt_tokens += completion.prompt_tokens
        cost.completion_tokens += completion.completion_tokens
        return completion

    async def _complete(self, request: ChatRequest, cost: _Cost) -> Completion:
        cost.requests += 1
        name = request_key(request, self._model.name) if self._journal is not None else ""
        kept = self._journal.get(name) if self._journal is not None else None
        if kept is not None:
            # Earlier releases stored answers without these checks.
            return usable(kept, self._secrets)
        cost.asked += 1
        kept = await self._model.complete(request)
        if self._journal is not None:
            await self._journal.put(name, kept)
        return kept

    def _result(
        self,
        record: Mapping[str, Any],
        draft: Draft,
        wrong: Sequence[Finding],
        cost: _Cost,
        verdict: Verdict | None = None,
    ) -> Narrated:
        findings = tuple(dict.fromkeys((*wrong, *draft.found, *draft.mends)))
        provenance = {
            "model": self._model.name,
            "prompt_digest": self._prompts.digest,
            "attempts": draft.attempt,
            "flags": sorted({finding.code for finding in findings if finding.severity == "warning"}),
        }
        return Narrated(
            record={
                **{n: said for n, said in record.items() if n != IMPOSSIBLE},
                **draft.written,
                **provenance,
            },
            findings=findings,
            accepted=not wrong,
            attempts=draft.attempt,
            prompt_tokens=cost.prompt_tokens,
            completion_tokens=cost.completion_tokens,
            reasons=tuple(f"{f.code}: {f.field}: {f.message}" for f in wrong),
            verdict=verdict,
            met=tuple(cost.met),
            requests=cost.requests,
            asked=cost.asked,
        )
