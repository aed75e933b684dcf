"""The book's one style sheet: those of theme and extensions joined, without the rules that no page uses.

The theme alone brings all of Bootstrap and an icon font: 400 kB, of which the book uses a quarter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import tinycss2
from tinycss2 import ast

STYLE = "book.css"


def used_words(site: Path) -> frozenset[str]:
    """Classes and ids in the site's pages, and every word of its scripts, which may set classes of their own."""
    words: set[str] = set()
    for page in site.rglob("*.html"):
        for values in re.findall(r'\b(?:class|id)="([^"]*)"', page.read_text("utf8")):
            words.update(values.split())
    for script in site.rglob("*.js"):
        if script.name != "searchindex.js":
            words.update(re.findall(r"[A-Za-z_][\w-]*", script.read_text("utf8")))
    return frozenset(words)


def joined(files: Iterable[Path]) -> str:
    """Style sheets as one, in this order."""
    return "\n".join(file.read_text("utf8") for file in dict.fromkeys(files) if file.is_file())


def slim(css: str, words: frozenset[str]) -> str:
    """Drop selectors that need a class or id which is not among ``words``, rules left without one, and icon fonts."""
    return "".join(_kept(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), words))


def _kept(rules: Iterable[ast.Node], words: frozenset[str]) -> Iterable[str]:
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [text for text, needs in _selectors(rule.prelude) if needs <= words]
            if selectors:
                yield f"{','.join(selectors)}{{{tinycss2.serialize(rule.content)}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            inner = "".join(
                _kept(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True), words)
            )
            if inner:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}"
        elif not (
            rule.type == "at-rule" and "Font Awesome" in tinycss2.serialize(rule.content or []).replace("\\", "")
        ):
            yield rule.serialize()


def _selectors(prelude: list[ast.Node]) -> Iterable[tuple[str, set[str]]]:
    """The selectors of a rule, each with the classes and ids it needs; not those within ``:not()`` or ``:is()``."""
    selector: list[ast.Node] = []
    for token in [*prelude, ast.LiteralToken(0, 0, ",")]:
        if token.type == "literal" and token.value == ",":
            pairs = pairwise(selector)
            needs = {
                after.value
                for dot, after in pairs
                if dot.type == "literal" and dot.value == "." and after.type == "ident"
            }
            needs |= {node.value for node in selector if node.type == "hash"}
            yield tinycss2.serialize(selector).strip(), needs
            selector = []
        else:
            selector.append(token)
