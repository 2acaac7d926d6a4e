"""Fetching the files of a scene from hosts that behave and hosts that do not."""

import contextlib
import dataclasses
import hashlib
import io
import re
import socket
import ssl
import sys
import threading

import numpy as np
import pytest
import scipy.io

import mtl_hsi
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public import download
from mtl_hsi.scenes.public.catalogue import PublicFile, PublicScene
from mtl_hsi.scenes.public.transport import Limits, https_opener
from tests.scenes import hosts

LIMITS = Limits(
  timeout=5.0,
  slowest=1.0,
  window=5.0,
  largest=100_000,
  attempts=3,
  worthwhile=50_000,
  back_off=0.001,
  longest_wait=0.01,
)
LABELS = np.array([[0, 1, 1], [2, 2, 2]], np.uint8)
CUBE = np.random.default_rng(0).integers(0, 9000, (2, 3, 500), np.uint16)


def _mat(key, array, compress=False):
  buffer = io.BytesIO()
  scipy.io.savemat(buffer, {key: array}, do_compression=compress)
  # The first 116 bytes hold the time of day.
  return b"MATLAB 5.0 MAT-file".ljust(116) + buffer.getvalue()[116:]


CUBE_BYTES, LABEL_BYTES = _mat("cube", CUBE), _mat("gt", LABELS)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
  for name in ("http_proxy", "https_proxy", "all_proxy"):
    monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def serve():
  """Starts hosts with given answers; `serve(whole(...))` returns the host."""
  with contextlib.ExitStack() as stack:

    def start(*answers):
      host = hosts.Host(*answers)
      stack.callback(host.close)
      return host

    yield start


def _file(filename, key, content, *servers):
  urls = tuple(server if isinstance(server, str) else server.url(filename) for server in servers)
  return PublicFile(filename, key, hashlib.sha256(content).hexdigest(), urls)


def _facts(*servers, content=CUBE_BYTES):
  """A public scene whose cube is on the given hosts; its labels are on none."""
  return PublicScene(
    name="tiny",
    short_name="ti",
    title="Tiny",
    sensor="AVIRIS",
    shape=CUBE.shape,
    class_names=("grass", "roof"),
    class_counts=(2, 3),
    cube=_file("Tiny.mat", "cube", content, *servers),
    labels=_file("Tiny_gt.mat", "gt", LABEL_BYTES),
    false_colour_bands=(2, 1, 0),
    page_url="https://scenes.example/tiny",
    citation="",
  )


def _fetch(folder, facts, accept_changed=False, **limits):
  opener = https_opener(ssl.create_default_context(cafile=hosts.CERTIFICATE))
  limits = dataclasses.replace(LIMITS, **limits)
  download.fetch_public(facts, folder, accept_changed, limits=limits, opener=opener)


@pytest.fixture
def folder(tmp_path):
  """A data directory in which the labels are already."""
  (tmp_path / "Tiny_gt.mat").write_bytes(LABEL_BYTES)
  return tmp_path


def _assert_complete(folder):
  assert (folder / "Tiny.mat").read_bytes() == CUBE_BYTES
  assert _names(folder) == {"Tiny.mat", "Tiny_gt.mat"}


def _names(folder):
  return {path.name for path in folder.iterdir()} - {".lock"}


def _paths(host):
  return [request["Path"] for request in host.requests]


def _refusal(folder, facts, **options):
  """The message of a fetch that must fail, after which nothing may lie under the right name."""
  with pytest.raises(RequestError) as error:
    _fetch(folder, facts, **options)
  assert "Tiny.mat" not in _names(folder)
  assert "\n" not in str(error.value)
  return str(error.value)


def test_both_files_are_fetched_once_and_land_under_their_names(tmp_path, serve):
  cubes, labels = serve(hosts.whole(CUBE_BYTES)), serve(hosts.whole(LABEL_BYTES))
  facts = _facts(cubes)
  facts = dataclasses.replace(facts, labels=_file("Tiny_gt.mat", "gt", LABEL_BYTES, labels))
  folder = tmp_path / "new" / "folder"
  for _ in range(2):
    _fetch(folder, facts)
    _assert_complete(folder)
  assert (folder / "Tiny_gt.mat").read_bytes() == LABEL_BYTES
  assert (_paths(cubes), _paths(labels)) == (["/Tiny.mat"], ["/Tiny_gt.mat"])


def test_the_user_agent_names_the_project(folder, serve):
  host = serve(hosts.whole(CUBE_BYTES))
  _fetch(folder, _facts(host))
  agent = host.requests[0]["User-Agent"]
  assert agent.startswith(f"mtl_hsi/{mtl_hsi.__version__} ")
  assert "hyperspectral" in agent
  assert "urllib" not in agent.lower()


def test_files_put_there_by_hand_are_taken_without_asking_any_host(folder, serve):
  host = serve(hosts.whole(CUBE_BYTES))
  (folder / "Tiny.mat").write_bytes(CUBE_BYTES)
  _fetch(folder, _facts(host))
  assert host.requests == []


@pytest.mark.parametrize(
  ("content", "problem"),
  [
    (b"<html>Please log in</html>" * 20, r"Tiny.mat cannot be read as .mat"),
    (_mat("cube", CUBE[:, :, 1:]), r"the cube is 2 x 3 x 499, expected 2 x 3 x 500"),
    (_mat("other", CUBE), r"has no array 'cube'"),
  ],
)
@pytest.mark.parametrize("accept_changed", [False, True])
def test_a_wrong_file_put_there_by_hand_is_refused_and_left_alone(
  folder, serve, content, problem, accept_changed
):
  host = serve(hosts.whole(CUBE_BYTES))
  (folder / "Tiny.mat").write_bytes(content)
  with pytest.raises(RequestError, match=problem):
    _fetch(folder, _facts(host), accept_changed)
  assert (folder / "Tiny.mat").read_bytes() == content
  assert host.requests == []


@pytest.mark.parametrize("code", [401, 403, 404, 410, 501, 204])
def test_a_refusal_sends_to_the_next_host_at_once(folder, serve, code):
  first, second = serve(hosts.status(code)), serve(hosts.whole(CUBE_BYTES))
  _fetch(folder, _facts(first, second))
  _assert_complete(folder)
  assert len(first.requests) == 1


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_failure_that_may_pass_is_retried(folder, serve, code):
  host = serve(hosts.status(code), hosts.whole(CUBE_BYTES))
  _fetch(folder, _facts(host))
  _assert_complete(folder)
  assert len(host.requests) == 2


def test_the_pauses_double_and_end(folder, serve, monkeypatch):
  pauses = []
  monkeypatch.setattr(download.time, "sleep", pauses.append)
  first, second = serve(hosts.status(503)), serve(hosts.whole(CUBE_BYTES))
  _fetch(folder, _facts(first, second), attempts=5, back_off=0.5)
  assert pauses == [0.5, 1, 2, 4]
  assert len(first.requests) == 5
  _assert_complete(folder)


def test_the_host_may_ask_for_a_longer_pause_but_not_for_any(folder, serve, monkeypatch):
  pauses = []
  monkeypatch.setattr(download.time, "sleep", pauses.append)
  first = serve(hosts.status(429, Retry_After="7"), hosts.status(503, Retry_After="61"))
  second = serve(hosts.whole(CUBE_BYTES))
  _fetch(folder, _facts(first, second), longest_wait=60)
  assert pauses == [7]
  assert len(first.requests) == 2
  _assert_complete(folder)


def test_a_cut_transfer_goes_on_where_it_stopped(folder, serve):
  host = serve(hosts.cut(CUBE_BYTES, 1000), hosts.whole(CUBE_BYTES))
  _fetch(folder, _facts(host))
  _assert_complete(folder)
  assert "Range" not in host.requests[0]
  assert host.requests[1]["Range"] == "bytes=1000-"
  assert host.requests[1]["If-Range"] == '"1"'


def test_so_does_one_that_an_earlier_process_began(folder, serve):
  host = serve(hosts.cut(CUBE_BYTES, 1000), hosts.whole(CUBE_BYTES))
  assert "cut after 1000 of" in _refusal(folder, _facts(host), attempts=1)
  _fetch(folder, _facts(host))
  _assert_complete(folder)
  assert host.requests[1]["Range"] == "bytes=1000-"


def test_one_that_was_complete_but_for_its_name_needs_no_request(folder, serve):
  host = serve(hosts.cut(CUBE_BYTES, 1000))
  _refusal(folder, _facts(host), attempts=1)
  (folder / "Tiny.mat.part").write_bytes(CUBE_BYTES)
  _fetch(folder, _facts(host))
  _assert_complete(folder)
  assert len(host.requests) == 1


def test_a_date_serves_where_the_tag_is_weak(folder, serve):
  date = "Mon, 01 Jan 2024 00:00:00 GMT"
  first = hosts.cut(CUBE_BYTES, 1000, ETag='W/"1"', **{"Last-Modified": date})
  host = serve(first, hosts.whole(CUBE_BYTES))
  _fetch(folder, _facts(host))
  _assert_complete(folder)
  assert host.requests[1]["If-Range"] == date


def test_progress_starts_the_count_of_failures_anew(folder, serve):
  size = len(CUBE_BYTES)
  rest = [
    hosts.partial(CUBE_BYTES[i:], f"bytes {i}-{size - 1}/{size}", stop=500) for i in range(500, size, 500)
  ]
  host = serve(hosts.cut(CUBE_BYTES, 500), *rest)
  _fetch(folder, _facts(host), attempts=2, worthwhile=500)
  _assert_complete(folder)
  assert len(host.requests) == len(rest) + 1 > 5


@pytest.mark.parametrize("lengths", [(1000, 2000), (2000, 1000)])
def test_a_host_that_always_cuts_and_always_starts_anew_is_given_up(folder, serve, lengths):
  short, long = (hosts.cut(CUBE_BYTES, length) for length in lengths)
  host, mirror = serve(*[short, long] * 10), serve(hosts.whole(CUBE_BYTES))
  _fetch(folder, _facts(host, mirror), worthwhile=1000)
  _assert_complete(folder)
  assert len(host.requests) <= 5


def test_where_the_range_is_refused_the_file_comes_whole(folder, serve):
  host = serve(hosts.cut(CUBE_BYTES, 1000), hosts.whole(CUBE_BYTES, ranges=False))
  _fetch(folder, _facts(host))
  _assert_complete(folder)
  assert len(host.requests) == 2


def test_a_file_that_changed_during_the_transfer_comes_whole(folder, serve):
  other = bytes(len(CUBE_BYTES))
  host = serve(hosts.cut(other, 1000), hosts.whole(CUBE_BYTES, tag='"2"'))
  _fetch(folder, _facts(host))
  _assert_complete(folder)
  assert len(host.requests) == 2


SIZE = len(CUBE_BYTES)


@pytest.mark.parametrize(
  "answer",
  [
    hosts.status(416),
    hosts.partial(CUBE_BYTES[1000:], f"bytes 1000-{SIZE - 1}/{SIZE}", tag='"2"'),
    hosts.partial(CUBE_BYTES[999:], f"bytes 999-{SIZE - 1}/{SIZE}"),
    hosts.partial(CUBE_BYTES[1000:], f"bytes 1000-{SIZE - 1}/{SIZE + 9}"),
    hosts.partial(CUBE_BYTES[1000:-9], f"bytes 1000-{SIZE - 10}/{SIZE - 9}"),
    hosts.partial(CUBE_BYTES[1000:], "bytes 1000-"),
    hosts.partial(bytes(SIZE - 1000), f"bytes 1000-{SIZE - 1}/{SIZE}"),
  ],
  ids=["416", "other tag", "other place", "other total", "other size", "no place", "other bytes"],
)
def test_a_rest_that_does_not_fit_is_thrown_away_with_the_beginning(folder, serve, answer):
  host = serve(hosts.cut(CUBE_BYTES, 1000), answer, hosts.whole(CUBE_BYTES))
  _fetch(folder, _facts(host))
  _assert_complete(folder)
  assert "Range" not in host.requests[2]


def test_the_beginning_from_one_host_is_not_continued_on_another(folder, serve):
  first, second = serve(hosts.cut(CUBE_BYTES, 1000), hosts.status(404)), serve(hosts.whole(CUBE_BYTES))
  _fetch(folder, _facts(first, second))
  _assert_complete(folder)
  assert "Range" not in second.requests[0]


def test_a_wrong_file_sends_to_the_next_host(folder, serve):
  first, second = serve(hosts.whole(b"<html>Sorry</html>")), serve(hosts.whole(CUBE_BYTES))
  _fetch(folder, _facts(first, second))
  _assert_complete(folder)
  assert len(first.requests) == 1


def test_a_wrong_file_never_lands(folder, serve):
  page = b"<html>Sorry</html>"
  host = serve(hosts.whole(page))
  message = _refusal(folder, _facts(host))
  assert hashlib.sha256(page).hexdigest() in message
  assert _names(folder) == {"Tiny_gt.mat"}


def test_a_file_of_unknown_size_is_taken(folder, serve):
  _fetch(folder, _facts(serve(hosts.chunked(CUBE_BYTES))))
  _assert_complete(folder)


@pytest.mark.parametrize(
  ("answer", "limits", "problem"),
  [
    (hosts.drip(CUBE_BYTES, 0.01), {"window": 0.1, "slowest": 5000}, "bytes per second, less than 5000"),
    (hosts.silence, {"timeout": 0.1}, "no answer within 0.1 s"),
    (hosts.drip(CUBE_BYTES, 60), {"timeout": 0.1}, "no data for 0.1 s"),
    (hosts.hang_up, {}, "the connection was cut"),
  ],
  ids=["drip", "silence", "stall", "hang up"],
)
def test_a_host_that_keeps_one_waiting_is_given_up(folder, serve, answer, limits, problem):
  host, mirror = serve(answer), serve(hosts.whole(CUBE_BYTES))
  assert f"{problem} (2 attempts)" in _refusal(folder, _facts(host), attempts=2, **limits)
  _fetch(folder, _facts(host, mirror), attempts=2, **limits)
  _assert_complete(folder)


@pytest.mark.parametrize(
  ("answer", "problem"),
  [
    (hosts.whole(CUBE_BYTES), f"its file has {len(CUBE_BYTES)} bytes, 2000 are"),
    (hosts.chunked(CUBE_BYTES), "its file has more than the 2000 bytes"),
  ],
)
def test_a_file_that_is_too_large_is_refused(folder, serve, answer, problem):
  host = serve(answer)
  assert problem in _refusal(folder, _facts(host), largest=2000)
  assert len(host.requests) == 1
  assert _names(folder) == {"Tiny_gt.mat"}


def test_redirects_are_followed_with_the_range(folder, serve):
  store = serve(hosts.cut(CUBE_BYTES, 1000), hosts.whole(CUBE_BYTES))
  host = serve(hosts.status(302, Location=store.url("blob")))
  _fetch(folder, _facts(host))
  _assert_complete(folder)
  assert [request.get("Range") for request in store.requests] == [None, "bytes=1000-"]
  assert _paths(store) == ["/blob", "/blob"]


@pytest.mark.parametrize("scheme", ["http", "ftp", "file"])
def test_nothing_but_https_is_asked(folder, serve, scheme):
  store = serve(hosts.whole(CUBE_BYTES))
  address = store.url(scheme=scheme)
  host = serve(hosts.status(301, Location=address))
  message = _refusal(folder, _facts(host))
  assert re.search(f"(not https|not allowed).*{address}|{address}.*(not https|not allowed)", message)
  assert len(host.requests) == 1
  assert f"{address}: unknown url type" in _refusal(folder, _facts(address))
  assert store.requests == []


def test_a_redirect_to_itself_ends(folder, serve):
  host = serve(hosts.status(302, Location="/Tiny.mat"))
  assert "302" in _refusal(folder, _facts(host))
  assert len(host.requests) <= 11


def test_a_host_that_cannot_show_who_it_is_is_not_asked(folder, serve):
  host = serve(hosts.whole(CUBE_BYTES))
  with pytest.raises(RequestError, match="CERTIFICATE_VERIFY_FAILED"):
    download.fetch_public(_facts(host), folder, False, limits=LIMITS)
  assert host.requests == []


def test_a_host_that_is_not_there_is_passed_over_at_once(folder, serve, monkeypatch):
  monkeypatch.setattr(download.time, "sleep", lambda _: pytest.fail("waited"))
  with socket.create_server(("127.0.0.1", 0)) as free:
    address = f"https://localhost:{free.getsockname()[1]}/Tiny.mat"
  _fetch(folder, _facts(address, serve(hosts.whole(CUBE_BYTES))))
  _assert_complete(folder)


def test_when_nothing_works_the_error_says_what_was_tried_and_what_to_do(folder, serve):
  refusing, empty = serve(hosts.status(403)), serve(hosts.status(404))
  busy, wrong = serve(hosts.status(503)), serve(hosts.whole(b"no"))
  facts = _facts(refusing, empty, busy, wrong)
  message = _refusal(folder, facts)
  answers = (
    f"{refusing.url('Tiny.mat')}: 403 Forbidden",
    f"{empty.url('Tiny.mat')}: 404 Not Found",
    f"{busy.url('Tiny.mat')}: 503 Service Unavailable (3 attempts)",
    f"{wrong.url('Tiny.mat')}: another file, of SHA-256 {hashlib.sha256(b'no').hexdigest()}",
  )
  assert f"no host gave Tiny.mat ({'; '.join(answers)})" in message
  assert f"open {facts.page_url} in a browser, get Tiny.mat there and put it into {folder}" in message
  assert "accept_changed" not in message


RESAVED = _mat("cube", CUBE, compress=True)


def test_a_changed_file_of_the_right_content_is_taken_only_when_asked(folder, serve):
  first, second = serve(hosts.whole(RESAVED)), serve(hosts.status(404))
  message = _refusal(folder, _facts(first, second))
  assert "no host gave Tiny.mat, but one of its shape or pixel counts (" in message
  assert message.endswith(
    f"put it into {folder}, or take it as it is with --config.accept_changed_files=True"
  )
  assert _names(folder) == {"Tiny_gt.mat"}
  _fetch(folder, _facts(first, second), accept_changed=True)
  assert (folder / "Tiny.mat").read_bytes() == RESAVED
  assert _names(folder) == {"Tiny.mat", "Tiny_gt.mat"}


def test_the_known_file_goes_before_a_changed_one(folder, serve):
  servers = [serve(hosts.whole(content)) for content in (RESAVED, b"no", CUBE_BYTES)]
  _fetch(folder, _facts(*servers), accept_changed=True)
  _assert_complete(folder)


def test_a_changed_file_of_another_content_is_never_taken(folder, serve):
  host = serve(hosts.whole(_mat("cube", CUBE[:, :, 1:])))
  message = _refusal(folder, _facts(host), accept_changed=True)
  assert "accept_changed" not in message


def test_a_changed_file_put_there_by_hand_is_taken_only_when_asked(folder):
  (folder / "Tiny.mat").write_bytes(RESAVED)
  with pytest.raises(RequestError, match=r"Tiny.mat .*--config.accept_changed_files=True"):
    _fetch(folder, _facts())
  _fetch(folder, _facts(), accept_changed=True)
  assert (folder / "Tiny.mat").read_bytes() == RESAVED


def test_changed_labels_are_checked_by_their_pixel_counts(folder):
  (folder / "Tiny.mat").write_bytes(CUBE_BYTES)
  labels = folder / "Tiny_gt.mat"
  labels.write_bytes(_mat("gt", LABELS, compress=True))
  _fetch(folder, _facts(), accept_changed=True)
  labels.write_bytes(_mat("gt", np.array([[0, 1, 1], [1, 2, 2]], np.uint8)))
  with pytest.raises(RequestError, match=r"3 pixels of class 1 \(grass\) in the label image, expected 2"):
    _fetch(folder, _facts(), accept_changed=True)


def test_the_progress_bar_names_the_file(folder, serve, monkeypatch):
  class Terminal(io.StringIO):
    def isatty(self):
      return True

  monkeypatch.setattr(sys, "stderr", Terminal())
  _fetch(folder, _facts(serve(hosts.whole(CUBE_BYTES))))
  last = sys.stderr.getvalue().split("\r")[-1]
  assert last.startswith("Tiny.mat: 100%")


def test_there_is_no_bar_in_a_log(folder, serve, capsys):
  _fetch(folder, _facts(serve(hosts.whole(CUBE_BYTES))))
  assert capsys.readouterr() == ("", "")


def test_proxies_of_the_environment_are_used(folder, serve, monkeypatch):
  asked = []
  with socket.create_server(("127.0.0.1", 0)) as proxy:

    def refuse():
      connection, _ = proxy.accept()
      with connection:
        asked.append(connection.recv(1000).split(b"\r\n")[0].decode())
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

    thread = threading.Thread(target=refuse)
    thread.start()
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
    message = _refusal(folder, _facts("https://scenes.example/Tiny.mat"))
    thread.join()
  assert asked[0].startswith("CONNECT scenes.example:443 ")
  assert "403 Forbidden" in message


def test_two_that_fetch_at_once_fetch_once(folder, serve):
  host = serve(hosts.drip(CUBE_BYTES, 0.0001))
  threads = [threading.Thread(target=_fetch, args=(folder, _facts(host))) for _ in range(2)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  _assert_complete(folder)
  assert len(host.requests) == 1


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
  (tmp_path / "file").write_text("")
  with pytest.raises(RequestError, match=f"cannot write to {tmp_path / 'file' / 'data'}: "):
    _fetch(tmp_path / "file" / "data", _facts())


def test_a_full_disk_is_no_fault_of_the_host(folder, serve, monkeypatch):
  def full(*_):
    raise OSError(28, "No space left on device")

  monkeypatch.setattr(download.os, "fsync", full)
  message = _refusal(folder, _facts(serve(hosts.whole(CUBE_BYTES))))
  assert f"cannot write to {folder}: No space left on device" in message
