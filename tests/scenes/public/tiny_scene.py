"""A tiny public scene, and its download from the hosts of a test."""

import dataclasses
import hashlib
import io
import ssl

import numpy as np
import pytest
import scipy.io

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


def mat_bytes(key, array, compress=False):
  buffer = io.BytesIO()
  scipy.io.savemat(buffer, {key: array}, do_compression=compress)
  # The first 116 bytes hold the time of day.
  return b"MATLAB 5.0 MAT-file".ljust(116) + buffer.getvalue()[116:]


CUBE_BYTES, LABEL_BYTES = mat_bytes("cube", CUBE), mat_bytes("gt", LABELS)
# The same content in other bytes.
RESAVED = mat_bytes("cube", CUBE, compress=True)


def public_file(filename, key, content, *servers):
  urls = tuple(server if isinstance(server, str) else server.url(filename) for server in servers)
  return PublicFile(filename, key, hashlib.sha256(content).hexdigest(), urls)


def tiny_scene(*servers, content=CUBE_BYTES):
  """Returns a public scene whose cube is on the given hosts; no host has its labels."""
  return PublicScene(
    name="tiny",
    short_name="ti",
    title="Tiny",
    sensor="AVIRIS",
    shape=CUBE.shape,
    class_names=("grass", "roof"),
    class_counts=(2, 3),
    cube=public_file("Tiny.mat", "cube", content, *servers),
    labels=public_file("Tiny_gt.mat", "gt", LABEL_BYTES),
    false_colour_bands=(2, 1, 0),
    page_url="https://scenes.example/tiny",
    citation="",
  )


def fetch(folder, facts, accept_changed=False, **limits):
  opener = https_opener(ssl.create_default_context(cafile=hosts.CERTIFICATE))
  limits = dataclasses.replace(LIMITS, **limits)
  download.fetch_public(facts, folder, accept_changed, limits=limits, opener=opener)


def assert_complete(folder):
  assert (folder / "Tiny.mat").read_bytes() == CUBE_BYTES
  assert file_names(folder) == {"Tiny.mat", "Tiny_gt.mat"}


def file_names(folder):
  return {path.name for path in folder.iterdir()} - {".lock"}


def requested_paths(host):
  return [request["Path"] for request in host.requests]


def refusal(folder, facts, **options):
  """Returns the message of a download that must fail and must leave no file under the final name."""
  with pytest.raises(RequestError) as error:
    fetch(folder, facts, **options)
  assert "Tiny.mat" not in file_names(folder)
  assert "\n" not in str(error.value)
  return str(error.value)
