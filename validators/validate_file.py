"""Validate files: runs every record rule on every row, in blocks, in nearly constant memory."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
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
) -> dict[str, Any]:
    """Check every row of Parquet, JSONL or CSV files in order.

    The files have the Nemotron schema of either public release, or of this package. Memory grows by 8 bytes a row.

    Args:
        paths: the files of one dataset, each with the suffix of its format.
        priors: the priors that rules use.
        policy: rule -> action; other rules keep their default.
        findings: file for the findings, `.parquet` or `.jsonl`. Default: findings are not written.
        limit: most rows to read.
        plugins: plug-ins whose rules run beside those of this package.
        spread: checks blocks of rows under the same rules, such as worker processes. Default: this process.

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
        blocks = iter(lambda: list(islice(records, BATCH_ROWS)), [])
        for block in (spread or partial(map, partial(check_block, checker)))(blocks):
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
