"""Model cache: fitted networks on disk, keyed by the identity of their distributions (see `identity.py`).

A network is one folder of arrays, written under a temporary name and then renamed, so that concurrent writers
and crashes leave either a complete model or none; a folder that cannot be read is replaced by a new fit.
"""

from __future__ import annotations

import hashlib
import json
import logging
import mmap
import os
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from census_personas.census_priors.priors import Priors
from census_personas.foundation.atomic_file import write_whole
from census_personas.generator.model.identity import VERSIONS, identity_of
from census_personas.generator.model.network import Network
from census_personas.generator.model.network_fit import fit_network
from census_personas.generator.model.node import Node

STORED_VERSION = 1
"""Version of the storage format; raise it when the format changes. No UUID depends on it."""
_HEX = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger(__name__)

_TORN = (
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    ValueError,
    KeyError,
    EOFError,
    TypeError,
    AttributeError,
)
"""Exceptions that mean an incomplete cache entry."""


def folder() -> Path:
    """Return the folder of fitted models: under PERSONAS_CACHE, else the user's cache folder."""
    chosen = os.environ.get("PERSONAS_CACHE")
    return (Path(chosen) if chosen else platformdirs.user_cache_path("census-personas")) / "models"


def model_digest(priors: Priors) -> str:
    """Return the identity of the fitted model: SHA-256 of what decides its distributions.

    Computing it reads tables for a second or two, so that it is cached beside the fits, keyed by the bytes of the
    locale's files and the graph as fitted.
    """
    graph = priors.declaration.model.model_dump_json()
    key = hashlib.sha256(f"{VERSIONS}/{priors.digest}/{graph}".encode()).hexdigest()
    place = folder().parent / "identities" / key
    try:
        known = place.read_text(encoding="ascii")
        if _HEX.fullmatch(known):
            return known
    except (OSError, UnicodeDecodeError):  # not cached, or not readable
        pass
    found = identity_of(priors)
    try:
        write_whole(place, found)
    except OSError as error:
        log.debug("%s: could not be written (%s)", place, error)
    return found


def fit_key(priors: Priors) -> str:
    """Return the name of the cache folder for the fit of a locale."""
    return hashlib.sha256(f"{STORED_VERSION}/{model_digest(priors)}".encode()).hexdigest()[:32]


def load_or_fit(priors: Priors) -> Network:
    """Return the fitted network of a locale, from the cache or by fitting and caching it.

    A cache that cannot be written is not an error: the fitted model is used without it.
    """
    place = folder() / fit_key(priors)
    found = _read(place, priors)
    if found is not None:
        return found
    log.info("fitting the population model of %s (once; kept in %s)", priors.locale, place.parent)
    network = fit_network(priors)
    network = replace(network, core=network.core.astype(np.float32))  # as a cached one has it
    try:
        _write(place, network)
    except OSError as error:
        log.warning("%s: the fitted model could not be cached (%s); the next run fits it again", place, error)
        return network
    return _read(place, priors) or network


def release_memory(network: Network) -> None:
    """Release the memory of memory-mapped arrays; the system reads them from disk again when needed."""
    for array in (network.core, *(node.table for node in network.nodes)):
        if isinstance(array.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
            array.base.madvise(mmap.MADV_DONTNEED)


def _read(place: Path, priors: Priors) -> Network | None:
    try:
        header = json.loads((place / "network.json").read_text(encoding="utf-8"))
        arrays = {name: _array(place, name, size) for name, size in header["sizes"].items()}
        nodes = tuple(_node(item, arrays) for item in header["nodes"])
    except _TORN as error:
        if place.exists():
            log.warning("%s: incomplete model (%s); fitting it again", place, error)
            shutil.rmtree(place, ignore_errors=True)
        return None
    except OSError as error:  # out of memory or file handles: other processes may still read it
        log.warning("%s: cannot be read (%s); fitting it again", place, error.strerror or error)
        return None
    return Network(priors.hierarchy, tuple(header["core"]), arrays["core"], nodes, header["distances"])


def _array(place: Path, name: str, size: int) -> Any:
    path = place / f"{name}.npy"
    if path.stat().st_size != size:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes, not {size}")
    return np.load(path, mmap_mode="r")


def _node(item: dict[str, Any], arrays: dict[str, Any]) -> Node:
    certain = item["certain"]
    return Node(
        item["child"],
        tuple(item["parents"]),
        arrays[item["child"]],
        item["refines"],
        None if certain is None else (certain[0], np.array(certain[1], dtype=np.int32)),
    )


def _write(place: Path, network: Network) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=place.parent))
    try:
        arrays = {"core": network.core, **{node.child: node.table for node in network.nodes}}
        for name, array in arrays.items():
            np.save(draft / f"{name}.npy", np.ascontiguousarray(array, dtype=np.float32))
        header = {
            "core": network.core_attributes,
            "distances": dict(network.distances),
            "sizes": {name: (draft / f"{name}.npy").stat().st_size for name in arrays},
            "nodes": [
                {
                    "child": node.child,
                    "parents": node.parents,
                    "refines": node.refines,
                    "certain": None if node.certain is None else [node.certain[0], node.certain[1].tolist()],
                }
                for node in network.nodes
            ],
        }
        (draft / "network.json").write_text(json.dumps(header), encoding="utf-8")
        try:
            draft.rename(place)
        except OSError:  # another process was first
            if not (place / "network.json").exists():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
