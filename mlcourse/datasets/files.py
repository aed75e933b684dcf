"""The data files that come with the course, their cards and their checksums."""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd


class DataError(RuntimeError):
    """A data file is missing or is not the file that its card describes, or was asked for wrongly."""

    def _render_traceback_(self) -> list[str]:
        return [f"DataError: {self}"]


def data_folder() -> Path:
    """The folder of the data files: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "data"
    return installed if installed.is_dir() else package.parent / "data"


@dataclass(frozen=True)
class Card:
    """What a data file is and where it comes from: one section of ``data/README.md``."""

    file: str
    fields: dict[str, str]

    def _repr_html_(self) -> str:
        rows = ""
        for name, text in self.fields.items():
            if name != "sha256":
                shown = re.sub(r"`(.+?)`", r"<code>\1</code>", html.escape(text))
                rows += (
                    f'<tr><th scope="row" style="text-align:left">{html.escape(name)}</th>'
                    f'<td style="text-align:left">{shown}</td></tr>'
                )
        return f'<table class="mlcourse-card"><caption>Data: {html.escape(self.file)}</caption>{rows}</table>'

    def __repr__(self) -> str:
        return f"{self.file}\n" + "\n".join(f"  {name}: {text}" for name, text in self.fields.items())


@cache
def cards() -> dict[str, Card]:
    """All cards by file name, read from ``data/README.md``."""
    sections = re.split(r"^## ", (data_folder() / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found = {}
    for section in sections:
        file, _, body = section.partition("\n")
        fields = dict(re.findall(r"^- \*\*(.+?)\*\*: (.+)$", body, flags=re.MULTILINE))
        found[file.strip("` ")] = Card(file.strip("` "), fields)
    return found


def card(name: str) -> Card:
    """The card of a data file, by its file name with or without the ending.

    Raises
    ------
    DataError
        If no file has that name; the message lists those there are.
    """
    for file, found in cards().items():
        if name in (file, file.split(".")[0], Path(file).stem):
            return found
    raise DataError(f"there is no data file '{name}'; there are: {', '.join(sorted(cards()))}")


@cache
def data_path(file: str) -> Path:
    """The path of a data file, once its content has been compared with its card.

    Raises
    ------
    DataError
        If the file has no card, is missing, or has another checksum than its card says.
    """
    expected = card(file).fields["sha256"].strip("`")
    path = data_folder() / file
    if not path.is_file():
        raise DataError(f"{file} is missing from {data_folder()}; restore it from the repository")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        raise DataError(
            f"{file} is not the file its card describes: sha256 {found[:12]}... instead of {expected[:12]}...; "
            "restore it from the repository"
        )
    return path


def take_rows(frame: pd.DataFrame, rows: int | None, seed: int) -> pd.DataFrame:
    """All rows, or ``rows`` of them drawn without replacement, in the frame's order.

    Raises
    ------
    DataError
        If ``rows`` is not a whole number from 1 to the number of rows there are.
    """
    if rows is None or rows == len(frame):
        return frame
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= len(frame):
        raise DataError(f"rows must be a whole number from 1 to {len(frame):,}, or None for all, not {rows!r}")
    return frame.sample(rows, random_state=seed).sort_index().reset_index(drop=True)
