"""Commands `personas experiment …`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from census_personas.foundation.printable import printable
from census_personas.generator.cli.options import AsJson

if TYPE_CHECKING:
    from census_personas.generator.experiment.cells import Cell
    from census_personas.generator.experiment.runner import Ended
    from census_personas.generator.run.pipeline import Tally

app = typer.Typer(
    no_args_is_help=True,
    help="Several configurations of the same people, run and compared.",
    rich_markup_mode=None,
)
File = Annotated[Path, typer.Argument(metavar="FILE", help="The experiment's YAML file.")]


@app.command()
def plan(file: File, as_json: AsJson = False) -> None:
    """Print the cells, their rows, tokens and cost, and the differences that so many rows can show; ask nothing."""
    from census_personas.generator.experiment import plan as planning
    from census_personas.generator.experiment.cells import baseline, cells, conditions
    from census_personas.generator.experiment.declaration import read_experiment

    experiment = read_experiment(file)
    known = conditions(experiment)
    baseline(experiment, known)
    found = [planning.planned(cell) for cell in cells(experiment, known)]
    if as_json:
        print(
            json.dumps(
                [
                    {
                        "label": item.cell.condition.label,
                        "seed": item.cell.seed,
                        "folder": str(item.cell.folder),
                        "rows": item.rows,
                        "done": item.done,
                        "prompt_tokens": item.prompt_tokens,
                        "completion_tokens": item.completion_tokens,
                        "cost": item.cost,
                        "fault": item.fault,
                    }
                    for item in found
                ]
            )
        )
        return
    print("\n".join(planning.lines(found, max(len(known) - 1, 1), experiment.max_cost)))


@app.command()
def run(file: File, as_json: AsJson = False) -> None:
    """Run the cells that have no outcome for every row, then compare; exit 1 if a cell failed or was not paid for.

    The same command resumes a stopped experiment. Finished runs are used as they are.
    """
    from census_personas.generator.cli.run import run_folder
    from census_personas.generator.experiment.cells import baseline, cells, conditions
    from census_personas.generator.experiment.comparison import compare
    from census_personas.generator.experiment.declaration import read_experiment
    from census_personas.generator.experiment.page import write_page
    from census_personas.generator.experiment.runner import run_cells, write_record

    experiment = read_experiment(file)
    known = conditions(experiment)
    first = baseline(experiment, known)
    found = cells(experiment, known)
    folder = run_folder(Path(experiment.output) / experiment.name)
    ended = run_cells(found, experiment.max_cost, _observe, _told)
    comparison = compare(ended, first)
    record = write_record(folder, ended, comparison)
    page = write_page(folder, experiment.name, json.loads(record.read_text(encoding="utf-8")))
    print(record.read_text(encoding="utf-8") if as_json else printable(str(page)))
    missing = [item for item in ended if not item.is_usable]
    if missing:
        print(
            f"personas: {len(missing)} of {len(ended)} cells have no outcome for every row; the same command tries "
            "them again",
            file=sys.stderr,
        )
        raise typer.Exit(1)


def _observe(_: Cell) -> Callable[[Tally], None]:
    return lambda _: None


def _told(ended: Ended) -> None:
    cell = ended.cell
    what = f"{ended.state}, {ended.accepted} accepted, {ended.rejected} rejected"
    reason = f": {ended.reason}" if ended.reason else ""
    print(printable(f"seed {cell.seed}, {cell.condition.label}: {what}{reason}"), file=sys.stderr)
