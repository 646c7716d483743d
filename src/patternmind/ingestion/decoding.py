"""Turn the bytes of a file into lines of text: inflate and decode with bounded memory."""

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
"""Texts shrink 3 to 20 times. A large file that shrank 200 times is a bomb."""
MIN_RATIO_CHECK_BYTES = 50_000_000

_CONTROL_BYTES = bytes(c for c in range(32) if c not in b"\t\n\x0b\x0c\r\x1a\x1b")
_NOT_CP1252 = b"\x81\x8d\x8f\x90\x9d"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def is_bomb(packed_bytes: int, inflated_bytes: int) -> bool:
    """Return whether a file inflates so much that it must be a zip bomb."""
    if inflated_bytes > MAX_INFLATED_BYTES:
        return True
    return inflated_bytes > MIN_RATIO_CHECK_BYTES and inflated_bytes > MAX_INFLATION_RATIO * max(packed_bytes, 1)


def bomb_error(path: Path) -> UnreadableFile:
    remedy = "Unpack it, check its content, and split it into smaller files."
    return UnreadableFile(path, "inflates to far more than a file of cases contains", remedy)


def read_chunks(path: Path) -> Generator[bytes, None, None]:
    """Yield the bytes of a file in pieces, inflated if its name ends in ``.gz``.

    Raises:
        UnreadableFile: the file cannot be read or inflated, or is a zip bomb.
    """
    try:
        with path.open("rb") as raw:
            yield from _inflate(path, raw) if path.suffix.lower() == ".gz" else iter(lambda: raw.read(CHUNK_BYTES), b"")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableFile(
            path, "is not a whole gzip file", "Compress it again, or use the uncompressed file."
        ) from error
    except OSError as error:
        reason = f"cannot be read ({error.strerror or 'unknown reason'})"
        raise UnreadableFile(path, reason, "Check the path and its permissions.") from error


def _inflate(path: Path, raw: BinaryIO) -> Generator[bytes, None, None]:
    inflated = 0
    with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
        while chunk := unpacked.read(CHUNK_BYTES):
            inflated += len(chunk)
            if is_bomb(raw.tell(), inflated):
                raise bomb_error(path)
            yield chunk


def read_bytes(path: Path, *, limit: int, remedy: str) -> bytes:
    """Return all bytes of a file.

    Raises:
        UnreadableFile: the file is longer than ``limit`` bytes, or cannot be read.
    """
    content = bytearray()
    with closing(read_chunks(path)) as chunks:
        for chunk in chunks:
            content += chunk
            if len(content) > limit:
                raise UnreadableFile(path, f"is larger than {limit // 1_000_000} MB", remedy)
    return bytes(content)


def read_text(path: Path, *, limit: int, remedy: str) -> str:
    """Return the whole text of a file; see ``decode_chunks``.

    Raises:
        UnreadableFile: the file is longer than ``limit`` characters, is not text, or cannot be read.
    """
    pieces: list[str] = []
    length = 0
    with closing(decode_chunks(path)) as chunks:
        for chunk in chunks:
            pieces.append(chunk)
            length += len(chunk)
            if length > limit:
                raise UnreadableFile(path, f"contains more than {limit // 1_000_000} million characters", remedy)
    return "".join(pieces)


def read_lines(path: Path, *, limit: int = MAX_ROW_CHARS) -> Generator[str | None, None, None]:
    r"""Yield the lines of a file with their line ends; ``None`` for a line longer than ``limit``.

    A line that is too long is skipped without holding it in memory. Lines end at ``\n``, or at ``\r`` if the
    beginning of the file has no ``\n`` (old Mac spreadsheets).
    """
    line: list[str] = []
    length, end = 0, ""
    with closing(decode_chunks(path)) as chunks:
        for chunk in chunks:
            end = end or ("\r" if "\r" in chunk and "\n" not in chunk else "\n")
            pieces = chunk.split(end)
            for piece in pieces[:-1]:
                length += len(piece)
                yield "".join((*line, piece, end)) if length <= limit else None
                line, length = [], 0
            length += len(pieces[-1])
            line = [*line, pieces[-1]] if length <= limit else []
    if length:
        yield "".join(line) if length <= limit else None


def decode_chunks(path: Path) -> Generator[str, None, None]:
    """Yield the text of a file in pieces: UTF-8, UTF-16 with a byte order mark, else Windows-1252.

    Invalid bytes become lone surrogates, so that validation rejects only their own row.

    Raises:
        UnreadableFile: the file is empty, is not text, or cannot be read.
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
    """Counts of bytes that distinguish encodings."""

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
    """Read the whole file, because the only Windows-1252 letter may be on its last line."""
    statistics = _ByteStatistics()
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with closing(read_chunks(path)) as chunks:
        for chunk in chunks:
            encoding_of_bom = next(
                (name for bom, name in _BOMS if not statistics.n_bytes and chunk.startswith(bom)), None
            )
            if encoding_of_bom:
                return encoding_of_bom
            statistics.count(chunk, decoder.decode(chunk))
    if not statistics.n_bytes:
        raise UnreadableFile(path, "is empty", "Use a file with at least one case.")
    encoding = _choose_encoding(statistics)
    if encoding is None:
        raise _not_text_error(path)
    return encoding


def _choose_encoding(statistics: _ByteStatistics) -> str | None:
    """Choose UTF-8 if it fits nearly all bytes, else Windows-1252 if possible; None if not text."""
    if statistics.n_control > 0.3 * statistics.n_bytes:  # every other byte of UTF-16 without its mark is NUL
        return None
    if not statistics.n_not_utf8 or statistics.n_utf8_letters > statistics.n_not_utf8:
        return "utf-8"
    if not statistics.n_not_cp1252 and not statistics.n_control:
        return "cp1252"
    return "utf-8" if 100 * statistics.n_not_utf8 < statistics.n_bytes else None


def _not_text_error(path: Path) -> UnreadableFile:
    return UnreadableFile(path, "is not text", "Save it as UTF-8 text, or as CSV or XLSX, and try again.")
