"""Hierarchy: which attributes are coarser views of others, and how their states map."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from census_personas.census_priors.domain import Domain, DomainError
from census_personas.foundation.arrays import Codes, Codes32


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Views of a domain: `finer[attribute]` is the finer attribute of a view, `maps[attribute]` the view's codes.

    `maps[attribute][i]` is the attribute's code when the finer attribute has code i.
    """

    domain: Domain
    finer: Mapping[str, str]
    maps: Mapping[str, Codes32]

    def chain(self, attribute: str) -> tuple[str, ...]:
        """Return the attribute and every finer one it is a view of, coarsest first."""
        chain = [attribute]
        while chain[-1] in self.finer:
            chain.append(self.finer[chain[-1]])
        return tuple(chain)

    def root(self, attribute: str) -> str:
        """Return the finest attribute of a view; the attribute itself if it is not a view."""
        return self.chain(attribute)[-1]

    def refines(self, fine: str, coarse: str) -> bool:
        """Return whether every state of `fine` lies in one state of `coarse` (an attribute refines itself)."""
        return fine in self.chain(coarse)

    def related(self, one: str, other: str) -> bool:
        """Return whether one of the two is a view of the other, or they are equal."""
        return self.refines(one, other) or self.refines(other, one)

    def codes(self, fine: str, coarse: str) -> Codes32:
        """Return the code of `coarse` for every state of `fine`.

        Raises:
            DomainError: `coarse` is not a view of `fine`.
        """
        chain = self.chain(coarse)
        if fine not in chain:
            raise DomainError(f"{coarse!r} is not a coarser view of {fine!r}")
        codes = np.arange(len(self.domain[fine]), dtype=np.int32)
        for step in reversed(chain[: chain.index(fine)]):
            codes = self.maps[step][codes]
        return codes

    def source(self, attribute: str, among: Container[str]) -> str | None:
        """Return the attribute, or else the coarsest finer one, in `among`; its codes decide the attribute's."""
        return next((name for name in self.chain(attribute) if name in among), None)

    def view(self, attribute: str, codes: Mapping[str, Codes]) -> Codes:
        """Return codes of an attribute, from its own or from those of a finer one.

        Raises:
            DomainError: `codes` has neither.
        """
        fine = self.source(attribute, codes)
        if fine is None:
            raise DomainError(f"{attribute!r} follows from none of {', '.join(codes)}")
        return self.codes(fine, attribute)[codes[fine]].astype(np.int64)

    def finest(self, attributes: Iterable[str]) -> tuple[str, ...]:
        """Return the attributes without those that another one refines, in order and without repetition."""
        names = list(dict.fromkeys(attributes))
        return tuple(
            name for name in names if not any(other != name and self.refines(other, name) for other in names)
        )
