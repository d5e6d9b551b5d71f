"""Prompt tokens per record, and the part that a server with a prefix cache has to read, for two prompt sets.

    bash tests/inference_server/vllm.sh FOLDER serve --port 8000    # before each of the two: the cache must be empty
    python benchmarks/prompt_tokens.py http://127.0.0.1:8000/v1 [--set FOLDER] [--rows 128] [--out NEW.json]
    python benchmarks/prompt_tokens.py --compare OLD.json NEW.json

Rows of the quickstart are narrated with 64 requests in flight and without rules, so that answers of a random model are
repaired for their shape only. Counts are the server's own (`vllm:prompt_tokens_total` and
`vllm:prompt_tokens_cached_total` of /metrics, before and after). Without `--compare`, the ratios are to OLD below: the
prompts of commit 7891e15, two independent requests a record, measured so with vLLM 0.32 and the tiny model of
`tests/inference_server` at 128 rows. Goals: `ratio_uncached` at most 0.40, `ratio_prompt` at most 1.25.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import orjson

from census_personas.generator.config.run_config import Config
from census_personas.generator.session import generate

OLD = {"rows": 128, "prompt": 910_656, "uncached": 686_912, "completion": 71_374, "requests": 316}
ROOT = Path(__file__).parents[1]
COUNTERS = {
    "prompt": "vllm:prompt_tokens_total",
    "cached": "vllm:prompt_tokens_cached_total",
    "completion": "vllm:generation_tokens_total",
    "requests": "vllm:request_success_total",
}


def counters(base_url: str) -> dict[str, float]:
    """The server's counts so far."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/metrics", timeout=60) as answer:  # noqa: S310
        metrics = answer.read().decode()
    return {
        name: sum(map(float, re.findall(rf"^{counter}\{{.*\}} (\S+)", metrics, re.MULTILINE)))
        for name, counter in COUNTERS.items()
    }


def measured(base_url: str, rows: int, prompt_set: str) -> dict[str, int]:
    """Narrate these rows and return the tokens that it took."""
    rules = (path.stem for path in (ROOT / "validators/records").glob("[a-z]*.py"))
    config = Config.model_validate(
        {
            "rows": rows,
            "seed": 20250610,
            "llm": {"backend": "openai", "model": "tiny", "base_url": base_url, "concurrency": 64},
            "prompts": {"set": prompt_set},
            "validation": {"policy": dict.fromkeys(sorted(rules), "off")},
            "output": {"schema": "full"},
        }
    )
    before = counters(base_url)
    if before["requests"]:
        raise SystemExit("the server has answered already: restart it, so that its cache is empty")
    with tempfile.TemporaryDirectory() as folder:
        generate(config, Path(folder) / "run")
    taken = {name: round(count - before[name]) for name, count in counters(base_url).items()}
    return {"rows": rows, "uncached": taken["prompt"] - taken.pop("cached"), **taken}


def ratios(new: Mapping[str, int], old: Mapping[str, int]) -> dict[str, float]:
    """Tokens a row, old and new, and new over old."""
    said: dict[str, float] = {}
    for name in ("prompt", "uncached", "completion", "requests"):
        before, now = old[name] / old["rows"], new[name] / new["rows"]
        said |= {
            f"{name}_old": round(before, 2),
            f"{name}_new": round(now, 2),
            f"ratio_{name}": round(now / before, 3),
        }
    return said


def main() -> None:
    """Measure or compare, and print JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base_url", nargs="?")
    parser.add_argument("--set", default="en_US", help="prompt set, by name or folder")
    parser.add_argument("--rows", type=int, default=OLD["rows"])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("OLD", "NEW"))
    options = parser.parse_args()
    os.environ.setdefault("OPENAI_API_KEY", "not-needed")
    old: Mapping[str, int] = OLD
    if options.compare:
        old, new = (orjson.loads(place.read_bytes()) for place in options.compare)
    elif options.base_url:
        new = measured(options.base_url, options.rows, options.set)
    else:
        parser.error("give the address of a server, or --compare OLD NEW")
    if options.out:
        options.out.write_text(json.dumps(new))
    print(json.dumps(ratios(new, old), indent=1))


if __name__ == "__main__":
    main()
