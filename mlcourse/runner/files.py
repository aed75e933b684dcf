"""Files as the course writes them: whole or not at all, notebooks always in the same lay-out."""

from __future__ import annotations

import contextlib
import copy
import json
import os
from collections.abc import Mapping
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
    write_all({path: text})


def write_all(texts: Mapping[Path, str]) -> list[Path]:
    """Write files, all or none: no file is replaced before all contents are safely on the disk.

    Returns the paths whose content was another one before.

    Raises
    ------
    WriteError
        If that fails; each file is what it was before.
    """
    drafts: dict[Path, Path] = {}
    replaced: dict[Path, bytes | None] = {}
    try:
        for path, text in texts.items():
            content = text.encode()
            if path.is_file() and path.read_bytes() == content:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            for stale in path.parent.glob(f".{path.name}.*.part"):  # a killed build's
                stale.unlink(missing_ok=True)
            drafts[path] = path.with_name(f".{path.name}.{os.getpid()}.part")
            with drafts[path].open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        for path, draft in drafts.items():
            before = path.read_bytes() if path.is_file() else None
            draft.replace(path)
            replaced[path] = before
    except OSError as error:
        with contextlib.suppress(OSError):
            for done, before in replaced.items():
                if before is None:
                    done.unlink()
                else:
                    drafts[done].write_bytes(before)
                    drafts[done].replace(done)
        for draft in drafts.values():
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        raise WriteError(f"cannot write {path}: {error.strerror or error}") from None
    return list(drafts)
