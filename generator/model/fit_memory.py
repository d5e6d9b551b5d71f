"""Fit memory: estimates the size of a model before it is fitted."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from census_personas.census_priors.priors import Priors
from census_personas.generator.model.fitting import FitError

CELL = 4
ARRAYS = 7
"""Number of float32 arrays as large as a part that its fit holds at once, temporaries included."""
AT_HAND = 0.8
CONTAINER = Path("/sys/fs/cgroup/memory.max")
"""File with a container's memory limit (cgroups, version 2)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Sizes of a declared model.

    Attributes:
        part: the part that needs most memory to fit: `core`, or a child.
        attributes: of its table.
        cells: of its table.
        stored: cells of all tables together.
        width: attributes of the largest family minus one: a lower bound of the graph's treewidth.
    """

    part: str
    attributes: tuple[str, ...]
    cells: int
    stored: int
    width: int

    @property
    def fitting_bytes(self) -> int:
        """Estimated peak memory of the fit."""
        return CELL * (ARRAYS * self.cells + self.stored)


def footprint(priors: Priors) -> Footprint:
    """Compute the sizes of a locale's declared model."""
    model = priors.declaration.model
    families, sizes = _families(priors), _sizes(priors)
    largest = max(sizes, key=lambda part: sizes[part])
    width = max(len(model.core), *(len(node.parents) + 1 for node in model.conditionals), 1) - 1
    return Footprint(largest, families[largest], sizes[largest], sum(sizes.values()), width)


def _families(priors: Priors) -> dict[str, tuple[str, ...]]:
    model, hierarchy = priors.declaration.model, priors.hierarchy
    families = {"core": model.core}
    for node in model.conditionals:
        parents = (parent for parent in node.parents if not hierarchy.refines(node.child, parent))
        families[node.child] = (*parents, node.child)
    return families


def _sizes(priors: Priors) -> dict[str, int]:
    """Return cells by part; parent states that make the child certain have no cells."""
    sizes = {part: priors.domain.project(names).size for part, names in _families(priors).items()}
    for node in priors.declaration.model.conditionals:
        for parent, certain in node.otherwise.items():
            states = len(priors.domain[parent])
            sizes[node.child] = sizes[node.child] // states * (states - len(certain))
    return sizes


def room_for_core(priors: Priors) -> int | None:
    """Return the most cells a core table may have; None if the model fits or the memory is unknown."""
    memory = _memory()
    if memory is None or footprint(priors).fitting_bytes <= AT_HAND * memory:
        return None
    model = priors.declaration.model
    children = sum(size for part, size in _sizes(priors).items() if part != "core")
    return int((AT_HAND * memory / CELL - children) / (ARRAYS + len(model.core)))


def check(priors: Priors) -> Footprint:
    """Log the estimated memory of a fit, and refuse a fit that is too large for this machine.

    Raises:
        FitError: a part is too large; the message names it and what to declare instead.
    """
    size = footprint(priors)
    gigabytes = size.fitting_bytes / 2**30
    log.info(
        "model of %s: %s cells, treewidth at least %d; largest part %s with %s cells; about %.1f GB to fit",
        priors.locale,
        f"{size.stored:,}",
        size.width,
        size.part,
        f"{size.cells:,}",
        gigabytes,
    )
    memory = _memory()
    if memory is not None and size.fitting_bytes > AT_HAND * memory:
        raise FitError(
            f"{size.part}: a table over {', '.join(size.attributes)} has {size.cells:,} cells; fitting takes about "
            f"{gigabytes:.1f} GB, and this machine has {memory / 2**30:.1f}: declare fewer parents, or coarser views "
            f"of them"
        )
    return size


def _memory() -> float | None:
    """Return the bytes of memory available to a fit: PERSONAS_MEMORY_GB, else the machine's or the container's."""
    chosen = os.environ.get("PERSONAS_MEMORY_GB", "").strip()
    if chosen:
        try:
            return float(chosen) * 2**30
        except ValueError:
            raise FitError(f"PERSONAS_MEMORY_GB={chosen!r}: not a number of gigabytes") from None
    limits = []
    try:
        limits.append(float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))
        limits.append(float(CONTAINER.read_text(encoding="ascii")))  # "max" where it has no limit
    except (AttributeError, OSError, ValueError):
        pass
    return min(limits, default=None)
