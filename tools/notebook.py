"""Notebooks: execute one, tidy what it printed, write it as .ipynb or HTML."""

from __future__ import annotations

import copy
import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.sources import BuildError, name

CELL_SECONDS = 1200
WIDGET = "application/vnd.jupyter.widget-view+json"
PROGRESS_BAR = re.compile(r"\d+%\||\d+it \[|it/s|s/it")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{8,16}\b")
KERNEL_FILE = re.compile(r"[^\s\"']*ipykernel_\d+[\\/]+\d+\.py")


def execute(nb: NotebookNode, path: Path, tier: str = "cpu") -> NotebookNode:
    """Return a copy of ``nb`` with outputs, run in the folder of ``path`` by this same Python.

    Outputs are tidied (see `tidy`), ``metadata.coldrec.tier`` says the tier. Raises BuildError
    naming ``path`` and the cell when a cell fails, takes longer than CELL_SECONDS, or kills the
    kernel; the error's ``notebook`` is what ran until then.
    """
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError

    class ThisPython(AsyncKernelManager):
        """Start the kernel with the running Python, whatever kernel is registered as python3."""

        kernel_spec = KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}",
                  "--IPKernelApp.log_level=ERROR"],
            display_name="Python 3",
            language="python",
        )

    nb = copy.deepcopy(nb)
    metadata = copy.deepcopy(nb.metadata)  # nbclient adds this machine's versions and widget states
    running = {}
    client = NotebookClient(
        nb,
        kernel_manager_class=ThisPython,
        timeout=CELL_SECONDS,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=lambda cell, cell_index: running.update(cell=cell, number=cell_index + 1),
    )
    failure = None
    try:
        client.execute(env={**os.environ, "COLDREC_TIER": tier})
    except (CellControlSignal, DeadKernelError) as error:
        first = running["cell"].source.partition("\n")[0]
        message = f"{name(path)}: cell {running['number']} (`{first}`) failed.\n{error}"
        failure = BuildError(message)
    nb.metadata = metadata
    nb.metadata.setdefault("coldrec", NotebookNode())["tier"] = tier
    tidy(nb, path.parent.parent)
    if failure:
        failure.notebook = nb
        raise failure
    return nb


def tidy(nb: NotebookNode, root: Path) -> NotebookNode:
    """Take out of the outputs what differs between machines and runs; change ``nb`` in place.

    Folders of this machine, memory addresses, progress bars and widgets (which show nothing
    without their kernel).
    """
    places = _places(root)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = _merge_streams(cell.outputs)
            for output in cell.outputs:
                if output.output_type == "stream":
                    output.text = _last_state(output.text)
                for holder, key in _texts(output):
                    holder[key] = _neutral(holder[key], places)
            cell.outputs = [out for out in cell.outputs if out.get("text", "shown").strip()]
    return nb


def _merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    merged = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output.output_type == "stream" and output.name == last.get("name"):
            last.text += output.text
        elif WIDGET not in output.get("data", {}):
            merged.append(output)
    return merged


def _last_state(text: str) -> str:
    """Show text as a terminal would after its carriage returns; drop progress bars."""
    lines = []
    for line in re.split(r"(?<=\n)", text.replace("\r\n", "\n")):
        shown = line.rstrip("\r\n").rpartition("\r")[2]
        if "\r" not in line or (shown.strip() and not PROGRESS_BAR.search(shown)):
            lines.append(shown + "\n" * line.endswith("\n"))
    return "".join(lines)


def _texts(output: NotebookNode):
    """Yield (holder, key) of every text in an output; encoded pictures are left alone."""
    for key in ("text", "evalue"):
        if key in output:
            yield output, key
    for number in range(len(output.get("traceback", []))):
        yield output.traceback, number
    for mime, value in output.get("data", {}).items():
        if isinstance(value, str) and (not mime.startswith("image/") or "svg" in mime):
            yield output.data, mime


def _places(root: Path) -> list[tuple[re.Pattern, str]]:
    """Return what to write instead of this machine's folders, the longest (innermost) first."""
    cache = "~/.cache/coldrec"
    folders = [(root, "."), (Path.home(), "~"), (Path(tempfile.gettempdir()), "<tmp>"),
               (Path(sys.prefix), "<python>"),
               (Path(os.environ.get("COLDREC_HOME") or cache).expanduser(), cache)]
    spellings = {}
    for folder, instead in folders:
        for path in (folder.absolute(), folder.resolve()):
            if path != path.parent:  # a home folder may be /
                for text in (str(path), path.as_posix(), str(path).replace("\\", "\\\\")):
                    spellings.setdefault(text, instead)
    return [(re.compile(rf"(?<![\w.-]){re.escape(text)}(?![\w-])"), spellings[text])
            for text in sorted(spellings, key=len, reverse=True)]


def _neutral(text: str, places: list[tuple[re.Pattern, str]]) -> str:
    for place, instead in places:
        text = place.sub(lambda _, instead=instead: instead, text)
    return ADDRESS.sub("0x...", KERNEL_FILE.sub("cell.py", text))


def to_text(nb: NotebookNode) -> str:
    """Return the notebook as the text of an ``.ipynb`` file, the same on every machine."""
    nbformat.validate(nb)
    return nbformat.writes(nb).rstrip("\n") + "\n"


def to_html(nb: NotebookNode, title: str) -> str:
    """Return the notebook as one HTML page.

    nbconvert's lab template drops ``metadata["image/png"]["alt"]``; this puts it in.
    """
    from nbconvert import HTMLExporter

    template = """{%- extends 'lab/index.html.j2' -%}
    {%- block data_png scoped -%}
    {%- set alt = output | get_metadata('alt', 'image/png') -%}
    {{ super() | replace('<img', '<img alt="' ~ (alt | escape_html) ~ '"', 1) if alt else super() }}
    {%- endblock -%}"""
    about = {"metadata": {"name": title}}
    return HTMLExporter(raw_template=template).from_notebook_node(nb, about)[0]
