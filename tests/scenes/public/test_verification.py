"""Only verified files are kept, whoever provided them."""

import hashlib

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from tests.scenes import hosts
from tests.scenes.public.tiny_scene import (
  CUBE,
  CUBE_BYTES,
  LABELS,
  RESAVED,
  assert_complete,
  fetch,
  file_names,
  mat_bytes,
  refusal,
  tiny_scene,
)


def test_existing_files_are_used_without_any_request(folder, serve):
  host = serve(hosts.whole(CUBE_BYTES))
  (folder / "Tiny.mat").write_bytes(CUBE_BYTES)
  fetch(folder, tiny_scene(host))
  assert host.requests == []


@pytest.mark.parametrize(
  ("content", "problem"),
  [
    (b"<html>Please log in</html>" * 20, r"Tiny.mat cannot be read as .mat"),
    (mat_bytes("cube", CUBE[:, :, 1:]), r"the cube is 2 x 3 x 499, expected 2 x 3 x 500"),
    (mat_bytes("other", CUBE), r"has no array 'cube'"),
  ],
)
@pytest.mark.parametrize("accept_changed", [False, True])
def test_an_existing_wrong_file_is_refused_and_kept(folder, serve, content, problem, accept_changed):
  host = serve(hosts.whole(CUBE_BYTES))
  (folder / "Tiny.mat").write_bytes(content)
  with pytest.raises(RequestError, match=problem):
    fetch(folder, tiny_scene(host), accept_changed)
  assert (folder / "Tiny.mat").read_bytes() == content
  assert host.requests == []


def test_after_a_wrong_file_the_next_host_is_asked(folder, serve):
  first, second = serve(hosts.whole(b"<html>Sorry</html>")), serve(hosts.whole(CUBE_BYTES))
  fetch(folder, tiny_scene(first, second))
  assert_complete(folder)
  assert len(first.requests) == 1


def test_a_wrong_file_is_never_kept(folder, serve):
  page = b"<html>Sorry</html>"
  host = serve(hosts.whole(page))
  message = refusal(folder, tiny_scene(host))
  assert hashlib.sha256(page).hexdigest() in message
  assert file_names(folder) == {"Tiny_gt.mat"}


def test_a_changed_file_of_the_right_content_is_accepted_only_on_request(folder, serve):
  first, second = serve(hosts.whole(RESAVED)), serve(hosts.status(404))
  message = refusal(folder, tiny_scene(first, second))
  assert "no host provided Tiny.mat, only a file of the same shape or pixel counts (" in message
  assert message.endswith(f"put it into {folder}, or accept it with --config.accept_changed_files=True")
  assert file_names(folder) == {"Tiny_gt.mat"}
  fetch(folder, tiny_scene(first, second), accept_changed=True)
  assert (folder / "Tiny.mat").read_bytes() == RESAVED
  assert file_names(folder) == {"Tiny.mat", "Tiny_gt.mat"}


def test_the_known_file_is_preferred_to_a_changed_one(folder, serve):
  servers = [serve(hosts.whole(content)) for content in (RESAVED, b"no", CUBE_BYTES)]
  fetch(folder, tiny_scene(*servers), accept_changed=True)
  assert_complete(folder)


def test_a_changed_file_of_another_content_is_never_accepted(folder, serve):
  host = serve(hosts.whole(mat_bytes("cube", CUBE[:, :, 1:])))
  message = refusal(folder, tiny_scene(host), accept_changed=True)
  assert "accept_changed" not in message


def test_an_existing_changed_file_is_accepted_only_on_request(folder):
  (folder / "Tiny.mat").write_bytes(RESAVED)
  with pytest.raises(RequestError, match=r"Tiny.mat .*--config.accept_changed_files=True"):
    fetch(folder, tiny_scene())
  fetch(folder, tiny_scene(), accept_changed=True)
  assert (folder / "Tiny.mat").read_bytes() == RESAVED


def test_changed_labels_are_checked_by_their_pixel_counts(folder):
  (folder / "Tiny.mat").write_bytes(CUBE_BYTES)
  labels = folder / "Tiny_gt.mat"
  labels.write_bytes(mat_bytes("gt", LABELS, compress=True))
  fetch(folder, tiny_scene(), accept_changed=True)
  labels.write_bytes(mat_bytes("gt", np.array([[0, 1, 1], [1, 2, 2]], np.uint8)))
  with pytest.raises(RequestError, match=r"3 pixels of class 1 \(grass\) in the label image, expected 2"):
    fetch(folder, tiny_scene(), accept_changed=True)
