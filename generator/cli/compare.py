"""Command `personas compare`: compares two datasets in full."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from census_personas.generator.cli.options import AsJson, Locale

if TYPE_CHECKING:
    from census_personas.generator.comparison.dataset_comparison import DatasetComparison
    from census_personas.validators.rules import RecordChecker

Page = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="DIR|FILE.html", help="Write the comparison as HTML, and JSON beside it."
    ),
]
Texts = Annotated[
    int, typer.Option(min=1, help="Most rows of each whose texts, names and findings are compared.")
]


def compare(
    one: Annotated[Path, typer.Argument(metavar="ONE", help="A .parquet, .csv or .jsonl file, or a run.")],
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Another dataset.")],
    locale: Locale = "en_US",
    output: Page = None,
    texts: Texts = 1_000,
    rules: Annotated[bool, typer.Option(help="Run the record rules over both.")] = True,
    as_json: AsJson = False,
) -> None:
    """Compare two datasets: people, tables, names, texts, rule findings, each beside what chance causes."""
    from census_personas.census_priors.priors import Priors
    from census_personas.generator.comparison.dataset_comparison import compare_datasets, write_comparison
    from census_personas.generator.run.shard_store import check_parts

    page = None if output is None else _page(output, one, other)
    for dataset in (one, other):
        check_parts(dataset)
    priors = Priors.load(locale)
    result = compare_datasets(
        one,
        other,
        priors.roles,
        checker=_checker(locale) if rules else None,
        recipe=priors.conventions.names.recipe,
        texts=texts,
    )
    if page is not None:
        write_comparison(page, result)
        print(page, file=sys.stderr)
    if as_json:
        print(json.dumps(result.model_dump(mode="json")))
    else:
        _print(result)


def _page(output: Path, one: Path, other: Path) -> Path:
    from census_personas.foundation.user_path import output_file, output_folder
    from census_personas.generator.comparison.dataset_comparison import NAME

    if output.suffix != ".html":
        output_folder(output, inputs=[one, other])
        output.mkdir(parents=True, exist_ok=True)
        output = output / NAME
    output_file(output.with_suffix(".json"), inputs=[one, other])
    return output_file(output, inputs=[one, other])


def _checker(locale: str) -> RecordChecker:
    from census_personas.generator.population.plausibility import Plausibility
    from census_personas.generator.population.population import Population
    from census_personas.validators.rule_context import RuleContext
    from census_personas.validators.rules import SAMPLED, RecordChecker

    population = Population.load(locale)
    # One policy for both, whichever of them this engine sampled.
    return RecordChecker(RuleContext(population.priors, Plausibility.of(population)), dict(SAMPLED))


def _print(result: DatasetComparison) -> None:
    agreeing = sum(result.passes.values())
    print(f"{result.rows[0]} and {result.rows[1]} rows; {agreeing} of {len(result.passes)} tables agree")
    print(_people(result))
    if result.texts:
        differing = [item.field for item in result.texts if item.differs]
        shown = f": {', '.join(differing)}" if differing else ""
        print(f"texts differ in {len(differing)} of {len(result.texts)} fields{shown}")
    print("total variation distance (0 equal, 1 disjoint), its value by chance alone, and its limit")
    for name, tvd in result.tvd.items():
        verdict = "agrees " if result.passes[name] else "differs"
        print(f"  {tvd:.4f}  {result.floor[name]:.4f}  {result.limit[name]:.4f}  {verdict}  {name}")
    if result.texts:
        print(
            "texts: words of each, distance of vocabularies in bits, its limit; near-duplicates within each, and across"
        )
    for item in result.texts:
        mean, near, vocabulary = item.lengths.mean, item.near_duplicates, item.vocabulary
        print(
            f"  {mean[0]:5.1f}  {mean[1]:5.1f}  {vocabulary.distance:.4f}  {vocabulary.limit:.4f}  "
            f"{near.within[0]:6.1%}  {near.within[1]:6.1%}  {near.across:6.1%}  "
            f"{'differs' if item.differs else 'agrees '}  {item.field}"
        )
    for kind, names in result.names.items():
        verdict = "agrees " if names.passes else "differs"
        print(f"  {names.tvd:.4f}  {names.floor:.4f}  {names.limit:.4f}  {verdict}  {kind}")
    for rule in result.rules or ():
        if rule.p <= 0.01:
            print(f"rule {rule.rule} ({rule.severity}): {rule.share[0]:.1%} and {rule.share[1]:.1%} of rows")
    for score, means in result.judge.items():
        print(f"judge, {score}: " + " and ".join("none" if mean is None else f"{mean:.2f}" for mean in means))


def _people(result: DatasetComparison) -> str:
    people = result.people
    if people.same:
        return "the people are the same"
    if people.by == "none":
        return "the people are different ones"
    same = (
        "" if people.all_facts is None else f"; all facts are the same in {people.all_facts:.1%} of the pairs"
    )
    return f"{people.shared[0]:.1%} and {people.shared[1]:.1%} of the rows are of the same people, by {people.by}{same}"
