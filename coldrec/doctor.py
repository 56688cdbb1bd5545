"""What this machine has, whether that is enough for the course, and what to do where it isn't."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from dataclasses import dataclass

from coldrec import assets, runtime

LEAST_DISK, LEAST_MEMORY = 3e9, 6e9  # bytes
EXTRAS = ("", "llm", "lab", "test")
NEEDED = ("", "llm")  # lessons import from these; of the others, only too old a version is wrong


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name, what was found, and what to do (empty where all is well)."""

    name: str
    found: str
    advice: str = ""


def report() -> list[Finding]:
    """Look at everything and return what was found, in the order in which it is printed."""
    offline = "set: nothing is fetched" if assets.offline() else "not set"
    return [
        Finding("Python", f"{platform.python_version()} ({sys.executable})"),
        Finding("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        Finding("cores", str(os.cpu_count())),
        _memory(),
        _device(),
        _tier(),
        *_packages(),
        _cache(),
        Finding("COLDREC_OFFLINE", offline),
        *(_asset(asset) for asset in assets.REGISTRY.values()),
    ]


def _memory() -> Finding:
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return Finding("memory", "unknown")
    advice = (f"The lessons count on {_gb(LEAST_MEMORY)}: close other programs, or set "
              "COLDREC_TIER=smoke for tiny sizes.")
    return Finding("memory", _gb(total), advice if total < LEAST_MEMORY else "")


def _device() -> Finding:
    try:
        found = runtime.device()
        if found == "cuda":
            import torch

            card = torch.cuda.get_device_properties(0)
            found += f" ({card.name}, {_gb(card.total_memory)})"
    except (ImportError, OSError) as error:  # installed, but a library that it needs isn't
        return Finding("device", f"torch can't be loaded ({error})",
                       "Install it again: python -m pip install --force-reinstall torch")
    return Finding("device", found)


def _tier() -> Finding:
    try:
        return Finding("tier", runtime.tier())
    except ValueError as error:
        return Finding("tier", "unknown", str(error))
    except (ImportError, OSError):  # torch again: the device's finding says what to do
        return Finding("tier", "unknown")


def _packages() -> list[Finding]:
    """Compare what is installed with the lower bounds that the package declares."""
    try:
        from packaging.requirements import Requirement

        declared = [Requirement(text) for text in importlib.metadata.requires("coldrec") or []]
    except (ImportError, importlib.metadata.PackageNotFoundError) as error:
        return [Finding("packages", f"unknown ({error})",
                        "Install the course: python -m pip install -e . (in its folder)")]
    fine, wrong = [f"coldrec {importlib.metadata.version('coldrec')}"], []
    for need in declared:
        extra = next((extra for extra in EXTRAS
                      if not need.marker or need.marker.evaluate({"extra": extra})), None)
        if extra is None:  # for another system, or the extra that only names the others
            continue
        bound = f"{need.name}{need.specifier}"
        install = f'python -m pip install "{bound}"'
        try:
            version = importlib.metadata.version(need.name)
        except importlib.metadata.PackageNotFoundError:
            if extra in NEEDED:
                wrong.append(Finding(need.name, "not installed", install))
            continue
        if need.specifier.contains(version, prereleases=True):
            fine.append(f"{need.name} {version}")
        else:
            wrong.append(Finding(need.name, f"{version}, but the course needs {bound}", install))
    return [Finding("packages", ", ".join(fine)), *wrong]


def _cache() -> Finding:
    try:
        free = assets.free()
    except OSError as error:
        return Finding("cache", f"{assets.home()}: {error}",
                       "Set COLDREC_HOME to a folder that you can write to.")
    advice = (f"The course wants {_gb(LEAST_DISK)}: make room, or set COLDREC_HOME to a folder "
              "on another disk.")
    return Finding("cache", f"{assets.home()} ({_gb(free)} free on its disk)",
                   advice if free < LEAST_DISK else "")


def _asset(asset: assets.Asset) -> Finding:
    try:
        state = assets.state(asset.name)
    except OSError as error:
        return Finding(asset.name, f"can't be read ({error})",
                       "Set COLDREC_HOME to a folder that you can read and write.")
    advice = f"Fetch it: python -m coldrec.assets {asset.name}"
    if assets.offline():
        advice += " (after unsetting COLDREC_OFFLINE)"
    return Finding(asset.name, f"{state}, {asset.bytes / 1e6:,.1f} MB, {asset.about}",
                   "" if state == "ready" else advice)


def _gb(count: float) -> str:
    return f"{count / 1e9:,.1f} GB"


def main() -> int:
    """Print the report; return 0 when all is well and 1 when something needs doing."""
    findings = report()
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        print(f"{finding.name:{width}}  {finding.found}")
        if finding.advice:
            print(f"{'':{width}}  -> {finding.advice}")
    to_do = sum(bool(finding.advice) for finding in findings)
    print(f"\nTo do: {to_do}, each marked with ->" if to_do else "\nAll is well.")
    return int(to_do > 0)


if __name__ == "__main__":
    sys.exit(main())
