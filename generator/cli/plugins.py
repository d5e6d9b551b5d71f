"""Commands `personas plugins …`: list the contents of plug-ins and check them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from census_personas.generator.cli.options import Locale

if TYPE_CHECKING:
    from census_personas.foundation.plugin import Plugin

app = typer.Typer(
    no_args_is_help=True,
    help="Rules, measures and prompt sets of third parties.",
    rich_markup_mode=None,
)
_Named = Annotated[
    list[str] | None, typer.Argument(metavar="[FOLDER|NAME]...", help="Default: all that are installed.")
]
_One = Annotated[str, typer.Argument(metavar="FOLDER|NAME", help="A plug-in's folder, or an installed one.")]


@app.command("list")
def list_(named: _Named = None) -> None:
    """List the rules, measures and prompt sets of plug-ins; run none of their code."""
    from census_personas.foundation.plugin import KINDS
    from census_personas.foundation.plugins import Plugins, installed

    members = Plugins.load(named or installed()).members
    for plugin in members:
        print(f"{plugin.name}: {plugin.folder}")
        for kind in KINDS:
            names = plugin.prompt_sets if kind == "prompts" else plugin.files(kind)
            if names:
                print(f"  {kind}: {', '.join(names)}")
    if not members:
        print("personas: no plug-in is installed", file=sys.stderr)


@app.command()
def check(named: _One, locale: Locale = "en_US") -> None:
    """Run the examples of each rule, import each measure and lint each prompt set; exit 1 if there is a fault."""
    from census_personas.census_priors.priors import Priors
    from census_personas.foundation.plugins import Plugins
    from census_personas.prompts.set_folder import shipped_sets
    from census_personas.validators.measure_registry import measures
    from census_personas.validators.rule_context import RuleContext
    from census_personas.validators.rule_examples import example_faults
    from census_personas.validators.rules import rules

    plugins = Plugins.load([named])
    every = rules(plugins)
    measures(plugins)
    plugins.prompt_sets(shipped_sets())
    (plugin,) = plugins.members
    codes = plugin.files("rules")
    context = RuleContext(Priors.load(locale)) if codes else None
    wrong = 0
    for code in codes:
        faults = list(example_faults(every[code], context)) if context else []
        examples = len(every[code].ACCEPTS) + len(every[code].REJECTS)
        wrong += _print(f"rule {code}", faults, f"{examples} examples, {every[code].POLICY} by default")
    for name, faults in _others(plugin):
        wrong += _print(name, faults, "")
    if wrong:
        print(f"personas: {plugin.name}: {wrong} fault{'s' * (wrong > 1)}", file=sys.stderr)
        raise typer.Exit(1)


def _others(plugin: Plugin) -> Iterator[tuple[str, list[str]]]:
    """Yield measures and prompt sets with their faults."""
    from census_personas.generator.narration.backends import offline_faults
    from census_personas.prompts.lint import lint

    for name in plugin.files("measures"):
        yield f"measure {name}", []
    for name, folder in plugin.prompt_sets.items():
        yield f"prompt set {name}", [*(lint(folder) or offline_faults(folder))]


def _print(name: str, faults: list[str], sound: str) -> int:
    """Print one line per fault, or one if there is none; return the number of faults."""
    for fault in faults:
        print(f"{name}: {fault}")
    if not faults:
        print(f"{name}: sound{f'; {sound}' if sound else ''}")
    return len(faults)
