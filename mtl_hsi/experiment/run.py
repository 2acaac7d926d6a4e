"""Runs one experiment from scenes to report: the only place that knows the whole path."""

import contextlib
import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

from mtl_hsi.classification.voting import confidence_arrays
from mtl_hsi.errors import RequestError
from mtl_hsi.evaluation import proposals
from mtl_hsi.experiment import adaptation, execution, outcome, probabilities, unknown_maps
from mtl_hsi.experiment.introduction import bands_used, description, introduction, split_used, summaries
from mtl_hsi.experiment.left_out_results import write_left_out
from mtl_hsi.experiment.letter import paper_figure
from mtl_hsi.experiment.problem import prepare
from mtl_hsi.experiment.report_maps import left_out_labels, replica_maps
from mtl_hsi.experiment.results import results_of
from mtl_hsi.experiment.scenes_record import (
  describe,
  keep_recorded_values,
  newer_files,
  with_recorded_values,
)
from mtl_hsi.report import console, report_files
from mtl_hsi.report.false_colour import false_colour_bands
from mtl_hsi.report.run_report import RunReport, SceneReport
from mtl_hsi.runs import workdir
from mtl_hsi.runs.records import with_schema
from mtl_hsi.runs.trained_run import read_run
from mtl_hsi.runtime import processes
from mtl_hsi.runtime.environment import describe_environment
from mtl_hsi.scenes.images.rasters import bounded_cache
from mtl_hsi.scenes.public.verification import is_public
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings import experiment_settings
from mtl_hsi.splits.split import fold_arrays, split_arrays
from mtl_hsi.storage import atomic_files, checksums
from mtl_hsi.storage.json_files import read_json, well_formed


@bounded_cache()
def run_experiment(
  config: Any,
  directory: Path,
  command: Sequence[str],
  scenes: Mapping[str, Scene] | None = None,
  *,
  again: bool = False,
) -> dict | None:
  """Runs the experiment of a config in a work directory, or resumes it.

  A complete work directory is left unchanged. With `check_only`, only the scenes are read and checked.

  Args:
    config: a ConfigDict with the keys of `configs/common.py`.
    directory: the work directory.
    command: the command line, for the report.
    scenes: scenes in memory, by name; the config names the files of the others.
    again: whether to make the results of a complete run again from its networks.

  Returns:
    What came out, for programs (see `outcome`); None in all processes except the first.

  Raises:
    RequestError: the request is invalid, or files cannot be read or written.
  """
  started = datetime.datetime.now().astimezone()
  settings = experiment_settings.read(config, scenes)
  if settings.check_only:
    problem, _ = _prepare(settings)
    if not processes.is_first():
      return None
    text = f"{summaries(problem, settings, problem.scenes)}\n{introduction(problem, settings)}"
    print(f"{text}\nOnly checked: nothing was trained or written.")
    return outcome.checked(problem, text)
  if processes.from_first(lambda: not again and _is_complete(directory, config.to_dict())):
    return _nothing_to_do(settings, directory)
  problem, origin = _prepare(settings)
  _check_processes(settings, problem)
  environment = describe_environment(command, started)
  with contextlib.ExitStack() as stack:

    def begin():
      stack.enter_context(workdir.open_workdir(directory, config.to_dict()))
      # Another process may have finished the run while the scenes were read.
      if not again and _is_complete(directory, config.to_dict()):
        return True
      _begin(settings, problem, directory, None if again else environment)
      return False

    if processes.from_first(begin):
      return _nothing_to_do(settings, directory)
    problem = with_recorded_values(problem, directory / "scenes.json")
    done = execution.execute(settings, problem, directory, origin)
    if not processes.is_first():
      return None
    if again:
      done = outcome.with_recorded_training(done, directory)
      workdir.start(directory, environment)
    print(f"\n{console.summary(_finish(config, settings, problem, directory, done), directory)}")
    return outcome.finished(directory)


def _nothing_to_do(settings, directory):
  """Prints where the results of a complete run are, and what has changed since or is missing."""
  if not processes.is_first():
    return None
  print(f"{directory} is complete; nothing to do. Its report: {directory / 'report.html'}")
  for note in (
    *probabilities.missing(settings.probabilities, directory),
    *unknown_maps.missing(settings.unknown, directory),
  ):
    print(note)
  for path in newer_files(settings.scenes.source_files, directory):
    print(
      f"note: {path.absolute()} was modified after the run read it; if its content changed, choose another "
      "--workdir to train on it"
    )
  return outcome.finished(directory)


def _is_complete(directory, config):
  """Returns whether the run is complete; refuses results that were changed since."""
  complete = workdir.is_complete(directory, config)
  if complete:
    checksums.verify(directory)
  return complete


def _prepare(settings):
  """Returns the checked problem, and the run that training starts from, or None."""
  problem, origin = _prepared(settings)
  unknown_maps.check(settings.unknown, problem)
  return problem, origin


def _prepared(settings):
  if settings.origin is None:
    return prepare(settings), None
  origin, new_stem = read_run(settings.origin.run), settings.origin.new_stem
  problem = prepare(settings, origin)
  adaptation.check(origin, problem.network, replicas=settings.replicas, new_stem=new_stem)
  return problem, origin


def _check_processes(settings, problem):
  """Refuses requests that several processes cannot handle."""
  if processes.count() == 1:
    return
  if problem.network is None:
    raise RequestError(
      "model.name=svm runs in one process, on all cores; remove --coordinator and --processes"
    )
  networks = problem.ensemble.count
  if networks < jax.device_count():
    raise RequestError(
      f"{processes.count()} processes have {jax.device_count()} devices, more than the {networks} "
      "networks; start fewer processes or raise --config.replicas"
    )


def _begin(settings, problem, directory, environment):
  """Prints the introduction, and writes what is known before training.

  Without an environment, the start is recorded later, so that the results of a finished run stay until then.
  """
  from_user = [name for name, scene in problem.scenes.items() if not (is_public(scene) or scene.simulated)]
  if from_user:
    print(summaries(problem, settings, from_user))
  print(introduction(problem, settings), flush=True)
  # Refuses damaged checkpoints before anything is written or replaced.
  for checkpoints in execution.checkpoint_stores(settings, directory / "checkpoints").values():
    checkpoints.latest_intact_state()
  scenes = keep_recorded_values(describe(problem), directory / "scenes.json")
  once = {
    "scenes.json": atomic_files.json_bytes(with_schema("scenes.json", {"scenes": scenes})),
    "split.npz": atomic_files.npz_bytes(_split_arrays(problem)),
  }
  # Existing files come first, because different contents are refused.
  for name in sorted(once, key=lambda name: not (directory / name).exists()):
    atomic_files.write_once(directory / name, once[name])
  if environment is not None:
    workdir.start(directory, environment)


def _finish(config, settings, problem, directory, done):
  """Writes results and report, and returns the report's values."""
  atomic_files.write_npz(directory / "predictions.npz", done.predictions)
  if done.votes is not None:
    atomic_files.write_npz(directory / "confidence.npz", confidence_arrays(done.votes))
  write_left_out(problem.legend, directory, done.mixtures, done.unlike)
  results = results_of(settings, problem, done)
  with well_formed(directory / "environment.json"):
    environment = read_json(directory / "environment.json")
    command = workdir.command_line(environment)
  summary = RunReport(
    name=directory.absolute().name,
    description=description(settings),
    scenes=[_scene_report(settings, problem, name, results, done) for name in problem.scenes],
    target=settings.scenes.target,
    losses=done.losses,
    phases=tuple((span.phase.name, span.epochs) for span in settings.training.schedule.spans),
    seconds=done.seconds,
    config=config.to_dict(),
    environment=environment,
    command=command,
  )
  report_files.write_report(summary, directory)
  results |= {**done.entries, "target": settings.scenes.target, "seconds": done.seconds}
  results["compilations"] = done.compilations
  workdir.finish(directory, results)
  return summary


def _split_arrays(problem):
  left_out = {name: [drawn.left_out for drawn in maps] for name, maps in problem.folds.items()}
  return split_arrays(problem.splits) | fold_arrays(problem.splits, left_out)


def _proposals(settings, problem, name, predictions, votes):
  # A single SVM has no confidence.
  if not settings.proposals or (votes is None and problem.ensemble.maps == 1):
    return None
  probabilities = None if votes is None else votes.probability
  return proposals.propose_for_scene(
    problem.scenes[name], predictions, probabilities, number=settings.proposals, distance=problem.patch
  )


def _smoothing_radius(settings, problem, name, done):
  """Returns the largest distance over which a map of the scene is smoothed, in pixels."""
  if name in done.mixtures:
    return max(chosen.smoothing.steps for chosen in done.mixtures[name])
  return 0 if problem.network is None else settings.inference.options.smoothing.steps


def _scene_report(settings, problem, name, results, done):
  scene = problem.scenes[name]
  first, *further = replica_maps(problem, name, done)
  votes = None if done.votes is None else done.votes[name]
  return SceneReport(
    scene=scene,
    metrics=results["scenes"][name],
    **vars(first),
    further=further,
    left_out_labels=left_out_labels(problem, name, results["scenes"][name], done),
    false_colour_bands=false_colour_bands(scene),
    bands_used=bands_used(problem, name),
    paper=paper_figure(problem, settings) if name == settings.scenes.target else None,
    leakage=results["leakage"][name],
    patch_overlap=results["patch_overlap"][name],
    smoothing_radius=_smoothing_radius(settings, problem, name, done),
    snapshots=1 if problem.network is None else len(settings.training.schedule.snapshot_epochs),
    split_used=split_used(settings, scene),
    unknown=done.unknown[name].marked if name in done.unknown else None,
    proposals=_proposals(settings, problem, name, done.predictions[name], votes),
  )
