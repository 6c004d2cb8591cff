"""Read the cells of an Excel workbook (XLSX), as they show: no formula is run, and no more is unpacked than is read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from rag_core.errors import BadWorkbook, TooManyLines
from rag_core.measuring.separated import Row, too_many_lines

ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""What XLSX files begin with, and what those of Excel before 2007 do, and encrypted ones."""

MOST_UNPACKED = 32 * 2**20
MOST_FILES = 2000
MOST_COLUMNS = 64


def is_workbook(data: bytes) -> bool:
    """Say whether a file is a workbook, or some other package that spreadsheets are kept in."""
    return data.startswith((ZIP, OLD_EXCEL))


def sheets(data: bytes, most_rows: int) -> Iterator[tuple[str, list[Row]]]:
    """Yield the name and the rows of each sheet that is not blank.

    Raises:
        BadWorkbook: it is none, has a password, or unpacks to more than MOST_UNPACKED bytes.
        TooManyLines: a sheet has more than ``most_rows`` rows.
    """
    import openpyxl  # 0.2 s, and few readers need it

    try:
        _check_size(data)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what a sheet says of its size need not be so
            rows = list(_rows(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), most_rows))
            if rows:
                yield sheet.title, rows
    except (BadWorkbook, TooManyLines):
        raise
    except Exception as error:  # a damaged package fails in as many ways as it has parts
        raise _bad(f"{type(error).__name__}: {error}") from error


def _check_size(data: bytes) -> None:
    """Refuse a package by what its list of files says; no more than that is unpacked of any."""
    files = zipfile.ZipFile(io.BytesIO(data)).infolist()
    if len(files) > MOST_FILES or sum(file.file_size for file in files) > MOST_UNPACKED:
        raise _bad(f"it unpacks to more than {MOST_UNPACKED // 2**20} MB")


def _bad(reason: str) -> BadWorkbook:
    message = f"the workbook cannot be read ({reason}): save it as XLSX without a password, or as CSV in UTF-8"
    return BadWorkbook(message, reason=reason[:120])


def _rows(rows: Iterator[tuple[object, ...]], most: int) -> Iterator[Row]:
    filled = 0
    for number, values in enumerate(rows, start=1):
        if not any(values):  # a million blank ones may stand before the last
            continue
        filled += 1
        if filled > most:
            raise too_many_lines(filled, most)
        yield Row(number, ["" if value is None else str(value) for value in values])
