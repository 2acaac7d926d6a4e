"""One experiment, end to end: scenes, split, training, classification, report."""

import datetime
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from tqdm import tqdm

from mtl_hsi import classify, devices, metrics, patches, report, sampling, settings, workdir
from mtl_hsi.fit import fit
from mtl_hsi.problem import Problem, describe, layers, paper_figure, prepare, training_set
from mtl_hsi.replicas import Replicas
from mtl_hsi.report import console
from mtl_hsi.report.false_colour import false_colour_bands
from mtl_hsi.settings import Settings
from mtl_hsi.snapshots import Checkpoints


def run(config: Any, directory: Path, command: Sequence[str]) -> None:
  """Runs the experiment of a config in a work directory, or what is left of it.

  A complete work directory stays as it is.

  Args:
    config: a ConfigDict with the keys of `configs/common.py`.
    directory: the work directory.
    command: the command line, for the report.

  Raises:
    RequestError: something asked for cannot be done.
  """
  started = datetime.datetime.now().astimezone()
  options = settings.read(config)
  if workdir.is_complete(directory, config.to_dict()):
    print(f"{directory} is complete; nothing to do. Its report: {directory / 'report.html'}")
    return
  problem = prepare(options)
  with workdir.open_workdir(directory, config.to_dict()):
    print(_introduction(problem, options), flush=True)
    environment = devices.environment(command, started)
    workdir.write_json(directory / "environment.json", environment)
    workdir.write_json(directory / "scenes.json", describe(problem))
    workdir.write_npz(directory / "split.npz", sampling.split_arrays(problem.splits))
    losses, predictions, seconds = _work(options, problem, directory)
    workdir.write_npz(directory / "predictions.npz", predictions)
    results = _measure(problem, predictions)
    summary = report.RunReport(
      title=directory.name,
      scenes=[_scene_report(options, problem, name, results, predictions) for name in problem.scenes],
      target=options.target,
      losses=losses,
      phases=options.schedule.lengths,
      seconds=seconds,
      config=config.to_dict(),
      environment=environment,
      command=shlex.join(command),
    )
    report.write(summary, directory)
    workdir.write_json(directory / "metrics.json", {**results, "target": options.target, "seconds": seconds})
  print(f"\n{console.summary(summary, directory)}")


def _work(options, problem, directory):
  """Trains and classifies: losses `[epochs, R, T]`, voted class ids `[R, H, W]` by scene, seconds."""
  start = time.monotonic()
  replicas = Replicas(options.replicas, jax.devices())
  checkpoints = Checkpoints(directory / "checkpoints")
  with devices.compile_clock() as clock:
    pixels, padded = patches.lay_out(layers(problem), problem.network.patch)
    losses = _train(options, problem, replicas, pixels, checkpoints)
    trained = time.monotonic()
    predictions = _classify(options, problem, replicas, padded, checkpoints)
    end = time.monotonic()
  seconds = {
    "train": trained - start,
    "classify": end - trained,
    "total": end - start,
    "compile": clock.seconds,
  }
  return losses, predictions, seconds


def _train(options, problem, replicas, pixels, checkpoints):
  with _progress_bar("training", options.schedule.epochs, "epoch") as bar:

    def progress(done, losses):
      if losses is None:
        # Epochs of an earlier start say nothing about the remaining time.
        bar.initial = bar.n = bar.last_print_n = done
        bar.refresh()
      else:
        bar.set_postfix_str(f"loss {np.mean(losses):.4f}", refresh=False)
        bar.update()

    return fit(
      problem.network,
      options.make_optimizer,
      options.schedule,
      replicas,
      training_set(problem),
      pixels,
      seed=options.seed,
      batch_size=options.batch_size,
      mixed=options.mixed,
      checkpoints=checkpoints,
      checkpoint_seconds=options.checkpoint_seconds,
      scene_names=list(problem.scenes),
      progress=progress,
    )


def _classify(options, problem, replicas, padded, checkpoints):
  """Voted class ids of every pixel, `[R, H, W]` by scene."""
  network, epochs = problem.network, options.schedule.snapshot_epochs
  classifier = classify.make_classifier(network, replicas, options.classify_method)
  pixels = classify.tile_pixels(options.classify_method, network.patch, options.tile_pixels)
  votes = {name: [] for name in problem.scenes}
  with _progress_bar("classifying", len(epochs) * len(votes), "scene") as bar:
    params, stats = jax.eval_shape(network.init, jax.random.key(0))
    shapes = replicas.shapes({"params": params, "stats": stats})
    for epoch in epochs:
      snapshot = replicas.put(checkpoints.restore_snapshot(epoch, shapes))
      for index, name in enumerate(votes):
        labels = classify.classify(
          classifier, replicas, snapshot, padded[index], index, patch=network.patch, pixels=pixels
        )
        votes[name].append(labels)
        bar.update()
  return {
    name: problem.scenes[name].class_ids[classify.vote(np.stack(labels), len(problem.scenes[name].class_ids))]
    for name, labels in votes.items()
  }


def _measure(problem, predictions):
  """The part of `metrics.json` that depends on nothing but predictions and splits."""
  results, leakage = {}, {}
  for name, scene in problem.scenes.items():
    split, confusions = problem.splits[name], []
    for predicted, rows in zip(predictions[name], split.test, strict=True):
      test = tuple(sampling.pixels_of(rows).T)
      confusions.append(metrics.confusion(scene.labels[test], predicted[test], scene.class_ids))
    results[name] = metrics.summarise(np.stack(confusions), scene.class_ids, scene.class_names)
    leakage[name] = sampling.leakage(split, scene.labels.shape, problem.network.patch)
  return {**results, "leakage": leakage}


def _scene_report(options, problem, name, results, predictions):
  scene, split = problem.scenes[name], problem.splits[name]
  return report.SceneReport(
    scene=scene,
    metrics=results[name],
    prediction=predictions[name][0],
    train=split.train[0],
    test=split.test[0],
    false_colour_bands=false_colour_bands(scene),
    paper=paper_figure(problem, options) if name == options.target else None,
    leakage=results["leakage"][name],
  )


def _introduction(problem: Problem, options: Settings) -> str:
  """What is about to happen, a line per scene."""
  lines = []
  for name, scene in problem.scenes.items():
    height, width, bands = scene.cube.shape
    train, test = (len(sampling.pixels_of(part[0])) for part in problem.splits[name])
    lines.append(
      f"{scene.title}: {height} x {width} pixels, {len(problem.bands[name])} of {bands} bands, "
      f"{len(scene.class_ids)} classes, {train} training and {test} test pixels"
    )
  epochs = " + ".join(str(epochs) for _, epochs in options.schedule.lengths)
  network = f"{options.model.name}, {options.replicas} replicas, {epochs} epochs"
  return "\n".join([*lines, network])


def _progress_bar(what: str, total: int, unit: str) -> tqdm:
  """A bar with the remaining time; it goes to stderr, so that stdout keeps what is worth keeping."""
  return tqdm(desc=what, total=total, unit=unit, dynamic_ncols=True, leave=True)
