"""Text language: the language that a run's prompts ask for."""

from __future__ import annotations

import logging
from pathlib import Path

from census_personas.foundation.plugins import NO_PLUGINS, Plugins
from census_personas.foundation.run_layout import RunLayout
from census_personas.generator.config.config_file import load
from census_personas.generator.config.run_config import ConfigError
from census_personas.prompts.set_declaration import DECLARATION, SetDeclaration
from census_personas.prompts.set_folder import files_of, folder_of, read_wording, shipped_sets
from census_personas.prompts.template import TemplateError

logger = logging.getLogger(__name__)


def language_of_texts(dataset: Path, plugins: Plugins = NO_PLUGINS) -> str | None:
    """Return the language that the prompt set of a run declares.

    Return None, which stands for the locale's language, if the dataset is not a run or the set declares no language.
    Log a warning if config or set cannot be read. Only code of `plugins`, which the caller named, is loaded.
    """
    layout = RunLayout(dataset)
    if not (layout.manifest.is_file() and layout.config.is_file()):
        return None
    try:
        folder = folder_of(load(layout.config).prompts.set, plugins.prompt_sets(shipped_sets()))
        wording = {p.stem: read_wording(p) for p in files_of(folder, f"{DECLARATION}.yaml")}
        return SetDeclaration.read(folder, wording).language
    except (ConfigError, TemplateError) as error:
        logger.warning("%s; its texts are checked in the language of the locale", error)
        return None
