"""Simulated files, attached to the real mails: the corpus kept none."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pandas as pd

from mlcourse.datasets.files import DataError

_COPIES = 12  # different files of a kind, so that whoever names types can remember them
_WORDS = (
    b"about budget change date draft error figure item kernel list meeting note order patch price report value".split()
)
_DISGUISES = ["application/pdf", "application/zip", "audio/x-wav", "image/png", "text/plain"]


def attach_files(mails: pd.DataFrame, share: float = 0.05, worms: float = 0.02, seed: int = 0) -> pd.DataFrame:
    """Attach simulated files to mails, and turn some wanted mails into worms.

    Every mail gets a file with the same chance, whatever it is. A wanted mail's file is harmless in nine cases of ten
    and else a program under its own name, as developers send them; a spam mail's is a hostile program in one case of
    two. A worm is a wanted mail whose text and header stay as they are while a hostile program is attached: spam that
    only its file gives away. Hostile programs are declared as something harmless in four cases of five. One file in
    six, of those that are not disguised, is declared as application/octet-stream, which says nothing.

    The files look like their kind at both ends and mean nothing: no program among them does anything.

    Parameters
    ----------
    mails
        Mails as ``load_spam_mail`` returns them.
    share
        The chance of a mail to carry a file, 0 to 1.
    worms
        The chance of a wanted mail to become a worm, 0 to 1.
    seed
        Seed of everything drawn: the same seed gives the same files.

    Returns
    -------
    pandas.DataFrame
        The mails with ``attachments`` 0 or 1 in place of the corpus's count, ``spam`` 1 for worms too, and
        new columns: ``content`` (the file's bytes) and ``declared`` (its media type in the header), both empty
        without a file, and the truth, which no model may use: ``kind`` (what the file is), ``hostile`` and ``worm``.

    Raises
    ------
    mlcourse.datasets.DataError
        If a share is out of range.
    """
    for name, value in (("share", share), ("worms", worms)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise DataError(f"{name} must be a share from 0 to 1, not {value!r}")
    rng = np.random.default_rng(seed)
    count = len(mails)
    was_spam = mails["spam"].to_numpy() == 1
    worm = ~was_spam & (rng.random(count) < worms)
    attached = worm | (rng.random(count) < share)
    hostile = worm | (attached & was_spam & (rng.random(count) < 0.5))
    program = hostile | (attached & ~was_spam & (rng.random(count) < 0.1))

    kind = np.where(program, rng.choice(list(_PROGRAMS), count), rng.choice(list(_HARMLESS), count))
    own = {name: media for name, (media, _) in (_HARMLESS | _PROGRAMS).items()}
    declared = np.array([own[name] for name in kind], dtype=object)
    disguised = hostile & (rng.random(count) < 0.8)
    declared[disguised] = rng.choice(_DISGUISES, disguised.sum())
    declared[~disguised & (rng.random(count) < 1 / 6)] = "application/octet-stream"

    files = {name: [make(rng) for _ in range(_COPIES)] for name, (_, make) in sorted((_HARMLESS | _PROGRAMS).items())}
    copy = rng.integers(0, _COPIES, count)
    content = [files[name][number] if there else b"" for name, number, there in zip(kind, copy, attached, strict=True)]
    return mails.assign(
        attachments=attached.astype(int),
        spam=np.where(worm, 1, mails["spam"]),
        content=content,
        declared=np.where(attached, declared, ""),
        kind=np.where(attached, kind, ""),
        hostile=hostile,
        worm=worm,
    )


def _noise(rng: np.random.Generator, size: int) -> bytes:
    return rng.integers(0, 256, size, dtype=np.uint8).tobytes()


def _words(rng: np.random.Generator, count: int) -> bytes:
    return b" ".join(_WORDS[number] for number in rng.integers(0, len(_WORDS), count))


def _picture(rng: np.random.Generator) -> bytes:
    width, height = (int(side) for side in rng.integers(20, 50, 2))
    rows = b"".join(b"\0" + _noise(rng, 3 * width) for _ in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _document(rng: np.random.Generator) -> bytes:
    page = zlib.compress(_words(rng, 400))
    return (
        b"%%PDF-1.4\n%%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>\nendobj\n"
        b"4 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream\nendobj\n"
        b"trailer\n<< /Size 5 /Root 1 0 R >>\n%%%%EOF\n" % (len(page), page)
    )


def _archive(rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            # A fixed date, so that the same seed gives the same bytes.
            archive.writestr(zipfile.ZipInfo(f"note{number}.txt", (2002, 9, 1, 0, 0, 0)), _words(rng, 300))
    return stream.getvalue()


def _patch(rng: np.random.Generator) -> bytes:
    hunk = b"--- a/%b.c\n+++ b/%b.c\n@@ -%d,3 +%d,3 @@ static int %b(void)\n {\n-\tint n = %d;\n+\tint n = %d;\n }\n"
    names = _words(rng, 24).split()
    return b"".join(
        hunk % (name, name, line, line, other, line, line + 1)
        for line, (name, other) in enumerate(zip(names[::2], names[1::2], strict=True), 20)
    )


def _note(rng: np.random.Generator) -> bytes:
    return b"\n".join(_words(rng, 10).capitalize() + b"." for _ in range(40))


def _windows_program(rng: np.random.Generator) -> bytes:
    dos = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0\xb8" + bytes(7) + b"@" + bytes(35) + b"\x80\0\0\0"
    stub = b"\x0e\x1f\xba\x0e\0\xb4\x09\xcd\x21\xb8\x01\x4c\xcd\x21This program cannot be run in DOS mode.\r\r\n$"
    header = b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 3, int(rng.integers(10**9)), 0, 0, 0xE0, 0x10F)
    optional = struct.pack("<HBB9I", 0x10B, 6, 0, 4096, 4096, 0, 4096, 4096, 8192, 0x400000, 4096, 512)
    sections = b"".join(
        name.ljust(8, b"\0") + struct.pack("<6I2HI", 4096, place, 4096, 512, 0, 0, 0, 0, 0x60000020)
        for name, place in ((b".text", 4096), (b".rdata", 8192), (b".data", 12288))
    )
    start = ((dos + stub).ljust(128, b"\0") + header + optional.ljust(0xE0, b"\0") + sections).ljust(512, b"\0")
    return start + _noise(rng, 3000) + b"KERNEL32.dll\0ExitProcess\0GetProcAddress\0" + bytes(600)


def _basic_script(rng: np.random.Generator) -> bytes:
    lines = [b'On Error Resume Next\r\nDim shell\r\nSet shell = CreateObject("WScript.Shell")\r\n']
    for number, name in enumerate(_words(rng, 6).split()):
        body = b'Function %b%d(ByVal x)\r\n  If x > %d Then\r\n    MsgBox "%b"\r\n  End If\r\nEnd Function\r\n'
        lines.append(body % (name, number, number, _words(rng, 3)))
    return b"".join(lines)


def _batch_script(rng: np.random.Generator) -> bytes:
    lines = [b"@echo off\r\nsetlocal\r\n"]
    for number, name in enumerate(_words(rng, 8).split()):
        body = b'if exist "%%TEMP%%\\%b.txt" goto l%d\r\ncopy %%0 "%%TEMP%%\\%b.bat" >nul\r\necho %b\r\n:l%d\r\n'
        lines.append(body % (name, number, name, _words(rng, 3), number))
    return b"".join(lines) + b"endlocal\r\nexit /b 0\r\n"


def _javascript(rng: np.random.Generator) -> bytes:
    lines = []
    for number, name in enumerate(_words(rng, 6).split()):
        body = (
            b"function %b%d(value) {\n  var items = [];\n  for (var i = 0; i < value.length; i++) {\n"
            b"    items.push(value.charCodeAt(i) ^ %d);\n  }\n  return items.join(',');\n}\nvar out%d = %b%d('%b');\n"
        )
        lines.append(body % (name, number, number, number, name, number, _words(rng, 3)))
    return b"".join(lines)


# By kind: the media type that names it, and what makes one.
_HARMLESS: dict[str, tuple[str, Callable[[np.random.Generator], bytes]]] = {
    "picture": ("image/png", _picture),
    "document": ("application/pdf", _document),
    "archive": ("application/zip", _archive),
    "patch": ("text/x-diff", _patch),
    "note": ("text/plain", _note),
}
_PROGRAMS: dict[str, tuple[str, Callable[[np.random.Generator], bytes]]] = {
    "Windows program": ("application/x-msdownload", _windows_program),
    "Basic script": ("text/vbscript", _basic_script),
    "batch script": ("application/x-bat", _batch_script),
    "JavaScript": ("text/javascript", _javascript),
}
