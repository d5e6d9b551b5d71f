"""Export file: a whole dataset in one form, streamed to a file or a folder that appears when it is complete."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import orjson

from census_personas.census_priors.roles import Roles
from census_personas.foundation.atomic_file import whole_file
from census_personas.foundation.user_path import output_file, output_folder
from census_personas.generator.export.forms import ExportError, chat, edsl, tinytroupe
from census_personas.generator.export.person import Person, read_people

FORMS = ("chat", "edsl", "tinytroupe")


def export(
    dataset: Path,
    form: str,
    output: Path,
    roles: Roles,
    *,
    template: Path | None = None,
    limit: int | None = None,
) -> int:
    """Write people in a form; return their number.

    `chat` writes JSON Lines, `edsl` one JSON file with a list of agents, `tinytroupe` a folder with one
    `UUID.agent.json` a person.

    Raises:
        ExportError: the form is unknown, or the output has another suffix than the form needs.
        DatasetError: the dataset cannot be read.
        DestinationError, UnwritableError: the output cannot be written.
    """
    if form not in FORMS:
        raise ExportError(f"--to {form}: no such form; known: {', '.join(FORMS)}")
    if template is not None and form != "chat":
        raise ExportError(f"--template: is for --to chat alone, not {form}")
    people = _first(read_people(dataset, roles), limit)
    if form == "tinytroupe":
        return _folder(people, output_folder(output, inputs=[dataset]))
    path = output_file(output, (".jsonl",) if form == "chat" else (".json",), inputs=[dataset])
    with whole_file(path) as partial:
        return _chat(people, partial, template) if form == "chat" else _edsl(people, partial)


def _chat(people: Iterable[Person], path: Path, template: Path | None) -> int:
    form, count = chat(template), 0
    with path.open("wb") as out:
        for person in people:
            out.write(orjson.dumps(form(person), option=orjson.OPT_APPEND_NEWLINE))
            count += 1
    return count


def _edsl(people: Iterable[Person], path: Path) -> int:
    count = 0
    with path.open("wb") as out:
        out.write(b'{"agent_list": [')
        for person in people:
            out.write((b",\n" if count else b"\n") + orjson.dumps(edsl(person)))
            count += 1
        out.write(b'\n], "edsl_class_name": "AgentList"}\n')
    return count


def _folder(people: Iterable[Person], folder: Path) -> int:
    if folder.exists() and any(folder.iterdir()):
        raise ExportError(f"{folder}: is not empty; give a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        count = 0
        for person in people:
            text = json.dumps(tinytroupe(person), indent=2, ensure_ascii=False)
            (work / f"{person.uuid}.agent.json").write_text(f"{text}\n", encoding="utf-8")
            count += 1
        if folder.exists():
            folder.rmdir()
        work.chmod(0o755)
        work.rename(folder)
    except BaseException:  # an interrupt too must leave no half folder
        shutil.rmtree(work, ignore_errors=True)
        raise
    return count


def _first(people: Iterable[Person], limit: int | None) -> Iterable[Person]:
    take: Callable[[int], bool] = lambda number: limit is None or number < limit  # noqa: E731
    for number, person in enumerate(people):
        if not take(number):
            return
        yield person
