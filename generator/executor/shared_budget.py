"""SharedBudget: a session's budget, leased to workers in parts that shrink as it runs out."""

from __future__ import annotations

from dataclasses import dataclass

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.budget import Budget, BudgetError

# A lease is half of what is left, divided by the workers; but never less than this share of the whole.
_LEAST = 0.001


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a worker may spend in total, including what it has spent; infinite without a limit."""

    tokens: float = 0.0
    money: float = 0.0


class _Pool:
    """One limit, on tokens or on money."""

    def __init__(self, most: float | None) -> None:
        self.most = most
        self._allowed: dict[int, float] = {}
        self._spent: dict[int, float] = {}
        self._gone = 0.0

    def allow(self, worker: int, spent: float, *, wants: bool, workers: int) -> float:
        if self.most is None:
            return float("inf")
        self._spent[worker] = spent
        # Requests in flight can exceed an allowance; that excess is spent and lowers what is left for all.
        allowed = max(self._allowed.get(worker, 0.0), spent) if wants else spent
        self._allowed[worker] = allowed
        left = self.most - self._gone - sum(max(self._allowed[w], self._spent[w]) for w in self._allowed)
        # Without this, a rounding error in the sum could keep all workers waiting.
        nobody_has_any = all(self._spent[w] >= self._allowed[w] for w in self._allowed)
        if wants and spent >= allowed and (left > 0 or nobody_has_any):
            allowed += max(left / (2 * workers), _LEAST * self.most)
            self._allowed[worker] = allowed
        return allowed

    def release(self, worker: int) -> None:
        self._gone += self._spent.pop(worker, 0.0)
        self._allowed.pop(worker, None)


class SharedBudget:
    """The spending of all workers, and what each may spend."""

    def __init__(self, config: LLMConfig, workers: int) -> None:
        """Take limits and prices from the config, and the number of workers that share them."""
        self._budget = Budget(config)
        self._config = config
        self._workers = workers
        self._tokens, self._money = _Pool(config.max_tokens_total), _Pool(config.max_cost)
        self._reported: dict[int, tuple[int, int]] = {}

    def allow(self, worker: int, prompt_tokens: int, completion_tokens: int, *, wants: bool) -> Allowance:
        """Take what a worker has spent in total, and return what it may spend in total.

        A worker without tasks (`wants` is false) gives back what it has not spent.
        """
        prompt, completion = self._reported.get(worker, (0, 0))
        self._budget.spend(prompt_tokens - prompt, completion_tokens - completion)
        self._reported[worker] = (prompt_tokens, completion_tokens)
        own = Budget(self._config)
        own.spend(prompt_tokens, completion_tokens)
        return Allowance(
            self._tokens.allow(worker, prompt_tokens + completion_tokens, wants=wants, workers=self._workers),
            self._money.allow(worker, own.cost, wants=wants, workers=self._workers),
        )

    def release(self, worker: int) -> None:
        """Free what a worker that ended or died had not spent."""
        self._reported.pop(worker, None)
        self._tokens.release(worker)
        self._money.release(worker)

    @property
    def error(self) -> BudgetError | None:
        """The error that ends the session when the budget is spent; None before."""
        try:
            self._budget.check()
        except BudgetError as error:
            return error
        return None
