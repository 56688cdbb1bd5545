"""Importing: quick, without side effects, and downward only."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import coldrec

ROOT = Path(__file__).parents[1]
PACKAGE = Path(coldrec.__file__).parent
HEAVY = {"torch", "transformers", "pandas", "matplotlib", "sklearn", "scipy", "numpy", "IPython"}

# The rooms of the house, from the ground up: a module may import its own floor and those below.
FLOORS = [
    {"_registry", "_fetch", "runtime", "assets"},
    {"validation", "data", "splits", "metrics"},
    {"views", "graph"},
    {"models", "language", "retrieval"},
    {"rating"},
    {"evaluation"},
    {"plots", "lesson", "checks", "doctor"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
STAIRS = {("views", "language")}  # views.text is the one door to the encoder, opened on use


def in_a_fresh_process(code, **environment):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_import_takes_less_than_half_a_second():
    code = ("import time; start = time.perf_counter(); import coldrec\n"
            "print(time.perf_counter() - start)")
    assert min(in_a_fresh_process(code) for _ in range(3)) < 0.5


def test_import_loads_nothing_heavy():
    code = "import json, sys, coldrec; print(json.dumps([m for m in sys.modules]))"
    assert not HEAVY & set(in_a_fresh_process(code))


def test_using_the_core_loads_neither_torch_nor_transformers():
    """All public names, and a whole run from data to judgement."""
    code = ("import json, sys, coldrec as cr\n"
            "for name in cr.__all__: getattr(cr, name)\n"
            "split = cr.splits.item_cold(cr.load('shop'))\n"
            "cr.evaluate(cr.models.Content().fit(split.train), split)\n"
            "print(json.dumps([m for m in sys.modules]))")
    assert not {"torch", "transformers", "datasets", "peft"} & set(in_a_fresh_process(code))


def test_importing_touches_neither_network_nor_disk_nor_the_settings(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    code = ("import importlib, json, pkgutil, socket\n"
            "def refuse(*args, **kwargs): raise AssertionError('the network was used')\n"
            "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
            "import coldrec\n"
            "names = [m.name for m in pkgutil.walk_packages(coldrec.__path__, 'coldrec.')]\n"
            "for name in names: importlib.import_module(name)\n"
            "print(json.dumps(names))")
    names = in_a_fresh_process(code, HOME=str(home), USERPROFILE=str(home), COLDREC_TIER="nonsense",
                               COLDREC_HOME=str(home / "cache"), XDG_CACHE_HOME=str(home / "xdg"),
                               MPLCONFIGDIR=str(tmp_path / "mpl"))
    assert "coldrec.models.ridge" in names
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", coldrec.__all__)
def test_every_public_name_is_there(name):
    assert getattr(coldrec, name) is not None
    assert name in dir(coldrec)
    home = coldrec._HOME.get(name)
    if home:
        module = sys.modules[f"coldrec.{home}"]
        assert getattr(coldrec, name) is getattr(module, name)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(AttributeError, match="coldrec has no 'evalute'; it has .*evaluate"):
        coldrec.evalute  # noqa: B018
    assert not hasattr(coldrec, "nothing")


def room_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def rooms_imported(tree):
    """The rooms that a module imports anywhere, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write the import out, coldrec.MODULE"
            names = ([f"coldrec.{alias.name}" for alias in node.names]
                     if node.module == "coldrec" else [node.module])
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("coldrec."))


def test_every_room_has_a_floor_and_imports_point_downward():
    modules = {path: ast.parse(path.read_text(encoding="utf-8"))
               for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"}
    assert {room_of(path) for path in modules} == set(FLOOR)
    upward = {(room_of(path), other) for path, tree in modules.items()
              for other in rooms_imported(tree) if FLOOR[other] > FLOOR[room_of(path)]}
    assert upward == STAIRS
