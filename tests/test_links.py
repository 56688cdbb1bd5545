"""Every local link of the pages and notebooks leads somewhere, and every picture has alt text."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(!?)\[([^\[\]]*(?:\[[^\]]*\]\([^)]*\)[^\[\]]*)?)\]\(([^)\s]+)\)")
HTML_PICTURE = re.compile(r"<img\b[^>]*>")


def pages() -> list[Path]:
    found = [*ROOT.glob("*.md"), *(ROOT / "data").glob("*.md"),
             *(path for folder in ("notebooks", "exercises", "solutions")
               for path in (ROOT / folder).glob("*.ipynb"))]
    return sorted(found)


def prose(path: Path) -> str:
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def faults(text: str, folder: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", text)  # code shows links, it doesn't follow them
    found = [f"picture without alt text: {tag}" for tag in HTML_PICTURE.findall(text)
             if not re.search(r"\balt=[\"'][^\"']+", tag)]
    for picture, label, target in LINK.findall(text):
        if picture and not label.strip():
            found.append(f"picture without alt text: {target}")
        found += faults(label, folder) if "](" in label else []
        if re.match(r"[a-z]+:", target):
            continue
        path = unquote(target.partition("#")[0])
        if path and not (folder / path).exists():
            found.append(f"dead link: {target}")
    return found


@pytest.mark.parametrize("path", pages(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_links_lead_somewhere_and_pictures_have_alt_text(path):
    assert faults(prose(path), path.parent) == []


@pytest.mark.parametrize(("text", "fault"), [
    ("[here](nowhere.md)", "dead link: nowhere.md"),
    ("![](a.png)", "picture without alt text: a.png"),
    ('<img src="a.png">', 'picture without alt text: <img src="a.png">'),
    ("[![badge](gone.svg)](https://example.org)", "dead link: gone.svg"),
])
def test_faults_are_found(text, fault, tmp_path):
    assert fault in faults(text, tmp_path)


def test_good_links_pass(tmp_path):
    (tmp_path / "a b.md").touch()
    good = "[one](a%20b.md#part) [two](https://example.org) [3](#part) ![alt](a%20b.md) `[x](y)`"
    assert faults(good, tmp_path) == []
