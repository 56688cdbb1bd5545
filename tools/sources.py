"""The sources people edit: read a py:percent file as a notebook, or as an exercise sheet."""

from __future__ import annotations

import ast
import copy
import hashlib
import re
import tomllib
from pathlib import Path

import jupytext
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

FRONT_MATTER = {"title": str, "minutes": int, "able": str}
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}
STUB = 'raise NotImplementedError("your turn")'
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
BLOCK = re.compile(rf"^([ \t]*){BEGIN}[ \t]*\n.*?^[ \t]*{END}[ \t]*$", re.MULTILINE | re.DOTALL)
MARK = re.compile(rf"^[ \t]*({BEGIN}|{END})[ \t]*\n?", re.MULTILINE)
LIKE_A_MARK = re.compile(r"\s*#+\s*(BEGIN|END)[\s_-]*SOLUTION", re.IGNORECASE)
NAME = re.compile(r"\d\d_\w+\.py")


class BuildError(Exception):
    """A source or a cell the chain can't go on with; the message says where and what to do.

    ``notebook`` is what ran until a cell failed, None where nothing was run.
    """

    notebook: NotebookNode | None = None


def find(root: Path, folder: str) -> list[Path]:
    """Return the sources in ``notebooks`` or ``solutions``, in the course's order."""
    return sorted(path for path in (root / folder).glob("*.py") if NAME.fullmatch(path.name))


def front_matter(path: Path) -> dict:
    """Return a source's title, minutes and able (what the reader will be able to do)."""
    return _read(path)[0]


def read_source(path: Path) -> NotebookNode:
    """Return the notebook of ``notebooks/NN_slug.py`` or ``solutions/NN_slug.py``, not yet run.

    It has the generated top cells, settled ids and a kernelspec; solution marks are gone, the
    solutions themselves are there. Raises BuildError on missing front matter or a stray mark.
    """
    _, cells = _read(path)
    for cell in cells:
        if cell.cell_type == "code":
            cell.source = MARK.sub("", cell.source).rstrip("\n")
    return _assemble(path, path.parent.name, cells)


def read_stub(path: Path) -> NotebookNode:
    """Return the exercise sheet of ``solutions/NN_slug.py``: its solutions cut out, never run.

    Cells that can fail as long as the sheet is untouched are tagged ``raises-exception``, so that
    Run All goes on to the next exercise.
    """
    _, cells = _read(path)
    cells = [cell for cell in cells if "solution" not in cell.metadata.get("tags", [])]
    for cell in cells:
        if cell.cell_type == "code":
            cell.source = BLOCK.sub(rf"\1{STUB}", cell.source)
            if _can_fail(cell):
                tags = cell.metadata.get("tags", [])
                cell.metadata["tags"] = [*dict.fromkeys([*tags, "raises-exception"])]
    return _assemble(path, "exercises", cells)


def repository(root: Path) -> str:
    """Return OWNER/REPO, the one setting every public address is made from."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["tool"]["coldrec"]["repository"]


def colab_badge(root: Path, notebook: str) -> str:
    """Return the markdown badge that opens ``notebook`` (its path in the repository) in Colab."""
    site = "https://colab.research.google.com"
    address = f"{site}/github/{repository(root)}/blob/main/{notebook}"
    return f"[![Open in Colab]({site}/assets/colab-badge.svg)]({address})"


def name(path: Path) -> str:
    """Return folder and file, as messages call a source or notebook."""
    return f"{path.parent.name}/{path.name}"


def _read(path: Path) -> tuple[dict, list[NotebookNode]]:
    """Split a source into its front matter and its cells."""
    text = path.read_text(encoding="utf-8")
    _check_marks(text, path)
    cells = [cell for cell in jupytext.reads(text, fmt="py:percent").cells if cell.source.strip()]
    front = {}
    if cells and cells[0].cell_type == "raw" and cells[0].source.startswith("---"):
        try:
            front = yaml.safe_load(cells.pop(0).source.strip("-\n"))
        except yaml.YAMLError as error:
            message = f"{name(path)}: bad front matter (quote text that has a colon): {error}"
            raise BuildError(message) from None
        front = front if isinstance(front, dict) else {}
    for key, kind in FRONT_MATTER.items():
        if not isinstance(front.get(key), kind):
            message = (
                f"{name(path)}: {key!r} in the front matter is {front.get(key)!r}; it has to be "
                f"{'a whole number' if kind is int else 'text'}. Between two lines '# ---' at the "
                f"top of the file, write '# {key}: ...'"
            )
            raise BuildError(message)
    for cell in cells:
        cell.metadata.pop("lines_to_next_cell", None)
    return front, cells


def _check_marks(text: str, path: Path) -> None:
    """Refuse an unbalanced or misspelt solution mark: it would print the solution in the sheet."""
    opened = None
    for number, line in enumerate([*text.splitlines(), "# %%"], 1):
        mark, problem = line.strip(), None
        if mark == BEGIN:
            problem = f"{BEGIN} inside the block opened in line {opened}" if opened else None
            opened = number
        elif mark == END:
            problem = None if opened else f"{END} without a {BEGIN} before it in its cell"
            opened = None
        elif LIKE_A_MARK.match(line):
            problem = f"{mark!r} looks like a solution mark but isn't {BEGIN!r} or {END!r}"
        elif line.startswith("# %%") and opened:
            number, problem = opened, f"{BEGIN} without a {END} after it in its cell"
        if problem:
            message = f"{name(path)}, line {number}: {problem}"
            raise BuildError(message)


def _can_fail(cell: NotebookNode) -> bool:
    """Say whether a stubbed cell may raise when it runs (a stub inside a function doesn't)."""
    if "check" in cell.metadata.get("tags", []) or "cr.checks." in cell.source:
        return True
    if STUB not in cell.source:
        return False
    try:
        nodes = list(ast.parse(cell.source).body)
    except SyntaxError:  # a magic: can't tell
        return True
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Raise):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            nodes.extend(ast.iter_child_nodes(node))
    return False


def _top_cells(path: Path, folder: str) -> list[NotebookNode]:
    """Return the two generated cells: the Colab badge and the installation, which only Colab does.

    Without dependencies, for Colab has them and changing torch or numpy there breaks the running
    kernel; not editable, for a live kernel doesn't see a new ``.pth`` file.
    """
    root = path.resolve().parent.parent
    extra = " " + front_matter(path)["colab"] if front_matter(path).get("colab") else ""
    install = (
        "import sys\n\n"
        'if "google.colab" in sys.modules:\n'
        f"    %pip install -q --no-deps git+https://github.com/{repository(root)}{extra}"
    )
    folded = {"tags": ["install"], "jupyter": {"source_hidden": True}}
    return [
        new_markdown_cell(colab_badge(root, f"{folder}/{path.stem}.ipynb")),
        new_code_cell(install, metadata=folded),
    ]


def _assemble(path: Path, folder: str, cells: list[NotebookNode]) -> NotebookNode:
    """Put the top cells on; ids are made from the position, since jupytext's are random."""
    source = [path.read_text(encoding="utf-8")]
    source += [cell.source for cell in _top_cells(path, path.parent.name)]
    digest = hashlib.sha256("\n".join(source).encode()).hexdigest()
    nb = new_notebook(
        cells=[*_top_cells(path, folder), *cells],
        metadata={**copy.deepcopy(KERNEL), "coldrec": {"source": digest}},
    )
    for position, cell in enumerate(nb.cells):
        cell.id = hashlib.sha1(f"{path.stem}:{position}".encode()).hexdigest()[:8]
    return nb
