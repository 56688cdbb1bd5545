"""What a lesson shows, claims and keeps."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import numbers
import os
import platform
import textwrap
from datetime import date
from importlib import metadata
from pathlib import Path

from coldrec import runtime


class ClaimFailed(AssertionError):
    """A sentence of the text that this run's figures don't bear out."""


def claim(sentence: str, condition) -> None:
    """Print a sentence about a result, and fail if it isn't true.

    At tier ``smoke`` sizes are too small to say anything, so nothing is checked there.
    """
    if runtime.tier() == "smoke":
        print(textwrap.fill(f"(not checked at tier smoke) {sentence}", 95))
    elif condition:
        print(textwrap.fill(f"✓ {sentence}", 95, subsequent_indent="  "))
    else:
        raise ClaimFailed(f"not true in this run: {sentence}")


def show(thing) -> None:
    """Show the source of a function or class of the package, as it really is."""
    source = inspect.getsource(thing)
    where = f"{thing.__module__.replace('.', '/')}.py"
    try:
        from IPython import get_ipython
    except ImportError:
        get_ipython = lambda: None  # noqa: E731
    if get_ipython() is None:
        print(f"# {where}\n{source}")
        return
    from IPython.display import Code, display

    display(Code(f"# {where}\n{source}", language="python"))


def record(lesson: str, figures: dict) -> Path:
    """Merge a lesson's figures into ``results/<tier>.json`` and return the file's path.

    ``figures`` maps a name to a number, to ``(value, se, n)``, or to a list of one value a seed,
    which becomes mean, standard error and count. The file also keeps a header: versions, machine,
    date, and the hash of each lesson's source.
    """
    from filelock import FileLock

    kept = {name: _figure(name, figure) for name, figure in figures.items()}
    folder = results_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{runtime.tier()}.json"
    with FileLock(path.with_suffix(".lock")):
        content = json.loads(path.read_text("utf-8")) if path.exists() else {}
        header = content.setdefault("header", {})
        header |= {"date": date.today().isoformat(), "machine": _machine(),
                   "versions": _versions()}
        header.setdefault("sources", {})[lesson] = _source_hash(lesson)
        content.setdefault(lesson, {}).update(kept)
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
        part = path.with_suffix(".part")
        part.write_text(text + "\n", encoding="utf-8", newline="\n")
        os.replace(part, path)
    return path


def recorded(lesson: str):
    """Return a lesson's recorded figures: a frame ``value, se, n``, a row a figure.

    They are those of tier ``cpu``, and at tier ``gpu`` its own, as far as it has any: as measured
    here, or else as they came with the package.
    """
    import pandas as pd

    shipped = Path(__file__).parent / "shipped" / "cpu.json"
    here = [results_folder() / f"{tier}.json" for tier in ("cpu", "gpu")]
    figures = {}
    for path in (shipped, here[0], *(here[1:] if runtime.tier() == "gpu" else ())):
        if path.exists():
            figures |= json.loads(path.read_text("utf-8")).get(lesson, {})
    if not figures:
        raise LookupError(f"nothing is recorded of lesson {lesson}. Run its notebook, or "
                          f"python course.py measure {lesson}.")
    frame = pd.DataFrame(figures).T[["value", "se", "n"]]
    return frame.astype({"value": float, "se": float, "n": int})


def results_folder() -> Path:
    """Return the checkout's ``results``, or ``results`` here where the package is installed."""
    root = _checkout()
    return (root or Path.cwd()) / "results"


def _checkout() -> Path | None:
    root = Path(__file__).resolve().parents[1]
    return root if (root / "course.py").exists() else None


def _figure(name, figure) -> dict:
    if isinstance(figure, tuple):
        value, se, n = figure
    elif isinstance(figure, numbers.Real):  # NumPy's numbers too
        value, se, n = figure, None, 1
    else:
        from coldrec.metrics import mean_se

        figure = [float(v) for v in figure]
        (value, se), n = mean_se(figure), len(figure)
    if not math.isfinite(value):
        raise ValueError(f"record: {name!r} is {value}; only finite figures are kept.")
    se = None if se is None or not math.isfinite(se) else round(float(se), 6)
    return {"value": round(float(value), 6), "se": se, "n": int(n)}


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, {runtime.device()}"


def _versions() -> dict:
    names = ("coldrec", "numpy", "scipy", "scikit-learn", "pandas", "torch", "transformers")
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name).split("+")[0]
        except metadata.PackageNotFoundError:
            continue
    return found | {"python": platform.python_version()}


def _source_hash(lesson: str) -> str | None:
    root = _checkout()
    source = next(iter(sorted((root / "notebooks").glob(f"{lesson}_*.py"))), None) if root else None
    return hashlib.sha256(source.read_bytes()).hexdigest() if source else None
