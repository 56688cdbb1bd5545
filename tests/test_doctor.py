"""The doctor: no advice when all is well, one line of advice for each thing that isn't."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import pytest

from coldrec import assets, doctor, runtime

Disk = namedtuple("Disk", "total used free")
CONTENT = b"a toy"
INSTALLED = {"coldrec": "0.1.0", "numpy": "2.1.3", "torch": "2.13.0+cpu", "jupyterlab": "4.4.1"}
DECLARED = ["numpy>=2.0", 'torch>=2.9; extra == "llm"', 'jupyterlab>=4.4; extra == "lab"',
            'coldrec[lab,llm]; extra == "course"', 'winonly>=1; sys_platform == "nowhere"']


@pytest.fixture(autouse=True)
def healthy(tmp_path, monkeypatch) -> Path:
    """Make this a machine on which all is well; return the folder of its only asset."""
    for name in ("COLDREC_OFFLINE", "COLDREC_TIER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLDREC_HOME", str(tmp_path))
    digest = hashlib.sha256(CONTENT).hexdigest()
    source = assets.Source("files", "", {"toy.txt": ("toy.txt", digest)})
    toy = assets.Asset("toy", (source,), "none", "a toy for tests", 1_500_000)
    monkeypatch.setattr(assets, "REGISTRY", {"toy": toy})
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "toy.txt").write_bytes(CONTENT)
    monkeypatch.setattr(shutil, "disk_usage", disk(9e12))
    memory = {"SC_PHYS_PAGES": 4e6, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", memory.get, raising=False)
    monkeypatch.setattr(runtime, "device", lambda: "cpu")
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: DECLARED)
    installed(monkeypatch)
    return tmp_path / "toy"


def disk(free):
    def usage(path):
        os.stat(path)  # a path that doesn't exist is an error, as it really is
        return Disk(9e12, 9e12 - free, free)
    return usage


def installed(monkeypatch, **changes):
    versions = INSTALLED | changes

    def version(name):
        if not versions.get(name):
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "version", version)


def advice(capsys) -> str:
    """Run the doctor, who must find exactly one thing to do; return the two lines about it."""
    assert doctor.main() == 1
    out = capsys.readouterr().out
    assert out.endswith("\nTo do: 1, each marked with ->\n")
    lines = out.splitlines()
    at = next(n for n, line in enumerate(lines) if "  -> " in line)
    return " ".join(" ".join(lines[at - 1:at + 1]).split())


def found(name: str) -> str:
    return next(finding.found for finding in doctor.report() if finding.name == name)


def test_all_is_well(capsys, tmp_path):
    assert doctor.main() == 0
    out = capsys.readouterr().out
    assert out.endswith("\nAll is well.\n")
    assert "->" not in out
    for name in ("Python", "system", "cores", "memory", "device", "tier", "packages", "cache",
                 "COLDREC_OFFLINE"):
        assert f"\n{name} " in f"\n{out}"
    assert " coldrec 0.1.0, numpy 2.1.3, torch 2.13.0+cpu, jupyterlab 4.4.1\n" in out
    assert f"{tmp_path} (9,000.0 GB free on its disk)" in out
    assert "ready, 1.5 MB, a toy for tests" in out
    assert found("memory") == "16.4 GB"


def test_a_missing_asset(healthy, capsys, monkeypatch):
    (healthy / "toy.txt").unlink()
    assert advice(capsys) == ("toy missing, 1.5 MB, a toy for tests "
                              "-> Fetch it: python -m coldrec.assets toy")
    monkeypatch.setenv("COLDREC_OFFLINE", "1")
    assert advice(capsys).endswith("toy (after unsetting COLDREC_OFFLINE)")
    assert found("COLDREC_OFFLINE") == "set: nothing is fetched"


def test_a_corrupt_asset(healthy, capsys):
    (healthy / "toy.txt").write_bytes(b"not a toy")
    assert advice(capsys).startswith("toy corrupt, 1.5 MB")


@pytest.mark.parametrize(("package", "install"), [
    ("numpy", "numpy>=2.0"), ("torch", "torch>=2.9")])
def test_a_missing_package(capsys, monkeypatch, package, install):
    installed(monkeypatch, **{package: None})
    assert advice(capsys) == f'{package} not installed -> python -m pip install "{install}"'


def test_only_what_lessons_import_must_be_there(monkeypatch):
    installed(monkeypatch, jupyterlab=None)
    assert doctor.main() == 0
    assert "jupyterlab" not in found("packages")


@pytest.mark.parametrize(("package", "version", "bound"), [
    ("numpy", "1.26.4", "numpy>=2.0"), ("jupyterlab", "4.3.9", "jupyterlab>=4.4")])
def test_a_package_that_is_too_old(capsys, monkeypatch, package, version, bound):
    installed(monkeypatch, **{package: version})
    assert advice(capsys) == (f"{package} {version}, but the course needs {bound} "
                              f'-> python -m pip install "{bound}"')


def test_a_pre_release_is_new_enough(monkeypatch):
    installed(monkeypatch, numpy="2.2.0rc1")
    assert doctor.main() == 0


def test_a_course_that_is_not_installed(capsys, monkeypatch):
    def requires(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert "coldrec) -> Install the course: python -m pip install -e ." in advice(capsys)


def test_little_disk(capsys, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", disk(2.9e9))
    assert "2.9 GB free on its disk) -> The course wants 3.0 GB: make room" in advice(capsys)


def test_a_cache_that_does_not_exist_yet(tmp_path, monkeypatch):
    monkeypatch.setenv("COLDREC_HOME", str(tmp_path / "not" / "yet"))
    assert found("cache").startswith(str(tmp_path / "not" / "yet") + " (")


def test_a_cache_that_can_not_be_read(capsys, monkeypatch):
    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    assert "Permission denied -> Set COLDREC_HOME to a folder that you can" in advice(capsys)
    monkeypatch.undo()
    monkeypatch.setattr(assets, "state", refuse)
    finding = doctor._asset(assets.REGISTRY["minilm"])
    assert (finding.found, finding.advice[:16]) == (
        "can't be read ([Errno 13] Permission denied)", "Set COLDREC_HOME")


def test_little_memory(capsys, monkeypatch):
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1e6, "SC_PAGE_SIZE": 4096}.get,
                        raising=False)
    assert advice(capsys).startswith("memory 4.1 GB -> The lessons count on 6.0 GB: close")


def test_a_system_that_does_not_tell_its_memory(monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    assert found("memory") == "unknown"
    assert doctor.main() == 0


def test_a_wrong_tier(capsys, monkeypatch):
    monkeypatch.setenv("COLDREC_TIER", "huge")
    assert "COLDREC_TIER is 'huge'" in advice(capsys)


def test_a_gpu_is_named(monkeypatch):
    card = SimpleNamespace(name="Tesla T4", total_memory=15.8e9)
    cuda = SimpleNamespace(get_device_properties=lambda index: card)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(runtime, "device", lambda: "cuda")
    assert found("device") == "cuda (Tesla T4, 15.8 GB)"
    assert found("tier") == "gpu"


def test_a_torch_that_can_not_be_loaded(capsys, monkeypatch):
    def device():
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(runtime, "device", device)
    assert "libgomp.so.1: cannot open shared object file) -> Install it again" in advice(capsys)


def test_the_command(tmp_path):
    done = subprocess.run([sys.executable, "-m", "coldrec.doctor"], capture_output=True, text=True,
                          env=os.environ | {"COLDREC_HOME": str(tmp_path / "empty"), "PYTHONPATH":
                                            str(Path(doctor.__file__).parents[1])})
    assert done.returncode == 1
    assert "-> Fetch it: python -m coldrec.assets ml-100k\n" in done.stdout
    assert done.stderr == ""
