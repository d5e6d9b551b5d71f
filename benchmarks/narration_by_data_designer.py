"""The peer in `benchmarks/narration.py`: NeMo Data Designer narrating rows, run with the interpreter that has it.

    dd/bin/python benchmarks/narration_by_data_designer.py JOB.json

The job names the endpoint, the rows and the two calls; the last line on stdout is a JSON object with what it took.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

os.environ["NEMO_TELEMETRY_ENABLED"] = "false"

import data_designer.config as dd
from data_designer.interface import DataDesigner


def builder_of(job: dict[str, Any]) -> dd.DataDesignerConfigBuilder:
    """Two structured columns, the second of which reads the first, over rows that are given.

    Each call has a model alias of its own, so that the schema travels in `response_format` too, where the server
    looks for it; both aliases are one model, which takes `concurrency` requests at once.
    """
    models = [
        dd.ModelConfig(
            alias=name,
            model=job["model"],
            provider="loopback",
            skip_health_check=True,
            inference_parameters=dd.ChatCompletionInferenceParams(
                **job["parameters"],
                max_parallel_requests=job["concurrency"],
                extra_body={"response_format": response_format(name, schema)},
            ),
        )
        for name, schema in job["schemas"].items()
    ]
    builder = dd.DataDesignerConfigBuilder(model_configs=models)
    builder.with_seed_dataset(dd.LocalFileSeedSource(path=f"{job['folder']}/rows.parquet"))
    for name, schema in job["schemas"].items():
        builder.add_column(
            dd.LLMStructuredColumnConfig(
                name=name,
                model_alias=name,
                system_prompt=f"{{{{ {name}_system }}}}",
                prompt=job["prompts"][name],
                output_format=schema,
            )
        )
    return builder


def response_format(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The same request for a schema that the engine sends."""
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}


def main() -> None:
    """Create a small dataset, so that everything is loaded, then the one that is measured."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    provider = dd.ModelProvider(name="loopback", endpoint=job["base_url"], api_key="none")
    designer = DataDesigner(artifact_path=job["folder"], model_providers=[provider])
    designer.set_run_config(
        dd.RunConfig(disable_early_shutdown=True, otel_metrics_port=None, jinja_rendering_engine="native")
    )
    designer.create(builder_of(job), num_records=min(16, job["count"]), dataset_name="warm")
    ends: list[tuple[float, float]] = []
    began = time.perf_counter(), cpu_s()
    created = designer.create(
        builder_of(job),
        num_records=job["count"],
        on_batch_complete=lambda _: ends.append((time.perf_counter(), cpu_s())),
    )
    seconds, cpu = (end - start for start, end in zip(began, ends[-1], strict=True))
    print(json.dumps({"records": len(created.load_dataset()), "seconds": seconds, "cpu_s": cpu}))


def cpu_s() -> float:
    """CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
