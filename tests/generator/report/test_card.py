from __future__ import annotations

from typing import Any

import pytest
import yaml
from released import UNITED_STATES

from census_personas.census_priors.priors import Priors
from census_personas.foundation.schema import table_of
from census_personas.generator.config.run_config import Config
from census_personas.generator.report import card
from census_personas.generator.report.report_types import Completed, Report
from census_personas.generator.run.manifest import Manifest
from census_personas.validators.measurement import Family
from census_personas.validators.measures.fidelity import Cell, TableFidelity

pytestmark = pytest.mark.quick

TABLE = table_of("nemotron-1.1", {"age": "integer"}, UNITED_STATES)
CELL = Cell(states=("a",), rows=1, expected=1.0, p=1.0)
AGE = TableFidelity(
    attributes=("age",), rows=20, tvd=0.01, srmse=0.1, tae=0.4, floor=0.02, spread=0.1, unknown=0.0, cell=CELL,
    tests=1, limit=0.03, p=1.0, passes=True, source="model", model=None,
)  # fmt: skip
NAMES = AGE.model_copy(update={"attributes": ("last_name",), "source": "names", "passes": False})


def _report(*fidelity: TableFidelity) -> Report:
    return Report(rows=20, tests=Family(number=1, chance=0.01, marked=()), fidelity=fidelity)


@pytest.fixture(scope="module")
def priors() -> Priors:
    return Priors.load("en_US")


def _manifest(accepted: int = 20, **config: Any) -> Manifest:
    settings = Config(name=config.pop("name", "people"), rows=20, **config)
    manifest = Manifest.of(settings, {"priors": "0"}, "Some/Model-7B", "")
    return manifest.model_copy(update={"accepted": accepted})


def _front(text: str) -> dict[str, Any]:
    _, front, _ = text.split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(front)
    return found


def _text(manifest: Manifest, priors: Priors) -> str:
    return card.text(manifest, priors, TABLE, _report(AGE, NAMES))


def test_front_matter_is_for_the_hub(priors: Priors) -> None:
    hub = pytest.importorskip("huggingface_hub")
    text = _text(_manifest(name="1.0"), priors)
    data = hub.DatasetCard(text).data
    assert (data.pretty_name, data.license, data.language) == ("1.0", "cc-by-4.0", ["en"])
    assert data.configs[0]["data_files"] == [{"split": "train", "path": "personas/*.parquet"}]
    assert (data.source_datasets, data.language_creators) == (["original"], ["machine-generated"])


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        (0, "n<1K"),
        (1_000, "1K<n<10K"),
        (999_999, "100K<n<1M"),
        (1_000_000, "1M<n<10M"),
        (10**7, "10M<n<100M"),
    ],
)
def test_size_is_a_hub_category(priors: Priors, rows: int, size: str) -> None:
    assert _front(_text(_manifest(rows), priors))["size_categories"] == [size]


def test_every_column_is_described(priors: Priors) -> None:
    lines = _text(_manifest(), priors).splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| `")]
    assert [name.strip("| `") for name, _, _ in rows] == list(TABLE.names)
    assert all(said.strip(" |") for _, _, said in rows)
    assert "| `sex` | text | Sex: `Male`, `Female` |" in lines


def test_card_states_the_distance_to_the_census(priors: Priors) -> None:
    text = _text(_manifest(), priors)
    assert "1 of 2 tables agree with the model of the census" in text
    assert "| age | 0.0100 | 0.0200 | 0.0300 |" in text
    assert "last name |" not in text
    assert "20 rows,\ndifferences below the limit of a table cannot be detected, from 0.0300 (age)" in text


def test_one_cell_table_is_not_the_finest(priors: Priors) -> None:
    state = AGE.model_copy(update={"attributes": ("state",), "tvd": 0.0, "floor": 0.0, "limit": 0.0})
    text = card.text(_manifest(), priors, TABLE, _report(state, AGE))
    assert "cannot be detected, from 0.0300 (age) to 0.0300 (age)" in text


def test_description_of_people_begins_a_paragraph(priors: Priors) -> None:
    read = Manifest.of(Config(rows=20), {"priors": "0", "input": "ab" * 32}, "Some/Model-7B", "")
    for manifest in (_manifest(), read):
        assert "\n\nThe facts were" in _text(manifest, priors)


def test_selection_is_stated(priors: Priors) -> None:
    text = _text(_manifest(where={"state": ["HI"]}, target={"sex": "uniform"}), priors)
    assert 'Sampled under the condition `{"state": ["HI"]}`: it does not represent the whole' in text
    assert 'Weighted to the target `{"sex": "uniform"}`: it does not' in text
    assert "does not represent the whole" not in _text(_manifest(), priors)


def test_narrator_is_named(priors: Priors) -> None:
    model = {"backend": "openai", "model": "Some/Model-7B"}
    assert "the licence of Some/Model-7B" in _text(_manifest(llm=model), priors)
    offline = _text(_manifest(), priors)
    assert "the offline narrator" in offline
    assert "Some/Model" not in offline


def test_input_people_are_not_called_the_population(priors: Priors) -> None:
    digests = {"priors": "0", "input": "ab" * 32}
    text = _text(Manifest.of(Config(rows=20), digests, "Some/Model-7B", ""), priors)
    assert f"a file with SHA-256 `{'ab' * 8}…`" in text
    assert "Row *i* is decided" not in text
    assert "Population:" not in text
    assert _front(text)["source_datasets"] == ["extended"]


def test_completed_people_are_counted_for_an_input_alone(priors: Priors) -> None:
    sampled = _report(AGE)
    assert "completed" not in sampled.model_dump(mode="json")
    assert "Rows rejected" not in card.text(_manifest(), priors, TABLE, sampled)
    completed = sampled.model_copy(update={"completed": Completed(drawn={"last_name": 1_200}, impossible=3)})
    assert completed.model_dump(mode="json")["completed"] == {"drawn": {"last_name": 1200}, "impossible": 3}
    text = card.text(_manifest(), priors, TABLE, completed)
    assert (
        "with the number of people: last name 1,200.\nRows rejected because nobody can have their facts: 3.\n"
        in text
    )


def test_prompt_fields_are_described_and_escaped(priors: Priors) -> None:
    table = table_of("nemotron", {"age": "integer"}, UNITED_STATES, written={"finance_persona": "text"})
    words = {"finance_persona": "Money | <b>and</b> [more](javascript:x)", "persona": "ignored"}
    text = card.text(_manifest(), priors, table, _report(AGE), words)
    cell = r"Money \| \<b\>and\</b\> \[more\](javascript:x)"
    assert f"| `finance_persona` | text | {cell} |" in text
    assert "| `persona` | text | the person in one sentence |" in text
