"""Run lessons without a browser: ``python course.py run`` calls this in .venv.

    python -m tools.run_lessons 00_start 01_cold_start

For each lesson, build/ gets the executed notebook (as far as it came), the same as a page to read
in any browser, and its pictures.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from coldrec import runtime
from tools.notebook import execute, to_html, to_text
from tools.sources import BuildError, read_source

ROOT = Path(__file__).resolve().parent.parent


def main(names: list[str], root: Path = ROOT) -> int:
    """Run the lessons, print the leaderboard; return 1 if one of them failed."""
    tier = runtime.tier()
    failed = [name for name in names if not run_lesson(root, name, tier)]
    print(f"\n{leaderboard(root, names, tier)}")
    if failed:
        print(f"\nFailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run_lesson(root: Path, name: str, tier: str) -> bool:
    """Run one lesson, write what it showed, say where that is; return whether it ran through."""
    build = root / "build"
    build.mkdir(exist_ok=True)
    print(f"{name}: running at tier {tier} ...", flush=True)
    started = time.monotonic()
    problem = ""
    try:
        nb = execute(lesson(root, name), root / "notebooks" / f"{name}.ipynb", tier)
    except BuildError as error:
        nb, problem = error.notebook, first_line(error)
    (build / f"{name}.ipynb").write_text(to_text(nb), encoding="utf-8", newline="\n")
    (build / f"{name}.html").write_text(to_html(nb, name), encoding="utf-8", newline="\n")
    count = save_pictures(nb, build / f"{name}_figures")
    if problem:
        print(f"{problem}\n{error_in(nb)}", file=sys.stderr, flush=True)
    print(f"{name}: {'stopped after' if problem else 'ran in'} {time.monotonic() - started:.0f} s\n"
          f"  to read    build/{name}.html\n"
          f"  notebook   build/{name}.ipynb\n"
          f"  pictures   {f'build/{name}_figures/ ({count})' if count else 'none'}", flush=True)
    return not problem


def lesson(root: Path, name: str) -> NotebookNode:
    """Return a lesson's notebook without outputs: the committed one, or a new one of its source."""
    path = root / "notebooks" / f"{name}.ipynb"
    if path.exists():
        nb = nbformat.read(path, as_version=4)
    else:
        nb = read_source(path.with_suffix(".py"))
    for cell in nb.cells:
        if cell.cell_type == "code":  # else cells after a failing one would keep old outputs
            cell.outputs, cell.execution_count = [], None
    return nb


def first_line(error: BuildError) -> str:
    """Return what failed and in which cell, without the traceback that follows."""
    return str(error).partition("\n")[0]


def error_in(nb: NotebookNode) -> str:
    """Return the message of the error that stopped a notebook."""
    errors = [output for cell in nb.cells for output in cell.get("outputs", [])
              if output.output_type == "error"]
    if errors:
        return f"{errors[-1].ename}: {errors[-1].evalue}"
    return ("The cell ran out of time, or its Python was killed: most often for want of memory. "
            "Close other programs, or set COLDREC_TIER=smoke for tiny sizes.")


def save_pictures(nb: NotebookNode, folder: Path) -> int:
    """Write a notebook's pictures to ``folder`` as 01.png, 02.png ...; return how many."""
    pictures = [output.data["image/png"] for cell in nb.cells for output in cell.get("outputs", [])
                if "image/png" in output.get("data", {})]
    for old in folder.glob("*.png"):
        old.unlink()
    for number, picture in enumerate(pictures, 1):
        folder.mkdir(exist_ok=True)
        (folder / f"{number:02}.png").write_bytes(base64.b64decode(picture))
    return len(pictures)


def leaderboard(root: Path, names: list[str], tier: str) -> str:
    """Return the Recall@20 figures of these lessons and of lesson 01, as text."""
    path = root / "results" / f"{tier}.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    lines = []
    for number in dict.fromkeys([*(name[:2] for name in names), "01"]):
        figures = {key[2:]: figure for key, figure in results.get(number, {}).items()
                   if key.startswith("R ")}
        if figures:
            lines.append(f"Lesson {number}: Recall@20 among new films, ± standard error, seeds")
        for key, figure in sorted(figures.items(), key=lambda item: -item[1]["value"]):
            error = "" if figure["se"] is None else f"± {figure['se']:.3f}"
            lines.append(f"  {key:{max(map(len, figures))}}  {figure['value']:.3f} {error:7}"
                         f" {figure['n']:3}")
    if not lines:
        return f"No leaderboard at tier {tier} yet: lesson 01 writes it (python course.py run 01)."
    return "\n".join([*lines, f"(from results/{path.name})"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
