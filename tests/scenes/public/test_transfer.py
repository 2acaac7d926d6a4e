"""Interrupted transfers, and the rest of a file from the same host."""

import pytest

from tests.scenes import hosts
from tests.scenes.public.tiny_scene import (
  CUBE_BYTES,
  assert_complete,
  fetch,
  refusal,
  tiny_scene,
)

SIZE = len(CUBE_BYTES)


def test_an_interrupted_transfer_resumes_where_it_stopped(folder, serve):
  host = serve(hosts.cut(CUBE_BYTES, 1000), hosts.whole(CUBE_BYTES))
  fetch(folder, tiny_scene(host))
  assert_complete(folder)
  assert "Range" not in host.requests[0]
  assert host.requests[1]["Range"] == "bytes=1000-"
  assert host.requests[1]["If-Range"] == '"1"'


def test_a_transfer_of_an_earlier_process_resumes(folder, serve):
  host = serve(hosts.cut(CUBE_BYTES, 1000), hosts.whole(CUBE_BYTES))
  assert "closed after 1000 of" in refusal(folder, tiny_scene(host), attempts=1)
  fetch(folder, tiny_scene(host))
  assert_complete(folder)
  assert host.requests[1]["Range"] == "bytes=1000-"


def test_a_complete_part_file_needs_no_request(folder, serve):
  host = serve(hosts.cut(CUBE_BYTES, 1000))
  refusal(folder, tiny_scene(host), attempts=1)
  (folder / "Tiny.mat.part").write_bytes(CUBE_BYTES)
  fetch(folder, tiny_scene(host))
  assert_complete(folder)
  assert len(host.requests) == 1


def test_a_weak_tag_is_replaced_by_the_date(folder, serve):
  date = "Mon, 01 Jan 2024 00:00:00 GMT"
  first = hosts.cut(CUBE_BYTES, 1000, ETag='W/"1"', **{"Last-Modified": date})
  host = serve(first, hosts.whole(CUBE_BYTES))
  fetch(folder, tiny_scene(host))
  assert_complete(folder)
  assert host.requests[1]["If-Range"] == date


def test_progress_resets_the_count_of_failures(folder, serve):
  size = len(CUBE_BYTES)
  rest = [
    hosts.partial(CUBE_BYTES[i:], f"bytes {i}-{size - 1}/{size}", stop=500) for i in range(500, size, 500)
  ]
  host = serve(hosts.cut(CUBE_BYTES, 500), *rest)
  fetch(folder, tiny_scene(host), attempts=2, worthwhile=500)
  assert_complete(folder)
  assert len(host.requests) == len(rest) + 1 > 5


@pytest.mark.parametrize("lengths", [(1000, 2000), (2000, 1000)])
def test_a_host_that_restarts_and_interrupts_every_transfer_is_abandoned(folder, serve, lengths):
  short, long = (hosts.cut(CUBE_BYTES, length) for length in lengths)
  host, mirror = serve(*[short, long] * 10), serve(hosts.whole(CUBE_BYTES))
  fetch(folder, tiny_scene(host, mirror), worthwhile=1000)
  assert_complete(folder)
  assert len(host.requests) <= 5


def test_a_host_without_ranges_sends_the_whole_file(folder, serve):
  host = serve(hosts.cut(CUBE_BYTES, 1000), hosts.whole(CUBE_BYTES, ranges=False))
  fetch(folder, tiny_scene(host))
  assert_complete(folder)
  assert len(host.requests) == 2


def test_a_file_that_changed_during_the_transfer_is_sent_as_a_whole(folder, serve):
  other = bytes(len(CUBE_BYTES))
  host = serve(hosts.cut(other, 1000), hosts.whole(CUBE_BYTES, tag='"2"'))
  fetch(folder, tiny_scene(host))
  assert_complete(folder)
  assert len(host.requests) == 2


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
def test_a_rest_that_does_not_match_is_discarded_with_the_beginning(folder, serve, answer):
  host = serve(hosts.cut(CUBE_BYTES, 1000), answer, hosts.whole(CUBE_BYTES))
  fetch(folder, tiny_scene(host))
  assert_complete(folder)
  assert "Range" not in host.requests[2]


def test_a_transfer_never_resumes_on_another_host(folder, serve):
  first, second = serve(hosts.cut(CUBE_BYTES, 1000), hosts.status(404)), serve(hosts.whole(CUBE_BYTES))
  fetch(folder, tiny_scene(first, second))
  assert_complete(folder)
  assert "Range" not in second.requests[0]
