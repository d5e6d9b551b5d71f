"""Configuration of the documentation site: `sphinx-build -EnW --keep-going docs site`."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for generated_pages

project = "census-personas"
version = release = metadata.version("census-personas")
language = "en"

extensions = ["myst_parser", "generated_pages"]
exclude_patterns = ["generated_pages"]
nitpicky = True

myst_heading_anchors = 4  # the anchors that GitHub makes, checked like every other link
myst_links_external_new_tab = False

smartquotes = False  # JSON in a sentence is to be copied

html_theme = "furo"
html_title = f"census-personas {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
