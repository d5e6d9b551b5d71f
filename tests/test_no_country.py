"""No country in code: anything specific to the United States is in the data of en_US, its builder, or listed here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("foundation", "census_priors", "generator", "census_personas", "validators", "prompts")
TERMS = re.compile(
    r"""\bZIPs?\b | \bzip_?codes? | [Hh]ispanic | ethnicit(?:y|ies) | \bUSPS\b | \bus_born | nativity(?!_group)
    | \b(?:not_in_workforce | no_occupation | labor_force_status | never_married | bachelors | less_than_9th)
    | \bcount(?:y|ies)\b(?=["'_]) | _county | county_ | state_name
    | ["'](?:city | state | metro_area | first_name | last_name | education_level | marital_status | veteran_status)["']
    | ["'](?:AK|CA|NY|OH|PR|TX|VI|USA)["'] | \b(?:Ohio|California|Texas|New\ York|Puerto\ Rico|Virgin\ Islands)\b
    | Social\ Security | Census\ Bureau | O\*NET | \bPUMS\b | \bACS\b""",
    re.VERBOSE,
)
ELSEWHERE = {
    "census_priors/build/": "the builders of locales; that of the United States is one folder, named en_US",
    "generator/population/scoring.py": "reads the person records of the American Community Survey, by its builder",
}
"""Folders and files that are not searched, and why."""
EXAMPLES = frozenset({"ACCEPTS", "REJECTS", "_BOTH", "_COLUMNS"})
"""Records of the shipped locale that show what a rule accepts and rejects."""
EXPLAINED = {
    "census_personas/__init__.py": "an example of a condition",
    "census_personas/generation.py": "an example of a condition",
    "census_personas/run.py": "the state of a run",
    "census_priors/roles.py": "what the role origin is for",
    "foundation/randomness.py": "the state of a generator of numbers",
    "generator/experiment/runner.py": "the state of a run",
    "generator/cli/options.py": "examples of conditions",
    "generator/cli/priors.py": "the option that names person records, for the one builder that reads them",
    "generator/config/selection.py": "an example of a condition",
    "generator/model/bayesian_network.py": "an argument of pgmpy",
    "generator/analysis/people_statistics.py": "a key of the figures of report.json",
    "generator/narration/facts.py": "the name that templates have for the region",
    "generator/population/population.py": "an example of a condition",
    "generator/offline/portrait.py": "slots that grammars name so",
    "generator/offline/portrait_guide.py": "slots that grammars name so",
    "generator/report/drawn_figures.py": "a key of report.json, which keeps its name",
    "generator/report/figures.py": "a key of report.json, which keeps its name",
    "generator/report/report_types.py": "a key of report.json, which keeps its name",
    "generator/run/run_folder.py": "the state of a run",
    "prompts/reserved_names.py": "the name that templates have for the region",
    "validators/records/occupation_education.py": "where the zones of the look-up of occupations come from",
    "validators/rule_context.py": "what the English rules of places call the name of a region",
    "validators/text/gazetteer.py": "an example, and a key of the English lexicon of places",
    "validators/text/person_name.py": "the public schema, for records that are read without a locale",
}
"""Files that may contain a term, and why."""
FILES = {
    path.relative_to(ROOT).as_posix(): path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
    if not path.relative_to(ROOT).as_posix().startswith(tuple(ELSEWHERE))
}


def is_english(name: str) -> bool:
    """Return whether a rule declares that it reads only English; it may then contain English words and places."""
    return bool(
        re.search(r"^LANGUAGES\b.*= \(ENGLISH,\)", FILES[name].read_text(encoding="utf-8"), re.MULTILINE)
    )


def example_lines(tree: ast.Module) -> set[int]:
    """Return the lines of a rule's examples."""
    lines: set[int] = set()
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id in EXAMPLES for target in targets):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def terms(name: str) -> list[str]:
    if is_english(name):
        return []
    text = FILES[name].read_text(encoding="utf-8")
    examples = example_lines(ast.parse(text))
    return [
        f"{name}:{number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1)
        if number not in examples and TERMS.search(line)
    ]


def test_us_terms_are_only_in_listed_modules() -> None:
    assert [line for name in FILES if name not in EXPLAINED for line in terms(name)] == []


@pytest.mark.parametrize("name", EXPLAINED)
def test_listed_term_is_still_there(name: str) -> None:
    assert terms(name)


@pytest.mark.parametrize(
    "line",
    [
        'if "state" in record:',
        "a ZIP code of five digits",
        'GROUPS = ("hispanic", "white")',
        'status == "not_in_workforce"',
        'priors.domain["ethnicity"]',
    ],
)
def test_search_finds_us_terms(line: str) -> None:
    assert TERMS.search(line)


FUNCTION_WORDS = frozenset(
    "an and are as at be been but by for from had has have he her him his if in into is it its of off on or she so than"
    " that the their them then they this to was were what when where which who whose will with would you your".split()
)
MESSAGES = frozenset(
    {
        "error",
        "warning",
        "info",
        "debug",
        "print",
        "not_judged",
        "Option",
        "Argument",
        "Typer",
        "Field",
        "Verdict",
    }
)
"""Functions whose texts are messages to the user, like those of exceptions."""
READERS = ("validators/", "generator/offline/", "generator/narration/", "prompts/")
"""Folders that read or write texts of people. Texts in other folders are messages to the user."""
ENGLISH_EXPLAINED = {
    "generator/narration/mend.py": "what a finding says",
    "prompts/lint.py": "what is wrong with a prompt set, for its author",
    "prompts/reserved_names.py": "what is wrong with a prompt set, for its author",
    "prompts/sandbox.py": "what is wrong with a prompt set, for its author",
    "prompts/scan.py": "what is wrong with a prompt set, for its author",
    "prompts/set_declaration.py": "what is wrong with a prompt set, for its author",
    "prompts/source.py": "what is wrong with a prompt set, for its author",
    "prompts/template.py": "what is wrong with a prompt set, for its author",
    "prompts/wording.py": "what is wrong with a prompt set, for its author",
    "validators/earlier_texts.py": "what a finding says",
    "validators/dataset/fidelity.py": "words of reports, which are in English",
    "validators/measured_dataset.py": "why a measure says nothing",
    "validators/measures/assumptions.py": "why a measure says nothing",
    "validators/measures/guide.py": "a title in reports, which are in English",
    "validators/measures/names.py": "why a measure says nothing",
    "validators/measures/vendi.py": "why a measure says nothing",
    "validators/rules.py": "why a rule is not run",
    "validators/text/claims.py": "patterns for rules that read English alone",
    "validators/occupations/tfidf_index.py": "words that descriptions of occupations share; that look-up is English",
}
"""Files with English wording that is neither used in nor compared with texts of people, and why."""


def spoken(node: ast.AST) -> bool:
    """Return whether all texts below a node are docstrings or messages."""
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return name in MESSAGES or name.endswith("Error")


def wording(tree: ast.AST, examples: set[int]) -> Iterator[ast.Constant]:
    """Return literals with at least three English function words."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = re.findall(r"[a-z]{2,}", node.value.lower())
            if node.lineno not in examples and sum(word in FUNCTION_WORDS for word in words) >= 3:
                yield node
        elif not spoken(node):
            yield from wording(node, examples)


def english(name: str) -> list[str]:
    if is_english(name) or not name.startswith(READERS):
        return []
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    return [f"{name}:{node.lineno}: {node.value!r}" for node in wording(tree, example_lines(tree))]


def test_english_wording_is_only_in_listed_modules() -> None:
    assert [line for name in FILES if name not in ENGLISH_EXPLAINED for line in english(name)] == []


@pytest.mark.parametrize("name", ENGLISH_EXPLAINED)
def test_listed_wording_is_still_there(name: str) -> None:
    assert english(name)


def test_search_finds_wording_of_texts_only() -> None:
    text = '''"""What is in the module, and for whom."""
GRAMMAR = "she and he and they"
def check():
    """If it is so, then this."""
    raise ValueError("this is not what was to be in the file")
'''
    assert [node.value for node in wording(ast.parse(text), set())] == ["she and he and they"]
