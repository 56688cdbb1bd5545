"""What a sheet has for each check, and the checks themselves, for the tests of them."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import coldrec as cr
from tools.sources import find, read_source

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHEETS = find(ROOT, "solutions")


def codes(sheet):
    """Return the code of a sheet's cells that Python can read without IPython."""
    return [cell.source for cell in sheet.cells
            if cell.cell_type == "code" and "install" not in cell.metadata.get("tags", [])]


def calls():
    """Yield each check that a sheet calls: its name, the sheet, the name of what it gets."""
    for path in SHEETS:
        for code in codes(read_source(path)):
            for check, answer in re.findall(r"cr\.checks\.(lesson\d\d\.\w+)\((\w+)\)", code):
                yield check, path, answer


def checks():
    """Yield the name of each check in the package, such as lesson00.top_n."""
    for path in (ROOT / "coldrec" / "checks").glob("lesson*.py"):
        module = importlib.import_module(f"coldrec.checks.{path.stem}")
        for name, thing in vars(module).items():
            if (hasattr(thing, "__wrapped__") and thing.__module__ == module.__name__
                    and not name.startswith("_")):  # a cached helper is no check
                yield f"{path.stem}.{name}"


CHECKS = sorted(checks())
ANSWERS = {check: (path, answer) for check, path, answer in calls()}


def written(check, read=read_source, edit=None):
    """Return what a sheet has for a check, after an edit; only imports and definitions are run."""
    path, answer = ANSWERS[check]
    names = {}
    for code in codes(read(path)):
        tree = ast.parse(code)
        if edit and any(getattr(node, "name", "") == answer for node in tree.body):
            for old, new in edit.items():
                assert old in code, f"{answer} has no {old!r}"
                code = code.replace(old, new)
            tree = ast.parse(code)
        kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
        tree.body = [node for node in tree.body if isinstance(node, kept)]
        exec(compile(tree, path.name, "exec"), names)
    return names[answer]


def run(check, answer):
    lesson, name = check.split(".")
    getattr(getattr(cr.checks, lesson), name)(answer)
