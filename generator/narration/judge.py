"""Judge: a second reading of some records by a model, for the report; it changes no record."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from census_personas.foundation.randomness import uniforms
from census_personas.foundation.schema import NARRATIVES
from census_personas.generator.config.run_config import Config
from census_personas.generator.llm.answer import read
from census_personas.generator.llm.chat import ChatRequest, Completion, DeferredError, EndpointError, LLMError
from census_personas.prompts.template import RenderError, Template

logger = logging.getLogger(__name__)
CALL = "judge"
# How many of the records with the lowest scores a report shows.
_SHOWN = 5

Verdict = Mapping[str, Any]
"""Scores and rationale by field, with the record's row and uuid; or, under `not_judged`, why there are none."""


class Judge:
    """Asks for scores of every record whose row draws a number below `judge.share`.

    Only the seed decides which rows these are. An unreadable answer counts as "not judged"; it is not repaired, as
    no record depends on it.
    """

    def __init__(self, template: Template, settings: Config) -> None:
        """`template` renders the request for scores."""
        self._template = template
        self._settings = settings

    def hears(self, row: int) -> bool:
        """Return whether this row is judged."""
        share = self._settings.judge.share
        return share > 0 and uniforms(self._settings.seed, CALL, row, 1)[0] < share

    async def of(
        self, told: Mapping[str, Any], seed: int, complete: Callable[[ChatRequest], Awaitable[Completion]]
    ) -> Verdict:
        """Return the verdict on a narrated record.

        Args:
            told: facts and written fields.
            seed: sampling seed of the request.
            complete: answers the request, if possible from the journal.

        Raises:
            EndpointError, DeferredError: no request will succeed, or the answer comes later.
        """
        texts = [{"name": name, "value": told[name]} for name in NARRATIVES if name in told]
        facts = {**told, "texts": texts}
        llm = self._settings.llm
        who = {"row": told["row"], "uuid": told["uuid"]}
        try:
            messages = self._template.render(facts)
        except RenderError as error:
            return {**who, "not_judged": str(error)}
        request = ChatRequest(
            messages=messages,
            schema_name=CALL,
            schema=self._template.schema,
            temperature=0.0,
            top_p=1.0,
            max_tokens=llm.max_tokens,
            seed=seed,
            facts=facts,
            options=llm.options(),
        )
        try:
            completion = await complete(request)
        except (EndpointError, DeferredError):
            raise
        except LLMError as error:
            logger.warning("row %s is not judged: %s", told["row"], error)
            return {**who, "not_judged": str(error)}
        answer = read(completion.text, self._template.fields, completion.fault)
        if answer.findings:
            first = answer.findings[0]
            return {**who, "not_judged": f"{first.field}: {first.message}"}
        return {**who, **answer.values}


def summary(verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """Summarize verdicts for a report: mean and counts by score, and the lowest with their rationale."""
    listed = list(verdicts)
    judged = [verdict for verdict in listed if "not_judged" not in verdict]
    names = [
        name for name in (judged[0] if judged else {}) if name != "row" and isinstance(judged[0][name], int)
    ]
    lowest = sorted(judged, key=lambda verdict: (sum(verdict[name] for name in names), str(verdict["uuid"])))
    return {
        "rows": len(judged),
        "not_judged": len(listed) - len(judged),
        "scores": {name: _scores([verdict[name] for verdict in judged]) for name in names},
        "lowest": [dict(verdict) for verdict in lowest[:_SHOWN]],
    }


def _scores(scores: Sequence[int]) -> dict[str, Any]:
    counts = Counter(scores)
    return {
        "mean": sum(scores) / len(scores),
        "counts": {str(score): counts[score] for score in sorted(counts)},
    }
