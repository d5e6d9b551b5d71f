"""A shard's rows judged together: the later row is at fault, whoever finishes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from census_personas.generator.llm.chat import EndpointError, RequestError
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.shard_closing import ShardClosing, shared_text_action

SHARED = "{} makes green-corn tamales for forty people every August in the yard of the church."
OWN = (
    "{} mends clocks for half of the town and never asks for more than the price of the parts.",
    "{} plants willows along the ditch and counts the herons that come to them in March and April.",
    "{} reads the meters of nine streets on foot and knows which dogs are only loud at the gate.",
)


def narrated(row: int, text: str, attempts: int = 1) -> Narrated:
    name = ("Ana Wu", "Leo Park", "Ida Roe")[row]
    first, last = name.split()
    record = {"row": row, "first_name": first, "last_name": last, "persona": text.format(name), "flags": []}
    return Narrated(record, (), accepted=True, attempts=attempts, prompt_tokens=5)


class Scribe:
    """Writes a row anew as often as there is a text left."""

    def __init__(self, *texts: str) -> None:
        """Take the texts."""
        self.texts = list(texts)
        self.asked: list[int] = []

    async def again(self, result: Narrated) -> Narrated | None:
        self.asked.append(result.record["row"])
        if not self.texts:
            return None
        fresh = narrated(result.record["row"], self.texts.pop(0), attempts=result.attempts + 1)
        return replace(fresh, prompt_tokens=result.prompt_tokens + 5)


async def settled(action: Any, scribe: Scribe, *texts: str) -> list[Narrated]:
    return await ShardClosing(action).settle(scribe, [narrated(row, text) for row, text in enumerate(texts)])


async def test_later_row_is_rewritten() -> None:
    scribe = Scribe(SHARED, OWN[1])
    rows = await settled("repair", scribe, SHARED, OWN[0], SHARED)
    assert [row.accepted for row in rows] == [True, True, True]
    assert scribe.asked == [2, 2]
    assert (rows[2].attempts, rows[2].prompt_tokens) == (3, 15)
    assert rows[2].record["persona"] == OWN[1].format("Ida Roe")


async def test_row_without_attempts_is_rejected() -> None:
    rows = await settled("repair", Scribe(), SHARED, SHARED, SHARED)
    assert [row.accepted for row in rows] == [True, False, False]
    assert rows[1].reasons == (
        "shared_text: persona: a sentence is word for word another person's; say it of this person alone",
    )
    assert [finding.evidence[:6] for finding in rows[2].findings] == ["row 0:"]


async def test_rejected_row_is_not_compared() -> None:
    rows = [replace(narrated(0, SHARED), accepted=False), narrated(1, SHARED)]
    after = await ShardClosing("repair").settle(Scribe(), rows)
    assert after == rows


async def test_policy_decides_on_shared_texts() -> None:
    scribe = Scribe(OWN[0])
    rejected = await settled("reject", scribe, SHARED, SHARED)
    assert [row.accepted for row in rejected] == [True, False]
    flagged = await settled("flag", scribe, SHARED, SHARED)
    assert [row.accepted for row in flagged] == [True, True]
    assert flagged[1].record["flags"] == ["shared_text"]
    assert [finding.severity for finding in flagged[1].findings] == ["warning"]
    assert (await settled("off", scribe, SHARED, SHARED))[1].findings == ()
    assert scribe.asked == []


async def test_written_rows_are_compared_too() -> None:
    before = [narrated(0, SHARED).record]
    rows = await ShardClosing("reject").settle(Scribe(), [narrated(1, SHARED)], before)
    assert [row.accepted for row in rows] == [False]


async def test_lost_endpoint_ends_the_run() -> None:
    class Gone(Scribe):
        async def again(self, _: Narrated) -> Narrated | None:
            raise EndpointError("nobody there")

    class Refused(Scribe):
        async def again(self, _: Narrated) -> Narrated | None:
            raise RequestError("no")

    with pytest.raises(EndpointError):
        await settled("repair", Gone(), SHARED, SHARED)
    assert [row.accepted for row in await settled("repair", Refused(), SHARED, SHARED)] == [True, False]


def test_offline_rows_are_exempt() -> None:
    assert shared_text_action({}, "offline") == "off"
    assert shared_text_action({}, "openai_compatible") == "repair"
    assert shared_text_action({"shared_text": "flag"}, "offline") == "flag"
