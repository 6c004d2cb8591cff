"""Files that mean harm, or met it: ``python tests/support/hostile.py`` reads and draws each and prints a table.

Every file must end, within ``SECONDS`` and ``MEGABYTES``, in pages or in a message; otherwise the command fails. The
files are the same each time, but for the keys of the encrypted ones.
"""

from __future__ import annotations

import contextlib
import io
import random
import resource
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pdfs import blank_pdf, encrypted_pdf, glyph_pdf, image_pdf, text_pdf

from rag_core.errors import DocumentError
from rag_core.reading import chunk, extract, sandbox
from rag_core.reading.language import language_of

SECONDS, MEGABYTES = 20, 1024
SEED = 5
PLAIN = text_pdf(["Revenue grew by eight percent.", "全市收入增长8.2%。"], ["The tram opened.", "公园二十处。"])
GLYPHS = glyph_pdf("逐字排版的一行文字")

HOSTILE_TEXTS = {
    "html": "<script>alert(1)</script><b>bold</b><img src=x onerror=alert(1)>",
    "markdown": "# title **bold** [link](javascript:alert(1)) ![i](http://192.0.2.1/x.png)",
    "formula": '=HYPERLINK("http://192.0.2.1","x") +1 -1 @SUM(A1)',
    "right to left": "\u202ereversed\u202c \u200fmarks\u200e",
    "zero width": "in\u200bvis\u200cible\u200d \ufeffmarks\u2060",
    "controls": "bell\x07 and \x1b[31mcolour\x1b[0m",
    "combining": "Z" + "\u0301" * 500,
    "private use": "\ue000\ue001\uf8ff \uf0b7",
    "replacement": "\ufffd" * 200,
    "template": "{{7*7}} ${7*7} {0.__class__} %s%n",
    "sql": "'; DROP TABLE documents; --",
    "path": "../../../../etc/passwd\\..\\..",
    "one word": "x" * 20_000,
}

HOSTILE_NAMES = [
    "<script>alert(1)</script>.pdf",
    "<img src=x onerror=alert(1)>.pdf",
    "**bold** [link](javascript:alert(1)) $x^2$ :material/home: :red[x].pdf",
    '=HYPERLINK("http://192.0.2.1").pdf',
    "../../../etc/passwd",
    "C:\\Windows\\win.ini",
    "\u202efdp.exe.pdf",
    "in\u200bvis\u200cible\ufeff.pdf",
    "nul\x00byte.pdf",
    "lone \ud800 surrogate.pdf",
    "line\nbreak\r\n.pdf",
    "报告" * 500 + ".pdf",
    "'; DROP TABLE documents; --.pdf",
    "",
    " ",
]


def raw(*objects: bytes, trailer: bytes = b"/Root 1 0 R", prev: bytes = b"") -> bytes:
    """Put numbered objects into a file with a cross-reference table."""
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer\n<< /Size %d %s %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, prev, start))
    return out.getvalue()


def stream(content: bytes, extra: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), extra, content)


def page(content: bytes, box: bytes = b"[0 0 612 792]", more: bytes = b"", extra: bytes = b"") -> bytes:
    """Return a file of one page with this content stream."""
    return raw(
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % more,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>" % box,
        stream(content, extra),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )


def slow(text: bytes) -> bytes:
    """Return a page with this text over which PDFium is for minutes, in one call, and pypdf for a moment."""
    return raw(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >> >>",
        stream(shown(text) + b" /X Do" * 20_000),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        stream(b"0 0 m n " * 100_000, b"/Type /XObject /Subtype /Form /BBox [0 0 612 792]"),
    )


def shown(text: bytes) -> bytes:
    return b"BT /F1 12 Tf 72 700 Td (%s) Tj ET" % text


def mapped(*codes: str) -> bytes:
    """Return a page whose letters a font's map turns into these UTF-16 codes, such as ``D800``."""
    lines = "".join(f"<{65 + number:02X}> <{code}>\n" for number, code in enumerate(codes))
    cmap = f"1 begincodespacerange\n<00> <FF>\nendcodespacerange\n{len(codes)} beginbfchar\n{lines}endbfchar\n"
    text = bytes(65 + number for number in range(len(codes)))
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>"
    catalog, pages = b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    only = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>"
    )
    return raw(catalog, pages, only, stream(shown(text + b" Revenue grew.")), font, stream(cmap.encode()))


def deflated(size: int) -> bytes:
    """Return so many megabytes of blanks, deflated.

    A full flush forgets what came before, so one megabyte's bytes stand for every other. The checksum of equal bytes is
    a sum in closed form (Adler-32, RFC 1950).
    """
    packer, count = zlib.compressobj(9, wbits=-15), size * 2**20
    megabyte = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    low, high = 1 + 32 * count, count + 32 * count * (count + 1) // 2
    return b"\x78\xda" + megabyte * size + b"\x03\x00" + struct.pack(">HH", high % 65521, low % 65521)


def structures() -> Iterator[tuple[str, bytes]]:
    catalog, font = b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    yield "page tree in itself", raw(catalog, b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>")
    yield (
        "page tree in a ring",
        raw(catalog, b"<< /Type /Pages /Kids [3 0 R] /Count 9 >>", b"<< /Type /Pages /Kids [2 0 R] /Count 9 >>"),
    )
    deep = [b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (number + 3) for number in range(3000)]
    yield "page tree 3000 deep", raw(catalog, *deep, b"<< /Type /Page /MediaBox [0 0 9 9] >>")
    yield "wrong page count", raw(catalog, b"<< /Type /Pages /Kids [] /Count 99999999 >>")
    yield "negative page count", raw(catalog, b"<< /Type /Pages /Kids [] /Count -5 >>")
    yield "no pages", raw(b"<< /Type /Catalog >>")
    yield "no catalogue", raw(b"<< >>", trailer=b"")
    yield "kids are no pages", raw(catalog, b"<< /Type /Pages /Kids [3 0 R null 7 (x)] /Count 4 >>", b"<< /A 1 >>")
    yield "reference to itself", raw(catalog, b"2 0 R")
    yield "references in a ring", raw(catalog, b"3 0 R", b"4 0 R", b"2 0 R")
    yield "no content", raw(catalog, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", b"<< /Type /Page /Parent 2 0 R >>")
    plain = page(shown(b"Revenue grew."))
    start = plain.rindex(b"startxref")
    yield (
        "cross-reference to itself",
        plain.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % int(plain[start + 10 :].split()[0])),
    )
    yield "cross-reference nowhere", plain[:start] + b"startxref\n99999999999\n%%EOF"
    yield "cross-reference before the start", plain[:start] + b"startxref\n-1\n%%EOF"
    yield "two files in one", plain + plain
    yield "rubbish before", b"\0" * 500 + plain
    yield "rubbish behind", plain + bytes(range(256)) * 100
    yield "wrong stream length", plain.replace(b"/Length", b"/Length 999999999 /L")
    yield "font without a map", page(shown(b"\\001\\002\\003\\004"))
    yield (
        "form in itself",
        raw(
            catalog,
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>",
            stream(b"/X Do"),
            stream(b"/X Do /X Do", b"/Type /XObject /Subtype /Form /Resources << /XObject << /X 5 0 R >> >>"),
        ),
    )
    for depth in (300, 30_000):
        yield f"arrays {depth} deep", raw(catalog, b"[" * depth + b"]" * depth)
        yield f"dictionaries {depth} deep", raw(catalog, b"<< /A " * depth + b"1" + b" >>" * depth)
        yield f"content {depth} deep", page(b"[" * depth + b"]" * depth + b" TJ")
        yield f"graphics states {depth} deep", page(b"q " * depth + shown(b"Revenue grew."))
    yield "script", page(shown(b"x"), more=b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>")
    yield "program to start", page(shown(b"x"), more=b"/OpenAction << /S /Launch /F (/bin/sh) >>")
    yield "form sent outside", page(shown(b"x"), more=b"/OpenAction << /S /URI /URI (http://192.0.2.1/) >>")
    yield "embedded file", page(shown(b"x"), more=b"/Names << /EmbeddedFiles << /Names [(a.exe) 4 0 R] >> >>")
    for box in (b"[0 0 1e9 1e9]", b"[0 0 -5 -5]", b"[0 0 0 0]", b"[(a) null]", b"[0 0 99999999999999999999 1]"):
        yield "page size", page(shown(b"Revenue grew."), box)
    for size in (64, 512, 4096):
        yield "bomb", page(deflated(size), extra=b"/Filter /FlateDecode")
    twice = zlib.compress(deflated(2048), 9)
    yield "bomb in a bomb", page(twice, extra=b"/Filter [/FlateDecode /FlateDecode]")
    yield "unknown filter", page(b"x", extra=b"/Filter /Nonsense")
    yield "filters without end", page(b"x", extra=b"/Filter [" + b"/ASCIIHexDecode " * 5000 + b"]")
    packed = zlib.compress(b"9 0 10 5 " + b"<<>> " * 1000)
    yield "object stream", raw(catalog, stream(packed, b"/Type /ObjStm /N 99999999 /First 9 /Filter /FlateDecode"))
    yield "operators without end", page(b"0 0 m " * 2_000_000)
    yield "five megabytes of text", page(b"BT /F1 1 Tf " + b"(Revenue grew. ) Tj T* " * 240_000 + b"ET")
    yield "one string of five megabytes", page(shown(b"x" * 5_000_000))
    yield "font of nothing", raw(catalog, font)


def mutations() -> Iterator[tuple[str, bytes]]:
    rng = random.Random(SEED)
    for plain in (PLAIN, GLYPHS):
        for share in range(2, 100, 7):
            yield "truncated", plain[: len(plain) * share // 100]
        for _ in range(30):
            bent = bytearray(plain)
            for _ in range(rng.choice((1, 5, 50, 500))):
                bent[rng.randrange(8, len(bent))] ^= 1 << rng.randrange(8)
            yield "bits flipped", bytes(bent)
        for word in (
            b"obj",
            b"endobj",
            b"stream",
            b"endstream",
            b"xref",
            b"trailer",
            b"/Type",
            b"/Kids",
            b"/Font",
            b">>",
        ):
            yield "word missing", plain.replace(word, b"", rng.choice((1, -1)))
    for _ in range(20):
        yield "noise", b"%PDF-1.7\n" + rng.randbytes(rng.choice((10, 1000, 100_000)))


def others() -> Iterator[tuple[str, bytes]]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("word/document.xml", "<w:t>text</w:t>")
    yield from (
        ("wrong kind", data)
        for data in (
            b"",
            b"\0",
            b"plain text",
            b"<html></html>",
            b"\x89PNG\r\n\x1a\n",
            archive.getvalue(),
            b"\x7fELF",
            b"%PDF-",
            b"%PDF-1.7",
            "只有文字".encode("gb18030"),
            b"\xff\xfe" + "text".encode("utf-16-le"),
        )
    )
    for algorithm in ("AES-256", "AES-128", "RC4-128"):
        yield "encrypted", encrypted_pdf(PLAIN, "secret", algorithm=algorithm)
        yield "encrypted for changes alone", encrypted_pdf(PLAIN, "", algorithm=algorithm)
    yield "encrypted and cut", encrypted_pdf(PLAIN, "secret")[:-400]
    yield "pictures alone", image_pdf(1)
    yield "pictures alone", image_pdf(3)
    yield "empty text layer", blank_pdf(2)
    yield "5000 pages", blank_pdf(5000)
    yield "1001 pages", blank_pdf(1001)
    for name, codes in {
        "NUL": ("0000", "0041"),
        "lone surrogates": ("D800", "DC00", "0041"),
        "surrogates swapped": ("DC00D800",),
        "no character": ("FFFF", "FFFE"),
        "nothing": ("",),
        "longest": ("0041" * 5000,),
    }.items():
        yield f"text: {name}", mapped(*codes)
    for name, text in HOSTILE_TEXTS.items():
        yield f"text: {name}", text_pdf([text])
        yield f"text: {name}", page(shown(text.encode("latin-1", "replace").replace(b"(", b"").replace(b")", b"")))


def corpus() -> list[tuple[str, bytes]]:
    """Return every file with its kind, the same ones each time."""
    return [*structures(), *others(), *mutations()]


def outcome(data: bytes) -> str:
    """Read a file, draw its first page and cut it, as the app does; return the code of the message, or ``read``."""
    try:
        pages = extract.pages(extract.with_something(sandbox.read_pages(data)))
    except DocumentError as error:
        return error.code
    with contextlib.suppress(DocumentError):
        sandbox.draw_page(data, 1, pages[0].text[:100])
    how = chunk.recommend(pages)
    language_of(*(page.text for page in pages))
    for preset in chunk.PRESETS:
        chunk.split(pages, preset, how.size, how.overlap)
    return "read"


def main() -> None:
    table: dict[str, dict[str, object]] = {}
    files = corpus()
    for number, (kind, data) in enumerate(files, start=1):
        start = time.monotonic()
        found = outcome(data)
        seconds = time.monotonic() - start
        row = table.setdefault(kind.split(":")[0], {"files": 0, "outcomes": {}, "slowest": 0.0})
        row["files"] += 1
        row["outcomes"][found] = row["outcomes"].get(found, 0) + 1
        row["slowest"] = max(row["slowest"], seconds)
        sys.stderr.write(f"\r{number} of {len(files)}")
    print(f"\n{len(files)} files\n\n| kind | files | outcomes | slowest |\n|---|---|---|---|")
    for kind, row in table.items():
        outcomes = ", ".join(f"{name} {count}" for name, count in row["outcomes"].items())
        print(f"| {kind} | {row['files']} | {outcomes} | {row['slowest']:.1f} s |")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    slowest = max(row["slowest"] for row in table.values())
    print(f"\nmost memory of a reader: {most:.0f} MB; slowest {slowest:.1f} s")
    if most > MEGABYTES or slowest > SECONDS:
        raise SystemExit(f"more than {MEGABYTES} MB or {SECONDS} s")


if __name__ == "__main__":
    main()
