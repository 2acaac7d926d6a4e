"""Hosts that refuse, fail, redirect, stall or cannot be trusted."""

import re
import socket
import threading

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public import download
from tests.scenes import hosts
from tests.scenes.public.tiny_scene import (
  CUBE_BYTES,
  LIMITS,
  assert_complete,
  fetch,
  file_names,
  refusal,
  requested_paths,
  tiny_scene,
)


@pytest.mark.parametrize("code", [401, 403, 404, 410, 501, 204])
def test_after_a_refusal_the_next_host_is_asked_at_once(folder, serve, code):
  first, second = serve(hosts.status(code)), serve(hosts.whole(CUBE_BYTES))
  fetch(folder, tiny_scene(first, second))
  assert_complete(folder)
  assert len(first.requests) == 1


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_temporary_failure_is_retried(folder, serve, code):
  host = serve(hosts.status(code), hosts.whole(CUBE_BYTES))
  fetch(folder, tiny_scene(host))
  assert_complete(folder)
  assert len(host.requests) == 2


def test_the_pauses_double_and_end(folder, serve, monkeypatch):
  pauses = []
  monkeypatch.setattr(download.time, "sleep", pauses.append)
  first, second = serve(hosts.status(503)), serve(hosts.whole(CUBE_BYTES))
  fetch(folder, tiny_scene(first, second), attempts=5, back_off=0.5)
  assert pauses == [0.5, 1, 2, 4]
  assert len(first.requests) == 5
  assert_complete(folder)


def test_a_requested_pause_is_respected_up_to_a_limit(folder, serve, monkeypatch):
  pauses = []
  monkeypatch.setattr(download.time, "sleep", pauses.append)
  first = serve(hosts.status(429, Retry_After="7"), hosts.status(503, Retry_After="61"))
  second = serve(hosts.whole(CUBE_BYTES))
  fetch(folder, tiny_scene(first, second), longest_wait=60)
  assert pauses == [7]
  assert len(first.requests) == 2
  assert_complete(folder)


@pytest.mark.parametrize(
  ("answer", "limits", "problem"),
  [
    (hosts.drip(CUBE_BYTES, 0.01), {"window": 0.1, "slowest": 5000}, "per second, below the minimum of 5000"),
    (hosts.silence, {"timeout": 0.1}, "no answer within 0.1 s"),
    (hosts.drip(CUBE_BYTES, 60), {"timeout": 0.1}, "no data for 0.1 s"),
    (hosts.hang_up, {}, "the connection was closed"),
  ],
  ids=["drip", "silence", "stall", "hang up"],
)
def test_a_slow_or_silent_host_is_abandoned(folder, serve, answer, limits, problem):
  host, mirror = serve(answer), serve(hosts.whole(CUBE_BYTES))
  assert f"{problem} (2 attempts)" in refusal(folder, tiny_scene(host), attempts=2, **limits)
  fetch(folder, tiny_scene(host, mirror), attempts=2, **limits)
  assert_complete(folder)


@pytest.mark.parametrize(
  ("answer", "problem"),
  [
    (hosts.whole(CUBE_BYTES), f"its file has {len(CUBE_BYTES)} bytes, more than the limit of 2000"),
    (hosts.chunked(CUBE_BYTES), "its file has more than the limit of 2000 bytes"),
  ],
)
def test_a_file_that_is_too_large_is_refused(folder, serve, answer, problem):
  host = serve(answer)
  assert problem in refusal(folder, tiny_scene(host), largest=2000)
  assert len(host.requests) == 1
  assert file_names(folder) == {"Tiny_gt.mat"}


def test_redirects_are_followed_with_the_range(folder, serve):
  store = serve(hosts.cut(CUBE_BYTES, 1000), hosts.whole(CUBE_BYTES))
  host = serve(hosts.status(302, Location=store.url("blob")))
  fetch(folder, tiny_scene(host))
  assert_complete(folder)
  assert [request.get("Range") for request in store.requests] == [None, "bytes=1000-"]
  assert requested_paths(store) == ["/blob", "/blob"]


@pytest.mark.parametrize("scheme", ["http", "ftp", "file"])
def test_only_https_addresses_are_requested(folder, serve, scheme):
  store = serve(hosts.whole(CUBE_BYTES))
  address = store.url(scheme=scheme)
  host = serve(hosts.status(301, Location=address))
  message = refusal(folder, tiny_scene(host))
  assert re.search(f"(not https|not allowed).*{address}|{address}.*(not https|not allowed)", message)
  assert len(host.requests) == 1
  assert f"{address}: unknown url type" in refusal(folder, tiny_scene(address))
  assert store.requests == []


def test_an_endless_redirect_ends(folder, serve):
  host = serve(hosts.status(302, Location="/Tiny.mat"))
  assert "302" in refusal(folder, tiny_scene(host))
  assert len(host.requests) <= 11


def test_a_host_without_a_trusted_certificate_gets_no_request(folder, serve):
  host = serve(hosts.whole(CUBE_BYTES))
  with pytest.raises(RequestError, match="CERTIFICATE_VERIFY_FAILED"):
    download.fetch_public(tiny_scene(host), folder, False, limits=LIMITS)
  assert host.requests == []


def test_an_unreachable_host_is_skipped_at_once(folder, serve, monkeypatch):
  monkeypatch.setattr(download.time, "sleep", lambda _: pytest.fail("waited"))
  with socket.create_server(("127.0.0.1", 0)) as free:
    address = f"https://localhost:{free.getsockname()[1]}/Tiny.mat"
  fetch(folder, tiny_scene(address, serve(hosts.whole(CUBE_BYTES))))
  assert_complete(folder)


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
    message = refusal(folder, tiny_scene("https://scenes.example/Tiny.mat"))
    thread.join()
  assert asked[0].startswith("CONNECT scenes.example:443 ")
  assert "403 Forbidden" in message
