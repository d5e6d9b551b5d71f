"""Names: compares each kind of name with the tables of names, given the facts of the dataset's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from census_personas.validators.dataset.multiple_testing import counted_together
from census_personas.validators.dataset.name_exposure import TOLD
from census_personas.validators.dataset.name_fidelity import NAMES, name_fidelity, names_in_texts
from census_personas.validators.measure import MeasureResult, Needs, NotMeasured, Tested
from census_personas.validators.measures.fidelity import TableFidelity

if TYPE_CHECKING:
    from census_personas.validators.measured_dataset import MeasuredDataset

NEEDS = Needs(roles=(*TOLD, *NAMES))


class Result(MeasureResult):
    """Kinds of names that were compared with their tables, and why the others were not."""

    tables: tuple[TableFidelity, ...] = ()
    not_judged: dict[str, str] = Field(default_factory=dict)

    @property
    def marks(self) -> tuple[str, ...]:
        """Kinds of names that chance does not explain."""
        return tuple(f"names: {' x '.join(item.attributes)}" for item in self.tables if not item.passes)


def measure(dataset: MeasuredDataset) -> Tested | Result | NotMeasured:
    """Compare names, read from columns or else from texts; names by which rows were selected are not compared."""
    columns, roles = dataset.columns(NAMES), dataset.priors.roles
    if chosen := sorted(dataset.expected.chosen & set(columns)):
        return Result(not_judged=dict.fromkeys(chosen, "people were chosen by it"))
    if roles.missing(("given_name", "family_name")):
        return NotMeasured("the locale has no columns of names")
    has_columns = any(name in dataset.people for name in columns)
    named = dataset.people if has_columns else names_in_texts(dataset.readings, roles)
    compared = name_fidelity(named, dataset.priors)

    def judge(tests: int) -> Result:
        items = (
            {**item.as_dict(), "source": "names", "model": None}
            for item in counted_together(compared.measured, tests)
        )
        return Result(
            tables=tuple(map(TableFidelity.model_validate, items)), not_judged=dict(compared.not_judged)
        )

    return Tested(len(compared.measured), judge)
