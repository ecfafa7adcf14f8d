"""The downloader against servers on this machine: good ones, and those that cut, stall, ignore or send something else."""

import hashlib
import http.server
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from filelock import FileLock

from minires import files
from minires.data import cifar, download
from minires.data.download import fetch

ROOT = Path(__file__).parents[1]
CONTENT = bytes(range(256)) * 2000  # 512,000 bytes
ARCHIVES = {hashlib.md5(CONTENT).hexdigest(): "images.tar.gz"}
QUICK = {"timeout": 1, "pause": 0.01}


class Server:
    """A server on its own port. It records requests, and its attributes set what it does."""

    def __init__(self, content=CONTENT, *, ranges=True, cut=None, cuts=0, status=None, pause=0, stall=None, length=True,
                 kind=None, hang=0, gate=None):  # fmt: skip
        self.content = content
        self.ranges = ranges
        self.cut = cut
        self.cuts = cuts
        self.status = status
        self.pause, self.stall, self.length, self.asked, self.sent = pause, stall, length, [], 0
        self.kind, self.hang, self.gate = kind, hang, gate
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/images.tar.gz"

    def answer(self, request):
        wanted = request.headers.get("Range")
        self.asked.append(wanted)
        if self.status:
            request.send_error(self.status)
            return
        start = int(wanted[6:-1]) if wanted and self.ranges else 0
        if start > len(self.content):
            request.send_error(416)
            return
        body = self.content[start:]
        request.send_response(206 if wanted and self.ranges else 200)
        if self.kind:
            request.send_header("Content-Type", self.kind)
        if self.length:
            request.send_header("Content-Length", str(len(body)))
        if wanted and self.ranges:
            request.send_header(
                "Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
            )
        request.end_headers()
        hang = 0
        if self.cuts:
            self.cuts -= 1
            body, hang = body[: self.cut], self.hang
        step = 50_000 if self.pause or self.gate else len(body) or 1
        for i in range(0, len(body), step):
            time.sleep(self.pause)
            try:
                request.wfile.write(body[i : i + step])
            except OSError:
                return
            self.sent += len(body[i : i + step])
            if self.gate:  # the first piece goes through
                self.gate.wait()
            if self.stall:
                time.sleep(self.stall)
        time.sleep(hang)


@pytest.fixture
def serve():
    servers = []

    def start(*arguments, **options):
        servers.append(Server(*arguments, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIRES_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_file_is_fetched_once_and_then_found(serve, cache):
    server = serve()
    assert fetch([server.url], ARCHIVES) == cache / "images.tar.gz"
    assert (cache / "images.tar.gz").read_bytes() == CONTENT and names(cache) == ["images.tar.gz"]
    assert fetch([server.url], ARCHIVES) == cache / "images.tar.gz" and server.asked == [None]


def test_any_of_the_archives_will_do_and_gets_its_name_from_its_checksum(serve, cache):
    other = serve(b"the other version")
    archives = {**ARCHIVES, hashlib.md5(b"the other version").hexdigest(): "other.tar.gz"}
    assert fetch([other.url], archives) == cache / "other.tar.gz"
    assert fetch([], archives) == cache / "other.tar.gz"


@pytest.mark.parametrize("length", [True, False])
def test_a_connection_that_is_cut_is_taken_up_where_it_was_cut(serve, cache, length):
    server = serve(cut=100_000, cuts=3, length=length)
    if length:
        fetch([server.url], ARCHIVES, **QUICK)
        assert server.asked == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]
        assert (cache / "images.tar.gz").read_bytes() == CONTENT
    else:  # a server that tells no length: the checksum shows that something is missing
        with pytest.raises(ConnectionError, match="it is a different file .100,000 bytes"):
            fetch([server.url], ARCHIVES, **QUICK)


def test_many_cuts_are_borne_as_long_as_something_comes(serve, cache):
    server = serve(cut=40_000, cuts=12)
    fetch([server.url], ARCHIVES, **QUICK, tries=2)
    assert len(server.asked) == 13 and (cache / "images.tar.gz").read_bytes() == CONTENT


def test_a_source_that_brings_nothing_is_given_up_for_the_next(serve):
    dead, good = serve(cut=0, cuts=99), serve()
    fetch([dead.url, good.url], ARCHIVES, **QUICK, tries=3)
    assert len(dead.asked) == 3 and len(good.asked) == 1


def test_what_one_source_sent_the_next_one_goes_on_with(serve, cache):
    weak, good = serve(cut=100_000, cuts=1), serve()
    weak.status = None
    original = weak.answer
    weak.answer = lambda request: (original(request), setattr(weak, "status", 404))
    fetch([weak.url, good.url], ARCHIVES, **QUICK)
    assert good.asked == ["bytes=100000-"] and (cache / "images.tar.gz").read_bytes() == CONTENT


def test_what_a_source_sent_under_another_name_goes_once_the_file_is_there(serve, cache):
    weak, good = serve(cut=100_000, cuts=1), serve()
    original = weak.answer
    weak.answer = lambda request: (original(request), setattr(weak, "status", 404))
    other = weak.url.replace("images.tar.gz", "other.tar.gz")
    fetch([other, good.url], ARCHIVES, **QUICK)
    assert good.asked == [None] and (cache / "images.tar.gz").read_bytes() == CONTENT
    assert not list(cache.glob("*.part"))


def test_a_server_without_ranges_begins_again(serve, cache):
    server = serve(ranges=False, cut=100_000, cuts=1)
    fetch([server.url], ARCHIVES, **QUICK)
    assert (
        server.asked == [None, "bytes=100000-"]
        and (cache / "images.tar.gz").read_bytes() == CONTENT
    )


def test_a_download_that_was_killed_is_gone_on_with(serve, cache):
    cache.mkdir()
    (cache / "images.tar.gz.part").write_bytes(CONTENT[:300_000])
    server = serve()
    fetch([server.url], ARCHIVES)
    assert server.asked == ["bytes=300000-"] and (cache / "images.tar.gz").read_bytes() == CONTENT


def test_one_that_was_killed_at_its_very_end_is_not_fetched_again(serve, cache):
    cache.mkdir()
    (cache / "images.tar.gz.part").write_bytes(CONTENT)
    assert fetch([serve(status=500).url], ARCHIVES).read_bytes() == CONTENT


def test_a_remnant_longer_than_the_file_is_thrown_away(serve, cache):
    cache.mkdir()
    (cache / "images.tar.gz.part").write_bytes(CONTENT + b"more")
    server = serve()
    fetch([server.url], ARCHIVES, **QUICK)
    assert (
        server.asked == [f"bytes={len(CONTENT) + 4}-", None]
        and (cache / "images.tar.gz").read_bytes() == CONTENT
    )


def test_a_remnant_of_something_else_is_found_out_by_the_checksum(serve, cache):
    cache.mkdir()
    (cache / "images.tar.gz.part").write_bytes(b"x" * 1000)
    first, second = serve(), serve()
    fetch([first.url, second.url], ARCHIVES, **QUICK)
    assert second.asked == [None] and (cache / "images.tar.gz").read_bytes() == CONTENT


@pytest.mark.parametrize("page", [b"<html>Not here</html>", b""])
def test_another_file_is_refused_and_the_next_source_asked(serve, cache, page):
    wrong, good = serve(page), serve()
    fetch([wrong.url, good.url], ARCHIVES, **QUICK)
    assert names(cache) == ["images.tar.gz"] and (cache / "images.tar.gz").read_bytes() == CONTENT


def test_a_stalled_server_is_given_up(serve):
    stalled, good = serve(gate=threading.Event()), serve()  # nobody opens the gate
    fetch([stalled.url, good.url], ARCHIVES, timeout=1, pause=0.01, tries=1)
    assert len(good.asked) == 1


def test_a_slow_server_is_waited_for(serve, cache):
    """No wait is as long as the timeout, and all of them together are longer."""
    archives = {hashlib.md5(CONTENT[:150_000]).hexdigest(): "images.tar.gz"}
    slow = serve(CONTENT[:150_000], pause=0.4)
    fetch([slow.url], archives, timeout=1)
    assert slow.asked == [None] and (cache / "images.tar.gz").read_bytes() == CONTENT[:150_000]


def test_a_web_page_costs_nothing_of_what_has_come_so_far(serve, cache):
    cache.mkdir()
    (cache / "images.tar.gz.part").write_bytes(CONTENT[:300_000])
    page = serve(b"<html>Log in first</html>", ranges=False, kind="text/html; charset=utf-8")
    good = serve()
    fetch([page.url, good.url], ARCHIVES, **QUICK)
    assert good.asked == ["bytes=300000-"] and (cache / "images.tar.gz").read_bytes() == CONTENT
    (cache / "images.tar.gz").unlink()
    with pytest.raises(ConnectionError, match="it sent a web page instead of the file"):
        fetch([page.url], ARCHIVES, **QUICK)
    assert page.asked == ["bytes=300000-", None]


def test_a_stall_loses_nothing_of_what_came_before_it(serve, cache):
    """Each connection brings 5,000 bytes and then stalls: fewer than are read at a time."""
    server = serve(CONTENT[:20_000], cut=5_000, cuts=3, hang=5)
    archives = {hashlib.md5(CONTENT[:20_000]).hexdigest(): "images.tar.gz"}
    fetch([server.url], archives, timeout=0.5, pause=0.01, tries=2)
    assert server.asked == [None, "bytes=5000-", "bytes=10000-", "bytes=15000-"]


def test_a_host_that_cannot_be_reached_is_left_for_the_next_at_once(serve, monkeypatch):
    monkeypatch.setattr(download, "time", None)  # it would wait by that
    fetch(["http://127.0.0.1:9/images.tar.gz", serve().url], ARCHIVES)


def test_a_host_that_was_reached_and_then_cannot_be_is_waited_for(serve, monkeypatch):
    server = serve(cut=100_000, cuts=1)
    opened, failures = urllib.request.urlopen, [1, 1]

    def urlopen(request, **options):
        if server.asked and failures:
            failures.pop()
            raise urllib.error.URLError(OSError("no route"))
        return opened(request, **options)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    fetch([server.url], ARCHIVES, **QUICK)
    assert server.asked == [None, "bytes=100000-"] and not failures


def test_after_a_failure_the_lock_is_free_even_while_the_error_is_kept(cache):
    """A notebook keeps the last error."""
    with pytest.raises(ConnectionError) as kept:
        fetch(["ftp://host/x"], ARCHIVES)
    assert kept.value.__traceback__
    lock = FileLock(cache / ".images.tar.gz.lock")
    lock.acquire(timeout=0)  # raises Timeout where another holds it
    lock.release()


def test_a_cache_that_has_the_file_need_not_be_writable(cache, monkeypatch):
    cache.mkdir()
    (cache / "images.tar.gz").write_bytes(CONTENT)
    monkeypatch.setattr(download, "FileLock", lambda *_: 1 / 0)
    assert fetch([], ARCHIVES) == cache / "images.tar.gz" and os.listdir(cache) == ["images.tar.gz"]


def test_each_source_is_told_as_it_is_asked(serve, capsys):
    missing, good = serve(status=404), serve()
    fetch([missing.url, good.url], ARCHIVES)
    assert capsys.readouterr().err.splitlines() == [
        f"minires: downloading {missing.url}",
        f"minires: downloading {good.url}",
    ]


def test_a_damaged_file_in_the_cache_is_fetched_again(serve, cache, capsys):
    cache.mkdir()
    (cache / "images.tar.gz").write_bytes(CONTENT[:-1])
    fetch([serve().url], ARCHIVES)
    assert (cache / "images.tar.gz").read_bytes() == CONTENT
    assert "images.tar.gz is damaged: downloading it again" in capsys.readouterr().err


def test_when_all_fails_each_reason_and_the_way_by_hand_are_told(serve, cache):
    missing, wrong, stalled = serve(status=404), serve(b"<html>"), serve(stall=2)
    stalled.content = b""
    closed = "http://127.0.0.1:9/images.tar.gz"
    urls = [missing.url, wrong.url, closed, "ftp://host/x", "http://no.such.host.invalid/x"]
    with pytest.raises(ConnectionError) as caught:
        fetch(urls, ARCHIVES, **QUICK, tries=2)
    told = str(caught.value)
    reasons = [
        "HTTP 404 Not Found",
        "it is a different file (6 bytes, MD5 ",
        "Connection refused",
        "expected an address",
        "",
    ]
    for url, reason in zip(urls, reasons, strict=True):
        assert f"\n  {url}: " in told and reason in told
    md5 = next(iter(ARCHIVES))
    assert (
        f"Download images.tar.gz (MD5 {md5}) by other means, from one of these addresses, and put it into {cache}"
        in told
    )
    assert "--data-dir" in told and "--source" in told and not names(cache)
    assert len(missing.asked) == 1  # what is not there will not be there a second later


def test_a_broken_server_is_asked_again(serve):
    server = serve(status=503)
    with pytest.raises(ConnectionError, match="HTTP 503"):
        fetch([server.url], ARCHIVES, **QUICK, tries=3)
    assert len(server.asked) == 3


FETCH = """
import sys
sys.path.insert(0, sys.argv[1])
from minires.data.download import fetch
print(fetch([sys.argv[2]], {sys.argv[3]: "images.tar.gz"}, timeout=600), flush=True)
"""


def process(server):
    command = [sys.executable, "-c", FETCH, str(ROOT), server.url, next(iter(ARCHIVES))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_share_one_download_and_a_killed_one_leaves_no_lock(serve, cache):
    """The server holds back the rest of the file until the second process waits, so no process has to be fast."""
    server = serve(gate=threading.Event())
    first, part = process(server), cache / "images.tar.gz.part"
    while not (part.exists() and part.stat().st_size):
        assert first.poll() is None, first.stderr.read()
        time.sleep(0.01)
    second = process(server)
    assert "another process is downloading this file: waiting for it" in second.stderr.readline()
    first.kill()
    first.communicate()
    server.gate.set()
    out, error = second.communicate()
    assert out.strip() == str(cache / "images.tar.gz"), error
    assert len(server.asked) == 2 and server.asked[1].startswith("bytes=")
    third = process(server)
    assert third.communicate()[0] == out and len(server.asked) == 2


def test_a_full_disk_names_path_and_size_and_asks_no_other_source(serve, cache):
    server, other = serve(), serve()
    code = (
        "import resource, signal, sys\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\nsys.path.insert(0, sys.argv[1])\n"
        "from minires.data.download import fetch\nfetch(sys.argv[2:4], {sys.argv[4]: 'images.tar.gz'})"
    )
    command = [sys.executable, "-c", code, str(ROOT), server.url, other.url, next(iter(ARCHIVES))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "images.tar.gz.part (512,000 bytes): File too large" in done.stderr and not other.asked
    assert names(cache) == ["images.tar.gz.part"]
    fetch([server.url], ARCHIVES)
    assert server.asked[-1] == "bytes=200000-" and (cache / "images.tar.gz").read_bytes() == CONTENT


def test_a_cache_that_cannot_be_made_is_named(cache, serve):
    cache.write_text("a file in the way")
    with pytest.raises(files.NotWritten, match="cannot write .*cache"):
        fetch([serve().url], ARCHIVES)


def test_the_known_sources_are_one_list_with_the_origin_last_and_given_ones_go_first(monkeypatch):
    asked = []
    monkeypatch.setattr(
        download, "fetch", lambda urls, archives: asked.append((urls, archives)) or 1 / 0
    )
    for name in ("cifar10", "cifar100"):
        with pytest.raises(ZeroDivisionError):
            getattr(cifar, name)(sources=["http://mine/x"])
    (ten, md5s), (hundred, _) = asked
    assert ten[0] == hundred[0] == "http://mine/x"
    assert ["toronto" in url for url in ten[1:]] == [False, False, True, True] and all(
        "toronto" in url for url in hundred[1:]
    )
    assert md5s["c32a1d4ab5d03f1284b67883e8d87530"] == "cifar-10-binary.tar.gz" and len(md5s) == 2


def test_the_checksum_is_md5(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    # RFC 1321, appendix A.5.
    assert download.checksum(tmp_path / "a") == "900150983cd24fb0d6963f7d28e17f72"
