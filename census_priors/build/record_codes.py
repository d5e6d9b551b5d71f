"""Record codes: person records as codes of any attribute of a locale, including coarser views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from census_personas.census_priors.build.records import Records
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Integers


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of person records for any attribute of the locale, including coarser views."""

    priors: Priors
    records: Records

    def __getitem__(self, attribute: str) -> Integers:
        """Return codes as int64; -1 is missing."""
        have = self.records.codes
        if attribute in have:
            return have[attribute].astype(np.int64)
        chain = self.priors.hierarchy.chain(attribute)
        fine = next(name for name in chain if name in have)
        table = np.append(self.priors.hierarchy.codes(fine, attribute).astype(np.int64), -1)
        return table[have[fine]]

    def cells(self, attributes: tuple[str, ...]) -> Integers:
        """Return the C-order cell of every record in the table over these attributes; -1 if one is missing."""
        shape = self.priors.domain.project(attributes).shape
        codes = [self[name] for name in attributes]
        missing = np.any([code < 0 for code in codes], axis=0)
        flat = np.ravel_multi_index([np.where(missing, 0, code) for code in codes], shape)
        return np.where(missing, -1, flat)
