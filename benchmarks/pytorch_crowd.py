"""Processes that each train one network of PyTorch with a single thread.

`python -m benchmarks.pytorch_crowd job.npz 0 compiled` is one of them: it reads numbers of steps from
standard input, a line each, and answers each with the mean loss.
"""

import subprocess
import sys
from pathlib import Path

from benchmarks import default_job
from mtl_hsi.errors import RequestError

_ROOT = Path(__file__).parent.parent


class Crowd:
  """Networks of different replicas, each in a process.

  Args:
    job: file of the `ContextJob`.
    processes: number of processes.
    compiled: see `pytorch_default.Training`.
  """

  def __init__(self, job: Path, processes: int, compiled: bool):
    form = "compiled" if compiled else "plain"
    self._processes = [
      subprocess.Popen(
        [sys.executable, "-m", "benchmarks.pytorch_crowd", str(job), str(replica), form],
        cwd=_ROOT,
        text=True,
        bufsize=1,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
      )
      for replica in range(processes)
    ]

  def steps(self, count: int) -> list[float]:
    """Trains all networks at the same time for `count` steps; returns their mean losses.

    Raises:
      RequestError: a process has ended.
    """
    for process in self._processes:
      process.stdin.write(f"{count}\n")
    answers = [process.stdout.readline() for process in self._processes]
    if not all(answers):
      raise RequestError("a process of PyTorch has ended, possibly for lack of memory")
    return [float(answer) for answer in answers]

  def stop(self) -> None:
    """Ends the processes."""
    for process in self._processes:
      process.stdin.close()
      process.stdout.close()
      process.wait()


def main(path: str, replica: str, form: str) -> None:
  import torch

  from benchmarks import pytorch_default

  torch.set_num_threads(1)
  job = default_job.load(Path(path))
  training = pytorch_default.Training(job, int(replica) % len(job.centres), compiled=form == "compiled")
  for line in sys.stdin:
    print(training.steps(int(line)), flush=True)


if __name__ == "__main__":
  main(*sys.argv[1:])
