"""Files as the course writes them: whole or not at all, notebooks always in the same lay-out."""

from __future__ import annotations

import contextlib
import copy
import json
import os
from pathlib import Path

import nbformat
from nbformat.v4.rwbase import split_lines


class WriteError(OSError):
    """A file could not be written; the message is one line."""


def as_text(notebook: nbformat.NotebookNode) -> str:
    """A notebook as the course writes it: one space of indentation, sorted keys, a last newline."""
    return json.dumps(split_lines(copy.deepcopy(notebook)), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write(path: Path, text: str) -> None:
    """Write a file by one rename, once its content is safely on the disk; leave an equal one alone.

    Raises
    ------
    WriteError
        If that fails; the file is what it was before.
    """
    content = text.encode()
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.is_file() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        for stale in path.parent.glob(f".{path.name}.*.part"):  # a killed build's
            stale.unlink(missing_ok=True)
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise WriteError(f"cannot write {path}: {error.strerror or error}") from None
