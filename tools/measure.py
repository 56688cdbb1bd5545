"""Measure the figures that need more training than a lesson's minutes, seed by seed.

``python course.py measure 01`` calls this. Each seed's figures are kept in ``build/measure`` when
they are there, so a run that was stopped goes on; once all seeds are in, they are recorded in
``results/<tier>.json``. A measurement whose code changed starts anew.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SEEDS = range(5)


def lesson01(seed: int) -> dict:
    """Return Recall@20 of the article's network at the article's own sizes, on new films."""
    import coldrec as cr

    split = cr.splits.item_cold(cr.load("ml-100k"), 0.2, seed=seed)
    sizes = {"hidden": 256, "epochs": 10, "batch": 32, "learning_rate": 1e-3}
    network = cr.models.ArticleNetwork(**sizes, seed=seed).fit(split.train)
    row = cr.evaluate(network, split)
    return {"R article network, its own sizes": row["recall"],
            "rmse article network, its own sizes": row["rmse"]}


MEASUREMENTS = {"01": [lesson01]}  # a lesson may have several


def measure(lesson: str, seeds=SEEDS, root: Path = ROOT) -> dict:
    """Run what is missing of a lesson's measurement and return ``{figure: [one a seed]}``."""
    figures = {}
    for function in MEASUREMENTS[lesson]:
        code = hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:8]
        folder = root / "build" / "measure" / f"{lesson}-{code}"
        folder.mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            for name, value in _measured(function, seed, folder / f"seed-{seed}.json").items():
                figures.setdefault(name, []).append(value)
    return figures


def _measured(function, seed: int, kept: Path) -> dict:
    """Return one seed's figures: those kept in the file, or new ones, which are then kept."""
    if not kept.exists():
        start = time.perf_counter()
        text = json.dumps(function(seed))
        part = kept.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(kept)
        print(f"{function.__name__}, seed {seed}: {text} ({time.perf_counter() - start:.0f} s)",
              flush=True)
    return json.loads(kept.read_text(encoding="utf-8"))


def main(lessons: list[str]) -> int:
    """Measure the named lessons, or all; return the exit status."""
    import coldrec as cr

    unknown = set(lessons) - set(MEASUREMENTS)
    if unknown:
        print(f"nothing to measure for {', '.join(sorted(unknown))}: lessons with measurements "
              f"are {', '.join(MEASUREMENTS)}. The others make their figures as they run.")
        return 1
    for lesson in lessons or MEASUREMENTS:
        path = cr.record(lesson, measure(lesson))
        print(f"lesson {lesson}: recorded in {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
