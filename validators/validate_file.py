"""Validate files: runs every record rule on every row, in blocks, in nearly constant memory."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from census_personas.foundation.plugins import NO_PLUGINS, Plugins
from census_personas.foundation.record_reader import BATCH_ROWS, read_records
from census_personas.validators.checked_block import Spread, check_block
from census_personas.validators.finding import Severity
from census_personas.validators.findings_writer import FindingsWriter, WriterError
from census_personas.validators.record_collection import RecordCollection
from census_personas.validators.records.schema_types import needed
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import RecordChecker

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors


def validate_files(
    paths: Sequence[Path],
    priors: Priors | RuleContext,
    *,
    policy: Mapping[str, str] | None = None,
    findings: Path | None = None,
    limit: int | None = None,
    plugins: Plugins = NO_PLUGINS,
    spread: Spread | None = None,
    collection: RecordCollection | None = None,
) -> dict[str, Any]:
    """Check every row of Parquet, JSONL or CSV files in order.

    The files have the Nemotron schema of either public release, or of this package. Memory grows by 8 bytes a row.

    Args:
        paths: the files of one dataset; the suffix says which kind.
        priors: what to judge by.
        policy: action per rule; rules not named keep their default.
        findings: where to write the findings, as `.parquet` or `.jsonl`; not written by default.
        limit: rows to read at most.
        plugins: whose rules run beside ours.
        spread: checks blocks of rows under the same rules, as worker processes do; by default they are checked here.
            It collects the facts that `collection` asks for.
        collection: takes the rows for measures in the same pass, block by block in their order.

    Returns:
        `{"rows", "rejected_rows", "repeated_uuids", "missing_columns", "by_rule": {rule: {"error", "warning",
        "not_judged"}}}`. `by_rule` counts a row once for each rule and severity; `rejected_rows` have at least one
        error; the UUID of `repeated_uuids` occurs in an earlier row; no row has the `missing_columns`, which rules
        need. If rules cannot run on the locale, a key `"not_judged"` maps each to the reason.

    Raises:
        DatasetError: a file cannot be read, or has no column that any rule knows.
        PolicyError: a rule or an action does not exist.
        PluginError: a plug-in's rule cannot be loaded, or fails.
        WriterError: findings cannot be written, or would overwrite the dataset.
    """
    if findings is not None and findings.resolve() in {path.resolve() for path in paths}:
        raise WriterError(f"{findings}: is what the findings are about; name another file for them")
    checker = RecordChecker(priors, policy, plugins=plugins)
    by_rule = {
        code: dict.fromkeys(get_args(Severity), 0)
        for code, act in checker.policy.items()
        if act != "off" and code not in checker.not_judged
    }
    rows = rejected = 0
    identities = array("q")  # hashes of uuids
    wanted = needed(checker.reference)
    missing = set(wanted)
    read = partial(read_records, age=checker.reference.column_of("age"))
    with FindingsWriter(findings) as writer:
        records = islice(chain.from_iterable(map(read, paths)), limit)
        columns = None if collection is None else collection.columns
        spread = spread or partial(map, partial(check_block, checker, collected=columns))
        ahead: deque[list[dict[str, Any]]] = deque()
        for block in spread(_remembered(iter(lambda: list(islice(records, BATCH_ROWS)), []), ahead)):
            taken = ahead.popleft()
            if collection is not None and block.facts is not None:
                collection.extend(block.facts, taken)
            missing.difference_update(block.columns)
            rejected += block.rejected
            for (code, severity), count in block.counts().items():
                by_rule[code][severity] += count
            identities.extend(hash(uuid) for uuid in block.uuids if uuid)
            for place, of_row in block.findings.items():
                writer.write(rows + place, block.uuids[place], of_row)
            rows += len(block.uuids)
    repeated = len(identities) - len(np.unique(np.frombuffer(identities, dtype=np.int64)))
    return {
        "rows": rows,
        "rejected_rows": rejected,
        "repeated_uuids": repeated,
        "missing_columns": [column for column in wanted if column in missing],
        "by_rule": by_rule,
        **({"not_judged": dict(checker.not_judged)} if checker.not_judged else {}),
    }


def _remembered(
    blocks: Iterator[list[dict[str, Any]]], ahead: deque[list[dict[str, Any]]]
) -> Iterator[list[dict[str, Any]]]:
    """The blocks, each of which stays in `ahead` until what came of it is there."""
    for block in blocks:
        ahead.append(block)
        yield block
