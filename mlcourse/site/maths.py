"""Formulas from LaTeX to MathML when the book is built: browsers lay it out, no script and no font server needed.

latex2mathml does the translation; what it leaves to older renderers is put right here for MathML Core, which is what
browsers implement.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert

_ENVIRONMENTS = {"align*", "array", "bmatrix", "cases", "matrix", "pmatrix", "smallmatrix", "vmatrix"}
_NAMES_WITH_LIMITS = {"max", "min", "sup", "inf", "lim", "argmax", "argmin"}
_APART = "0.17em"  # LaTeX's thin space
_CLOSING = set(")]}|‖⌋⌉")


def mathml(formula: str, *, block: bool) -> str:
    """Translate a formula.

    Parameters
    ----------
    formula
        LaTeX without its dollar signs.
    block
        Whether it stands on lines of its own.

    Raises
    ------
    ValueError
        If the formula holds something without a translation; its source would be printed instead.
    """
    # The numbered and the inner environments differ for LaTeX alone.
    source = re.sub(r"\\(begin|end)\{(?:aligned|split|align)\}", r"\\\1{align*}", formula.strip())
    environment = next((name for name in re.findall(r"\\begin\{(.*?)\}", source) if name not in _ENVIRONMENTS), None)
    if environment:
        raise ValueError(f"'{formula}' uses \\begin{{{environment}}}, which has no MathML translation")
    text = convert(source, display="block" if block else "inline")
    try:
        math = ElementTree.fromstring(text.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', ""))
    except ElementTree.ParseError:
        raise ValueError(f"'{formula}' has no MathML translation") from None
    unknown = next((node.text for node in math.iter() if (node.text or "").startswith("\\")), None)
    if unknown:
        raise ValueError(f"'{formula}' uses {unknown}, which has no MathML translation")
    # The inner ones first: what stands around them looks at what they have become.
    for node in reversed(list(math.iter())):
        _mend(node, block)
    return ElementTree.tostring(math, encoding="unicode")


def _mend(node: Element, block: bool) -> None:
    text = (node.text or "").strip()
    if node.tag in ("mi", "mo") and len(text) > 1 and text.isalpha() and "mathvariant" not in node.attrib:
        # The name of a function: upright, a little apart from what it is applied to, but not from a bracket.
        node.tag = "mo"
        node.attrib |= {"lspace": _APART, "rspace": _APART}
    elif node.tag == "mi" and text in ("±", "∓", "~", "⌊", "⌋", "⌈", "⌉"):
        node.tag, node.text = "mo", text.replace("~", "∼")
    elif node.tag == "mo" and text in ("∞", "⊤", "…"):
        node.tag = "mi"
    if node.tag == "mo" and text in ("‖", "⌊", "⌋", "⌈", "⌉"):
        node.attrib |= {"stretchy": "false", "lspace": "0", "rspace": "0"}
    if node.tag == "msub" and block and (node[0].text in _NAMES_WITH_LIMITS or "movablelimits" in node[0].attrib):
        node.tag = "munder"
    if node.tag == "mtd" and "columnalign" in node.attrib:
        side = node.attrib.pop("columnalign")
        node.set("style", f"text-align:{side}")
    if node.tag == "mtable" and "columnspacing" in node.attrib:
        # Columns of an alignment meet at the relation.
        for cell in node.iter("mtd"):
            inner = "right" if "right" in cell.get("style", "") else "left"
            cell.set("style", f"text-align:{inner};padding-{inner}:0")
    if node.tag == "mrow" and len(node) == 1 and node[0].tag == "mo":
        # Braces around an operator make it an ordinary sign, as in 1{,}000.
        node[0].attrib |= {"lspace": "0", "rspace": "0"}
    for before, after in zip([None, *node], node, strict=False):
        opens = before is not None and before.tag == "mo" and before.text not in _CLOSING
        if opens and after.text in ("−", "+", "±"):
            after.set("form", "prefix")  # a sign, not a difference
        if before is None or opens:
            _close_up(after, "lspace")
        if before is not None and after.text == "(":
            _close_up(before, "rspace")


def _close_up(node: Element, side: str) -> None:
    """Take a function's space away on one side; its name may carry an index."""
    name = node[0] if node.tag in ("msub", "msup", "munder") else node
    if name.get(side) == _APART:
        name.set(side, "0")
