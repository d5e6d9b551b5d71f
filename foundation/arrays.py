"""Arrays: names for numpy array types by their content, so that a name means the same type everywhere.

Modules define their own aliases (`Shares`, `Counts`) from these.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
"""Probabilities, weights, sums."""
Floats32 = npt.NDArray[np.float32]
"""Tables of the fitted model, with tens of millions of cells."""
AnyFloats = npt.NDArray[np.floating]
"""Either of the two."""

Integers = npt.NDArray[np.int64]
Integers32 = npt.NDArray[np.int32]
AnyIntegers = npt.NDArray[np.integer]
Indices = npt.NDArray[np.intp]
"""Positions in an array, in numpy's index type."""

Codes = npt.NDArray[np.int64]
"""Positions of values among an attribute's states; -1, where allowed, is an unknown or missing value."""
Codes32 = npt.NDArray[np.int32]
"""Codes by the states of another attribute: maps from fine to coarse, or states that parents make certain."""
AnyCodes = npt.NDArray[np.integer]
"""Codes of many rows, in the smallest dtype that holds them."""

Mask = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]
"""Python objects, such as strings."""
Words = npt.NDArray[np.uint64]
"""64-bit words from generators and hashes."""
