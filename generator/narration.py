"""Narration: one sampled row becomes one persona."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from persona_engine.generator.config import Config
from persona_engine.generator.journal import Journal
from persona_engine.generator.llm.chat import ChatModel
from persona_engine.prompts.template import PromptSet
from persona_engine.validators.finding import Finding

if TYPE_CHECKING:
    from persona_engine.census_priors.priors import Priors

Check = Callable[[Mapping[str, Any]], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Narrated:
    """A narrated record. `reasons` says, one line a finding, why it was not accepted."""

    record: dict[str, Any]
    findings: tuple[Finding, ...]
    accepted: bool
    attempts: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasons: tuple[str, ...] = ()


class Narrator:
    """Writes personas for rows. Stateless between rows; safe for many concurrent `narrate` calls."""

    def __init__(
        self,
        model: ChatModel,
        prompts: PromptSet,
        priors: Priors,
        check: Check,
        settings: Config,
        journal: Journal | None = None,
    ) -> None:
        """`settings` gives seed, sampling parameters, policies and the bounds of the repair loop."""
        raise NotImplementedError

    async def narrate(self, record: Mapping[str, Any]) -> Narrated:
        """Narrate one row; raises `LLMError` when the endpoint cannot answer, never for a bad answer."""
        raise NotImplementedError
