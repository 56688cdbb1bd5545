#!/usr/bin/env python3
"""The course's front door: one program sets up, opens, runs, measures and tests everything.

    python course.py lab                  open JupyterLab at the first lesson
    python course.py run [LESSON ...]     run lessons without a browser (00, 01_slug or all)
    python course.py measure [LESSON ...] measure the figures that need many seeds (resumable)
    python course.py test [--fast]        run what continuous integration runs
    python course.py doctor               say what is installed, what is missing, what to do

The first call makes .venv, installs the packages of requirements.lock and fetches data and models;
an interrupted call goes on where it stopped. A Linux computer gets torch with CUDA (several GB). To
get the small CPU build there, set PIP_EXTRA_INDEX_URL to the CPU address that pytorch.org's "Get
started" page shows, before the first call.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
STEPS = 4
LOG_LINES = 15
UNFINISHED = "unfinished"

NO_VENV = """This Python can't make a virtual environment: {}.
Debian and Ubuntu keep what it takes in a package of its own: sudo apt install python3-venv
Then run the same command again."""
NO_FOLDER = """.venv can't be made anew: {}
Close what uses it (JupyterLab, an editor, another terminal), then run the same command again."""
NO_PACKAGES = """The packages could not be installed: pip's own message above says why.
- No network, or a slow one? Run the same command again: what was downloaded is kept.
- Disk full? The packages take 2 GB, with CUDA about 8 GB.
- "No matching distribution ... torch": torch is made for Linux, Windows (x86-64) and macOS 14 or
  newer (Apple silicon). Elsewhere, open the lessons in Colab: README.md has the links."""
NO_ASSETS = """The course can't go on without its data and models: what to do stands above.
Then run the same command again: what was fetched is kept."""


class Stop(Exception):
    """Something the reader has to mend first; the message says what and how."""


def too_old(version: tuple) -> str:
    """Return what to tell people whose Python is too old, or nothing."""
    if tuple(version[:2]) >= OLDEST:
        return ""
    needed, found = (".".join(map(str, numbers[:3])) for numbers in (OLDEST, version))
    return (f"The course needs Python {needed} or newer; this is Python {found} "
            f"({sys.executable}). Install a newer one, or call one by name: "
            "python3.12 course.py")


def venv_python(root: Path, windows: bool = os.name == "nt") -> Path:
    """Return where the virtual environment's Python is."""
    return root / ".venv" / ("Scripts/python.exe" if windows else "bin/python")


def lessons(root: Path) -> list[str]:
    """Return the lessons' names (``00_slug``) in order."""
    return sorted({path.stem for end in ("py", "ipynb")
                   for path in (root / "notebooks").glob(f"[0-9][0-9]_*.{end}")})


def choose(asked: list[str], there: list[str]) -> list[str]:
    """Return the names of the lessons asked for: ``01``, ``01_slug``, a path to it, or ``all``."""
    chosen = []
    for word in asked:
        stem = Path(word).stem
        found = [name for name in there if stem in (name, name[:2], "all")]
        if not found:
            message = f"There is no lesson {word!r}; there are: {', '.join(there) or 'none'}."
            raise Stop(message)
        chosen += found
    return list(dict.fromkeys(chosen))


def child(python: Path, *arguments: str, output=None, **variables: str) -> int:
    """Run a Python in the project's folder and return its exit status; Ctrl-C ends it at once."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: no traceback from the child
    try:
        process = start(python, *arguments, output=output, **variables)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        while process.poll() is None:  # wait() would first give the child a quarter of a second
            time.sleep(0.02)
    except KeyboardInterrupt:
        process.kill()
        process.wait()
        raise
    return process.returncode


def start(python: Path, *arguments: str, output=None, **variables: str) -> subprocess.Popen:
    """Start a Python in the project's folder."""
    env = {**os.environ, "PYTHONUTF8": "1", **variables}
    env.pop("MPLBACKEND", None)  # notebooks draw with Jupyter's own
    return subprocess.Popen([str(python), *arguments], cwd=ROOT, env=env, stdout=output,
                            stderr=subprocess.STDOUT if output else None)


def step(number: int, what: str, advice: str, python: Path, *arguments: str) -> None:
    """Say what is done, do it, say how long it took; where it fails, say what to do."""
    print(f"[{number}/{STEPS}] {what}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryFile() as log:
        if child(python, *arguments, output=None if sys.stdout.isatty() else log):
            log.seek(0)
            last = log.read().decode("utf-8", "replace").splitlines()[-LOG_LINES:]
            raise Stop("\n".join([*last, advice]))
    took(started)


def took(started: float) -> None:
    """Say how long a step took."""
    print(f"      done in {time.monotonic() - started:.0f} s", flush=True)


def fingerprint() -> str:
    """Return a hash of all that decides what has to be installed, and where."""
    files = (ROOT / name for name in ("requirements.lock", "pyproject.toml"))
    parts = [str(ROOT).encode(), *(path.read_bytes() for path in files)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def stamp() -> Path:
    """Return the file that says what .venv holds: a fingerprint, or UNFINISHED."""
    return ROOT / ".venv" / "course-stamp.txt"


def stamped() -> str:
    """Return what the stamp says; nothing where there is none (a .venv that others made)."""
    return stamp().read_text(encoding="utf-8") if stamp().exists() else ""


def usable(python: Path) -> bool:
    """Say whether .venv can be gone on with: it has pip and a Python that starts and is new enough.

    One in which making or installing was cut short can't: files may be missing from any package.
    """
    probe = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    if stamped() == UNFINISHED or not python.exists():
        return False
    return subprocess.run([str(python), "-c", probe], capture_output=True).returncode == 0


def set_up() -> Path:
    """Put .venv, packages, data and models in place where they aren't; return .venv's Python."""
    python = venv_python(ROOT)
    assets = ("-m", "coldrec.assets")
    complete = stamped() == fingerprint() and python.exists()
    if complete and child(python, *assets, output=subprocess.DEVNULL, COLDREC_OFFLINE="1") == 0:
        return python
    if not (complete and usable(python)):
        install(python)
    print(f"[4/{STEPS}] Data and models", flush=True)
    started = time.monotonic()
    if child(python, *assets):
        raise Stop(NO_ASSETS)
    took(started)
    return python


def install(python: Path) -> None:
    """Make .venv unless there is one to go on with, and install the packages."""
    if usable(python):
        print(f"[1/{STEPS}] .venv is there", flush=True)
        stamp().write_text(UNFINISHED, encoding="utf-8")
    else:
        make_venv()
    pip = ("-m", "pip", "install", "--no-input", "--disable-pip-version-check")
    step(2, "Installing packages (about 2 GB; some minutes)", NO_PACKAGES,
         python, *pip, "--requirement", "requirements.lock")
    step(3, "Installing coldrec itself", NO_PACKAGES,
         python, *pip, "--no-deps", "--no-build-isolation", "--editable", ".")
    stamp().write_text(fingerprint(), encoding="utf-8")


def make_venv() -> None:
    """Make .venv anew."""
    for module in ("venv", "ensurepip"):
        if not importlib.util.find_spec(module):
            raise Stop(NO_VENV.format(f"it has no module {module}"))
    python = getattr(sys, "_base_executable", sys.executable)  # this one may be .venv's own
    folder = stamp().parent
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
    except OSError as error:
        raise Stop(NO_FOLDER.format(error)) from None
    stamp().write_text(UNFINISHED, encoding="utf-8")
    step(1, "Making .venv, where everything is installed", NO_VENV.format("see above"),
         Path(python), "-m", "venv", folder.name)


def lab() -> int:
    """Open JupyterLab at the first lesson."""
    first = lessons(ROOT)[0]
    options = [f"--ServerApp.root_dir={ROOT}",
               f"--LabApp.default_url=/lab/tree/notebooks/{first}.ipynb"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container; Jupyter refuses otherwise
        options.append("--allow-root")
    process = start(set_up(), "-m", "jupyterlab", *options)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # JupyterLab got it too, and asks whether it shall end
            pass


def run(asked: list[str]) -> int:
    """Run lessons without a browser; what they show goes to build/."""
    names = choose(asked or ["00"], lessons(ROOT))
    tier = os.environ.get("COLDREC_TIER") or "cpu"
    return child(set_up(), "-m", "tools.run_lessons", *names, COLDREC_TIER=tier)


def measure(asked: list[str]) -> int:
    """Measure what needs many seeds; a second call goes on where the first one stopped."""
    names = choose(asked, lessons(ROOT))
    return child(set_up(), "tools/measure.py", *(name[:2] for name in names))


def test(fast: bool) -> int:
    """Check that derived files are up to date, then run tests and, unless fast, all notebooks."""
    python = set_up()
    stale = child(python, "tools/build.py", "--check")
    if stale:
        return stale
    folders = [folder for folder in ("notebooks", "exercises", "solutions")
               if any((ROOT / folder).glob("*.ipynb"))]
    arguments = ["-m", "pytest", "tests"]
    if fast:
        arguments += ["-m", "not slow and not browser and not network and not pykeen"]
    elif folders:
        arguments += ["--nbmake", "--nbmake-timeout=600", *folders]
    return child(python, *arguments, COLDREC_TIER="smoke")


def doctor() -> int:
    """Say what is installed and what to do about what is not; change nothing."""
    python = venv_python(ROOT)
    if not usable(python):
        print("The course is not set up here: .venv is missing or broken.\n"
              "What to do: python course.py run   (makes it, then runs the first lesson)")
        return 1
    if stamped() != fingerprint():
        print("Setting up was interrupted, or the course has changed since.\n"
              "What to do: python course.py run   (goes on from there)\n", flush=True)
    return child(python, "-m", "coldrec.doctor")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line; without a command, print the help and end."""
    parser = argparse.ArgumentParser(
        prog="python course.py", usage="%(prog)s COMMAND", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", help=argparse.SUPPRESS)
    for function in (lab, run, measure, test, doctor):
        about = function.__doc__.partition("\n")[0]
        command = commands.add_parser(function.__name__, description=about)
        command.set_defaults(function=function)
        if function in (run, measure):
            command.add_argument("asked", metavar="LESSON", nargs="*",
                                 help="00, 01_slug or all" + " (default: 00)" * (function is run))
        if function is test:
            command.add_argument("--fast", action="store_true",
                                 help="leave out the notebooks and the slow tests")
    asked = parser.parse_args(arguments)
    if not asked.command:
        parser.print_help()
        parser.exit()
    return asked


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks for and return the exit status."""
    if too_old(sys.version_info):
        print(too_old(sys.version_info), file=sys.stderr)
        return 1
    options = vars(parse(arguments))
    options.pop("command")
    try:
        return options.pop("function")(**options)
    except Stop as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from there.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
