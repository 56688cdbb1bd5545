"""Write requirements.lock: one exact set of packages for every platform and Python we support.

    pip install uv
    python tools/lock.py              # keeps every pin that still fits pyproject.toml
    python tools/lock.py --upgrade    # takes the newest of everything but torch
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
TORCH = "torch==2.13.0"
HEAD = f"""{TORCH}
# Everything the course needs, at exact versions. Made from pyproject.toml by tools/lock.py.
# Not listed: the CUDA packages. torch itself pins those it needs, and its CPU build needs none.
"""
CUDA = re.compile(r"(nvidia-|cuda-|triton==)")


def main(options: list[str]) -> None:
    """Resolve the ``course`` extra with uv for all platforms, then drop torch's CUDA packages."""
    command = ["uv", "pip", "compile", "pyproject.toml", "--extra", "course", "--universal",
               "--python-version", "3.11", "--constraints", "-", "--output-file", LOCK.name,
               "--no-header", "--no-annotate", "--quiet", *options]
    subprocess.run(command, cwd=ROOT, input=TORCH, text=True, check=True)
    pins = [line for line in LOCK.read_text(encoding="utf-8").splitlines()
            if line != TORCH and not line.startswith("#") and not CUDA.match(line)]
    LOCK.write_text(HEAD + "\n".join(pins) + "\n", encoding="utf-8", newline="\n")
    print(f"{LOCK.name}: {len(pins) + 1} packages")


if __name__ == "__main__":
    main(sys.argv[1:])
