"""Bytes of a file as text: inflated, decoded and cut into lines, with bounded memory."""

import codecs
import gzip
import zlib
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from patternmind.errors import UnreadableFile
from patternmind.ingestion.rows import MAX_ROW_CHARS

CHUNK_BYTES = 1 << 18
MAX_INFLATED_BYTES = 1 << 30
MAX_INFLATION_RATIO = 200
"""Texts shrink 3 to 20 times; 200 times is a bomb, once it is large enough to matter."""
MIN_RATIO_CHECK_BYTES = 50_000_000

_CONTROL_BYTES = bytes(c for c in range(32) if c not in b"\t\n\x0b\x0c\r\x1a\x1b")
_NOT_CP1252 = b"\x81\x8d\x8f\x90\x9d"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def is_bomb(packed_bytes: int, inflated_bytes: int) -> bool:
    """Whether a file grows so much on inflating that nobody made it to be read."""
    if inflated_bytes > MAX_INFLATED_BYTES:
        return True
    return inflated_bytes > MIN_RATIO_CHECK_BYTES and inflated_bytes > MAX_INFLATION_RATIO * max(packed_bytes, 1)


def bomb_error(path: Path) -> UnreadableFile:
    remedy = "Unpack it yourself, look at it, and split it into smaller files."
    return UnreadableFile(path, "inflates to far more than a file of cases holds", remedy)


def read_chunks(path: Path) -> Generator[bytes, None, None]:
    """The file's bytes in pieces, inflated where its name ends in ``.gz``.

    Raises:
        UnreadableFile: it cannot be read or inflated, or is a bomb.
    """
    try:
        with path.open("rb") as raw:
            yield from _inflate(path, raw) if path.suffix.lower() == ".gz" else iter(lambda: raw.read(CHUNK_BYTES), b"")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableFile(path, "is not a whole gzip file", "Pack it again, or give the unpacked file.") from error
    except OSError as error:
        reason = f"cannot be read ({error.strerror or 'the system refused'})"
        raise UnreadableFile(path, reason, "Check the path and who may read it.") from error


def _inflate(path: Path, raw: BinaryIO) -> Generator[bytes, None, None]:
    inflated = 0
    with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
        while chunk := unpacked.read(CHUNK_BYTES):
            inflated += len(chunk)
            if is_bomb(raw.tell(), inflated):
                raise bomb_error(path)
            yield chunk


def read_bytes(path: Path, *, limit: int, remedy: str) -> bytes:
    """The whole of a file that must be held in memory.

    Raises:
        UnreadableFile: it is longer than ``limit`` bytes, or cannot be read.
    """
    held = bytearray()
    with closing(read_chunks(path)) as chunks:
        for chunk in chunks:
            held += chunk
            if len(held) > limit:
                raise UnreadableFile(path, f"is larger than {limit // 1_000_000} MB", remedy)
    return bytes(held)


def read_text(path: Path, *, limit: int, remedy: str) -> str:
    """The whole text of a file; see ``decode_chunks``.

    Raises:
        UnreadableFile: it is longer than ``limit`` characters, is not text, or cannot be read.
    """
    held: list[str] = []
    length = 0
    with closing(decode_chunks(path)) as chunks:
        for chunk in chunks:
            held.append(chunk)
            length += len(chunk)
            if length > limit:
                raise UnreadableFile(path, f"holds more than {limit // 1_000_000} million characters", remedy)
    return "".join(held)


def read_lines(path: Path, *, limit: int = MAX_ROW_CHARS) -> Generator[str | None, None, None]:
    """The file's lines with their line ends; ``None`` for a line longer than ``limit``, which is skipped unkept.

    Lines end at ``\\n``; only where the file's beginning has none, at ``\\r`` (old Mac spreadsheets).
    """
    held: list[str] = []
    length, end = 0, ""
    with closing(decode_chunks(path)) as chunks:
        for chunk in chunks:
            end = end or ("\r" if "\r" in chunk and "\n" not in chunk else "\n")
            pieces = chunk.split(end)
            for piece in pieces[:-1]:
                length += len(piece)
                yield "".join((*held, piece, end)) if length <= limit else None
                held, length = [], 0
            length += len(pieces[-1])
            held = [*held, pieces[-1]] if length <= limit else []
    if length:
        yield "".join(held) if length <= limit else None


def decode_chunks(path: Path) -> Generator[str, None, None]:
    """The file's text in pieces: UTF-8, UTF-16 with its mark, else Windows-1252.

    Bytes that do not fit come as lone surrogates, so that the checks reject their row and no other.

    Raises:
        UnreadableFile: it is empty, is not text, or cannot be read.
    """
    encoding = _find_encoding(path)
    errors = "surrogatepass" if encoding == "utf-16" else "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    try:
        with closing(read_chunks(path)) as chunks:
            for chunk in chunks:
                if text := decoder.decode(chunk):
                    yield text
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_text_error(path) from error


@dataclass(slots=True)
class _ByteStatistics:
    """What the bytes of a file say about its encoding."""

    n_bytes: int = 0
    n_control: int = 0
    n_not_cp1252: int = 0
    n_not_utf8: int = 0
    n_utf8_letters: int = 0

    def count(self, chunk: bytes, text: str) -> None:
        self.n_bytes += len(chunk)
        self.n_control += len(chunk) - len(chunk.translate(None, _CONTROL_BYTES))
        if not chunk.isascii():
            self.n_not_cp1252 += len(chunk) - len(chunk.translate(None, _NOT_CP1252))
            not_utf8 = sum("\udc80" <= c <= "\udcff" for c in text)
            self.n_not_utf8 += not_utf8
            self.n_utf8_letters += sum(c > "\x7f" for c in text) - not_utf8


def _find_encoding(path: Path) -> str:
    """Read the file through once, because one Windows-1252 letter may stand on its last line."""
    signs = _ByteStatistics()
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with closing(read_chunks(path)) as chunks:
        for chunk in chunks:
            marked = next((name for bom, name in _BOMS if not signs.n_bytes and chunk.startswith(bom)), None)
            if marked:
                return marked
            signs.count(chunk, decoder.decode(chunk))
    if not signs.n_bytes:
        raise UnreadableFile(path, "is empty", "Give a file with at least one case in it.")
    encoding = _choose_encoding(signs)
    if encoding is None:
        raise _not_text_error(path)
    return encoding


def _choose_encoding(statistics: _ByteStatistics) -> str | None:
    """UTF-8 where it fits all or nearly all of the file; else Windows-1252 where it can be that; else not text."""
    if statistics.n_control > 0.3 * statistics.n_bytes:  # UTF-16 without its mark has a NUL in every other byte
        return None
    if not statistics.n_not_utf8 or statistics.n_utf8_letters > statistics.n_not_utf8:
        return "utf-8"
    if not statistics.n_not_cp1252 and not statistics.n_control:
        return "cp1252"
    return "utf-8" if 100 * statistics.n_not_utf8 < statistics.n_bytes else None


def _not_text_error(path: Path) -> UnreadableFile:
    return UnreadableFile(path, "is not text", "Save it as UTF-8 text, or as CSV or XLSX, and try again.")
