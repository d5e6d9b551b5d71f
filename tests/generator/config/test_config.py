import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from census_personas.generator.config.config_file import load, parse
from census_personas.generator.config.run_config import Config, ConfigError

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour: red", "unknown key 'colour'; known there: input, judge, llm, locale"),
        ("llm: {modle: x}", "unknown key 'llm.modle'; known there: api_key_env, backend"),
        (
            "output: {schemas: full}",
            "unknown key 'output.schemas'; known there: formats, lists, schema, shard_rows",
        ),
        ("rows: 0", "rows: input should be greater than or equal to 1, not 0"),
        (
            "output: {schema: nemotron-2}",
            "output.schema: input should be 'nemotron', 'nemotron-1.1' or 'full'",
        ),
        ("llm: {backend: openai}", "llm.model is missing"),
        ("- rows", "a config is a mapping of keys to values, not a list"),
        ("rows: [", "not valid YAML"),
    ],
)
def test_wrong_config_is_explained(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "x.yaml")
    assert str(caught.value).startswith("x.yaml: ")
    assert said in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml: cannot be read"):
        load(tmp_path / "absent.yaml")


@pytest.mark.parametrize("key", ["llm.base_url=http://me:sk-secret@host/v1", "llm.api_key_env=sk-secret"])
def test_misplaced_secret_is_not_shown(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse("", "x.yaml", (key,))
    assert "sk-secret" not in str(caught.value)


def test_overrides_are_yaml_values() -> None:
    config = parse("rows: 5", "x.yaml", ("rows=7", "llm.concurrency=3", "where={state: [CA]}"))
    assert (config.rows, config.llm.concurrency, config.where) == (7, 3, {"state": ["CA"]})


@pytest.mark.parametrize("override", ["rows", "=3", "rows.x=1", "where={"])
def test_malformed_override_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        parse("rows: 5", "x.yaml", (override,))


def test_off_is_a_word() -> None:
    config = parse("validation: {policy: {stated_age: off}}\nruntime: {progress: off}", "x.yaml")
    assert (config.validation.policy["stated_age"], config.runtime.progress) == ("off", "off")


def test_empty_section_means_defaults() -> None:
    assert parse("llm:\noutput:\n", "x.yaml") == Config()


def test_config_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().rows = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    "how", ["rows=9", "name=other", "llm.concurrency=2", "llm.base_url=http://h/v1", "runtime.progress=off"]
)
def test_work_settings_keep_the_fingerprint(how: str) -> None:
    assert parse("", "x", (how,)).fingerprint() == Config().fingerprint()


@pytest.mark.parametrize(
    "what", ["seed=1", "locale=xx", "llm.temperature=0.1", "output.schema=full", "where={sex: Male}"]
)
def test_row_settings_change_the_fingerprint(what: str) -> None:
    assert parse("", "x", (what,)).fingerprint() != Config().fingerprint()


def test_resolved_config_reads_back() -> None:
    config = parse("", "x", ("output.schema=full", "where={age: 30-45}", "prompts.narratives=[finance]"))
    assert Config.model_validate(config.model_dump(mode="json", by_alias=True)) == config


def keys_of(model: Any, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every key that a config may have, sections among them."""
    keys = []
    for name, field in model.model_fields.items():
        key = (*above, field.alias or name)
        nested = isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        keys += [key, *(keys_of(field.annotation, key) if nested else [])]
    return keys


YAML_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(), st.binary(max_size=4),
    st.sampled_from([2**64 - 1, -1, 0, "", "\0", "x" * 5000, "uniform", "a.csv", "*", "30-", 1e308, "é😀"]),
)  # fmt: skip
YAML_VALUES = st.recursive(
    YAML_SCALARS,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(YAML_SCALARS, part, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(key=st.sampled_from(keys_of(Config)), value=YAML_VALUES)
def test_any_value_is_accepted_or_explained(key: tuple[str, ...], value: Any) -> None:
    for name in reversed(key):
        value = {name: value}
    try:
        config = parse(yaml.safe_dump(value, allow_unicode=True), "x.yaml")
    except ConfigError as error:
        assert str(error).startswith("x.yaml: ")  # noqa: PT017  most values are taken by none of the keys
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert json.loads(json.dumps(config.identity())) == config.identity()
        assert len(config.fingerprint()) == 64
        again = yaml.safe_dump(config.model_dump(mode="json", by_alias=True), allow_unicode=True)
        assert parse(again, "config.yaml") == config


SHIPPED = [path.read_text() for path in sorted((Path(__file__).parents[3] / "configs").glob("*.yaml"))]
PIECES = st.sampled_from(
    ["{", "}", "[", "]", ": ", "- ", "\n", "  ", "#", "&a ", "*a", "<<: *a", "!!set ", "? ", "| ", '"', "'", "\t", "\0",
     "\ufeff", "---\n", "%", "~", ".inf", "1:30:00", "2024-13-45", "0x", "1e400", "yes", "\u202e", "\x1b", "x" * 300]
) | st.text(max_size=6)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A shipped config in which something is cut, doubled, swapped or put in."""
    text = draw(st.sampled_from(SHIPPED))
    for _ in range(draw(st.integers(1, 5))):
        lines = text.split("\n")
        at = draw(st.integers(0, len(lines) - 1))
        other = draw(st.integers(0, len(lines) - 1))
        place = draw(st.integers(0, len(lines[at])))
        match draw(st.sampled_from(["put", "cut", "uncomment", "double", "move", "value"])):
            case "put":
                lines[at] = lines[at][:place] + draw(PIECES) + lines[at][place:]
            case "cut":
                lines[at] = lines[at][:place]
            case "uncomment":
                lines[at] = lines[at].replace("# ", "", 1)
            case "double":
                lines.insert(other, lines[at])
            case "move":
                lines.insert(other, lines.pop(at))
            case _:
                lines[at] = lines[at].partition(":")[0] + ": " + draw(PIECES)
        text = "\n".join(lines)
    return text


@settings(deadline=None, max_examples=300)
@given(text=mutated())
def test_garbled_config_is_accepted_or_explained(text: str) -> None:
    try:
        config = parse(text, "x.yaml")
    except ConfigError as error:
        assert str(error).startswith("x.yaml: ")  # noqa: PT017  some are still sound
        assert len(str(error).splitlines()) == 1  # noqa: PT017
    else:
        assert len(config.fingerprint()) == 64


def test_continue_false_changes_the_fingerprint() -> None:
    usual, alone = (Config.model_validate({"prompts": {"continue": value}}) for value in (True, False))
    assert usual.fingerprint() == Config().fingerprint()
    assert "continue" not in usual.identity()["prompts"]
    assert alone.identity()["prompts"]["continue"] is False
