"""Smoothing along similar spectra as a product with a sparse matrix of SciPy, weights included."""

import numpy as np
from scipy import sparse

from benchmarks.default_job import SmoothingJob

_NEIGHBOURS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]


def smooth(job: SmoothingJob) -> np.ndarray:
  """Returns smoothed probabilities `[H, W, C]`, as `mtl_hsi/classification/smoothing.py` defines them."""
  height, width, classes = job.probabilities.shape
  matrix = _weights(job)
  start = job.probabilities.reshape(-1, classes)
  before, p = start, job.restart * start + (1 - job.restart) * (matrix @ start)
  factor = 2.0
  for _ in range(job.steps - 1):
    factor = 1 / (1 - (1 - job.restart) ** 2 * factor / 4)
    mixed = job.restart * start + (1 - job.restart) * (matrix @ p)
    before, p = p, factor * (mixed - before) + before
  p = np.maximum(p, 0)
  return (p / p.sum(axis=1, keepdims=True)).reshape(height, width, classes)


def _weights(job):
  """Returns w as a matrix of all pixels, `[H * W, H * W]` in rows."""
  height, width, _ = job.channels.shape
  pixel = np.arange(height * width).reshape(height, width)
  rows, columns, distances = [], [], []
  for down, right in _NEIGHBOURS:
    here = slice(max(0, -down), height - max(0, down)), slice(max(0, -right), width - max(0, right))
    there = slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right))
    difference = job.channels[here] - job.channels[there]
    distances.append(np.einsum("hwb,hwb->hw", difference, difference).ravel() / job.channels.shape[2])
    rows.append(pixel[here].ravel())
    columns.append(pixel[there].ravel())
  rows, columns, distances = map(np.concatenate, (rows, columns, distances))
  nearest = np.full(height * width, np.inf, np.float32)
  np.minimum.at(nearest, rows, distances)
  similar = np.exp((nearest[rows] - distances) / job.scale)
  sums = np.bincount(rows, similar, height * width)
  weights = (similar / sums[rows]).astype(np.float32)
  return sparse.csr_array((weights, (rows, columns)), shape=(height * width, height * width))
