"""Monitor: polls a server's `/metrics` for waiting requests and reports them to the concurrency limit.

Servers publish `/metrics` beside `/v1` in the Prometheus text format: vLLM always, SGLang when started with
`--enable-metrics`. Each engine or rank has its own line.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import Self

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.body import ACCEPT_ENCODING, MOST_BYTES, read_body
from census_personas.generator.llm.concurrency_limit import Gate
from census_personas.generator.llm.proxy import proxy_for
from census_personas.generator.llm.tls import NO_TLS, tls_context
from census_personas.generator.llm.transport import Address

logger = logging.getLogger(__name__)
# Gauges: waiting requests, running requests, share of the cache in use. The last name is that of older vLLM.
# vLLM 0.32: vllm/v1/metrics/loggers.py; SGLang: https://docs.sglang.io/references/production_metrics.html
_WAITING = ("vllm:num_requests_waiting", "sglang:num_queue_reqs")
_RUNNING = ("vllm:num_requests_running", "sglang:num_running_reqs")
_CACHE = ("vllm:kv_cache_usage_perc", "sglang:token_usage", "vllm:gpu_cache_usage_perc")
# A sample: name, labels, value, perhaps a time. https://prometheus.io/docs/instrumenting/exposition_formats/
_SAMPLE = re.compile(
    rf"^({'|'.join(_WAITING + _RUNNING + _CACHE)})(?:\{{[^\n]*\}})?[ \t]+([\w.+-]{{1,40}})", re.MULTILINE
)
# Seconds between two polls: usually, and while the limit still doubles.
_EVERY_S = 1.0
_SOON_S = 0.5
_TIMEOUT_S = 5.0
_MOST = 1e9
# Polls without a gauge until the endpoint counts as having none; some servers publish gauges after their first request.
_POLLS = 3


@dataclass(frozen=True, slots=True)
class Load:
    """A server's load: waiting requests, running requests, share of its cache in use (0 to 1)."""

    waiting: float
    running: float
    cache: float

    @classmethod
    def of(cls, text: str) -> Self | None:
        """Return the load in Prometheus text, summed over engines, and the fullest cache; None without a queue."""
        found: dict[str, list[float]] = {}
        for name, value in _SAMPLE.findall(text):
            try:
                gauge = float(value)
            except ValueError:
                return None
            if not 0 <= gauge <= _MOST:  # NaN and infinities too
                return None
            found.setdefault(name, []).append(gauge)
        waiting, running, cache = (
            next((found[name] for name in names if name in found), [])
            for names in (_WAITING, _RUNNING, _CACHE)
        )
        return cls(sum(waiting), sum(running), max(cache, default=0.0)) if waiting and running else None


class Monitor:
    """Polls an endpoint's metrics from `start` to `aclose`; if there are none, logs that once and ends."""

    def __init__(self, config: LLMConfig, address: Address, gate: Gate) -> None:
        """Send nothing yet."""
        self._config = config
        self._url = address.url.removesuffix("/v1") + "/metrics"
        self._address = address
        self._shown = address.shown
        self._headers = {**address.headers(), "Accept-Encoding": ACCEPT_ENCODING}
        self._gate = gate
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin polling, unless it has begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch())

    async def aclose(self) -> None:
        """End polling."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _watch(self) -> None:
        import httpx2  # noqa: PLC0415 - a second HTTP client, only for runs that use the monitor

        polls_left = _POLLS
        proxy = proxy_for(self._url)
        async with httpx2.AsyncClient(
            headers=self._headers,
            timeout=_TIMEOUT_S,
            proxy=proxy,
            verify=tls_context(self._config, self._url, proxy) or NO_TLS,
            trust_env=False,
        ) as client:
            while polls_left:
                try:
                    async with client.stream("GET", self._url) as answer:
                        packed = answer.headers.get("content-encoding", "")
                        text = await read_body(answer.aiter_raw(), packed, MOST_BYTES)
                except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, RuntimeError) as error:
                    # The circuit breaker reports endpoints that are down.
                    logger.debug("%s: %s", self._shown, self._address.scrub(repr(error)))
                    self._gate.unobserved()
                else:
                    load = Load.of(text.decode("utf-8", errors="replace"))
                    if load is None:
                        polls_left -= answer.status_code < httpx2.codes.INTERNAL_SERVER_ERROR
                        self._gate.unobserved()
                    else:
                        polls_left = _POLLS
                        self._gate.observed(load.waiting, load.running, load.cache)
                is_settled = self._gate.limit == self._gate.ceiling or not self._gate.is_doubling
                await asyncio.sleep(_EVERY_S if is_settled else _SOON_S)
        logger.warning(
            "%s does not publish at /metrics how many requests wait; llm.pace_by=latency is used instead",
            self._shown,
        )
