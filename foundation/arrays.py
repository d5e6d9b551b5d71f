"""Arrays: names for numpy arrays by what they hold, so that one name means one type everywhere.

Aliases of a module's own (`Shares`, `Counts`) are made of these, and say what the numbers are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
"""Probabilities, weights, sums."""
Floats32 = npt.NDArray[np.float32]
"""Tables of the fitted model, which have tens of millions of cells."""
AnyFloats = npt.NDArray[np.floating]
"""Either of the two."""

Integers = npt.NDArray[np.int64]
Integers32 = npt.NDArray[np.int32]
AnyIntegers = npt.NDArray[np.integer]
Indices = npt.NDArray[np.intp]
"""Positions in an array, as numpy's own searches give them."""

Codes = npt.NDArray[np.int64]
"""Places of values among an attribute's states; -1, where it may stand, is a value that is none of them."""
Codes32 = npt.NDArray[np.int32]
"""Codes by the states of another attribute: maps from fine to coarse, and the states that parents make certain."""
AnyCodes = npt.NDArray[np.integer]
"""Codes of many rows, in the smallest type that holds them."""

Mask = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]
"""Python values, such as texts."""
Words = npt.NDArray[np.uint64]
"""64 bits each, as generators and hashes give them."""
