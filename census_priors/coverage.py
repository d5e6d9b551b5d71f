"""Coverage: attributes and states of the model that no declared table counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from census_personas.census_priors.marginal import Marginal
from census_personas.census_priors.priors import Priors, view
from census_personas.foundation.arrays import Floats


def uncounted(priors: Priors, tables: Iterable[Marginal]) -> Iterator[str]:
    """Yield a line with a remedy for every attribute or state of the model that no table counts.

    Not covered: attributes of which only a coarser view is counted (their states are then equally frequent), and
    combinations of states that a table lacks, which only a fit detects.
    """
    hierarchy, model = priors.hierarchy, priors.declaration.model
    counts: dict[str, Floats] = {}
    seen: set[str] = set()
    for table in tables:
        for name in table.domain:
            seen.update(hierarchy.chain(name))
        for name in (*model.core, *(node.child for node in model.conditionals)):
            if any(hierarchy.refines(fine, name) for fine in table.domain):
                weights = view(table, hierarchy, (name,)).weights
                counts[name] = counts.get(name, np.zeros(len(weights))) + weights
    certain = _certain(priors)
    for name in (*model.core, *(node.child for node in model.conditionals)):
        if name not in seen:
            yield f"no table has {name}, which is in the model; declare one that has it, or remove {name} from `model`"
        elif name in counts:
            for code in np.flatnonzero(counts[name] <= 0):
                state = str(priors.domain[name][int(code)])
                if state not in certain.get(name, set()):
                    yield (
                        f"no table counts anybody with {name}={state}; add cells with it, remove the state, or "
                        f"declare under `model` that nobody has it: zeros: [{{{name}: [{state}]}}]"
                    )


def _certain(priors: Priors) -> Mapping[str, set[str]]:
    """Return states that need no count, by attribute: nobody has them, or another attribute makes them certain."""
    model, hierarchy = priors.declaration.model, priors.hierarchy
    found: dict[str, set[str]] = {}
    for zero in model.zeros:
        for name, empty in zero.items():
            if len(zero) == 1:
                found.setdefault(name, set()).update(empty)
    for node in model.conditionals:
        states = found.setdefault(node.child, set())
        states.update(value for values in node.otherwise.values() for value in values.values())
        for parent in node.parents:  # the only refinement of a certain state is certain too
            if hierarchy.refines(node.child, parent):
                codes = hierarchy.codes(node.child, parent)
                for code, state in enumerate(priors.domain[parent]):
                    inside = np.flatnonzero(codes == code)
                    if len(inside) == 1 and str(state) in found.get(parent, set()):
                        states.add(str(priors.domain[node.child][int(inside[0])]))
    return found
