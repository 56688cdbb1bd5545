"""The front door, on temporary projects whose .venv installs nothing."""

from __future__ import annotations

import ast
import importlib.util
import os
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "course.py"
ECHO = 'import os, sys\nprint("{}", *sys.argv[1:], os.environ.get("COLDREC_TIER"))\n'


def load(folder: Path):
    """Import the copy of course.py in ``folder``: its ROOT is that folder."""
    (folder / "course.py").write_bytes(SCRIPT.read_bytes())
    spec = importlib.util.spec_from_file_location("course", folder / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path):
    """A project with two lessons, and stand-ins that say how they were called."""
    files = {
        "requirements.lock": "", "pyproject.toml": "",
        "notebooks/00_start.py": "", "notebooks/00_start.ipynb": "", "notebooks/01_cold.py": "",
        "tools/__init__.py": "", "tools/run_lessons.py": ECHO.format("run"),
        "tools/measure.py": ECHO.format("measure"), "tools/build.py": ECHO.format("build"),
        "coldrec/__init__.py": "", "coldrec/assets.py": "", "coldrec/doctor.py": ECHO.format("doc"),
        "pytest.py": ECHO.format("pytest") + "sys.exit(3)", "tests/test_x.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return load(tmp_path)


@pytest.fixture
def ready(project):
    """The project with a .venv that claims to be complete."""
    venv.create(project.ROOT / ".venv", symlinks=os.name != "nt")
    pip_of(project).touch()
    project.stamp().write_text(project.fingerprint(), encoding="utf-8")
    return project


def pip_of(project) -> Path:
    """Return where the stand-in for pip is in the project's .venv."""
    return next((project.ROOT / ".venv").rglob("site-packages")) / "pip.py"


def call(project, *arguments, **variables):
    """Run the project's course.py and return the finished process."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("COLDREC")}
    return subprocess.run([sys.executable, "course.py", *arguments], cwd=project.ROOT,
                          env={**env, **variables}, capture_output=True, text=True,
                          encoding="utf-8", timeout=60)


def test_without_a_command_the_help_is_shown(project):
    done = call(project)
    assert done.returncode == 0
    for command in ("lab", "run", "measure", "test", "doctor"):
        assert f"python course.py {command}" in done.stdout


def test_unknown_command(project):
    done = call(project, "fly")
    assert done.returncode == 2
    assert "'fly'" in done.stderr and "'doctor'" in done.stderr


@pytest.mark.parametrize("command", ["run", "measure"])
def test_unknown_lesson_says_which_exist_before_anything_is_installed(project, command):
    done = call(project, command, "42")
    assert done.returncode == 1
    assert done.stderr == "There is no lesson '42'; there are: 00_start, 01_cold.\n"
    assert not (project.ROOT / ".venv").exists()


def test_lessons_can_be_named_in_four_ways(project):
    there = project.lessons(project.ROOT)
    assert there == ["00_start", "01_cold"]
    assert project.choose(["01", "00_start"], there) == ["01_cold", "00_start"]
    assert project.choose(["notebooks/01_cold.ipynb"], there) == ["01_cold"]
    assert project.choose(["01", "all"], there) == ["01_cold", "00_start"]


def test_an_old_python_is_told_what_to_do(project):
    assert project.too_old((3, 11, 0)) == ""
    assert "needs Python 3.11 or newer; this is Python 3.8.10" in project.too_old((3, 8, 10))


def test_an_old_python_can_read_the_file_that_tells_it():
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))
    names = {alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import)
             for alias in node.names}
    assert names <= set(sys.stdlib_module_names) - {"tomllib"}


def test_where_the_environment_has_its_python(project):
    root = Path("course")
    assert project.venv_python(root, windows=False) == root / ".venv/bin/python"
    assert project.venv_python(root, windows=True) == root / ".venv/Scripts/python.exe"


def test_the_doctor_of_a_fresh_clone_installs_nothing(project):
    done = call(project, "doctor")
    assert done.returncode == 1 and done.stderr == ""
    assert "missing or broken.\nWhat to do: python course.py run" in done.stdout
    assert not (project.ROOT / ".venv").exists()


def test_the_doctor_runs_where_set_up_was_left_halfway_or_is_old(ready):
    assert call(ready, "doctor").stdout == "doc None\n"
    (ready.ROOT / "requirements.lock").write_text("new", encoding="utf-8")
    assert "has changed since" in call(ready, "doctor").stdout


@pytest.mark.parametrize(("arguments", "says", "code"), [
    (["run"], "run 00_start cpu", 0),
    (["run", "all"], "run 00_start 01_cold cpu", 0),
    (["measure", "01_cold"], "measure 01 None", 0),
    (["test"], "build --check None\n"
               "pytest tests --nbmake --nbmake-timeout=600 notebooks smoke", 3),
    (["test", "--fast"], "build --check None\n"
                         "pytest tests -m not slow and not browser and not network and not pykeen "
                         "smoke", 3),
])
def test_commands_pass_on_arguments_tier_and_exit_status(ready, arguments, says, code):
    done = call(ready, *arguments)
    assert (done.stdout, done.returncode) == (says + "\n", code)


def test_the_readers_tier_is_respected(ready):
    assert call(ready, "run", COLDREC_TIER="smoke").stdout == "run 00_start smoke\n"


def test_notebooks_get_jupyters_backend_and_utf8(ready):
    (ready.ROOT / "tools/run_lessons.py").write_text(
        "import os, sys; print(os.environ.get('MPLBACKEND'), sys.flags.utf8_mode)")
    assert call(ready, "run", MPLBACKEND="Agg", PYTHONUTF8="0").stdout == "None 1\n"


def test_stale_files_stop_the_test_command(ready):
    (ready.ROOT / "tools/build.py").write_text("raise SystemExit(1)", encoding="utf-8")
    done = call(ready, "test")
    assert (done.stdout, done.returncode) == ("", 1)


def test_without_assets_nothing_is_run(ready):
    trouble = 'import sys; sys.exit("ml-100k could not be fetched")'
    (ready.ROOT / "coldrec/assets.py").write_text(trouble, encoding="utf-8")
    done = call(ready, "run")
    assert done.returncode == 1 and done.stdout == "[4/4] Data and models\n"
    assert "ml-100k could not be fetched" in done.stderr and "Then run the same" in done.stderr


def test_a_complete_set_up_is_found_within_a_second(ready):
    seconds = []
    for _ in range(3):  # the best of three: other programs may be busy
        started = time.monotonic()
        assert call(ready, "run").stdout == "run 00_start cpu\n"
        seconds.append(time.monotonic() - started)
    assert min(seconds) < 1


def install(project, monkeypatch, fails_at=""):
    """Install with pip and venv replaced; return the steps that were taken."""
    steps = []

    def child(python, *arguments, output=None, **variables):
        what = "editable" if "--editable" in arguments else arguments[1]
        if what == "venv":
            venv.create(project.ROOT / arguments[2], symlinks=os.name != "nt")
            pip_of(project).touch()
            (project.ROOT / ".venv/made").touch()
        steps.append(what)
        if what == fails_at:
            if output:
                output.write(b"first\n" * 50 + b"No space left on device\n")
            return 1
        return 0

    monkeypatch.setattr(project, "child", child)
    monkeypatch.setattr(project.sys, "stdout", open(os.devnull, "w", encoding="utf-8"))
    project.install(project.venv_python(project.ROOT))
    return steps


def test_the_stamp_is_written_last_and_a_cut_short_install_starts_anew(project, monkeypatch):
    with pytest.raises(project.Stop) as stop:
        install(project, monkeypatch, fails_at="pip")
    assert "No space left on device\nThe packages could not be installed" in str(stop.value)
    assert len(str(stop.value).splitlines()) < 25
    assert project.stamped() == project.UNFINISHED
    made = project.ROOT / ".venv/made"
    made.write_text("old", encoding="utf-8")
    assert install(project, monkeypatch) == ["venv", "pip", "editable"]
    assert made.read_text(encoding="utf-8") == ""
    assert project.stamped() == project.fingerprint()


def test_a_changed_lock_updates_the_environment_in_place(ready, monkeypatch):
    (ready.ROOT / "requirements.lock").write_text("new", encoding="utf-8")
    assert ready.stamped() != ready.fingerprint()
    assert install(ready, monkeypatch) == ["pip", "editable"]
    assert ready.stamped() == ready.fingerprint()
    with pytest.raises(ready.Stop):
        install(ready, monkeypatch, fails_at="editable")
    assert ready.stamped() == ready.UNFINISHED


def test_a_moved_project_is_installed_again(project, tmp_path):
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("requirements.lock", "pyproject.toml"):
        (moved / name).write_bytes((project.ROOT / name).read_bytes())
    assert load(moved).fingerprint() != project.fingerprint()


@pytest.mark.parametrize("broken", ["pip", "python"])
def test_a_broken_environment_is_made_anew(ready, monkeypatch, broken):
    python = ready.venv_python(ready.ROOT)
    assert ready.usable(python)
    {"pip": pip_of(ready), "python": python}[broken].unlink()
    assert install(ready, monkeypatch) == ["venv", "pip", "editable"]


def test_without_ensurepip_debian_users_learn_the_package(project, monkeypatch):
    monkeypatch.setattr(project.importlib.util, "find_spec", lambda name: name != "ensurepip")
    with pytest.raises(project.Stop, match="no module ensurepip.*\n.*python3-venv"):
        install(project, monkeypatch)


def test_an_environment_in_use_is_reported(ready, monkeypatch):
    pip_of(ready).unlink()
    busy = PermissionError(13, "in use", "python.exe")
    monkeypatch.setattr(ready.shutil, "rmtree", lambda folder: (_ for _ in ()).throw(busy))
    with pytest.raises(ready.Stop, match="in use: 'python.exe'\nClose what uses it"):
        install(ready, monkeypatch)


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C can't be sent to one process on Windows")
def test_ctrl_c_ends_quietly(ready):
    (ready.ROOT / "tools/run_lessons.py").write_text(
        "import signal, time\nprint(signal.getsignal(signal.SIGINT), flush=True)\ntime.sleep(60)",
        encoding="utf-8")
    process = subprocess.Popen([sys.executable, "course.py", "run"], cwd=ready.ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    assert process.stdout.readline() == f"{signal.SIG_IGN}\n"  # else it could print a traceback
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert (out, err) == ("", "\nStopped. The same command goes on from there.\n")
