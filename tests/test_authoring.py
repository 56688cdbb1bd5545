"""The authoring chain, on tiny temporary projects: sources, stubs, runs, staleness, README."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import types
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_notebook, new_output

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import build, notebook, readme, sources

FRONT = '# ---\n# title: A lesson\n# minutes: 10\n# able: Say "hello".\n# ---\n\n'
README = "".join(f"<!-- begin:{part} -->\n<!-- end:{part} -->\n\nMine, {part}.\n"
                 for part in ("badges", "course", "leaderboard"))
LESSON = FRONT + '''
# %% [markdown]
# # A lesson

# %%
import os
import re
import sys
from pathlib import Path

print(os.environ["COLDREC_TIER"], Path.cwd().name, Path.cwd())
assert sys.executable == os.environ["EXPECTED_PYTHON"]
Path("ran").touch()

# %%
import matplotlib.pyplot as plt
from IPython.display import display

figure, ax = plt.subplots(figsize=(1, 1))
ax.plot([1, 2])
display(figure, metadata={"image/png": {"alt": 'A "rising" line <b>'}})
plt.close(figure)
'''
SHEET = FRONT + '''
# %%
from types import SimpleNamespace

cr = SimpleNamespace(checks=SimpleNamespace(twice=lambda f: print("good" if f(2) == 4 else "no")))

# %% [markdown]
# Exercise: marks such as `### BEGIN SOLUTION` may be talked about.

# %% tags=["mine"]
def twice(x: float) -> float:
    """Return 2 x."""
    ### BEGIN SOLUTION
    two = 2
    return two * x
    ### END SOLUTION


def thrice(x):
    ### BEGIN SOLUTION
    return 3 * x
    ### END SOLUTION

# %%
cr.checks.twice(twice)

# %% [markdown] tags=["solution"]
# It is two times as much.

# %% tags=["solution"]
print("spoiler")

# %%
for x in range(2):
    ### BEGIN SOLUTION
    y = twice(x)
    ### END SOLUTION

# %% tags=["check"]
print("y is", y)

# %%
print("the end")
'''


def write_project(root: Path, lesson: str = LESSON, sheet: str = SHEET) -> Path:
    for folder in ("notebooks", "solutions"):
        (root / folder).mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.coldrec]\nrepository = "them/there"\n')
    (root / "README.md").write_text(README, encoding="utf-8")
    (root / "notebooks" / "01_hello.py").write_text(lesson, encoding="utf-8")
    (root / "solutions" / "01_hello.py").write_text(sheet, encoding="utf-8")
    return root


@pytest.fixture
def project(tmp_path):
    """A project of one lesson and one sheet, nothing built."""
    return write_project(tmp_path / "project")


@pytest.fixture(scope="session")
def built_once(tmp_path_factory):
    """The same project built, by a Python that isn't the one registered as python3."""
    root = write_project(tmp_path_factory.mktemp("built") / "project")
    spec = {"argv": ["no-such-python", "{connection_file}"], "display_name": "", "language": ""}
    kernel = root.parent / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps(spec))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(root.parent / "jupyter"))
        patch.setenv("COLDREC_TIER", "gpu")
        patch.setenv("EXPECTED_PYTHON", sys.executable)
        assert build.main([], root) == 0
    return root


@pytest.fixture
def built(built_once, tmp_path):
    """A copy of the built project, to break."""
    return Path(shutil.copytree(built_once, tmp_path / "project"))


@pytest.fixture
def no_running(monkeypatch):
    """Make it an error to run a notebook."""

    def refuse(*_):
        message = "a notebook was run"
        raise AssertionError(message)

    monkeypatch.setattr(build, "execute", refuse)


def load(path: Path):
    return nbformat.read(path, as_version=4)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def outputs_of(nb) -> list:
    return [output for cell in nb.cells for output in cell.get("outputs", [])]


# -- reading ---------------------------------------------------------------------------------------


def test_ids_come_from_the_position_and_metadata_is_complete(project):
    """jupytext's own ids are random, its metadata noise, and its kernelspec absent."""
    for read, folder in [(sources.read_source, "notebooks"), (sources.read_source, "solutions"),
                         (sources.read_stub, "solutions")]:
        nb = read(project / folder / "01_hello.py")
        nbformat.validate(nb)
        expected = [hashlib.sha1(f"01_hello:{i}".encode()).hexdigest()[:8]
                    for i in range(len(nb.cells))]
        assert [cell.id for cell in nb.cells] == expected
        assert nb.metadata.kernelspec.language == nb.metadata.language_info.name == "python"
        assert set(nb.metadata) == {"kernelspec", "language_info", "coldrec"}
        assert all(set(cell.metadata) <= {"tags", "jupyter"} for cell in nb.cells)
        assert not any(cell.cell_type == "raw" for cell in nb.cells), "front matter is shown"


def test_line_ends_of_a_windows_checkout_change_nothing(project):
    source = project / "solutions" / "01_hello.py"
    before = build.to_text(sources.read_stub(source))
    source.write_bytes(SHEET.replace("\n", "\r\n").encode())
    assert build.to_text(sources.read_stub(source)) == before


def test_the_hash_covers_source_and_address_and_is_shared_by_sheet_and_solution(project):
    source = project / "solutions" / "01_hello.py"
    digest = sources.read_source(source).metadata.coldrec.source
    assert sources.read_stub(source).metadata.coldrec.source == digest
    edit(project / "pyproject.toml", "them/there", "you/here")
    moved = sources.read_source(source).metadata.coldrec.source
    edit(source, "two times", "twice")
    assert len({digest, moved, sources.read_source(source).metadata.coldrec.source}) == 3


@pytest.mark.parametrize("read, folder, target", [
    (sources.read_source, "notebooks", "notebooks"),
    (sources.read_source, "solutions", "solutions"),
    (sources.read_stub, "solutions", "exercises"),
])
def test_each_badge_opens_its_own_notebook(project, read, folder, target):
    nb = read(project / folder / "01_hello.py")
    assert nb.cells[0].cell_type == "markdown"
    assert nb.cells[0].source == (
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        "(https://colab.research.google.com/github/them/there/blob/main/"
        f"{target}/01_hello.ipynb)"
    )


@pytest.mark.parametrize("colab", [True, False])
def test_only_colab_installs_and_without_dependencies(project, monkeypatch, capsys, colab):
    cell = sources.read_source(project / "notebooks" / "01_hello.py").cells[1]
    assert tags(cell) == ["install"]
    assert cell.metadata.jupyter.source_hidden
    if colab:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    calls = []
    shell = types.SimpleNamespace(run_line_magic=lambda *call: calls.append(call))
    exec(TransformerManager().transform_cell(cell.source), {"get_ipython": lambda: shell})
    install = ("pip", "install -q --no-deps git+https://github.com/them/there")
    assert calls == ([install] if colab else [])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("old, new, says", [
    ("# title: A lesson\n", "", "'title' in the front matter is None"),
    ("# minutes: 10", "# minutes: ten", "'minutes' in the front matter is 'ten'.*whole number"),
    ("# able: Say \"hello\".\n", "", "'able' in the front matter is None"),
    ("A lesson\n# minutes", "A: lesson\n# minutes", "bad front matter .quote"),
    (FRONT, "# ---\n# just words\n# ---\n", "'title' in the front matter is None"),
    (FRONT, "", "'title' in the front matter is None"),
])
def test_front_matter_is_asked_for(project, old, new, says):
    source = project / "notebooks" / "01_hello.py"
    edit(source, old, new)
    with pytest.raises(build.BuildError, match=f"notebooks/01_hello.py: {says}"):
        sources.read_source(source)


# -- stubs -----------------------------------------------------------------------------------------


def test_a_sheet_keeps_the_signature_and_loses_the_solution(project):
    nb = sources.read_stub(project / "solutions" / "01_hello.py")
    code = [cell.source for cell in nb.cells if cell.cell_type == "code"]
    assert (
        'def twice(x: float) -> float:\n    """Return 2 x."""\n'
        '    raise NotImplementedError("your turn")\n\n\n'
        'def thrice(x):\n    raise NotImplementedError("your turn")'
    ) in code
    assert 'for x in range(2):\n    raise NotImplementedError("your turn")' in code
    text = build.to_text(nb)
    for secret in ("two times", "spoiler", "two * x", "3 * x", "y = twice", "END SOLUTION"):
        assert secret not in text
    assert not outputs_of(nb)


def test_only_cells_that_can_fail_may_raise(project):
    nb = sources.read_stub(project / "solutions" / "01_hello.py")
    found = {cell.source.partition("\n")[0]: tags(cell) for cell in nb.cells}
    assert found["def twice(x: float) -> float:"] == ["mine"]
    assert found["cr.checks.twice(twice)"] == ["raises-exception"]
    assert found["for x in range(2):"] == ["raises-exception"]
    assert found['print("y is", y)'] == ["check", "raises-exception"]
    assert found['print("the end")'] == []
    solution = sources.read_source(project / "solutions" / "01_hello.py")
    assert not any("raises-exception" in tags(cell) for cell in solution.cells)


@pytest.mark.parametrize("before, fails", [
    ("", True), ("class A:\n    ", True), ("with open('x') as f:\n    ", True),
    ("%time 1\n", True), ("class A:\n    def f(self):\n        ", False),
    ("async def f():\n    ", False),
])
def test_a_stub_outside_functions_is_found(project, before, fails):
    source = project / "solutions" / "01_hello.py"
    indent = before.rpartition("\n")[2]
    block = f"{before}### BEGIN SOLUTION\n{indent}x = 1\n{indent}### END SOLUTION\n"
    source.write_text(f"{FRONT}# %%\n{block}", encoding="utf-8")
    assert ("raises-exception" in tags(sources.read_stub(source).cells[-1])) == fails


@pytest.mark.parametrize("code", ["raise KeyError('gone')", "%time 1"])
def test_a_cell_without_a_stub_keeps_its_tags(project, code):
    source = project / "solutions" / "01_hello.py"
    source.write_text(f"{FRONT}# %%\n{code}\n", encoding="utf-8")
    assert tags(sources.read_stub(source).cells[-1]) == []


def test_a_solution_shows_no_marks(project):
    nb = sources.read_source(project / "solutions" / "01_hello.py")
    code = [cell.source for cell in nb.cells if cell.cell_type == "code"]
    assert not any("SOLUTION" in source for source in code)
    assert 'for x in range(2):\n    y = twice(x)' in code
    assert any(source.startswith("def twice") and source.endswith("    return 3 * x")
               for source in code)


BEGIN, END = "### BEGIN SOLUTION\n", "### END SOLUTION\n"


@pytest.mark.parametrize("cells, line, says", [
    (f"# %%\n{BEGIN}x = 1\n", 9, "without a ### END"),
    (f"# %%\nx = 1\n{END}", 10, "without a ### BEGIN"),
    (f"# %%\n{BEGIN}x = 1\n\n# %%\n{END}", 9, "without a ### END"),
    (f"# %%\n{BEGIN}{BEGIN}{END}{END}", 10, "inside the block opened in line 9"),
    ("# %%\n###BEGIN SOLUTION\n", 9, "'###BEGIN SOLUTION' looks like a solution mark"),
    (f"# %%\n{BEGIN}x = 1\n## end solution\n", 11, "'## end solution' looks like"),
    (f"# %%\n{BEGIN}x = 1\n### END SOLUTION.\n", 11, "looks like a solution mark"),
])
def test_stray_marks_are_errors_with_file_and_line(project, capsys, cells, line, says):
    source = project / "solutions" / "01_hello.py"
    source.write_text(f"{FRONT}\n{cells}", encoding="utf-8")
    assert build.main(["--check"], project) == 1
    error = capsys.readouterr().err
    assert f"solutions/01_hello.py, line {line}: " in error
    assert says in error
    assert build.main(["--stubs"], project) == 1
    assert not (project / "exercises").exists(), "a half-read sheet was written"


def test_sheets_are_the_same_bytes_each_time(project, no_running):
    sheet = project / "exercises" / "01_hello.ipynb"
    assert build.main(["--stubs"], project) == 0
    first = sheet.read_bytes()
    sheet.unlink()
    assert build.main(["--stubs"], project) == 0
    assert sheet.read_bytes() == first
    assert first.endswith(b"}\n")
    assert b"\r" not in first
    keys = list(json.loads(first))
    assert keys == sorted(keys)


# -- running ---------------------------------------------------------------------------------------


def test_a_lesson_is_run_at_tier_cpu_in_its_folder(built_once):
    nb = load(built_once / "notebooks" / "01_hello.ipynb")
    assert outputs_of(nb)[0].text == f"cpu notebooks .{os.sep}notebooks\n"
    assert (built_once / "notebooks" / "ran").exists()
    assert nb.metadata.coldrec.tier == "cpu"
    assert set(nb.metadata.language_info) == set(sources.KERNEL["language_info"])
    assert not any("execution" in cell.metadata for cell in nb.cells)


def test_a_solution_passes_its_check(built_once):
    nb = load(built_once / "solutions" / "01_hello.ipynb")
    said = "".join(output.text for output in outputs_of(nb))
    assert said == "good\nspoiler\ny is 2\nthe end\n"


def test_an_untouched_sheet_fails_readably_and_goes_on(built):
    sheet = built / "exercises" / "01_hello.ipynb"
    outputs = outputs_of(build.execute(load(sheet), sheet))
    errors = [(out.ename, out.evalue) for out in outputs if out.output_type == "error"]
    assert errors == [("NotImplementedError", "your turn")] * 2 + [
        ("NameError", "name 'y' is not defined")]
    assert outputs[-1].text == "the end\n"


def test_alt_text_reaches_the_page(built_once):
    nb = load(built_once / "notebooks" / "01_hello.ipynb")
    picture = next(out for out in outputs_of(nb) if out.output_type == "display_data")
    assert picture.metadata["image/png"]["alt"] == 'A "rising" line <b>'
    page = build.to_html(nb, "A lesson")
    found = BeautifulSoup(page, "html.parser").select("img")
    assert [picture["alt"] for picture in found] == ["Open in Colab", 'A "rising" line <b>']
    assert "<title>A lesson</title>" in page


@pytest.mark.parametrize("code, says", [
    ("x = 1\nundefined", "NameError"),
    pytest.param("import time\ntime.sleep(60)", "after 5 seconds", marks=pytest.mark.slow),
    pytest.param("import os\nos._exit(1)", "died", marks=pytest.mark.slow),
])
def test_a_failing_cell_is_named_and_nothing_is_overwritten(
    built, monkeypatch, capsys, code, says
):
    monkeypatch.setattr(notebook, "CELL_SECONDS", 5)
    (built / "solutions" / "01_hello.py").write_text(f"{FRONT}# %%\n{code}\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in built.rglob("*.ipynb")}
    assert build.main([], built) == 1
    error = capsys.readouterr().err
    assert f"solutions/01_hello.py: cell 3 (`{code.partition(chr(10))[0]}`) failed" in error
    assert re.search(says, error)
    assert {path: path.read_bytes() for path in built.rglob("*.ipynb")} == before


def tidied(*outputs, root=Path("project")):
    nb = new_notebook(cells=[new_code_cell("x", outputs=list(outputs))])
    return notebook.tidy(nb, root).cells[0].outputs


def stream(text, name="stderr"):
    return new_output("stream", name=name, text=text)


def test_progress_bars_go_and_messages_stay():
    bar = "\r  0%|     | 0/5 [00:00<?, ?it/s]"
    done = "\r100%|#####| 5/5 [00:00<00:00, 19.9it/s]\n"
    assert tidied(stream(bar), stream(done)) == []
    assert tidied(stream("\r7it [00:00, 22.1it/s]\n")) == []
    outputs = tidied(stream("careful\n"), stream("\r  \r\n"), stream(bar),
                     stream("half", "stdout"), stream(done),
                     stream("\r\n and done\r\n", "stdout"), stream("1\r2\r3\n", "stdout"))
    assert [(out.name, out.text) for out in outputs] == [
        ("stderr", "careful\n"), ("stdout", "half"), ("stdout", "\n and done\n3\n")]


def test_widgets_go():
    widget = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "0%"}
    assert tidied(new_output("display_data", data=widget)) == []


def test_places_and_addresses_of_this_machine_go(tmp_path, monkeypatch):
    home, root = tmp_path / "home", tmp_path / "home" / "git" / "project"
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setenv("COLDREC_HOME", str(tmp_path / "cache"))
    texts = {
        f"read {root / 'data'}": f"read .{os.sep}data",
        f"'{home / 'x'}', {home}.": f"'~{os.sep}x', ~.",
        f"{home}less {home}-made": f"{home}less {home}-made",
        f"in {tmp_path / 'cache'}": "in ~/.cache/coldrec",
        f"{Path(sys.prefix) / 'lib'}": f"<python>{os.sep}lib",
        "/elsewhere/ipykernel_12/345.py:1: UserWarning": "cell.py:1: UserWarning",
        "<object at 0x7f12ab34cd56>": "<object at 0x...>",
        "colour 0xff00ff": "colour 0xff00ff",
    }
    monkeypatch.setattr(notebook.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    for text, expected in texts.items():
        error = new_output("error", ename="E", evalue=text, traceback=[text])
        shown = new_output("display_data", data={"text/html": text, "image/png": text})
        first, second, third = tidied(stream(text), error, shown, root=root)
        assert first.text == second.evalue == second.traceback[0] == expected
        assert third.data == {"text/html": expected, "image/png": text}


# -- what is stale ---------------------------------------------------------------------------------


def change_cells(root: Path, change) -> None:
    path = root / "notebooks" / "01_hello.ipynb"
    nb = load(path)
    change(nb)
    path.write_text(build.to_text(nb), encoding="utf-8", newline="\n")


def swap_output(output):
    return lambda nb: nb.cells[-1].update(outputs=[output])


PICTURE = {"image/png": "aGk="}
BREAKS = {
    "lesson changed": (
        lambda root: edit(root / "notebooks" / "01_hello.py", "A lesson", "The lesson"),
        "notebooks/01_hello.ipynb: stale, .*tools/build.py 01$"),
    "solution changed": (
        lambda root: edit(root / "solutions" / "01_hello.py", "3 * x", "x * 3"),
        "solutions/01_hello.ipynb: stale, .*tools/build.py 01$"),
    "task changed": (
        lambda root: edit(root / "solutions" / "01_hello.py", "Return 2 x", "Return x + x"),
        "exercises/01_hello.ipynb: stale, .*tools/build.py --stubs 01$"),
    "address changed": (
        lambda root: edit(root / "pyproject.toml", "them/there", "you/here"),
        "notebooks/01_hello.ipynb: stale, .*tools/build.py 01$"),
    "lesson missing": (
        lambda root: (root / "notebooks" / "01_hello.ipynb").unlink(),
        "notebooks/01_hello.ipynb: missing.*tools/build.py 01$"),
    "sheet missing": (
        lambda root: (root / "exercises" / "01_hello.ipynb").unlink(),
        "exercises/01_hello.ipynb: missing.*tools/build.py --stubs 01$"),
    "sheet edited": (
        lambda root: edit(root / "exercises" / "01_hello.ipynb", "your turn", "my turn"),
        "exercises/01_hello.ipynb: stale, .*tools/build.py --stubs 01$"),
    "lesson edited": (
        lambda root: edit(root / "notebooks" / "01_hello.ipynb", "# A lesson", "# My lesson"),
        "notebooks/01_hello.ipynb: changed by hand"),
    "kernel edited": (
        lambda root: edit(root / "notebooks" / "01_hello.ipynb", '"Python 3"', '"mine"'),
        "notebooks/01_hello.ipynb: changed by hand"),
    "cut short": (
        lambda root: (root / "notebooks" / "01_hello.ipynb").write_text('{"cells": ['),
        "notebooks/01_hello.ipynb: not a notebook"),
    "other tier": (
        lambda root: edit(root / "notebooks" / "01_hello.ipynb", '"cpu"', '"smoke"'),
        "notebooks/01_hello.ipynb: run at tier 'smoke'"),
    "error kept": (
        lambda root: change_cells(root, swap_output(
            new_output("error", ename="ValueError", evalue="oh", traceback=[]))),
        "notebooks/01_hello.ipynb: cell 5 shows an error, ValueError: oh"),
    "never run": (
        lambda root: change_cells(
            root, lambda nb: nb.cells[-1].update(execution_count=None, outputs=[])),
        "notebooks/01_hello.ipynb: cell 5 has never been run"),
    "no alt text": (
        lambda root: change_cells(root, swap_output(new_output("display_data", data=PICTURE))),
        "notebooks/01_hello.ipynb: cell 5 has a figure without alt text.*cr.plots.show"),
    "empty alt text": (
        lambda root: change_cells(root, swap_output(new_output(
            "display_data", data=PICTURE, metadata={"image/png": {"alt": " "}}))),
        "notebooks/01_hello.ipynb: cell 5 has a figure without alt text"),
    "too large": (
        lambda root: change_cells(root, swap_output(
            new_output("stream", name="stdout", text="x" * 1_500_000))),
        "notebooks/01_hello.ipynb: 1.5 MB, the limit is 1.5 MB"),
    "README stale": (
        lambda root: edit(root / "README.md", "| 10 |", "| 11 |"),
        "README.md: stale.*tools/build.py --readme$"),
}


@pytest.mark.parametrize("kind", BREAKS)
def test_check_finds_it_and_a_build_mends_it(built, capsys, monkeypatch, kind):
    break_it, says = BREAKS[kind]
    assert build.main(["--check"], built) == 0
    break_it(built)
    before = {path: path.read_bytes() for path in built.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert build.main(["--check"], built) == 1
    problems = capsys.readouterr().err.splitlines()
    assert any(re.search(says, line) for line in problems), problems
    assert {path: path.read_bytes() for path in built.rglob("*") if path.is_file()} == before

    monkeypatch.setattr(build, "execute", pretend)
    assert build.main([], built) == 0


def pretend(nb, path, tier):
    """Give each code cell a number, as running it would, in no time."""
    for number, cell in enumerate(cell for cell in nb.cells if cell.cell_type == "code"):
        cell.execution_count = number + 1
    nb.metadata.coldrec.tier = tier
    return nb


@pytest.mark.parametrize("stray, says", [
    ("notebooks/02_old.ipynb", "notebooks/02_old.ipynb: orphan, there is no notebooks/02_old.py"
     ". Mend: git rm notebooks/02_old.ipynb"),
    ("exercises/02_old.ipynb", "exercises/02_old.ipynb: orphan, there is no solutions/02_old.py"
     ". Mend: git rm exercises/02_old.ipynb"),
    ("solutions/1_old.py", "solutions/1_old.py: passed over, a source is named NN_slug.py"
     ". Mend: git mv it to solutions/NN_slug.py"),
])
def test_check_finds_strays(built, capsys, stray, says):
    (built / stray).write_text("{}")
    assert build.main(["--check"], built) == 1
    assert capsys.readouterr().err == f"{says}\n"


def test_check_runs_nothing_and_is_quick(project, no_running):
    """A lesson that leaves a file behind when it is run, thirty times over."""
    for number in range(2, 32):
        for folder in ("notebooks", "solutions"):
            source = project / folder / "01_hello.py"
            shutil.copy(source, source.with_name(f"{number:02}_hello.py"))
    started = time.monotonic()
    assert build.main(["--check"], project) == 1
    assert time.monotonic() - started < 5
    assert not (project / "notebooks" / "ran").exists()


def test_an_author_may_show_an_error_on_purpose(built):
    source = built / "notebooks" / "01_hello.py"
    source.write_text(f'{FRONT}# %% tags=["raises-exception"]\n1 / 0\n', encoding="utf-8")
    assert build.main([], built) == 0
    assert outputs_of(load(source.with_suffix(".ipynb")))[0].ename == "ZeroDivisionError"


def test_what_is_up_to_date_is_left_alone(built, no_running, capsys):
    assert build.main([], built) == 0
    assert build.main(["--stubs"], built) == 0
    assert build.main(["--readme"], built) == 0
    assert "wrote" not in capsys.readouterr().out


def test_force_and_lesson_numbers_choose_what_is_run(built, monkeypatch):
    shutil.copy(built / "notebooks" / "01_hello.py", built / "notebooks" / "02_bye.py")
    ran = []
    monkeypatch.setattr(build, "execute", lambda nb, path, tier: ran.append(
        f"{path.parent.name}/{path.stem}") or pretend(nb, path, tier))
    assert build.main(["02"], built) == 0
    assert ran == ["notebooks/02_bye"]
    assert build.main(["01", "--force"], built) == 0
    assert ran[1:] == ["notebooks/01_hello", "solutions/01_hello"]


def test_an_unknown_lesson_is_an_error(project, capsys):
    assert build.main(["07"], project) == 1
    assert "no lesson '07'; there are: 01" in capsys.readouterr().err


def test_it_runs_as_a_script_from_anywhere(tmp_path):
    command = [sys.executable, str(Path(build.__file__)), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "--check" in done.stdout


# -- README ----------------------------------------------------------------------------------------


def write_results(root: Path, figures: dict) -> None:
    header = {"date": "2026-11-24", "versions": {"coldrec": "0.1.0", "torch": "2.13.0"}}
    (root / "results").mkdir()
    text = json.dumps({"header": header, "01": figures})
    (root / "results" / "cpu.json").write_text(text, encoding="utf-8")


def test_the_leaderboard_is_sorted_and_says_what_it_measures(project):
    write_results(project, {
        "R random": {"value": 0.0581, "se": 0.002, "n": 5},
        "R a|b": {"value": 0.3, "se": None, "n": 1},
        "rmse bias": {"value": 1.06, "se": 0.01, "n": 5},
        "R text ridge": {"value": 0.2994, "se": 0.0104, "n": 5},
        "control text ridge": {"value": 0.0602, "se": 0.003, "n": 5},
        "R mf": {"value": 0.055, "se": 0.002, "n": 5},
        "R mixed a": {"value": 0.5, "se": 0.002, "n": 5},
        "R a minus b": {"value": 0.01, "se": 0.002, "n": 5},
    })
    text = readme.leaderboard(readme.latest(project))
    assert "2026-11-24 at tier `cpu` with coldrec 0.1.0, torch 2.13.0" in text
    assert text.endswith(
        "| Recommender | Lesson | Recall@20, cold items only | Standard error | Shuffled control "
        "| Splits |\n"
        "| --- | --- | ---: | ---: | ---: | ---: |\n"
        "| a\\|b | 01 | 0.300 | – | – | 1 |\n"
        "| text ridge | 01 | 0.299 | ± 0.010 | 0.060 | 5 |\n"
        "| random | 01 | 0.058 | ± 0.002 | – | 5 |\n"
        "| matrix factorisation | 01 | 0.055 | ± 0.002 | – | 5 |"
    )


def test_new_results_make_the_readme_stale(built, capsys, no_running):
    assert "tools/build.py 01" in (built / "README.md").read_text(encoding="utf-8")
    write_results(built, {"R random": {"value": 0.05, "se": 0.01, "n": 5}})
    assert build.main(["--check"], built) == 1
    assert capsys.readouterr().err.startswith("README.md: stale")
    assert build.main(["--readme"], built) == 0
    assert build.main(["--check"], built) == 0


def test_the_course_table_has_a_row_a_lesson(project):
    edit(project / "notebooks" / "01_hello.py", 'Say "hello".', "Say a | b.")
    (project / "solutions" / "01_hello.py").rename(project / "solutions" / "02_other.py")
    badge = sources.colab_badge(project, "notebooks/01_hello.ipynb")
    row = f"| [01 A lesson](notebooks/01_hello.ipynb) | 10 | Say a \\| b. | – | {badge} |"
    assert readme.course(project).splitlines()[2:] == [row]
    (project / "solutions" / "02_other.py").rename(project / "solutions" / "01_hello.py")
    assert "| [sheet 01](exercises/01_hello.ipynb) |" in readme.course(project)


def test_the_badges_are_made_from_the_address(project):
    text = readme.badges(project)
    assert "/them/there/blob/main/notebooks/01_hello.ipynb" in text
    assert "https://github.com/them/there/actions/workflows/ci.yml/badge.svg" in text


def test_text_outside_the_marks_stays(built_once):
    text = (built_once / "README.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("Mine")] == [
        "Mine, badges.", "Mine, course.", "Mine, leaderboard."]
    assert text.endswith("<!-- end:leaderboard -->\n\nMine, leaderboard.\n")


@pytest.mark.parametrize("old, new", [
    ("<!-- end:course -->", ""), ("<!-- begin:course -->", ""),
    ("<!-- end:course -->", "<!-- end:course --><!-- begin:course --><!-- end:course -->"),
])
def test_missing_or_doubled_marks_are_errors(project, capsys, old, new):
    edit(project / "README.md", old, new)
    assert build.main(["--readme"], project) == 1
    assert "<!-- begin:course --> and <!-- end:course --> have to" in capsys.readouterr().err


def test_a_missing_readme_is_an_error(project, capsys):
    (project / "README.md").unlink()
    assert build.main(["--readme"], project) == 1
    assert "README.md is missing" in capsys.readouterr().err
