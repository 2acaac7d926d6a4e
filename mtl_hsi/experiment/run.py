"""One experiment, end to end: scenes, split, training, classification, report."""

import contextlib
import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from absl import logging

from mtl_hsi.classification.voting import confidence_arrays
from mtl_hsi.errors import RequestError
from mtl_hsi.evaluation import metrics, proposals
from mtl_hsi.evaluation.areas import class_areas, pixel_areas
from mtl_hsi.experiment import adaptation, execution
from mtl_hsi.experiment.introduction import bands_used, description, introduction, split_used, summaries
from mtl_hsi.experiment.problem import paper_figure, prepare
from mtl_hsi.experiment.scenes_record import as_begun, as_known, describe, newer_files
from mtl_hsi.report import console, report_files
from mtl_hsi.report.false_colour import false_colour_bands
from mtl_hsi.report.run_report import RunReport, SceneReport
from mtl_hsi.runs import workdir
from mtl_hsi.runs.records import with_schema
from mtl_hsi.runs.trained_run import read_run
from mtl_hsi.runtime import processes
from mtl_hsi.runtime.environment import describe_environment
from mtl_hsi.scenes.public.verification import is_public
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings import experiment_settings
from mtl_hsi.splits.leakage import leaked_share, patch_overlap
from mtl_hsi.splits.split import pixels_of, split_arrays
from mtl_hsi.storage import atomic_files, checksums
from mtl_hsi.storage.json_files import read_json, well_formed
from mtl_hsi.training.checkpoints import Checkpoints

# Keys of the environment on which the last bits of a result depend.
_OF_ROUNDING = ("cpu", "backend", "devices", "processes", "one_core_products", "packages")


def run_experiment(
  config: Any, directory: Path, command: Sequence[str], scenes: Mapping[str, Scene] | None = None
) -> None:
  """Runs the experiment of a config in a work directory, or what is left of it.

  A complete work directory stays as it is; with `check_only` nothing but the scenes is looked at.

  Args:
    config: a ConfigDict with the keys of `configs/common.py`.
    directory: the work directory.
    command: the command line, for the report.
    scenes: those that are in memory, by name; the config says where the others are.

  Raises:
    RequestError: something asked for cannot be done.
  """
  started = datetime.datetime.now().astimezone()
  settings = experiment_settings.read(config, scenes)
  if settings.check_only:
    problem, _ = _prepare(settings)
    if processes.is_first():
      print(f"{summaries(problem, settings, problem.scenes)}\n{introduction(problem, settings)}")
      print("Checked only (check_only): nothing was trained, nothing written.")
    return
  if processes.from_first(lambda: _is_complete(directory, config.to_dict())):
    if processes.is_first():
      print("\n".join(_nothing_to_do(settings, directory)))
    return
  problem, origin = _prepare(settings)
  _check_processes(settings, problem)
  with contextlib.ExitStack() as stack:

    def begin():
      stack.enter_context(workdir.open_workdir(directory, config.to_dict()))
      # Another process may have done it while the scenes were read.
      if _is_complete(directory, config.to_dict()):
        return True
      _begin(settings, problem, directory, command, started)
      return False

    if processes.from_first(begin):
      if processes.is_first():
        print("\n".join(_nothing_to_do(settings, directory)))
      return
    problem = as_begun(problem, directory / "scenes.json")
    done = execution.do(settings, problem, directory, origin)
    if processes.is_first():
      summary = _finish(config, settings, problem, directory, done)
      print(f"\n{console.summary(summary, directory)}")


def _nothing_to_do(settings, directory):
  """Where the results of a complete run are, and what they may no longer be the results of."""
  yield f"{directory} is complete; nothing to do. Its report: {directory / 'report.html'}"
  for path in newer_files(settings.scenes.source_files, directory):
    yield (
      f"note: {path.absolute()} is newer than the run, whose results are those of the file as it was; name "
      "another --workdir to train on it"
    )


def _is_complete(directory, config):
  """Whether there is nothing left to do, and all that was done is as it was."""
  complete = workdir.is_complete(directory, config)
  if complete:
    checksums.verify(directory)
  return complete


def _prepare(settings):
  """The problem, and the run that training starts from or None, both checked."""
  if settings.origin is None:
    return prepare(settings), None
  origin, new_stem = read_run(settings.origin.run), settings.origin.new_stem
  problem = prepare(settings, origin)
  adaptation.check(origin, problem.network, replicas=settings.replicas, new_stem=new_stem)
  return problem, origin


def _check_processes(settings, problem):
  """Refuses what several processes cannot do."""
  if processes.count() == 1:
    return
  if problem.network is None:
    raise RequestError(
      "model.name=svm runs in one process, on all its cores; remove --coordinator and --processes"
    )
  if settings.replicas < jax.device_count():
    raise RequestError(
      f"{processes.count()} processes have {jax.device_count()} devices, and {settings.replicas} replicas "
      "cannot be spread over so many; start fewer processes or raise --config.replicas"
    )


def _begin(settings, problem, directory, command, started):
  """What is told and written before any work."""
  own = [name for name, scene in problem.scenes.items() if not (is_public(scene) or scene.simulated)]
  if own:
    print(summaries(problem, settings, own))
  print(introduction(problem, settings), flush=True)
  # Refuses damaged checkpoints before anything is written or replaced.
  Checkpoints(directory / "checkpoints", settings.training.schedule.snapshot_epochs).latest_intact_state()
  scenes = as_known(describe(problem), directory / "scenes.json")
  once = {
    "scenes.json": atomic_files.json_bytes(with_schema({"scenes": scenes})),
    "split.npz": atomic_files.npz_bytes(split_arrays(problem.splits)),
  }
  # Those that are there come first, since another content is refused.
  for name in sorted(once, key=lambda name: not (directory / name).exists()):
    atomic_files.write_once(directory / name, once[name])
  environment, before = describe_environment(command, started), _earlier(directory)
  environment["starts"] = [*before.get("starts", []), environment["started"]]
  elsewhere = _elsewhere(before, environment)
  if elsewhere:
    environment["elsewhere"] = elsewhere
    logging.warning(
      "this run was begun with other %s; its results can differ by rounding from those of one machine",
      ", ".join(elsewhere[-1]),
    )
  atomic_files.write_json(directory / "environment.json", environment)
  workdir.unfinish(directory)


def _finish(config, settings, problem, directory, done):
  """Writes what came out."""
  atomic_files.write_npz(directory / "predictions.npz", done.predictions)
  if done.votes is not None:
    atomic_files.write_npz(directory / "confidence.npz", confidence_arrays(done.votes))
  results = _measure(problem, done.predictions)
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


def _earlier(directory):
  """The environment of the start before, empty where there was none or it is not what a run writes."""
  try:
    found = read_json(directory / "environment.json")
    starts, elsewhere = (found.get(key, []) for key in ("starts", "elsewhere"))
  # What tells of the past is not worth failing for.
  except (OSError, RequestError):
    return {}
  sound = isinstance(starts, list) and isinstance(elsewhere, list)
  return found if sound and all(isinstance(change, dict) for change in elsewhere) else {}


def _elsewhere(before, environment):
  """What earlier starts had and this one has not, of what the last bits depend on; one entry a change."""
  known = [key for key in _OF_ROUNDING if key in before]
  changed = {key: before[key] for key in known if _differ(before[key], environment[key])}
  return [*before.get("elsewhere", []), *([changed] if changed else [])]


def _differ(before, now):
  """Of packages only those count that both versions of the program name."""
  if isinstance(before, dict) and isinstance(now, dict):
    return any(before[key] != now[key] for key in before.keys() & now.keys())
  return before != now


def _measure(problem, predictions):
  """The part of `metrics.json` that depends on nothing but predictions and splits."""
  results, leakage, overlap = {}, {}, {}
  for name, scene in problem.scenes.items():
    split, confusions = problem.splits[name], []
    for predicted, rows in zip(predictions[name], split.test, strict=True):
      test = tuple(pixels_of(rows).T)
      confusions.append(metrics.confusion(scene.labels[test], predicted[test], scene.class_ids))
    results[name] = metrics.summarise(np.stack(confusions), scene.class_ids, scene.class_names)
    pixels = pixel_areas(scene.georeference, *scene.labels.shape)
    areas = class_areas(predictions[name], scene.class_ids, scene.nodata, pixels)
    for row, own in zip(results[name]["per_class"], areas, strict=True):
      row |= own
    leakage[name] = leaked_share(split, scene.labels.shape, problem.patch)
    overlap[name] = patch_overlap(split, scene.labels.shape, problem.min_separation)
  return {"scenes": results, "leakage": leakage, "patch_overlap": overlap}


def _proposals(settings, problem, name, predictions, votes):
  # A single SVM is as sure of one pixel as of any other.
  if not settings.proposals or (votes is None and settings.replicas == 1):
    return None
  probabilities = None if votes is None else votes.probability
  return proposals.propose_for_scene(
    problem.scenes[name], predictions, probabilities, number=settings.proposals, distance=problem.patch
  )


def _scene_report(settings, problem, name, results, done):
  scene, split = problem.scenes[name], problem.splits[name]
  votes = None if done.votes is None else done.votes[name]
  return SceneReport(
    scene=scene,
    metrics=results["scenes"][name],
    prediction=done.predictions[name][0],
    train=pixels_of(split.train[0]),
    test=pixels_of(split.test[0]),
    false_colour_bands=false_colour_bands(scene),
    bands_used=bands_used(problem, name),
    paper=paper_figure(problem, settings) if name == settings.scenes.target else None,
    leakage=results["leakage"][name],
    vote_share=None if votes is None else votes.share[0],
    probability=None if votes is None else votes.probability[0],
    patch_overlap=results["patch_overlap"][name],
    smoothing_radius=0 if problem.network is None else settings.inference.options.smoothing.steps,
    snapshots=1 if problem.network is None else len(settings.training.schedule.snapshot_epochs),
    split_used=split_used(settings, scene),
    proposals=_proposals(settings, problem, name, done.predictions[name], votes),
  )
