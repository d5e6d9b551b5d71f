"""Plug-ins from folders, and from an installed distribution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from census_personas.foundation.plugin import PluginError
from census_personas.foundation.plugins import MAX_FILES, Plugins

WHOLE = "WORD = 'kept'\n"


def plugin(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def modules(*folders: Path) -> Mapping[str, object]:
    return Plugins.load(folders).modules("rules", ("WORD",), ("pronouns",), "validators/records")


def fault(*folders: Path) -> str:
    with pytest.raises(PluginError) as caught:
        modules(*folders)
    assert "\n" not in caught.value.message
    return caught.value.message


def test_private_modules_are_skipped(tmp_path: Path) -> None:
    files = {"rules/b.py": WHOLE, "rules/a.py": "from ._words import WORD\n", "rules/_words.py": WHOLE}
    found = modules(plugin(tmp_path / "mine", files))
    assert list(found) == ["a", "b"]
    assert [getattr(module, "WORD") for module in found.values()] == ["kept", "kept"]  # noqa: B009


def test_modules_may_share_code(tmp_path: Path) -> None:
    files = {"words.py": WHOLE, "rules/a.py": "from ..words import WORD\n"}
    assert list(modules(plugin(tmp_path / "mine", files))) == ["a"]


def test_init_file_is_run(tmp_path: Path) -> None:
    files = {"__init__.py": WHOLE, "rules/a.py": "from .. import WORD\n"}
    assert list(modules(plugin(tmp_path / "mine", files))) == ["a"]


def test_code_runs_on_demand(tmp_path: Path) -> None:
    files = {"__init__.py": "raise RuntimeError", "rules/a.py": "raise RuntimeError"}
    loaded = Plugins.load([plugin(tmp_path / "mine", files)])
    assert list(loaded.members[0].files("rules")) == ["a"]


def test_edited_file_is_imported_again(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "mine", {"rules/a.py": WHOLE})
    before = modules(folder)["a"]
    plugin(folder, {"rules/a.py": "WORD = 'another'\n"})
    assert (before.WORD, modules(folder)["a"].WORD) == ("kept", "another")  # type: ignore[attr-defined]


def test_digest_covers_deciding_files(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "mine", {"rules/a.py": WHOLE})
    before = Plugins.load([folder]).digests
    assert list(before) == ["plugins/mine"]
    plugin(
        folder,
        {"measures/m.py": "", "prompts/p/personas.j2": "", "rules/__pycache__/a.pyc": "", ".git/x": ""},
    )
    assert Plugins.load([folder]).digests == before
    plugin(folder, {"lexicon.csv": "a"})
    assert Plugins.load([folder]).digests != before
    assert Plugins.load([plugin(tmp_path / "other", {"measures/m.py": ""})]).digests == {}


def test_missing_folder_is_named(tmp_path: Path) -> None:
    assert "neither a folder nor an installed plug-in; installed: none" in fault(tmp_path / "absent")


def test_other_folder_is_not_a_plugin(tmp_path: Path) -> None:
    assert fault(tmp_path).endswith("is not a plug-in: it has no folder rules, measures or prompts")


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "mine", {"rules/a.py": WHOLE})
    for number in range(MAX_FILES):
        (folder / f"{number}.txt").touch()
    assert f"more than {MAX_FILES} files" in fault(folder)


def test_linked_folder_is_refused(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "mine", {"rules/a.py": WHOLE})
    (tmp_path / "elsewhere").mkdir()
    (folder / "measures").symlink_to(tmp_path / "elsewhere")
    assert fault(folder) == f"{folder}/measures: is a link to a folder; replace it by the folder itself"


@pytest.mark.parametrize("name", ["", "\0", "a" * 5000, "\udcff"])
def test_invalid_folder_name_is_one_line(name: str) -> None:
    with pytest.raises(PluginError, match="is neither a folder nor an installed plug-in"):
        Plugins.load(name)


def test_pipe_does_not_block(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "mine", {"rules/a.py": WHOLE})
    os.mkfifo(folder / "pipe")
    assert (
        fault(folder) == f"{folder}/pipe: cannot be read (is a pipe, not a file); move it out of the plug-in"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere_at_all\n", "a.py:1: cannot be imported: ModuleNotFoundError: No module named"),
        ("WORD = 1\nWORD / 0\n", "a.py:2: cannot be imported: ZeroDivisionError: division by zero"),
        ("WORD = (\n", "a.py:1: cannot be imported: SyntaxError: '(' was never closed"),
        ("raise SystemExit(3)\n", "a.py:1: cannot be imported: SystemExit: 3"),
        ("from ._shared import WORD\n", "_shared.py:1: cannot be imported: NameError"),
        ("OTHER = 1\n", "a.py: does not define WORD"),
    ],
)
def test_faulty_module_names_its_line(tmp_path: Path, text: str, said: str) -> None:
    folder = plugin(tmp_path / "mine", {"rules/a.py": text, "rules/_shared.py": "unknown\n"})
    assert f"{folder}/rules/{said}" in fault(folder)


def test_modules_of_one_name_are_both_named(tmp_path: Path) -> None:
    one = plugin(tmp_path / "one", {"rules/a.py": WHOLE})
    two = plugin(tmp_path / "two", {"rules/a.py": WHOLE})
    assert fault(one, two) == f"{two}/rules/a.py: 'a' is also the name of {one}/rules/a.py; rename one"


def test_shipped_names_are_reserved(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "mine", {"rules/pronouns.py": WHOLE})
    assert "'pronouns' is also the name of validators/records/pronouns.py" in fault(folder)


def test_plugins_of_one_name_are_both_named(tmp_path: Path) -> None:
    places = [plugin(tmp_path / side / "mine", {"rules/a.py": WHOLE}) for side in "ab"]
    assert fault(*places) == f"plugins: {places[0]} and {places[1]} are both named 'mine'; rename one"


def test_plugin_named_twice_is_loaded_once(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "mine", {"rules/a.py": WHOLE})
    assert len(Plugins.load([folder, f"{folder}/"]).members) == 1


def test_non_python_name_is_refused(tmp_path: Path) -> None:
    assert "'my-rule' is not a Python name" in fault(plugin(tmp_path / "mine", {"rules/my-rule.py": WHOLE}))


def test_prompt_sets_are_folders(tmp_path: Path) -> None:
    files = {"prompts/plain/personas.j2": "", "prompts/plain.txt": "", "prompts/empty/x": ""}
    loaded = Plugins.load([plugin(tmp_path / "mine", files)])
    assert dict(loaded.prompt_sets()) == {"plain": tmp_path / "mine/prompts/plain"}
    with pytest.raises(PluginError, match="'plain' is also the name of the shipped prompts/plain"):
        loaded.prompt_sets({"plain"})


def installed(site: Path, files: Mapping[str, str]) -> Path:
    """A distribution as an installer leaves it."""
    plugin(site / "regional_personas", {"__init__.py": "", **files})
    return plugin(
        site / "regional_personas-1.0.dist-info",
        {
            "METADATA": "Metadata-Version: 2.1\nName: regional-personas\nVersion: 1.0\n",
            "entry_points.txt": "[census_personas.plugins]\nregional = regional_personas\n",
        },
    ).parent


_LOAD = """
import json, sys
from census_personas.foundation.plugins import Plugins, installed
before = "regional_personas" in sys.modules
found = Plugins.load(["regional"])
rules = found.modules("rules", ("WORD",), (), "")
print(json.dumps([list(installed()), before, str(found.members[0].folder), found.digests,
                  {name: module.__name__ for name, module in rules.items()}]))
"""


def test_installed_plugin_is_found_by_name(tmp_path: Path) -> None:
    site = installed(tmp_path, {"words.py": WHOLE, "rules/a.py": "from regional_personas.words import WORD"})
    (tmp_path / "work/regional").mkdir(parents=True)  # a folder of that name does not take its place
    ran = subprocess.run(
        [sys.executable, "-c", _LOAD],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path / "work",
        env={**os.environ, "PYTHONPATH": str(site)},
    )
    names, before, folder, digests, rules = json.loads(ran.stdout)
    assert (names, before, folder) == (["regional"], False, str(site / "regional_personas"))
    assert rules == {"a": "regional_personas.rules.a"}
    assert list(digests) == ["plugins/regional"]


def test_changed_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(installed(tmp_path, {"rules/a.py": WHOLE}))
    found = [Plugins.load("regional") for _ in range(2)]
    assert [plugins.members[0].load("rules", "a").WORD for plugins in found] == ["kept", "kept"]
    plugin(tmp_path / "regional_personas", {"rules/a.py": "WORD = 'another'\n"})
    with pytest.raises(PluginError, match="was changed after it was imported; restart Python"):
        Plugins.load("regional").members[0].load("rules", "a")
