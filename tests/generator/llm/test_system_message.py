"""System messages: refusals are recognized, and the text goes into a user message instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from census_personas.generator.llm.chat import RequestError, TransientError
from census_personas.generator.llm.dialect import Dialect
from census_personas.generator.llm.probe import adapt
from census_personas.generator.llm.system_message import fold_system, is_no_system_role
from census_personas.generator.llm.transport import Address, status_error

pytestmark = pytest.mark.quick

REFUSALS = (
    "System role not supported",
    "Conversation roles must alternate user/assistant/user/assistant/...",
    "Only user and assistant roles are supported!",
    "Only user, assistant and tool roles are supported, got system.",
    "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
    "Developer instruction is not enabled for models/gemma-3-27b-it",
    "body.messages.0.role: Input should be 'user' or 'assistant'",
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant"]), "content": st.text(max_size=20)}
    ),
    max_size=6,
)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_refused_system_roles_are_recognized(refusal: str) -> None:
    assert adapt(Dialect(), refusal) == Dialect(system=False)
    assert adapt(Dialect(system=False), refusal) == Dialect(system=False)


@pytest.mark.parametrize(
    "refusal",
    ["This model's maximum context length is 8192 tokens.", "Invalid schema", "temperature is not supported"],
)
def test_other_refusals_keep_the_message(refusal: str) -> None:
    assert not is_no_system_role(refusal)


@pytest.mark.parametrize(("said", "kind"), [(REFUSALS[1], RequestError), ("CUDA error", TransientError)])
def test_template_error_is_not_retried(said: str, kind: type[Exception]) -> None:
    address = Address("http://host:8000/v1", "NO_KEY_AT_ALL")
    assert type(status_error(address, 500, {}, said.encode())) is kind


def test_one_of_two_exclusive_parameters_stays() -> None:
    both = "`temperature` and `top_p` cannot both be specified for this model"
    assert adapt(Dialect(), both).dropped == {"top_p"}


@given(MESSAGES)
def test_folding_loses_no_text(messages: list[dict[str, str]]) -> None:
    folded = fold_system(messages)
    assert all(message["role"] != "system" for message in folded)
    text = "".join(message["content"] for message in folded)
    assert all(message["content"] in text for message in messages)
    if all(message["role"] != "system" for message in messages):
        assert folded == messages
