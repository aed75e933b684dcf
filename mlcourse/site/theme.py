"""The book's Sphinx extension: formulas as MathML, the few buttons and tags the theme lacks, one slim style sheet."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sphinx_codeautolink.extension
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx_codeautolink.extension.resolve import CouldNotResolve
from sphinx_codeautolink.parse import NameBreak

from mlcourse.site.maths import mathml
from mlcourse.site.slim import STYLE, joined, slim, used_words

logger = logging.getLogger(__name__)

# Scripts, and what a page must contain to need them.
_SCRIPTS = {
    "clipboard.min.js": "highlight",
    "copybutton.js": "highlight",
    "design-tabs.js": "sd-tab-set",
    "mlcourse.js": "mlcourse-sortable",
    "pattern_map.js": "mlcourse-map",
}


# What a function gives, where the book's pages go on with a method of it.
_GIVES = {
    "matplotlib.pyplot.figure": "matplotlib.figure.Figure",
    "numpy.random.default_rng": "numpy.random.Generator",
}


def location(name: Any, inventory: Mapping[str, str]) -> str:
    """The documented object that a name in code means, by the words of the code alone.

    It stands in for sphinx-codeautolink's own search, which imports every library that a page imports (TensorFlow
    among them) and ends at private names, ``sklearn.linear_model._logistic``, that no inventory has.

    Raises
    ------
    CouldNotResolve
        If the name leads to nothing that is documented.
    """
    path = ""
    for component in name.import_components:
        if component == NameBreak.call and path in inventory:
            # Calling a class gives an instance, whose methods are documented with the class.
            path = _GIVES.get(path, path)
        else:
            path = f"{path}.{component}".lstrip(".")
    if path not in inventory:
        raise CouldNotResolve(path)
    return path


def _formula(translator: Any, node: nodes.Element, *, block: bool) -> str:
    try:
        return mathml(node.astext(), block=block)
    except Exception as error:  # latex2mathml has a dozen of its own
        logger.warning("formula: %s", error, location=node)
        return f"<code>{html.escape(node.astext())}</code>"


def _inline_math(translator: Any, node: nodes.math) -> None:
    translator.body.append(_formula(translator, node, block=False))
    raise nodes.SkipNode


def _display_math(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})</span>')
    translator.body.append(_formula(translator, node, block=True) + "</div>\n")
    raise nodes.SkipNode


def description(document: nodes.document, limit: int = 200) -> str:
    """The first paragraph of a page, cut at a word: the promise, for search engines and link previews."""
    for paragraph in document.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 40:
            return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0].rstrip(",;:") + " …"
    return ""


def launch_buttons(page: str, address: str | None, branch: str) -> list[dict[str, str]]:
    """The buttons of a notebook page: Colab and Binder where the repository's address is known, and the download.

    Both open the notebook as committed: without outputs, and with the parameters that run in seconds.
    """
    notebook = {"type": "link", "text": "Notebook", "icon": "fas fa-download", "label": "download"}
    notebook |= {"tooltip": "Download this page as a notebook", "url": f"_static/{page}.ipynb"}
    if not address:
        return [notebook]
    path = f"{page}.ipynb"
    return [
        {
            "type": "link",
            "text": "Colab",
            "icon": "fas fa-play",
            "label": "colab",
            "tooltip": "Run this page in Google Colab",
            "url": f"https://colab.research.google.com/github/{address}/blob/{branch}/{path}",
        },
        {
            "type": "link",
            "text": "Binder",
            "icon": "fas fa-cloud",
            "label": "binder",
            "tooltip": "Run this page on Binder",
            "url": f"https://mybinder.org/v2/gh/{address}/{branch}?urlpath=lab/tree/{path}",
        },
        notebook,
    ]


def _page_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    body = context.get("body", "")
    unused = tuple(name for name, mark in _SCRIPTS.items() if mark not in body)
    context["script_files"] = [
        file for file in context["script_files"] if not str(file.filename or "").endswith(unused)
    ]
    context["css_files"] = [f"_static/{STYLE}"]
    context["header_buttons"] = []
    if page.startswith("notebooks/"):
        buttons = launch_buttons(page, app.config.mlcourse_address, app.config.mlcourse_branch)
        for button in buttons:
            if button["url"].startswith("_static/"):
                button["url"] = context["pathto"](button["url"], resource=True)
        context["header_buttons"] = buttons
    if document is not None:
        words = html.escape(description(document))
        name = html.escape(app.env.titles[page].astext())
        context["metatags"] = context.get("metatags", "") + (
            f'<meta name="description" content="{words}">\n'
            f'<meta property="og:title" content="{name}">\n<meta property="og:description" content="{words}">\n'
        )


def _glossary_anchors(app: Sphinx, document: nodes.document) -> None:
    """Let plain Markdown links reach glossary terms: ``glossary.md#term-feature-cross``, as notebooks write them."""
    anchors = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for term in document.findall(nodes.term):
        for anchor in term["ids"]:
            anchors.setdefault(anchor.lower(), (term.line or 0, anchor, term.astext()))


def _join_styles(app: Sphinx, error: Exception | None) -> None:
    """Write the one style sheet, once all pages are there to say what they use."""
    if error or app.builder.name != "html":
        return
    static = Path(app.outdir) / "_static"
    names = ["basic.css", "styles/pydata-sphinx-theme.css", "pygments.css", "styles/sphinx-book-theme.css"]
    names += [name for name, _ in app.registry.css_files] + [name for name, _ in app.config.html_css_files]
    css = slim(joined(static / name for name in names), used_words(Path(app.outdir)))
    (static / STYLE).write_text(css, "utf8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("mlcourse_address", None, "html", [str, type(None)])
    app.add_config_value("mlcourse_branch", "main", "html")
    app.add_html_math_renderer("mathml", (_inline_math, None), (_display_math, None))
    # It does nothing to an unnumbered book, and does not say that it may be loaded into parallel readers.
    if "sphinx_multitoc_numbering" in app.extensions:
        app.extensions["sphinx_multitoc_numbering"].parallel_read_safe = True
    sphinx_codeautolink.extension.resolve_location = location
    app.connect("doctree-read", _glossary_anchors)
    # After the theme, whose buttons and assets these are.
    app.connect("html-page-context", _page_context, priority=900)
    app.connect("build-finished", _join_styles, priority=900)
    app.connect("html-collect-pages", lambda _: [("404", {}, "404.html")])
    return {"parallel_read_safe": True, "parallel_write_safe": True}
