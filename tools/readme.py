"""README.md's generated parts: the badges, the course table, the leaderboard and its picture."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path

import nbformat

from tools.sources import BuildError, colab_badge, find, front_matter, repository

PICTURE = "results/leaderboard.png"
READABLE = {"mf": "matrix factorisation", "article network": "the article's network",
            "article network, its own sizes": "the article's network, at its own sizes",
            "oracle": "oracle (knows the hidden likes; one list for all)",
            "genres+year ridge": "genres + year ridge", "chance": "chance (20 / films ranked)",
            "graph shipped": "graph, links as shipped (regime all)",
            "graph shuffled": "graph, links shuffled (regime all)",
            **{f"graph relinked {regime}": f"graph, repaired, regime {regime}"
               for regime in ("release", "before", "all")},
            "gpt shuffled": "GPT on the graph, links shuffled (regime all), ridge",
            **{f"gpt with paths {how} all": f"GPT on the graph and its paths, {how}, regime all"
               for how in ("ridge", "cosine")},
            "gpt tuned": "GPT on the graph, tuned on likes (regime all)",
            "smollm2 ridge": "SmolLM2's text vectors, ridge",
            "smollm2 told, ridge": "SmolLM2's text vectors after it was told facts, ridge",
            **{f"{short} {how} {regime}": f"{name} on the graph, {how}, regime {regime}"
               for short, name in (("gpt", "GPT"), ("transe", "TransE"))
               for how in ("ridge", "cosine") for regime in ("release", "before", "all")},
            **{f"stack {regime} with {short}": f"the stack of lesson 02 + {name}, regime {regime}"
               for short, name in (("gpt", "GPT"), ("transe", "TransE"))
               for regime in ("release", "before", "all")},
            **{f"stack {regime}": "text + genres + year + graph + star power, EASE targets, regime "
               f"{regime}" for regime in ("release", "before", "all")}}
TEXTS = {"frozen": "frozen MiniLM", "tuned": "MiniLM tuned on likes (ELSA)",
         "tuned contrastive": "MiniLM tuned on likes (contrastive)",
         **{f"{short} related": f"{name}, related films in the text, regime release"
            for short, name in (("frozen", "frozen MiniLM"),
                                ("tuned contrastive", "MiniLM tuned on likes (contrastive)"))}}
READABLE |= {f"{short} {how}": f"{name}, {how}" for short, name in TEXTS.items()
             for how in ("cosine", "cosine, centred")}
for regime in ("release", "before", "all"):
    without = "genres + year + graph + star power"
    READABLE |= {f"stack {regime} without LM": f"{without}, ALS targets, regime {regime}",
                 f"05 stack {regime}": f"{without} + tuned MiniLM + GPT, ALS targets, regime "
                 f"{regime}"}  # lesson 02 has stacks, too


def render(root: Path, results: dict | None = None) -> str:
    """Return README.md's text with each part between its marks written anew.

    A part stands between ``<!-- begin:NAME -->`` and ``<!-- end:NAME -->``. The leaderboard shows
    ``results``, or else what results/cpu.json holds. Raises BuildError when the file or a pair of
    marks is missing.
    """
    results = latest(root) if results is None else results
    parts = {"badges": badges(root), "course": course(root), "leaderboard": leaderboard(results)}
    path = root / "README.md"
    if not path.exists():
        message = "README.md is missing: write it, with a pair of marks for each generated part"
        raise BuildError(message)
    text = path.read_text(encoding="utf-8")
    for name, part in parts.items():
        begin, end = f"<!-- begin:{name} -->", f"<!-- end:{name} -->"
        between = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if len(between.findall(text)) != 1:
            message = f"README.md: the marks {begin} and {end} have to stand in it, once each"
            raise BuildError(message)
        new = f"{begin}\n{part}\n{end}"
        text = between.sub(lambda _, new=new: new, text)
    return text


def latest(root: Path) -> dict:
    """Return the results of the last run at tier cpu, {} where there are none."""
    path = root / "results" / "cpu.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def committed(root: Path) -> dict | None:
    """Return the committed results, None without git or a commit of them.

    A reader who runs a lesson gets results of their own, which README.md needn't show.
    """
    command = ["git", "show", "HEAD:results/cpu.json"]
    try:
        shown = subprocess.run(command, cwd=root, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return json.loads(shown.stdout.decode("utf-8"))


def picture(root: Path) -> bytes | None:
    """Return the figure of the last lesson's cell tagged ``readme``, None while there is none."""
    for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"), reverse=True):
        try:
            cells = nbformat.read(path, as_version=4).cells
        except (ValueError, nbformat.ValidationError):  # said of the notebook itself
            continue
        for cell in cells:
            if "readme" in cell.metadata.get("tags", []):
                for output in cell.outputs:
                    if "image/png" in output.get("data", {}):
                        return base64.b64decode(output.data["image/png"])
    return None


def badges(root: Path) -> str:
    """Return the badges of the first lesson on Colab and of the tests."""
    actions = f"https://github.com/{repository(root)}/actions/workflows/ci.yml"
    lines = [colab_badge(root, f"notebooks/{first.stem}.ipynb")
             for first in find(root, "notebooks")[:1]]
    return "\n".join([*lines, f"[![Tests]({actions}/badge.svg)]({actions})"])


def course(root: Path) -> str:
    """Return the table of lessons."""
    rows = [["Lesson", "Minutes", "You will be able to", "Exercises", "Colab"]]
    for source in find(root, "notebooks"):
        front, name = front_matter(source), f"{source.stem}.ipynb"
        sheet = (root / "solutions" / source.name).exists()
        rows.append([
            f"[{source.name[:2]} {_cell(front['title'])}](notebooks/{name})",
            str(front["minutes"]),
            _cell(front["able"]),
            f"[sheet {source.name[:2]}](exercises/{name})" if sheet else "–",
            colab_badge(root, f"notebooks/{name}"),
        ])
    return _table(rows, "lrlll")


def leaderboard(results: dict) -> str:
    """Return the table of item-cold Recall@20 from all lessons, or how to measure it.

    Keys are ``R NAME`` and, for its shuffled run, ``control NAME``. What ranks another pool
    (``R mixed ...``) and differences (``... minus ...``) aren't rows of it, nor is lesson 00's
    single split.
    """
    rows = [["Recommender", "Lesson", "Recall@20, cold items only", "Standard error",
             "Shuffled control", "Splits"]]
    figures = [(lesson, key.removeprefix("R "), figure, part) for lesson, part in results.items()
               if lesson not in ("00", "header") for key, figure in part.items()
               if key.startswith("R ") and " minus " not in key and not key.startswith("R mixed")]
    if not figures:
        return "No results yet: `python tools/build.py 01` measures them (`results/cpu.json`)."
    for lesson, name, figure, part in sorted(figures, key=lambda row: (-row[2]["value"], row[1])):
        control = part.get(f"control {name}")
        readable = READABLE.get(f"{lesson} {name}", READABLE.get(name, name))
        rows.append([_cell(readable), lesson, f"{figure['value']:.3f}",
                     "–" if figure["se"] is None else f"± {figure['se']:.3f}",
                     f"{control['value']:.3f}" if control else "–", str(figure["n"])])
    header = results.get("header", {})
    versions = ", ".join(f"{name} {number}" for name, number in header["versions"].items())
    return (
        "Item-cold: every film in the pool is one that nobody in the training data has rated.\n"
        "Shuffled control: the same with the new films' side information permuted among them, "
        "which belongs at chance.\n"
        "Regime: what may be known of a film: at its `release`, `before` the first rating "
        "(September 1997), or `all`, fame from the future included.\n"
        f"Measured {header['date']} at tier `cpu` with {versions}.\n\n" + _table(rows, "llrrrr")
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(rows: list[list[str]], align: str) -> str:
    rule = ["---:" if side == "r" else "---" for side in align]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])
