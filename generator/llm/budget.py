"""Budget: what a session may spend, and the stop when it is spent."""

from __future__ import annotations

from typing import Protocol

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import EndpointError
from census_personas.generator.llm.concurrency_limit import Gate


class BudgetError(EndpointError):
    """The session's budget is spent: no further request is sent, and the run can be resumed with another."""


class Spending(Protocol):
    """What a chat model needs of its budget."""

    async def admitted(self) -> None:
        """Return when a further request may be sent; raises `BudgetError` when the budget is spent."""
        ...

    def spend(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count an answer."""
        ...


class Limits(Protocol):
    """Limits that are set elsewhere, for a model that shares its endpoints with those of other processes."""

    @property
    def budget(self) -> Spending:
        """What may be spent."""
        ...

    def gate(self, ceiling: int) -> Gate:
        """The next endpoint's limit, in the order in which the configuration names them."""
        ...


class Budget:
    """Tokens and money spent on answers. Requests in flight when it runs out are finished and counted.

    What an endpoint does not count is counted from lengths (see `payload`), so that a limit always holds.
    """

    def __init__(self, config: LLMConfig) -> None:
        """Take limits and prices (for a million tokens) from the config."""
        self._config = config
        self.prompt_tokens = 0
        self.completion_tokens = 0

    @property
    def cost(self) -> float:
        """Money spent, in the currency of the prices."""
        spent = self.prompt_tokens * self._config.price_prompt
        return (spent + self.completion_tokens * self._config.price_completion) / 1e6

    def spend(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count an answer."""
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens

    async def admitted(self) -> None:
        """Return when a further request may be sent.

        Raises:
            BudgetError: the budget is spent.
        """
        self.check()

    def check(self) -> None:
        """Refuse a further request when the budget is spent.

        Raises:
            BudgetError: naming the limit, what was spent and the remedy.
        """
        tokens, most = self.prompt_tokens + self.completion_tokens, self._config.max_tokens_total
        if most is not None and tokens >= most:
            raise BudgetError(f"llm.max_tokens_total={most} is spent ({tokens} tokens)", hint=_REMEDY)
        money = self._config.max_cost
        if money is not None and self.cost >= money:
            raise BudgetError(f"llm.max_cost={money:g} is spent ({self.cost:.4f})", hint=_REMEDY)


_REMEDY = "raise it and repeat the command to go on; finished answers are kept and not paid for again"
