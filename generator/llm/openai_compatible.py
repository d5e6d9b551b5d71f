"""The chat model of OpenAI-compatible endpoints: sends, waits, retries and counts the cost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.budget import Budget, Spending
from census_personas.generator.llm.chat import (
    ChatRequest,
    Completion,
    EndpointError,
    RequestError,
    ThrottledError,
    UnreachableError,
    UnreadableError,
)
from census_personas.generator.llm.dialect import Dialect
from census_personas.generator.llm.endpoint import Endpoint
from census_personas.generator.llm.payload import BYTES_PER_TOKEN, completion_of
from census_personas.generator.llm.probe import adapt, detect, explain_refusal
from census_personas.generator.llm.retry import retry_policy
from census_personas.generator.llm.transport import LONGEST_ASKED_WAIT_S

logger = logging.getLogger(__name__)
# Seconds between two log lines about 429s of one endpoint.
_QUIET_S = 30.0
# An answer that is cut off at the token limit is requested again with a larger limit, twice.
_LIMIT_FACTORS = (1, 2, 4)


@dataclass(slots=True)
class Usage:
    """Counts of requests to the endpoints, updated as they happen."""

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    estimated: int = 0
    in_flight: int = 0


class OpenAICompatible:
    """`ChatModel` over one endpoint or several. Safe for thousands of concurrent `complete` calls.

    Each request goes to the least loaded endpoint; a retry may go to another one, so that the others take over
    when one fails.
    """

    needs_messages = True

    def __init__(
        self, config: LLMConfig, endpoints: Sequence[Endpoint], budget: Spending | None = None
    ) -> None:
        """Send nothing yet; the first request to an endpoint probes what it understands.

        `budget` is one that others share; by default the config's limits are this model's alone.
        """
        if not config.model:
            raise EndpointError("llm.model is missing", hint="name the model that the endpoint serves")
        self._name = config.model
        self._config = config
        self._endpoints = tuple(endpoints)
        self._options = config.options()
        self._quiet_until: dict[str, float] = {}
        self.usage = Usage()
        self.budget: Spending = budget or Budget(config)

    @property
    def name(self) -> str:
        """The model's name as recorded in the dataset."""
        return self._name

    @property
    def capability(self) -> Mapping[str, Any]:
        """What the first endpoint understands; empty before its first answer."""
        dialect = self._endpoints[0].dialect
        return {} if dialect is None else dialect.describe()

    @property
    def limit(self) -> int:
        """Current limit of concurrent requests, summed over the endpoints."""
        return sum(endpoint.gate.limit for endpoint in self._endpoints)

    def account(self) -> Mapping[str, Any]:
        """Return what the first endpoint understands, and this session's requests, retries and 429s."""
        counts = {name: getattr(self.usage, name) for name in ("requests", "retries", "throttled")}
        estimated = {"tokens_counted_from_lengths": self.usage.estimated} if self.usage.estimated else {}
        return {**self.capability, **counts, **estimated}

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer one request, or raise an `LLMError`.

        Retries transient faults, and repeats a request whose answer hit the token limit with a larger limit.
        Counts the tokens of all of these.
        """
        prompt = completion = cached = 0
        for factor in _LIMIT_FACTORS:
            answer = await self._retried(request, request.max_tokens * factor)
            prompt += answer.prompt_tokens
            completion += answer.completion_tokens
            cached += answer.cached_tokens
            if answer.finish_reason != "length":
                break
            logger.debug("answer cut off at %d tokens", request.max_tokens * factor)
        if prompt == answer.prompt_tokens and completion == answer.completion_tokens:
            return answer
        return replace(answer, prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)

    async def aclose(self) -> None:
        """Release connections."""
        for endpoint in self._endpoints:
            await endpoint.aclose()

    async def _retried(self, request: ChatRequest, max_tokens: int) -> Completion:
        circuits = [endpoint.circuit for endpoint in self._endpoints]
        policy = retry_policy(self._config.max_retries, request.seed, circuits, self._count_retry)
        try:
            answer: Completion = await policy(self._once, request, max_tokens)
        except UnreachableError as error:
            shown = ", ".join(endpoint.address.shown for endpoint in self._endpoints)
            raise EndpointError(str(error), hint=f"is a server running at {shown}?") from error
        return answer

    def _count_retry(self) -> None:
        self.usage.retries += 1

    async def _once(self, request: ChatRequest, max_tokens: int) -> Completion:
        await self.budget.admitted()
        endpoint = self._freest()
        endpoint.assigned += 1
        try:
            return await self._understood(endpoint, request, max_tokens)
        finally:
            endpoint.assigned -= 1

    async def _understood(self, endpoint: Endpoint, request: ChatRequest, max_tokens: int) -> Completion:
        """Ask in the endpoint's dialect; before its first answer, leave out what it refuses, if possible."""
        dialect = await endpoint.understood(lambda: self._detected(endpoint))
        while True:
            try:
                answer = await self._sent(endpoint, request, dialect, max_tokens)
            except RequestError as error:
                known = endpoint.dialect if endpoint.has_answered else adapt(dialect, str(error))
                if known is None or known == dialect:
                    raise
                dialect = known
            else:
                if not endpoint.has_answered:
                    endpoint.dialect, endpoint.has_answered = dialect, True
                return answer

    async def _detected(self, endpoint: Endpoint) -> Dialect:
        limit = self._config.max_tokens
        return await detect(
            lambda request, dialect: self._sent(endpoint, request, dialect, limit), limit, endpoint.configured
        )

    def _freest(self) -> Endpoint:
        up = [endpoint for endpoint in self._endpoints if not endpoint.circuit.is_open]
        tried = [endpoint for endpoint in self._endpoints if endpoint.circuit.trial_is_due]
        return tried[0] if tried else min(up or self._endpoints, key=lambda endpoint: endpoint.load)

    def _alone(self, endpoint: Endpoint) -> bool:
        return all(other is endpoint or other.circuit.is_open for other in self._endpoints)

    async def _sent(
        self, endpoint: Endpoint, request: ChatRequest, dialect: Dialect, max_tokens: int
    ) -> Completion:
        address = endpoint.address
        if self._options and not request.options:  # a probe, which must send what the run will send
            request = replace(request, options=self._options)
        asked = dialect.body(request, self._name, max_tokens)
        body = orjson.dumps(asked)
        self.usage.requests += 1
        self.usage.in_flight += 1
        try:
            payload = await endpoint.post(body, lambda: self._alone(endpoint))
            answer = completion_of(payload, self._name, address.shown, asked["messages"], address.secrets)
        except ThrottledError as error:
            self._throttled(endpoint, error)
            raise
        except EndpointError as error:
            raise await self._explained(endpoint, error) from error
        except RequestError as error:
            refused = error if endpoint.has_answered else explain_refusal(error, dialect, self._options)
            raise refused from (None if refused is error else error)
        except UnreadableError as error:
            # The endpoint charges for it.
            self._estimated(endpoint)
            self.budget.spend(len(body) // BYTES_PER_TOKEN, error.size // BYTES_PER_TOKEN)
            raise
        finally:
            self.usage.in_flight -= 1
        if answer.estimated:
            self._estimated(endpoint)
        self.budget.spend(answer.prompt_tokens, answer.completion_tokens)
        return answer

    def _estimated(self, endpoint: Endpoint) -> None:
        """Count an answer whose tokens are estimated from lengths, and log that once."""
        self.usage.estimated += 1
        if self.usage.estimated == 1:
            logger.warning(
                "%s sends no usable token counts; budgets and the manifest use estimates from lengths "
                "(UTF-8 bytes / %d)",
                endpoint.address.shown,
                BYTES_PER_TOKEN,
            )

    def _throttled(self, endpoint: Endpoint, error: ThrottledError) -> None:
        """Count a 429, and log it now and then: a run that only waits looks like one that hangs."""
        self.usage.throttled += 1
        shown, now = endpoint.address.shown, asyncio.get_running_loop().time()
        if now < self._quiet_until.get(shown, now):
            return
        self._quiet_until[shown] = now + _QUIET_S
        longest = error.retry_after == LONGEST_ASKED_WAIT_S
        why = "the longest allowed" if longest else "as it asks"
        asked = "" if error.retry_after is None else f" of {error.retry_after:g} s, {why}"
        logger.warning(
            "%s answers 429 (%d of %d requests so far); they are retried after a wait%s; "
            "if this goes on, lower llm.concurrency (now %d)",
            shown,
            self.usage.throttled,
            self.usage.requests,
            asked,
            self._config.concurrency,
        )

    async def _explained(self, endpoint: Endpoint, error: EndpointError) -> EndpointError:
        if "answered 404" not in str(error):
            return error
        served = await endpoint.transport.models()
        if not served or self._name in served:
            return error
        known = endpoint.address.scrub(", ".join(list(served)[:10]))
        return EndpointError(
            f"{endpoint.address.shown} does not serve the model {self._name!r}",
            hint=f"set llm.model to one that it serves: {known}",
        )

    async def context(self) -> int:
        """Return the context length of the first endpoint in tokens; 0 if it does not say."""
        return (await self._endpoints[0].transport.models()).get(self._name, 0)
