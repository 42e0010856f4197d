"""Sphinx: MyST pages, the Furo theme, and an API reference taken from the docstrings."""

import reloadcheck

project = "reloadcheck"
author = "the reloadcheck authors"
project_copyright = f"2026, {author}"
version = release = reloadcheck.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.intersphinx"]
intersphinx_mapping: dict[str, tuple[str, str | None]] = {}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"reloadcheck {version}"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "undoc-members": False}
add_module_names = False
