"""What the pages measured, gathered: the evidence page and the status page."""

from __future__ import annotations

import html
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from nbformat import NotebookNode

from mlcourse.claims import CLAIM_MIME, Claim


@dataclass(frozen=True)
class PageRecord:
    """What one executed page tells about itself."""

    page: str
    title: str
    claims: tuple[Claim, ...]
    seconds: float | None = None
    peak_mb: float | None = None
    warm: bool | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, page: str, notebook: NotebookNode) -> PageRecord:
        """Read the record from an executed page: its claims from its outputs, the rest from its metadata."""
        record = notebook.metadata.get("mlcourse", {})
        claims = []
        title = page.rsplit("/", 1)[-1].replace("_", " ").capitalize()
        for cell in reversed(notebook.cells):
            if cell.cell_type == "markdown" and cell.source.startswith("# "):
                title = cell.source.splitlines()[0][2:].strip()
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                if CLAIM_MIME in output.get("data", {}):
                    claims.append(Claim(**output.data[CLAIM_MIME]))
        return cls(
            page=page,
            title=title,
            claims=tuple(claims),
            seconds=record.get("seconds"),
            peak_mb=record.get("peak_mb"),
            warm=record.get("warm"),
            parameters=record.get("parameters", {}),
        )


def versions() -> dict[str, str]:
    """The packages that the course asks for by name, as far as they are installed, with their versions."""
    names = {re.match(r"[\w.-]+", line)[0] for line in metadata.requires("mlcourse")} - {"mlcourse"}
    found = {name: next((one.version for one in metadata.distributions(name=name)), None) for name in names}
    return {name: version for name, version in sorted(found.items()) if version is not None}


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """An HTML table whose columns sort; cells are HTML, or ``(html, value to sort by)``; kind is a class more."""
    lines = [f'<div class="mlcourse-wide" tabindex="0" role="region" aria-label="{html.escape(caption)}">']
    lines += [f'<table class="{" ".join(["table", "mlcourse-sortable", *kind.split()])}">', "<thead><tr>"]
    lines += [f'<th scope="col"><p>{html.escape(head)}</p></th>' for head in heads]
    lines.append("</tr></thead>\n<tbody>")
    for row in rows:
        cells = [cell if isinstance(cell, tuple) else (cell, None) for cell in row]
        lines.append(
            "<tr>"
            + "".join(
                "<td>" + text + "</td>" if value is None else f'<td data-value="{value}">{text}</td>'
                for text, value in cells
            )
            + "</tr>"
        )
    lines.append("</tbody></table></div>")
    return "\n".join(lines)


def _link(record: PageRecord, text: str, anchor: str = "") -> str:
    return f'<a href="../notebooks/{record.page}.html{anchor}">{html.escape(text)}</a>'


def _time(seconds: float | None) -> tuple[str, str]:
    return ("–", "") if seconds is None else (f"{seconds:.1f} s", f"{seconds:.3f}")


def evidence_page(records: Sequence[PageRecord]) -> str:
    """The evidence page: every claim of every page, and with which settings it was measured."""
    rows = [
        (
            _link(record, claim.text, f"#claim-{number}"),
            html.escape(record.title),
            (html.escape(claim.value), repr(claim.measured)),
            html.escape(claim.bound),
            "holds" if claim.holds else "does not hold",
            _time(record.seconds),
        )
        for record in records
        for number, claim in enumerate(record.claims, start=1)
    ]
    settings = [
        (
            _link(record, record.title),
            ", ".join(f"<code>{html.escape(f'{name}={value!r}')}</code>" for name, value in record.parameters.items())
            or "defaults",
            str(len(record.claims)),
            _time(record.seconds),
        )
        for record in records
    ]
    heads = ("Claim", "Page", "Measured", "Bound", "Verdict", "Page's run time")
    holding = sum(claim.holds for record in records for claim in record.claims)
    return f"""# Evidence

Every claim that the pages of this book make, with the value that the published run measured and the bound that it
must keep. A claim that stops holding stops the book from being built. {holding} of {len(rows)} claims hold.

Click on a column's head to sort by it, and on a claim to read how it was measured.

{_table("Every claim of the book", heads, rows, "mlcourse-claims")}

## Settings of the published run

{_table("Parameters and run time of each page", ("Page", "Parameters", "Claims", "Run time"), settings)}
"""


def status_page(records: Sequence[PageRecord]) -> str:
    """The status page: the machine and the versions that the book was made with, and what each page cost."""
    pages = [
        (
            _link(record, record.title),
            _time(record.seconds),
            ("–", "") if record.peak_mb is None else (f"{record.peak_mb:,.0f} MB", f"{record.peak_mb:.0f}"),
            {True: "warm", False: "cold", None: "–"}[record.warm],
            str(len(record.claims)),
        )
        for record in records
    ]
    libraries = [(html.escape(name), html.escape(version)) for name, version in versions().items()]
    machine = f"{platform.system()} on {platform.machine()}, {os.cpu_count()} processors"
    return f"""# Status

With what this edition of the book was made, and what each page took.

Python {platform.python_version()}, {machine}.

## Pages

A warm kernel has the heavy imports done before the page starts; a cold one begins with them.

{_table("Time and memory of each page", ("Page", "Run time", "Peak memory", "Kernel", "Claims"), pages)}

## Versions

The packages that the course asks for by name. What those bring along is in `requirements.txt`, the lock.

{_table("Packages that the course asks for", ("Package", "Version"), libraries)}
"""
