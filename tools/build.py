"""The authoring chain: make every derived file from its source.

    python tools/build.py             rebuild what is stale (runs notebooks at tier cpu)
    python tools/build.py 01 02       only these lessons and their exercise sheets
    python tools/build.py --force     rebuild even what is up to date
    python tools/build.py --stubs     only the exercise sheets and README.md: runs nothing
    python tools/build.py --readme    only README.md's generated parts
    python tools/build.py --check     change nothing, run nothing; list what is stale, exit 1 if any

    notebooks/NN_slug.ipynb  <- notebooks/NN_slug.py   run, outputs kept
    solutions/NN_slug.ipynb  <- solutions/NN_slug.py   run, outputs kept
    exercises/NN_slug.ipynb  <- solutions/NN_slug.py   solutions cut out, not run
    README.md (marked parts) <- the sources' front matter, results/cpu.json
    results/leaderboard.png  <- the figure of lesson 01's cell tagged readme
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

# run as a script, Python sees tools/ but not the project
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import readme
from tools.notebook import execute, to_html, to_text
from tools.sources import NAME, BuildError, find, name, read_source, read_stub

__all__ = ["BuildError", "check", "execute", "main", "read_source", "read_stub", "to_html"]

ROOT = Path(__file__).resolve().parent.parent
TIER = "cpu"
LARGEST = 1_500_000  # bytes; GitHub doesn't draw much larger notebooks


def main(argv: list[str] | None = None, root: Path = ROOT) -> int:
    """Do what the command line asks for in the project at ``root``; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python tools/build.py", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("lesson", nargs="*", help="two digits, such as 01; none means all")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--check", action="store_true", help="list what is stale; run nothing")
    only.add_argument("--stubs", action="store_true", help="only what needs no running")
    only.add_argument("--readme", action="store_true", help="only README.md")
    only.add_argument("--force", action="store_true", help="rebuild what is up to date, too")
    asked = parser.parse_args(argv)
    try:
        chosen = _sources(root, asked.lesson)
        if not asked.check:
            if not asked.readme:
                _build(chosen, run=not asked.stubs, force=asked.force)
            _write(root / "README.md", readme.render(root))
            _write_picture(root)
            if asked.stubs or asked.readme:
                return 0
        problems = check(root, asked.lesson)
    except BuildError as error:
        problems = [str(error)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print("Every derived file is up to date.")
    return 1 if problems else 0


def check(root: Path, lessons: list[str] = ()) -> list[str]:
    """Return what is wrong with the derived files, each with the command that mends it.

    Runs nothing. With ``lessons``, looks only at these lessons' and sheets' own files.
    """
    problems = []
    for source in _sources(root, lessons):
        number = source.name[:2]
        try:
            found = [(source.with_suffix(".ipynb"), what, number)
                     for what in _notebook_faults(source)]
            if source.parent.name == "solutions":
                sheet = _sheet(source)
                found += [(sheet, what, f"--stubs {number}") for what in _sheet_faults(source)]
            problems += [f"{name(path)}: {what}. Mend: python tools/build.py {option}"
                         for path, what, option in found]
        except BuildError as error:
            problems.append(f"{error}. Then: python tools/build.py {number}")
    if not lessons:
        problems += _strays(root) + _readme_faults(root)
    return problems


def _build(sources: list[Path], run: bool, force: bool) -> None:
    """Write what is stale; a source that can't be read stops all before anything is run."""
    fresh = {source: read_source(source) for source in sources}
    for source, nb in fresh.items():
        if run and (force or _notebook_faults(source)):
            started = time.monotonic()
            print(f"{name(source)}: running at tier {TIER} ...", flush=True)
            nb = execute(nb, source, TIER)
            print(f"{name(source)}: ran in {time.monotonic() - started:.0f} s", flush=True)
            _write(source.with_suffix(".ipynb"), to_text(nb))
        if source.parent.name == "solutions":
            _write(_sheet(source), to_text(read_stub(source)))


def _sources(root: Path, lessons: list[str]) -> list[Path]:
    found = find(root, "notebooks") + find(root, "solutions")
    numbers = {path.name[:2] for path in found}
    for lesson in lessons:
        if lesson not in numbers:
            message = f"no lesson {lesson!r}; there are: {', '.join(sorted(numbers)) or 'none'}"
            raise BuildError(message)
    return [path for path in found if not lessons or path.name[:2] in lessons]


def _sheet(source: Path) -> Path:
    return source.parent.parent / "exercises" / f"{source.stem}.ipynb"


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"wrote {path.name if path.name == 'README.md' else name(path)}")


def _notebook_faults(source: Path) -> list[str]:
    """Return what is wrong with the executed notebook of a source."""
    path, fresh = source.with_suffix(".ipynb"), read_source(source)
    if not path.exists():
        return ["missing"]
    try:
        stored = nbformat.read(path, as_version=4)
    except (ValueError, nbformat.ValidationError):  # nbformat's NotJSONError is a ValueError
        return ["not a notebook that can be read"]
    kept = stored.metadata.get("coldrec", {})
    if kept.get("source") != fresh.metadata.coldrec.source:
        return [f"stale, {name(source)} has changed since it was run"]
    fresh.metadata.coldrec.tier = TIER
    faults = []
    if kept.get("tier") != TIER:
        faults.append(f"run at tier {kept.get('tier')!r}, not {TIER!r}")
    elif stored.metadata != fresh.metadata or _contents(stored) != _contents(fresh):
        faults.append(f"changed by hand, it differs from {name(source)}")
    for number, cell in enumerate(stored.cells, 1):
        faults += [f"cell {number} {fault}" for fault in _output_faults(cell)]
    if path.stat().st_size > LARGEST:
        size = path.stat().st_size / 1e6
        faults.append(f"{size:.1f} MB, the limit is {LARGEST / 1e6} MB: draw fewer or smaller"
                      " figures in its source")
    return faults


def _contents(nb: NotebookNode) -> list[tuple]:
    return [(cell.id, cell.cell_type, cell.source, cell.metadata) for cell in nb.cells]


def _output_faults(cell: NotebookNode) -> list[str]:
    if cell.cell_type != "code":
        return []
    faults = []
    if cell.execution_count is None:
        faults.append("has never been run")
    for output in cell.outputs:
        expected = "raises-exception" in cell.metadata.get("tags", [])
        if output.output_type == "error" and not expected:
            faults.append(f"shows an error, {output.ename}: {output.evalue}")
        alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
        if "image/png" in output.get("data", {}) and not alt.strip():
            faults.append("has a figure without alt text: in its source, use "
                          "cr.plots.show(ax, caption)")
    return faults


def _sheet_faults(source: Path) -> list[str]:
    path = _sheet(source)
    if not path.exists():
        return ["missing"]
    if path.read_text(encoding="utf-8") != to_text(read_stub(source)):
        return [f"stale, it differs from what {name(source)} gives"]
    return []


def _strays(root: Path) -> list[str]:
    """Return notebooks without a source, and sources whose name the chain passes over."""
    problems = []
    for folder, origin in [("notebooks",) * 2, ("solutions",) * 2, ("exercises", "solutions")]:
        for path in sorted((root / folder).glob("*.ipynb")):
            source = f"{origin}/{path.stem}.py"
            if not (root / source).exists():
                problems.append(f"{name(path)}: orphan, there is no {source}."
                                f" Mend: git rm {name(path)}")
    for folder in ("notebooks", "solutions"):
        for path in sorted((root / folder).glob("*.py")):
            if not NAME.fullmatch(path.name):
                problems.append(f"{name(path)}: passed over, a source is named NN_slug.py."
                                f" Mend: git mv it to {folder}/NN_slug.py")
    return problems


def _readme_faults(root: Path) -> list[str]:
    mend = "Mend: python tools/build.py --readme"
    try:
        both = readme.latest(root), readme.committed(root)
        fresh = [readme.render(root, results) for results in both if results is not None]
    except BuildError as error:
        return [f"{error}. {mend}"]
    faults = []
    if (root / "README.md").read_text(encoding="utf-8") not in fresh:
        faults.append(f"README.md: stale, its generated parts have changed. {mend}")
    kept, drawn = root / readme.PICTURE, readme.picture(root)
    if drawn is not None and (not kept.exists() or kept.read_bytes() != drawn):
        faults.append(f"{readme.PICTURE}: stale, lesson 01's figure has changed. {mend}")
    return faults


def _write_picture(root: Path) -> None:
    drawn = readme.picture(root)
    if drawn is not None:
        (root / readme.PICTURE).parent.mkdir(exist_ok=True)
        (root / readme.PICTURE).write_bytes(drawn)


if __name__ == "__main__":
    sys.exit(main())
