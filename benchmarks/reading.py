"""Read every PDF under a folder as the app does: ``python -m benchmarks.reading FOLDER [--json]``.

Printed are files, pages, what came of each file, seconds a page, CPU seconds of all processes together, pages a second
beside PDFium alone in the same run, and the verdicts. Where ``pdftotext`` is installed, each good page is held against
it: the share of its characters that were read (recall), and Kendall's tau of the order in which the words stand that
occur once in both; pages below 0.9 in either are listed. pdftotext is no judge: it reads what nobody sees, and no form.
"""

import argparse
import json
import shutil
import subprocess
import time
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import psutil

from rag_core.datatypes import PageReading
from rag_core.errors import DocumentError
from rag_core.reading import extract, quality, sandbox
from rag_core.reading.places import letters
from rag_core.reading.text import is_cjk

BAR = 0.9
LEAST_WORDS = 5
"""The order of fewer words than this says nothing."""

TIMEOUT = 120


@dataclass(frozen=True, slots=True)
class PageResult:
    """A page: its verdict and reasons, and where it is good its agreement with pdftotext, None where not known."""

    file: str
    number: int
    verdict: str
    reasons: tuple[str, ...]
    recall: float | None = None
    tau: float | None = None


@dataclass(frozen=True, slots=True)
class FileResult:
    """A file: ``read`` or the code of its error, and the seconds that reading took, here and by PDFium alone.

    ``seconds`` are those of the whole, the start of a process included, ``cpu_seconds`` what all processes took of the
    processors in them; ``each`` are the pages'.
    """

    file: str
    outcome: str
    seconds: float
    cpu_seconds: float
    pdfium_seconds: float
    pages: tuple[PageResult, ...] = ()
    each: tuple[float, ...] = ()


def read(file: Path) -> FileResult:
    data, start, cpu = file.read_bytes(), time.perf_counter(), cpu_seconds()
    pages: Sequence[PageReading] = ()
    stamps: list[float] = []
    try:
        read_pages = sandbox.read_pages(data, progress=lambda *_: stamps.append(time.perf_counter()))
        pages, outcome = extract.with_something(read_pages), "read"
    except DocumentError as error:
        outcome = error.code
    seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
    others = by_pdftotext(file)
    results = tuple(result(file, page, others) for page in pages)
    alone = pdfium_alone(data) if pages else 0.0
    return FileResult(str(file), outcome, seconds, cpu, alone, results, each_page(stamps, len(pages), seconds))


def cpu_seconds() -> float:
    """Return what this process has used of the processors, with those it started, and those that they did."""
    own = psutil.Process()
    times = [process.cpu_times() for process in [own, *own.children(recursive=True)]]
    return sum(used.user + used.system + used.children_user + used.children_system for used in times)


def each_page(stamps: Sequence[float], pages: int, seconds: float) -> tuple[float, ...]:
    """Return the seconds of each page where PDFium alone stamped them, once each; else what a page took on average."""
    passed = [later - earlier for earlier, later in pairwise(stamps)]
    if len(stamps) != pages or pages < 2:
        return (seconds / pages,) * pages if pages else ()
    return tuple(passed)


def pdfium_alone(data: bytes) -> float:
    """Return the seconds that PDFium takes for the text of all pages, in this process."""
    import pypdfium2

    start = time.perf_counter()
    try:
        document = pypdfium2.PdfDocument(data)
        for page in document:
            page.get_textpage().get_text_range(errors="replace")
        document.close()
    except pypdfium2.PdfiumError:
        pass  # with a password, for instance
    return time.perf_counter() - start


def by_pdftotext(file: Path) -> list[str]:
    """Return each page's text; none where the program is missing or cannot read the file."""
    if not shutil.which("pdftotext"):
        return []
    command = ["pdftotext", "-enc", "UTF-8", str(file), "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return []
    return [] if done.returncode else done.stdout.decode("utf-8", "replace").split("\f")


def result(file: Path, page: PageReading, others: Sequence[str]) -> PageResult:
    verdict, reasons = page.chosen.quality.verdict, page.chosen.quality.reasons
    known = page.number <= len(others) and verdict == quality.GOOD
    agreement = compared(page.chosen.text, others[page.number - 1]) if known else (None, None)
    return PageResult(file.name, page.number, verdict, reasons, *agreement)


def compared(text: str, other: str) -> tuple[float | None, float | None]:
    """Return the share of the other text's characters that this one has, and tau of their words' order."""
    ours, theirs = (Counter(letters(one)[0]) for one in (text, other))
    recall = (theirs & ours).total() / theirs.total() if theirs else None
    return recall, order_agreement(words(text), words(other))


def words(text: str) -> list[str]:
    """Return the words of a text; where there are Han characters, every three signs that follow each other."""
    if not any(map(is_cjk, text)):
        return text.split()
    kept = letters(text)[0]
    return [kept[place : place + 3] for place in range(len(kept) - 2)]


def order_agreement(ours: Sequence[str], theirs: Sequence[str]) -> float | None:
    """Return Kendall's tau of the words that occur once in each, or None for too few."""
    once = {word for word, count in Counter(theirs).items() if count == 1}
    place = {word: number for number, word in enumerate(theirs) if word in once}
    counts = Counter(ours)
    order = [place[word] for word in ours if word in place and counts[word] == 1]
    if len(order) < LEAST_WORDS:
        return None
    pairs = len(order) * (len(order) - 1) / 2
    return 1 - 2 * inversions(order) / pairs


def inversions(order: Sequence[int]) -> int:
    """Count the pairs that stand the wrong way round."""
    before: list[int] = []
    wrong = 0
    for place in order:
        wrong += len(before) - bisect_left(before, place)
        insort(before, place)
    return wrong


def summary(files: Sequence[FileResult]) -> dict[str, object]:
    read_files = [file for file in files if file.pages]
    pages = [page for file in files for page in file.pages]
    each = sorted((seconds, Path(file.file).name) for file in read_files for seconds in file.each) or [(0.0, "")]
    seconds = [second for second, _ in each]
    names = ("seconds", "cpu_seconds", "pdfium_seconds")
    whole, cpu, alone = (sum(getattr(file, name) for file in read_files) for name in names)
    compared_pages = [page for page in pages if page.recall is not None]
    return {
        "files": len(files),
        "pages": len(pages),
        "outcomes": dict(Counter(file.outcome for file in files)),
        "seconds_a_page": {
            "median": round(median(seconds), 3),
            "p95": round(seconds[min(len(seconds) - 1, len(seconds) * 95 // 100)], 3),
            "slowest": round(seconds[-1], 3),
            "slowest_file": each[-1][1],
        },
        "cpu_seconds": {"all": round(cpu, 2), "a_page": round(cpu / len(pages), 4) if pages else 0.0},
        "pages_a_second": round(len(pages) / whole, 1) if whole else 0.0,
        "pages_a_second_pdfium": round(len(pages) / alone, 1) if alone else 0.0,
        "verdicts": dict(Counter(page.verdict for page in pages)),
        "reasons": dict(Counter(reason for page in pages for reason in page.reasons).most_common()),
        "good_pages_compared": len(compared_pages),
        "recall": round(median(page.recall for page in compared_pages), 4) if compared_pages else None,
        "below": [asdict(page) for page in compared_pages if is_below(page)],
    }


def is_below(page: PageResult) -> bool:
    return min(value for value in (page.recall, page.tau, 1.0) if value is not None) < BAR


def table(found: dict) -> str:
    each = found["seconds_a_page"]
    rows = [
        ("files; pages", f"{found['files']}; {found['pages']}"),
        ("outcomes", listed(found["outcomes"])),
        (
            "seconds a page: median; p95; slowest",
            f"{each['median']}; {each['p95']}; {each['slowest']} ({each['slowest_file']})",
        ),
        (
            "CPU seconds: all; a page",
            f"{found['cpu_seconds']['all']}; {found['cpu_seconds']['a_page']}",
        ),
        (
            "pages a second: as the app reads, start of a process a file included; PDFium alone",
            f"{found['pages_a_second']}; {found['pages_a_second_pdfium']}",
        ),
        ("verdicts", listed(found["verdicts"])),
        ("reasons", listed(found["reasons"]) or "none"),
        ("good pages held against pdftotext; median recall", f"{found['good_pages_compared']}; {found['recall']}"),
        (f"of them below {BAR} in recall or order", str(len(found["below"]))),
    ]
    lines = ["| what | figure |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    if found["below"]:
        lines += ["", "| file | page | recall | tau |", "|---|---|---|---|"]
        lines += [
            f"| {page['file']} | {page['number']} | {shown(page['recall'])} | {shown(page['tau'])} |"
            for page in found["below"]
        ]
    return "\n".join(lines)


def listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    files = sorted(file for file in arguments.folder.rglob("*") if file.suffix.lower() == ".pdf" and file.is_file())
    results = []
    for file in files:
        results.append(read(file))
        if not arguments.json:
            last = results[-1]
            took = f"{last.seconds:.2f} s, {last.cpu_seconds:.2f} s of CPU"
            print(f"{last.file}: {last.outcome}, {len(last.pages)} pages, {took}", flush=True)
    found = summary(results)
    print(json.dumps(found, indent=2, ensure_ascii=False) if arguments.json else f"\n{table(found)}")


if __name__ == "__main__":
    main()
