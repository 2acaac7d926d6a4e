"""Downloads of the files of a scene."""

import dataclasses
import hashlib
import io
import sys
import threading

import pytest

import mtl_hsi
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public import download
from tests.scenes import hosts
from tests.scenes.public.tiny_scene import (
  CUBE_BYTES,
  LABEL_BYTES,
  assert_complete,
  fetch,
  public_file,
  refusal,
  requested_paths,
  tiny_scene,
)


def test_both_files_are_downloaded_once(tmp_path, serve):
  cubes, labels = serve(hosts.whole(CUBE_BYTES)), serve(hosts.whole(LABEL_BYTES))
  facts = tiny_scene(cubes)
  facts = dataclasses.replace(facts, labels=public_file("Tiny_gt.mat", "gt", LABEL_BYTES, labels))
  folder = tmp_path / "new" / "folder"
  for _ in range(2):
    fetch(folder, facts)
    assert_complete(folder)
  assert (folder / "Tiny_gt.mat").read_bytes() == LABEL_BYTES
  assert (requested_paths(cubes), requested_paths(labels)) == (["/Tiny.mat"], ["/Tiny_gt.mat"])


def test_the_user_agent_names_the_project(folder, serve):
  host = serve(hosts.whole(CUBE_BYTES))
  fetch(folder, tiny_scene(host))
  agent = host.requests[0]["User-Agent"]
  assert agent.startswith(f"mtl_hsi/{mtl_hsi.__version__} ")
  assert "hyperspectral" in agent
  assert "urllib" not in agent.lower()


def test_a_file_of_unknown_size_is_accepted(folder, serve):
  fetch(folder, tiny_scene(serve(hosts.chunked(CUBE_BYTES))))
  assert_complete(folder)


def test_the_error_lists_all_answers_and_the_way_by_hand(folder, serve):
  refusing, empty = serve(hosts.status(403)), serve(hosts.status(404))
  busy, wrong = serve(hosts.status(503)), serve(hosts.whole(b"no"))
  facts = tiny_scene(refusing, empty, busy, wrong)
  message = refusal(folder, facts)
  answers = (
    f"{refusing.url('Tiny.mat')}: 403 Forbidden",
    f"{empty.url('Tiny.mat')}: 404 Not Found",
    f"{busy.url('Tiny.mat')}: 503 Service Unavailable (3 attempts)",
    f"{wrong.url('Tiny.mat')}: another file, SHA-256 {hashlib.sha256(b'no').hexdigest()}",
  )
  assert f"no host provided Tiny.mat ({'; '.join(answers)})" in message
  assert f"open {facts.page_url} in a browser, download Tiny.mat and put it into {folder}" in message
  assert "accept_changed" not in message


def test_the_progress_bar_names_the_file(folder, serve, monkeypatch):
  class Terminal(io.StringIO):
    def isatty(self):
      return True

  monkeypatch.setattr(sys, "stderr", Terminal())
  fetch(folder, tiny_scene(serve(hosts.whole(CUBE_BYTES))))
  last = sys.stderr.getvalue().split("\r")[-1]
  assert last.startswith("Tiny.mat: 100%")


def test_there_is_no_bar_in_a_log(folder, serve, capsys):
  fetch(folder, tiny_scene(serve(hosts.whole(CUBE_BYTES))))
  assert capsys.readouterr() == ("", "")


def test_simultaneous_downloads_make_one_request(folder, serve):
  host = serve(hosts.drip(CUBE_BYTES, 0.0001))
  threads = [threading.Thread(target=fetch, args=(folder, tiny_scene(host))) for _ in range(2)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert_complete(folder)
  assert len(host.requests) == 1


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
  (tmp_path / "file").write_text("")
  with pytest.raises(RequestError, match=f"cannot write to {tmp_path / 'file' / 'data'}: "):
    fetch(tmp_path / "file" / "data", tiny_scene())


def test_a_full_disk_is_reported_as_such(folder, serve, monkeypatch):
  def full(*_):
    raise OSError(28, "No space left on device")

  monkeypatch.setattr(download.os, "fsync", full)
  message = refusal(folder, tiny_scene(serve(hosts.whole(CUBE_BYTES))))
  assert f"cannot write to {folder}: no space left on device" in message
