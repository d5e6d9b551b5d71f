"""Records: adults of a survey as codes of a locale's attributes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from census_personas.foundation.arrays import Floats, Mask

MISSING = -1


@dataclass(frozen=True, slots=True)
class Records:
    """Recoded adults: one int16 code per person and attribute (-1 missing), and weights as float64.

    `minors` has counts of younger people, where the builder keeps them for comparison with published figures.
    """

    codes: dict[str, npt.NDArray[np.int16]]
    weight: Floats
    minors: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __len__(self) -> int:
        """Return the number of persons."""
        return len(self.weight)

    def take(self, rows: Mask) -> Records:
        """Select the persons for whom `rows` is true."""
        return Records({name: codes[rows] for name, codes in self.codes.items()}, self.weight[rows])
