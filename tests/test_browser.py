"""Lesson 00 as a reader meets it: ``course.py lab`` opens it, a real browser runs all its cells.

    python -m pip install -e ".[browser]"    # and Chromium or Chrome on the PATH
    python -m pytest -m browser

A picture of the whole page is kept where COLDREC_SCREENSHOT=page.png says.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from pathlib import Path
from unittest.mock import Mock

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import course
from tools.run_lessons import lesson

pytestmark = pytest.mark.browser
LESSON = "00_start_here"
MINUTE = 60_000  # Playwright counts in milliseconds
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox --disable-gpu --disable-quic --disable-background-networking "
         "--disable-component-update --disable-sync").split()
JUPYTER = {"ServerApp": {"ip": "127.0.0.1", "open_browser": False, "allow_root": True}}


@pytest.fixture
def page():
    """A page so high that JupyterLab draws all cells: it leaves out those beyond the edge."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not chromium:
        pytest.skip(f"none of {', '.join(BROWSERS)} is on the PATH")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(viewport={"width": 1400, "height": 8000})
        page.set_default_timeout(2 * MINUTE)
        yield page
        browser.close()


@pytest.fixture
def address(tmp_path, monkeypatch):
    """Where ``course.py lab`` sends the browser, in a copy of the project without outputs."""
    copy, settings = tmp_path / "course", tmp_path / "jupyter"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist")
    shutil.copytree(course.ROOT, copy, ignore=ignored)
    nbformat.write(lesson(course.ROOT, LESSON), copy / f"notebooks/{LESSON}.ipynb")
    settings.mkdir()
    (settings / "jupyter_server_config.json").write_text(json.dumps(JUPYTER), encoding="utf-8")
    for kind in ("_CONFIG", "_DATA", "_RUNTIME", "LAB_SETTINGS", "LAB_WORKSPACES"):
        monkeypatch.setenv(f"JUPYTER{kind}_DIR", str(settings))
    monkeypatch.setenv("COLDREC_TIER", "cpu")
    monkeypatch.setenv("PYTHONPATH", str(copy))  # its coldrec: figures are recorded in the copy
    monkeypatch.setattr(course, "ROOT", copy)
    monkeypatch.setattr(course, "set_up", lambda: Path(sys.executable))
    start, servers = course.start, []
    monkeypatch.setattr(course, "start", lambda *cmd: servers.append(start(*cmd)) or Mock())
    course.lab()  # doesn't wait: start returned a stand-in
    try:
        yield opened(settings, servers[0])
    finally:
        servers[0].terminate()
        servers[0].wait(60)


def opened(folder: Path, server) -> str:
    """Wait for the file with which JupyterLab starts a browser, and return the address in it."""
    end = time.monotonic() + 120
    while server.poll() is None and time.monotonic() < end:
        for path in folder.glob("jpserver-*-open.html"):
            found = re.search(r'href="(http[^"]+/tree/[^"]+)"', path.read_text(encoding="utf-8"))
            if found:
                return found[1]
        time.sleep(0.1)
    pytest.fail("JupyterLab opened no notebook; what it said is below.")


def test_lesson_00_runs_in_jupyterlab(page, address, tmp_path):
    assert f"/lab/tree/notebooks/{LESSON}.ipynb?token=" in address
    page.goto(address)
    page.get_by_text("| Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    prompts = page.locator(".jp-InputArea-prompt")
    prompts.filter(has_text=re.compile(r"\d")).first.wait_for()  # by then all others are waiting
    page.wait_for_function("!document.querySelector('.jp-Notebook').innerText.includes('[*]:')",
                           timeout=10 * MINUTE)
    page.screenshot(path=os.environ.get("COLDREC_SCREENSHOT") or tmp_path / "page.png")

    trouble = page.locator("[data-mime-type$='.error'], [data-mime-type$='.stderr']")
    assert trouble.all_inner_texts() == []
    code = [cell for cell in lesson(course.ROOT, LESSON).cells if cell.cell_type == "code"]
    numbers = range(2, 1 + len(code))  # the first cell, the installation, is folded: no number
    assert list(filter(None, prompts.all_inner_texts())) == [f"[{n}]:" for n in numbers]
    outputs = page.locator(".jp-OutputArea-output")
    assert any(outputs.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)"))
    lists = outputs.locator("table", has=page.locator("th", has_text="stars")).all()
    assert [table.locator("tbody tr").count() for table in lists] == [0, 10, 10]
