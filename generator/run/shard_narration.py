"""ShardNarration: builds the pipeline that narrates shards of a run folder, in one process or in a worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from census_personas.generator.llm.chat import ChatModel
from census_personas.generator.narration.narrator import Narrated, Narrator
from census_personas.generator.run.early_stop import StartLimit
from census_personas.generator.run.pipeline import Narrating, Pipeline, Tally
from census_personas.generator.run.resources import RunResources
from census_personas.generator.run.run_folder import RunFolder
from census_personas.generator.run.shard_closing import ShardClosing, shared_text_action
from census_personas.generator.run.shard_store import Shard


class ShardNarration:
    """Builds pipelines that sample, narrate and check rows, and write them into a run folder.

    Rows are compared only within a shard, so that no shard depends on another.
    """

    def __init__(self, resources: RunResources, folder: RunFolder, model: ChatModel) -> None:
        """Take the run's resources, its folder and the model."""
        config = resources.config
        validation = config.validation.model_copy(update={"max_attempts": folder.allowance})
        self._config = config.model_copy(update={"validation": validation})
        self._resources, self._folder, self._model = resources, folder, model
        self._closing = ShardClosing(shared_text_action(config.validation.policy, config.llm.backend))

    def pipeline(
        self,
        concurrency: int,
        early_stop: StartLimit,
        hear: Callable[[bool], None],
        observe: Callable[[Tally], None] = lambda _: None,
    ) -> Pipeline:
        """Return a pipeline with `concurrency` narrations; `hear` gets, for each new answer, if it was readable."""

        def open_narrator(shard: Shard) -> AbstractContextManager[Narrator]:
            journal = self._folder.journal(shard) if self._folder.journaled else None
            return self._resources.narrator(self._model, self._config, journal, hear)

        pipeline = Pipeline(
            self._resources.sample,
            open_narrator,
            self._folder.write,
            concurrency=concurrency,
            observe=observe,
            early_stop=early_stop,
            deliver_begun=not self._folder.journaled,
        )
        pipeline.settle = self._settle
        return pipeline

    async def _settle(
        self, narrator: Narrating, shard: Shard, results: Sequence[Narrated]
    ) -> Sequence[Narrated]:
        return await self._closing.settle(narrator, results, self._folder.rows_before(shard))
