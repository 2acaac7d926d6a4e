"""Kills during the download of a scene."""

import contextlib
import hashlib
import io
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.io

from faults.trial import LOST, Trial, Verdict, start_again
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.scenes.public.registry import load_public
from tests.scenes import hosts

_PIECES = 100
_PAUSE = 0.005


def kill_in_download(trial: Trial) -> Verdict:
  """Kills a run while it downloads Indian Pines in small pieces from a host on this machine."""
  folder = trial.run.with_name(f"{trial.run.name}-data")
  countdown = _Countdown(trial.chance.randrange(2, _PIECES))
  moment = f"at piece {countdown.left} of {_PIECES} of the cube"
  with _hosts(folder, countdown) as files:
    options = {
      "orders": {"host": files},
      "more": ["--config.download=True", f"--config.data_dir={folder}"],
      "environment": {"SSL_CERT_FILE": str(hosts.CERTIFICATE), "no_proxy": "localhost"},
    }
    with trial.experiment.start(trial.run, **options) as started:
      countdown.action = lambda: started.send(signal.SIGKILL)
      ending = started.wait()
    if ending.status != -signal.SIGKILL:
      return Verdict(LOST, moment, f"the download failed: {ending.last_line}")
    verdict = start_again(trial, moment, **options)
  left = sorted(path.name for path in folder.iterdir() if path.name != ".lock")
  return verdict if left == sorted(files) else Verdict(LOST, moment, f"{folder} holds {', '.join(left)}")


class _Countdown:
  """Calls an action when it is called for the n-th time."""

  def __init__(self, left: int):
    self.left, self.action = left, None

  def __call__(self) -> None:
    self.left -= 1
    if self.left == 0:
      self.action()


class _Pieces:
  """Wraps a stream and writes to it in small pieces, with pauses."""

  def __init__(self, stream, size: int, after: Callable[[], object]):
    self._stream, self._size, self._after = stream, size, after

  def write(self, data: bytes) -> None:
    for start in range(0, len(data), self._size):
      self._stream.write(data[start : start + self._size])
      self._after()
      time.sleep(_PAUSE)

  def __getattr__(self, name):
    return getattr(self._stream, name)


@contextlib.contextmanager
def _hosts(folder: Path, countdown: _Countdown) -> Iterator[dict[str, tuple[str, str]]]:
  """Yields URL and SHA-256 of both files of Indian Pines by name; counts the pieces of the cube."""
  facts, scene = PUBLIC_SCENES["indian_pines"], load_public("indian_pines", folder, False, False)
  contents = {facts.labels: scene.labels.astype(np.uint8), facts.cube: scene.cube}
  files = {}
  with contextlib.ExitStack() as stack:
    for file, array in contents.items():
      body = io.BytesIO()
      scipy.io.savemat(body, {file.key: array})
      answer = _slowly(body.getvalue(), countdown if file is facts.cube else lambda: None)
      host = hosts.Host(answer)
      stack.callback(host.close)
      files[file.filename] = host.url(file.filename), hashlib.sha256(body.getvalue()).hexdigest()
    yield files


def _slowly(body: bytes, after: Callable[[], object]) -> hosts.Answer:
  whole = hosts.whole(body)

  def answer(request):
    request.wfile = _Pieces(request.wfile, -(-len(body) // _PIECES), after)
    whole(request)

  return answer
