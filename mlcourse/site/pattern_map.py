"""The pattern map: which pages combine and why, from ``book/pattern_map.yml``, as a picture and in words."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from mlcourse.runner.catalogue import NOTEBOOKS, CatalogueError, parts
from mlcourse.site.evidence import PageRecord

SOURCE = "book/pattern_map.yml"
LONGEST = 120  # characters of a reason: one phrase

# The picture, in its own units, which are a phone's pixels: names to the left, arcs to the right.
_WIDTH, _LINE, _SPINE, _REACH = 360, 26, 226, 118


@dataclass(frozen=True)
class Pair:
    """Two pages that combine, such as ``1-data-representation/embeddings``, and why."""

    first: str
    second: str
    why: str

    def other(self, page: str) -> str:
        """The page that combines with this one."""
        return self.second if page == self.first else self.first


def read_pairs(path: Path, pages: Iterable[str]) -> list[Pair]:
    """The pairs of a file, which maps a page to those that it combines with and these to the reasons.

    Parameters
    ----------
    path
        A YAML file. Each pair stands in it once, below either of its pages.
    pages
        The pages that there are.

    Raises
    ------
    CatalogueError
        If the file is not of this form, names a page that does not exist, or gives a pair twice.
    """
    try:
        content = yaml.safe_load(path.read_text("utf8"))
    except (OSError, yaml.YAMLError) as error:
        raise CatalogueError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    known, seen, pairs = set(pages), set(), []
    if not isinstance(content, Mapping) or not all(isinstance(others, Mapping) for others in content.values()):
        raise CatalogueError(f"{path} must map pages to the pages that they combine with, and these to the reasons")
    for first, others in content.items():
        for second, why in others.items():
            where = f"{path}: {first} and {second}"
            if strange := [page for page in (first, second) if page not in known]:
                raise CatalogueError(f"{where}: there is no page {strange[0]}")
            if first == second:
                raise CatalogueError(f"{where}: a page does not combine with itself")
            if frozenset((first, second)) in seen:
                raise CatalogueError(f"{where} are there twice")
            if not isinstance(why, str) or not 0 < len(why) <= LONGEST or "\n" in why:
                raise CatalogueError(f"{where}: the reason must be one phrase of at most {LONGEST} characters")
            seen.add(frozenset((first, second)))
            pairs.append(Pair(first, second, why))
    return pairs


def pattern_map_page(root: Path, records: Sequence[PageRecord]) -> str:
    """The page of the map: the picture, beside it the reasons of the page in hand, below both all pairs in words."""
    titles = {record.page: record.title for record in records}
    chapters = parts(root)
    pairs = read_pairs(root / SOURCE, titles)
    return f"""# Pattern map

Which patterns combine, and why: every pattern of this book, joined by an arc to those that it works with.

Point at a name, or move to it with the Tab key, and its reasons appear. A click, or Enter, opens its page. The larger
a pattern's dot, the more it combines with. All pairs stand below [in words](pattern-map-in-words).

<div class="mlcourse-map">
{_picture(chapters, titles, pairs)}
<div class="mlcourse-map-why" aria-live="polite"></div>
</div>

(pattern-map-in-words)=
## In words

{len(pairs)} pairs. Each stands below both of its pages.

{_words(chapters, titles, pairs)}
"""


def _href(page: str) -> str:
    return f"../{NOTEBOOKS}/{page}.html"


def _picture(chapters: Mapping[str, Sequence[str]], titles: Mapping[str, str], pairs: Sequence[Pair]) -> str:
    """An arc diagram: the names one below the other, and an arc for each pair."""
    heights, lines, y = {}, [], 0.0
    for caption, pages in chapters.items():
        y += _LINE * 1.1
        lines.append(f'<text class="part" x="0" y="{y:.0f}" aria-hidden="true">{html.escape(caption)}</text>')
        for page in pages:
            y += _LINE
            heights[page] = round(y)
        y += _LINE * 0.4
    longest = max((abs(heights[pair.first] - heights[pair.second]) for pair in pairs), default=1)
    for pair in sorted(pairs, key=lambda pair: (heights[pair.first], heights[pair.second])):
        top, bottom = sorted((heights[pair.first], heights[pair.second]))
        # The root keeps the short arcs apart, of which there are most.
        reach = _SPINE + _REACH * 4 / 3 * ((bottom - top) / longest) ** 0.5
        lines.append(
            f'<path data-pages="{pair.first} {pair.second}" aria-hidden="true" '
            f'd="M{_SPINE} {top}C{reach:.0f} {top} {reach:.0f} {bottom} {_SPINE} {bottom}"/>'
        )
    for page, height in heights.items():
        others = [titles[pair.other(page)] for pair in pairs if page in (pair.first, pair.second)]
        name = html.escape(titles[page])
        label = html.escape(f"{titles[page]}. Combines with: {', '.join(others)}")
        lines.append(
            f'<a href="{_href(page)}" data-page="{page}" aria-label="{label}">'
            f'<rect x="0" y="{height - _LINE / 2:.0f}" width="{_SPINE + 10}" height="{_LINE}" rx="4"/>'
            f'<text x="{_SPINE - 14}" y="{height + 5}" text-anchor="end">{name}</text>'
            f'<circle cx="{_SPINE}" cy="{height}" r="{2 + 0.55 * len(others):.1f}"/></a>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y:.0f}" role="group" '
        f'aria-label="The patterns, each with arcs to those that it combines with">\n' + "\n".join(lines) + "\n</svg>"
    )


def _words(chapters: Mapping[str, Sequence[str]], titles: Mapping[str, str], pairs: Sequence[Pair]) -> str:
    def link(page: str) -> str:
        return f'<a href="{_href(page)}">{html.escape(titles[page])}</a>'

    lines = ['<div class="mlcourse-map-words">']
    for caption, pages in chapters.items():
        lines += [f'<p class="part">{html.escape(caption)}</p>', "<ul>"]
        for page in pages:
            reasons = "".join(
                f"<li>with {link(pair.other(page))}: {html.escape(pair.why)}</li>"
                for pair in pairs
                if page in (pair.first, pair.second)
            )
            lines.append(f'<li data-page="{page}"><p>{link(page)}</p><ul>{reasons}</ul></li>')
        lines.append("</ul>")
    return "\n".join([*lines, "</div>"])
