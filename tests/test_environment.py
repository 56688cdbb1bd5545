"""What is declared in several places must agree: bounds, pins, licences, the public address."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OPT_IN = ("browser", "peers")  # extras that the course doesn't install
NOT_ON_COLAB = {"faiss-cpu", "gguf", "hatchling", "hypothesis", "jupyterlab", "nbmake", "optuna",
                "tensorboard"}  # the last may be there, with TensorFlow; nothing needs it
NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib",
         "huggingface_hub": "huggingface-hub"}  # on conda-forge: on PyPI
PLATFORMS = {
    "linux": {"sys_platform": "linux", "os_name": "posix", "platform_machine": "x86_64"},
    "macos": {"sys_platform": "darwin", "os_name": "posix", "platform_machine": "arm64"},
    "windows": {"sys_platform": "win32", "os_name": "nt", "platform_machine": "AMD64"},
}
PYTHONS = ("3.11.2", "3.11.7", "3.12.0", "3.13.0")  # Debian 12 has 3.11.2
ADDRESS = re.compile(r"(?:github(?:usercontent)?\.com|/github)/([\w.-]+/[\w-]*coldrec[\w-]*)")
MACHINE = re.compile(r"(?<![\w/+=.~-])[/](?:root|work|tmp|opt)/\w|[/](?:home|Users)/[a-z]\w*/"
                     r"|[A-Z]:\\+Users\\")
REGISTRY = re.compile(r"pypi\.[o]rg/(?:simple|pypi)|files\.python[h]osted|download\.py[t]orch"
                      r"|registry\.np[m]js|(?:extra-|-)index-url[ =]*http")


def declared() -> dict[str, Requirement]:
    """Return every requirement of the course in pyproject.toml by its name."""
    extras = PROJECT["project"]["optional-dependencies"]
    lines = [*PROJECT["project"]["dependencies"],
             *(line for extra, lines in extras.items() if extra not in ("course", *OPT_IN)
               for line in lines)]
    return {requirement.name: requirement for requirement in map(Requirement, lines)}


def pins(path: Path) -> list[Requirement]:
    """Return the requirements of a file, which must all be exact."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines()
             if line and not line.startswith("#")]
    found = [Requirement(line) for line in lines]
    for requirement in found:
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
    return found


def version(requirement: Requirement) -> str:
    return next(iter(requirement.specifier)).version


def repository_files() -> list[Path]:
    """Return the files that git has, or would have: all but the ignored ones."""
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    if found.returncode:
        pytest.skip("not a git checkout, so which files belong to it is unknown")
    return [ROOT / name for name in found.stdout.split("\0") if name and (ROOT / name).is_file()]


def words(path: Path) -> str:
    """Return a file's text, without a notebook's encoded pictures; nothing for a binary file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
    return re.sub(r'"image/(?:png|jpeg)": "[^"]*"', "", text)


def test_course_extra_holds_all_the_others_but_those_to_ask_for():
    extras = PROJECT["project"]["optional-dependencies"]
    others = ",".join(name for name in extras if name not in ("course", *OPT_IN))
    assert extras["course"] == [f"coldrec[{others}]"]


def test_all_bounds_are_lower_bounds():
    for requirement in declared().values():
        assert [spec.operator for spec in requirement.specifier] == [">="], requirement


def test_conda_environment_has_the_same_bounds():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *lines, last = conda["dependencies"]
    assert conda["channels"] == ["conda-forge", "nodefaults"]
    assert last["pip"][-1] == "-e ."
    lines = [*lines, *last["pip"][:-1]]
    assert lines[0] == f"python{PROJECT['project']['requires-python']}" and "pip" in lines
    found = [Requirement(line) for line in lines[1:] if line != "pip"]
    assert {NAMES.get(found.name, found.name): found.specifier for found in found} == {
        name: requirement.specifier for name, requirement in declared().items()}


def test_colab_satisfies_every_bound():
    colab = {pin.name: version(pin) for pin in pins(ROOT / "tests/colab-versions.txt")}
    needed = declared()
    assert set(needed) - set(colab) == NOT_ON_COLAB
    for name in set(needed) - NOT_ON_COLAB:
        assert needed[name].specifier.contains(colab[name]), (needed[name], colab[name])


def test_lock_has_torch_first_and_no_local_versions():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert text.startswith("torch==2.13.0\n")
    assert "+" not in text and "@" not in text and "://" not in text


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_lock_pins_each_package_once_within_its_bound(platform, python):
    here = {**PLATFORMS[platform], "python_full_version": python, "python_version": python[:4],
            "implementation_name": "cpython"}
    locked = {}
    for pin in pins(ROOT / "requirements.lock"):
        if pin.marker is None or pin.marker.evaluate(here):
            assert canonicalize_name(pin.name) not in locked, pin
            locked[canonicalize_name(pin.name)] = version(pin)
    for name, requirement in declared().items():
        assert requirement.specifier.contains(locked[name]), (requirement, locked[name])


def test_lock_installs_what_only_one_platform_has_only_there():
    markers = {pin.name: pin.marker for pin in pins(ROOT / "requirements.lock")}
    for name, platform in {"appnope": "darwin", "colorama": "win32"}.items():
        assert markers[name] == Marker(f"sys_platform == '{platform}'")
    assert not [name for name in markers if re.match("nvidia|cuda|triton", name)]


def test_every_import_of_the_package_is_declared():
    """An import inside a function counts, one that only a type checker sees as well."""
    imports = {"faiss": "faiss-cpu", "sklearn": "scikit-learn", "yaml": "pyyaml"}
    known = {canonicalize_name(name) for name in declared()} | {
        "coldrec", "ipython", "wandb"}  # the last is used where a reader has it
    for path in (ROOT / "coldrec").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in {name.partition(".")[0] for name in names} - sys.stdlib_module_names:
                wanted = canonicalize_name(imports.get(name, name))
                assert wanted in known, f"{path.name} imports {name}: declare it in pyproject.toml"


def test_package_versions_agree():
    import coldrec

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["project"]["version"] == coldrec.__version__ == citation["version"]


def test_wheel_holds_the_package_and_the_shop_and_nothing_else(tmp_path):
    done = subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d",
                           str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert {name.partition("/")[0] for name in names} == {"coldrec", "coldrec-0.1.0.dist-info"}
    for table in ("products", "reviews", "users"):
        assert f"coldrec/shipped/shop/{table}.csv" in names
    assert "coldrec-0.1.0.dist-info/licenses/LICENSE" in names


def test_public_address_is_made_from_the_setting():
    repository = PROJECT["tool"]["coldrec"]["repository"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == f"https://github.com/{repository}"
    for path in repository_files():
        text = words(path)
        name = path.relative_to(ROOT).as_posix()
        assert set(ADDRESS.findall(text)) <= {repository}, name
        if repository in text:
            made = name.endswith(".ipynb") or name in ("README.md", "CITATION.cff")
            assert made or name == "pyproject.toml", f"{name}: take the address from pyproject.toml"


@pytest.mark.parametrize("address", [
    "https://github.com/a/{}", "git+https://github.com/a/{}.git", "git@github.com/a/{}",
    "https://colab.research.google.com/github/a/{}/blob/main/notebooks/x.ipynb",
    "https://raw.githubusercontent.com/a/{}/main/x.png"])
def test_an_address_is_recognised(address):
    assert ADDRESS.findall(address.format("coldrec")) == ["a/coldrec"]


def test_no_file_names_a_machine_or_a_registry():
    for path in repository_files():
        text = words(path)
        for pattern in (MACHINE, REGISTRY):
            found = pattern.search(text)
            assert not found, f"{path.relative_to(ROOT)}: {found[0]!r}"


@pytest.mark.parametrize("text", [
    'open("/ro' + 'ot/x")', "/ho" + "me/ann/course", "C:\\Us" + "ers\\ann", "see /t" + "mp/x",
    "https://py" + "pi.org/simple", "--extra-in" + "dex-url https://x"])
def test_machine_paths_and_registries_are_recognised(text):
    assert MACHINE.search(text) or REGISTRY.search(text)


def test_workflow_runs_the_front_door_on_three_systems_and_both_bounds():
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    course, bounds = (workflow["jobs"][job] for job in ("course", "bounds"))
    assert course["steps"][-1] == {"run": "python course.py test"}
    systems = {system.partition("-")[0] for system in course["strategy"]["matrix"]["os"]}
    assert systems == {"ubuntu", "macos", "windows"}
    lanes = {lane["name"]: lane for lane in bounds["strategy"]["matrix"]["include"]}
    assert set(lanes) == {"oldest", "newest", "colab"}
    assert lanes["oldest"]["python"] == PROJECT["project"]["requires-python"].removeprefix(">=")
    for action in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"actions/[\w-]+@v\d+", action), action


def test_issue_form_asks_for_the_doctor():
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/bug.yml").read_text(encoding="utf-8"))
    assert [field["id"] for field in form["body"]] == ["lesson", "happened", "doctor"]
    assert "python course.py doctor" in json.dumps(form)
