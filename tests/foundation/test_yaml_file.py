"""YAML files: read strictly, and every fault has a line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from census_personas.foundation.yaml_file import YamlError, parse_yaml, read_yaml
from census_personas.prompts.fields import TemplateError
from census_personas.prompts.yaml_text import mapping

pytestmark = pytest.mark.quick

BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: key 'a' is given twice, first in line 1; keep one"),
        ("a: {b: 1, b: 2}", "line 1: key 'b' is given twice"),
        ("- [", "not valid YAML in line 1, column 4: expected the node content"),
        ("a: *b", "not valid YAML in line 1, column 4: found undefined alias 'b'"),
        ("a: &x {b: *x}", "line 1: a value that contains itself"),
        (BOMB, "line 6: more than 1000000 values with aliases expanded"),
        ("[" * 3000, "line 1: nested more than 50 deep"),
        ("when: 2024-13-45", "line 1: '2024-13-45' is malformed (month must be in 1..12)"),
        ("a: !!timestamp x", "line 1: 'x' is malformed"),
        ("a: " + "1" * 5000, "is malformed (Exceeds the limit"),
        ("a: 0x" + "f" * 5000, "is a number with too many digits"),
        ("a: !!python/name:os.system", "could not determine a constructor"),
        (r'a: "\ud83d"', r"line 1: '\ud83d' is malformed"),
        (
            "a: &a " + "x" * 9000 + "\nb: [" + "*a, " * 900 + "]",
            "line 2: more than 8000000 characters with aliases expanded",
        ),
        (
            "a: 1" + ":1" * 30_000,
            "line 1: '1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:' is a number with too many digits",
        ),
        ("a: \x07", "not valid YAML: unacceptable character #x0007"),
    ],
)
def test_fault_names_its_line(text: str, said: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse_yaml(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(TemplateError) as of_prompts:
        mapping(text, "x.yaml")
    smaller = said.replace("1000000", "5000").replace("8000000", "64000").replace("line 6: more", "more")
    assert smaller in str(of_prompts.value)


def test_key_may_override_a_merged_one() -> None:
    text = "base: &base {a: 1, b: 2}\nmore: {<<: *base, b: 3}"
    assert parse_yaml(text)["more"] == {"a": 1, "b": 3}


def test_zip_code_keeps_its_zeros() -> None:
    assert parse_yaml("[01002, 02139, 00501, 10001]") == ["01002", "02139", "00501", 10001]


def test_json_escapes_are_read() -> None:
    assert parse_yaml(r'{"a": "\ud83d\ude00 \u00e9"}') == {"a": "😀 é"}


def test_non_utf_8_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes("title: Español".encode("latin-1"))
    with pytest.raises(YamlError, match=r"x\.yaml: not UTF-8 text .* at byte 11\); save it as UTF-8"):
        read_yaml(tmp_path / "x.yaml")
    with pytest.raises(YamlError, match=r"absent\.yaml: cannot be read"):
        read_yaml(tmp_path / "absent.yaml")


def test_irregular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(YamlError, match=r"pipe\.yaml: cannot be read \(is a pipe, not a file"):
        read_yaml(tmp_path / "pipe.yaml")
    with pytest.raises(YamlError, match=r"/dev/zero: cannot be read \(is a device, not a file"):
        read_yaml(Path("/dev/zero"))
    with pytest.raises(YamlError, match="cannot be read"):
        read_yaml(tmp_path)


@settings(deadline=None)
@given(st.text(alphabet="ab:-[]{},&*!?|>'\"# \n0x1.~=%@`é\t", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = parse_yaml(text)
    except YamlError as error:
        assert "\n" not in str(error)  # noqa: PT017  most texts are YAML
        with pytest.raises(TemplateError):
            mapping(text, "x")
    else:
        if isinstance(value, dict):
            assert repr(mapping(text, "x")) == repr(value)
