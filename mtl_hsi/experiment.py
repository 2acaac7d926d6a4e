"""One experiment, end to end: scenes, split, training, classification, report."""

import contextlib
import datetime
import functools
import json
import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from mtl_hsi import (
  adaptation,
  area,
  baselines,
  classify,
  devices,
  metrics,
  patches,
  processes,
  progress,
  report,
  sampling,
  settings,
  workdir,
)
from mtl_hsi.errors import RequestError
from mtl_hsi.fit import fit
from mtl_hsi.introduction import bands_used, description, introduction, summaries
from mtl_hsi.models import products
from mtl_hsi.problem import layers, paper_figure, prepare, training_set
from mtl_hsi.replicas import Replicas
from mtl_hsi.report import console
from mtl_hsi.report.false_colour import false_colour_bands
from mtl_hsi.scenes.public import is_public
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.scenes_record import describe
from mtl_hsi.snapshots import Checkpoints
from mtl_hsi.trained import read_run
from mtl_hsi.voting import Votes, confidence_arrays


def run(
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
  options = settings.read(config, scenes)
  if options.check_only:
    problem = prepare(options)
    if processes.is_first():
      print(f"{summaries(problem, options, problem.scenes)}\n{introduction(problem, options)}")
    return
  if processes.from_first(lambda: workdir.is_complete(directory, config.to_dict())):
    if processes.is_first():
      print(f"{directory} is complete; nothing to do. Its report: {directory / 'report.html'}")
    return
  problem = prepare(options)
  _check_processes(options, problem)
  origin = _origin(options, problem)
  with contextlib.ExitStack() as stack:

    def begin():
      stack.enter_context(workdir.open_workdir(directory, config.to_dict()))
      _begin(options, problem, directory, command, started)

    processes.from_first(begin)
    work = _work(options, problem, directory, origin)
    if processes.is_first():
      summary = _finish(config, options, problem, directory, work)
      print(f"\n{console.summary(summary, directory)}")


def _origin(options, problem):
  """The run that training starts from, checked, or None."""
  if options.origin is None:
    return None
  trained = read_run(options.origin.run)
  adaptation.check(trained, problem.network, replicas=options.replicas, new_stem=options.origin.new_stem)
  return trained


def _check_processes(options, problem):
  """Refuses what several processes cannot do."""
  if processes.count() == 1:
    return
  if problem.network is None:
    raise RequestError("model.name=svm runs in one process, on all its cores; leave out --coordinator")
  if options.replicas < jax.device_count():
    raise RequestError(
      f"{processes.count()} processes have {jax.device_count()} devices, and {options.replicas} replicas "
      "cannot be spread over so many; start fewer processes or raise --config.replicas"
    )


def _begin(options, problem, directory, command, started):
  """What is told and written before any work."""
  own = [name for name, scene in problem.scenes.items() if not (is_public(scene) or scene.simulated)]
  if own:
    print(summaries(problem, options, own))
  print(introduction(problem, options), flush=True)
  workdir.write_once(directory / "scenes.json", workdir.json_bytes(describe(problem)))
  workdir.write_once(directory / "split.npz", workdir.npz_bytes(sampling.split_arrays(problem.splits)))
  # Refuses damaged checkpoints before anything of the earlier start is replaced.
  Checkpoints(directory / "checkpoints").latest_intact_state()
  environment = devices.environment(command, started)
  environment["starts"] = [*_earlier_starts(directory), environment["started"]]
  workdir.write_json(directory / "environment.json", environment)


def _finish(config, options, problem, directory, work):
  """Writes what came out; metrics.json last, since it says that all else is there."""
  workdir.write_npz(directory / "predictions.npz", work.predictions)
  if work.votes is not None:
    workdir.write_npz(directory / "confidence.npz", confidence_arrays(work.votes))
  results = _measure(problem, work.predictions)
  environment = json.loads((directory / "environment.json").read_bytes())
  summary = report.RunReport(
    title=directory.absolute().name,
    description=description(options),
    scenes=[_scene_report(options, problem, name, results, work) for name in problem.scenes],
    target=options.target,
    losses=work.losses,
    phases=options.schedule.lengths,
    seconds=work.seconds,
    config=config.to_dict(),
    environment=environment,
    command=shlex.join(environment["command"]),
  )
  report.write(summary, directory)
  results |= {**work.entries, "target": options.target, "seconds": work.seconds}
  results["compilations"] = work.compilations
  workdir.write_json(directory / "metrics.json", results)
  return summary


def _earlier_starts(directory):
  """Times at which this run was started before."""
  try:
    return json.loads((directory / "environment.json").read_bytes())["starts"]
  # Missing at the first start; what tells of the past is not worth failing for.
  except (OSError, ValueError, KeyError):
    return []


class _Work(NamedTuple):
  """What training and classification leave.

  Attributes:
    losses: `[epochs, R, T]`, or None where nothing was trained by epochs.
    predictions: class ids of every pixel `[R, H, W]` by scene.
    votes: the snapshots' votes with their confidence by scene, or None where nothing voted.
    seconds: time spent, by activity.
    compilations: programs compiled, or read from the compile cache.
    entries: what else is for `metrics.json`.
  """

  losses: np.ndarray | None
  predictions: Mapping[str, np.ndarray]
  votes: Mapping[str, Votes] | None
  seconds: Mapping[str, float]
  compilations: int
  entries: Mapping[str, Any]


def _work(options, problem, directory, origin):
  """Trains and classifies."""
  directory = directory / "checkpoints"
  if problem.network is None:
    return _svms(options, problem, directory)
  return _networks(options, problem, directory, origin)


def _networks(options, problem, directory, origin):
  """All scenes in one network, in every replica."""
  start = time.monotonic()
  replicas = Replicas(options.replicas, jax.devices())
  checkpoints = Checkpoints(directory)
  with devices.compile_clock() as clock, products.precision(options.precision):
    pixels, padded = patches.lay_out(layers(problem), problem.patch)
    losses = _train(options, problem, replicas, pixels, checkpoints, origin)
    trained = time.monotonic()
    votes = _classify(options, problem, replicas, padded, checkpoints)
    end = time.monotonic()
  predictions = {name: problem.scenes[name].class_ids[own.labels] for name, own in votes.items()}
  seconds = _seconds(trained - start, end - trained, clock.seconds)
  return _Work(losses, predictions, votes, seconds, clock.compilations, {})


def _svms(options, problem, directory):
  """Every scene on its own, in every replica, all side by side; training gets its share of the time."""
  start = time.monotonic()
  directory, tasks = directory / "svm", _tasks(problem)
  finished = baselines.load_finished(tasks, directory)
  with progress.bar("svm", len(tasks) * options.replicas, "job", len(finished)) as bar:
    svms, share = baselines.finish(
      tasks, finished, directory, cores=devices.usable_cores(), progress=bar.update
    )
  predictions = {name: np.stack([svm.prediction for svm in own]) for name, own in svms.items()}
  chosen = {
    name: {"C": [svm.C for svm in own], "gamma": [svm.gamma for svm in own]} for name, own in svms.items()
  }
  total = time.monotonic() - start
  return _Work(None, predictions, None, _seconds(share * total, (1 - share) * total, 0.0), 0, {"svm": chosen})


def _tasks(problem):
  tasks = {}
  for (name, scene), layer in zip(problem.scenes.items(), layers(problem), strict=True):
    # One by one, since their numbers of bands may differ.
    _, (cube,) = patches.lay_out([layer], problem.patch)
    tasks[name] = baselines.Task(cube, scene.labels, problem.splits[name].train)
  return tasks


def _seconds(train, classify, compile):
  return {"train": train, "classify": classify, "total": train + classify, "compile": compile}


def _train(options, problem, replicas, pixels, checkpoints, origin):
  samples = training_set(problem)

  def begin():
    return adaptation.start(
      origin,
      problem.network,
      replicas,
      samples,
      pixels,
      seed=options.seed,
      new_stem=options.origin.new_stem,
    )

  with contextlib.ExitStack() as stack:
    bar = None

    def report_epoch(done, losses):
      nonlocal bar
      if bar is None:
        # Epochs of an earlier start say nothing about the remaining time.
        bar = stack.enter_context(progress.bar("training", options.schedule.epochs, "epoch", initial=done))
      else:
        bar.set_postfix_str(f"loss {np.mean(losses):.4f}", refresh=False)
        bar.update()

    return fit(
      problem.network,
      options.make_optimizer,
      options.schedule,
      replicas,
      samples,
      pixels,
      seed=options.seed,
      batch_size=options.batch_size,
      mixed=options.mixed,
      drop_last=options.drop_last,
      checkpoints=checkpoints,
      checkpoint_seconds=options.checkpoint_seconds,
      scene_names=list(problem.scenes),
      progress=report_epoch,
      start=origin and begin,
    )


def _classify(options, problem, replicas, padded, checkpoints):
  """The snapshots' votes on every pixel, by scene."""
  network = problem.network
  classifier = classify.Classifier(network, jax.devices(), options.classify_method, options.tile_pixels)
  params, stats = jax.eval_shape(network.init, jax.random.key(0))
  shapes = replicas.shapes({"params": params, "stats": stats})
  snapshots = []
  for epoch in options.schedule.snapshot_epochs:
    restore = functools.partial(checkpoints.restore_snapshot, epoch, shapes)
    snapshots.append(jax.tree.map(np.asarray, processes.tree_from_first(restore, shapes)))
  placed = classifier.place_snapshots(snapshots)
  with progress.bar("classifying", sum(len(classifier.tiles(cube)) for cube in padded), "tile") as bar:
    return {
      name: classifier.vote(placed, padded[index], index, bar.update)
      for index, name in enumerate(problem.scenes)
    }


def _measure(problem, predictions):
  """The part of `metrics.json` that depends on nothing but predictions and splits."""
  results, leakage, overlap = {}, {}, {}
  for name, scene in problem.scenes.items():
    split, confusions = problem.splits[name], []
    for predicted, rows in zip(predictions[name], split.test, strict=True):
      test = tuple(sampling.pixels_of(rows).T)
      confusions.append(metrics.confusion(scene.labels[test], predicted[test], scene.class_ids))
    results[name] = metrics.summarise(np.stack(confusions), scene.class_ids, scene.class_names)
    hectares = area.pixel_hectares(scene.georeference)
    areas = area.class_areas(predictions[name], scene.class_ids, scene.nodata, hectares)
    for row, own in zip(results[name]["per_class"], areas, strict=True):
      row |= own
    leakage[name] = sampling.leakage(split, scene.labels.shape, problem.patch)
    overlap[name] = sampling.patch_overlap(split, scene.labels.shape, problem.patch)
  return {**results, "leakage": leakage, "patch_overlap": overlap}


def _scene_report(options, problem, name, results, work):
  scene, split = problem.scenes[name], problem.splits[name]
  votes = None if work.votes is None else work.votes[name]
  return report.SceneReport(
    scene=scene,
    metrics=results[name],
    prediction=work.predictions[name][0],
    train=split.train[0],
    test=split.test[0],
    false_colour_bands=false_colour_bands(scene),
    bands=bands_used(problem, name),
    paper=paper_figure(problem, options) if name == options.target else None,
    leakage=results["leakage"][name],
    vote_share=None if votes is None else votes.share[0],
    probability=None if votes is None else votes.probability[0],
    patch_overlap=results["patch_overlap"][name],
  )
