"""Validation: checks a whole dataset with the record rules, from Python."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import pandas as pd

from census_personas.census_priors.priors import Priors
from census_personas.foundation.dataset_reader import dataset_files
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.plugins import Plugins
from census_personas.generator.population.plausibility import Plausibility
from census_personas.generator.population.population import Population
from census_personas.generator.run.sampled_dataset import is_sampled
from census_personas.generator.run.shard_store import check_parts
from census_personas.generator.run.text_language import language_of_texts
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import SAMPLED
from census_personas.validators.validate_file import validate_files


@dataclass(frozen=True, slots=True)
class Validation:
    """The result of checking a dataset.

    Attributes:
        rows: number of checked rows.
        rejected_rows: number of rows with at least one error.
        repeated_uuids: number of rows that repeat the uuid of an earlier row.
        missing_columns: columns that rules need and no row has; these rules were skipped.
        by_rule: number of rows by rule and severity.
        not_judged: rules that cannot run on this locale -> what it lacks: a language, a role, a look-up.
        findings: one finding per row: row, uuid, rule, severity, field, message, evidence.
    """

    rows: int
    rejected_rows: int
    repeated_uuids: int
    missing_columns: tuple[str, ...]
    by_rule: Mapping[str, Mapping[str, int]]
    findings: pd.DataFrame
    not_judged: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether no row has an error or repeats a uuid."""
        return not self.rejected_rows and not self.repeated_uuids

    def __repr__(self) -> str:
        """Return the counts, without the findings."""
        return (
            f"Validation({self.rows} rows, {self.rejected_rows} with errors, "
            f"{self.repeated_uuids} repeated, {len(self.findings)} findings)"
        )


def validate(
    dataset: str | PathLike[str] | pd.DataFrame,
    *,
    locale: str = "en_US",
    policy: Mapping[str, str] | None = None,
    limit: int | None = None,
    sampled: bool | None = None,
    plugins: Sequence[str | PathLike[str]] = (),
) -> Validation:
    """Check every row of a dataset against the record rules.

    ```python
    result = validate("runs/first")
    result.passed, result.findings[["row", "rule", "message"]]
    ```

    Args:
        dataset: a .parquet, .csv or .jsonl file, a run folder, or a data frame.
        locale: a shipped locale, or a locale's folder.
        policy: rule -> `repair`, `reject`, `flag` or `off`, to replace the default.
        limit: most rows to read.
        sampled: whether the people were sampled from the census; rare facts are then flagged, not rejected. By default,
            files and runs say so themselves; a data frame cannot, and counts as not sampled.
        plugins: folders or names of installed packages whose rules run too; their code is executed.

    Raises:
        DatasetError: the dataset cannot be read, or has no rows.
        PolicyError: a rule or an action does not exist.
        PluginError: a plug-in cannot be loaded, or one of its rules fails.
    """
    extra = Plugins.load(plugins)
    with tempfile.TemporaryDirectory(prefix="personas-") as folder:
        if isinstance(dataset, str | PathLike):
            place = Path(dataset)
            sampled = is_sampled(place) if sampled is None else sampled
        else:
            place = Path(folder) / "rows.parquet"
            dataset.to_parquet(place, index=False)
        actions = {**(SAMPLED if sampled else {}), **(policy or {})}
        return _validated(place, locale, actions, limit, extra, Path(folder) / "findings.parquet")


async def avalidate(
    dataset: str | PathLike[str] | pd.DataFrame,
    *,
    locale: str = "en_US",
    policy: Mapping[str, str] | None = None,
    limit: int | None = None,
    sampled: bool | None = None,
    plugins: Sequence[str | PathLike[str]] = (),
) -> Validation:
    """Do as `validate`, in a thread, so that the caller's loop stays free. A cancellation does not wait for it."""
    return await asyncio.to_thread(
        validate, dataset, locale=locale, policy=policy, limit=limit, sampled=sampled, plugins=plugins
    )


def _validated(
    place: Path,
    locale: str,
    policy: Mapping[str, str],
    limit: int | None,
    plugins: Plugins,
    findings: Path,
) -> Validation:
    check_parts(place)
    files = dataset_files(place)
    priors = Priors.load(locale)
    language = language_of_texts(place, plugins)
    context = RuleContext(priors, Plausibility.of(Population.load(priors)), language)
    counts = validate_files(files, context, policy=policy, findings=findings, limit=limit, plugins=plugins)
    if not counts["rows"]:
        raise DatasetError(f"{place}: no rows; nothing was checked")
    missing = tuple(counts.pop("missing_columns"))
    return Validation(
        **counts, missing_columns=missing, findings=pd.read_parquet(findings).rename(columns={"code": "rule"})
    )
