"""Footprint: how large a model will be, before it is fitted."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from persona_engine.census_priors.priors import Priors
from persona_engine.generator.model.fitting import FitError

CELL = 4
ARRAYS = 6
"""Float32 arrays of its size that fitting a part holds at once, temporaries included."""
AT_HAND = 0.8

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Sizes of a declared model.

    Attributes:
        part: what takes most memory to fit: `core`, or a child.
        attributes: of its table.
        cells: of its table.
        stored: cells of all tables together.
        width: attributes of the largest family less one: a lower bound of the graph's treewidth.
    """

    part: str
    attributes: tuple[str, ...]
    cells: int
    stored: int
    width: int

    @property
    def fitting_bytes(self) -> int:
        """Memory that the fit takes at its peak, about."""
        return CELL * (ARRAYS * self.cells + self.stored)


def footprint(priors: Priors) -> Footprint:
    """The sizes that a locale's declared model has."""
    model, hierarchy = priors.declaration.model, priors.hierarchy
    families = {"core": model.core}
    for node in model.conditionals:
        parents = (parent for parent in node.parents if not hierarchy.refines(node.child, parent))
        families[node.child] = (*parents, node.child)
    sizes = {part: priors.domain.project(names).size for part, names in families.items()}
    largest = max(sizes, key=lambda part: sizes[part])
    width = max(len(model.core), *(len(node.parents) + 1 for node in model.conditionals), 1) - 1
    return Footprint(largest, families[largest], sizes[largest], sum(sizes.values()), width)


def check(priors: Priors) -> Footprint:
    """Log the estimate of a fit's memory, and refuse one that this machine has no room for.

    Raises:
        FitError: naming the part that is too large, and what to declare instead.
    """
    found = footprint(priors)
    gigabytes = found.fitting_bytes / 2**30
    log.info(
        "model of %s: %s cells, treewidth at least %d; largest part %s with %s cells; about %.1f GB to fit",
        priors.locale,
        f"{found.stored:,}",
        found.width,
        found.part,
        f"{found.cells:,}",
        gigabytes,
    )
    memory = _memory()
    if memory is not None and found.fitting_bytes > AT_HAND * memory:
        remedy = (
            "declare some of them under model.conditionals, each with the parents that its tables have (a cascade)"
            if found.part == "core"
            else "give it fewer parents, or coarser views of them"
        )
        raise FitError(
            f"{found.part}: a table over {', '.join(found.attributes)} has {found.cells:,} cells; fitting takes about "
            f"{gigabytes:.1f} GB, and this machine has {memory / 2**30:.1f}: {remedy}"
        )
    return found


def _memory() -> int | None:
    """Bytes of the machine's memory, where the system says."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
