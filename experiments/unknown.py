"""Makes results/unknown.json: scores of pixels of no training class, each class of a scene left out in turn.

  nice -n 10 .venv/bin/python experiments/unknown.py --data=<directory with the .npz files of the scenes>

A class is left out of training, and its pixels are the unknown ones. The known ones are pixels of the other
classes in a fifth of the labels, whole blocks of 16 pixels. The other four fifths train, up to 50 pixels of a
class. Every class is kept in `--runs`, and the same command resumes. Form and settings of the
default were chosen with seed 100.
"""

import argparse
import json
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import numpy as np

from experiments import suite_scenes, tables, unknown_networks, unknown_scores
from experiments.shift import fit_inputs
from mtl_hsi.classification import unlike
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.storage import atomic_files
from mtl_hsi.storage.json_files import read_json
from mtl_hsi.training import patches, spectral_regression

_RESULT = Path(__file__).resolve().parents[1] / "results" / "unknown.json"
_COMPONENTS, _MOST_TRAIN, _MOST_KNOWN, _MOST_UNKNOWN = 40, unlike.PIXELS, 1000, 700
_PENALTY, _STATED = 10.0, 0.05
_TABLE = {
  "nearest training pixel, MNF of 3 x 3": "nearest training pixel, MNF of 3 x 3 (default)",
  "relative distance, MNF of 3 x 3": "relative distance to class means, MNF of 3 x 3",
  "distance, MNF": "distance to class means, MNF",
  "relative distance, features of network": "relative distance to class means, features",
  "nearest training pixel, features of network": "nearest training pixel, features",
  "energy, network": "energy, network",
  "energy, mixture": "energy, mixture",
  "softmax, network": "softmax, network",
  "softmax, mixture": "softmax, mixture",
  "reconstruction": "reconstruction",
}
# Of the patches of 9 x 9 pixels.
_MARGIN = 4


def main() -> None:
  """Measures what is missing, writes the means over the classes and prints them."""
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--data", type=Path, default=Path("data"), help="see suite_scenes.py")
  parser.add_argument("--table", action="store_true", help="only print the table of what was measured")
  parser.add_argument("--prepared", type=Path, default=Path("runs/suite/data"), help="for prepared scenes")
  parser.add_argument("--runs", type=Path, default=Path("runs/unknown"), help="for the results of each class")
  parser.add_argument("--scenes", default=",".join(suite_scenes.SCENES), help="names, separated by commas")
  parser.add_argument("--seed", type=int, default=0)
  arguments = parser.parse_args()
  if arguments.table:
    print(_table(read_json(_RESULT)["scenes"]))
    return
  found = {}
  for name in arguments.scenes.split(","):
    scene = suite_scenes.load(name, arguments.data, arguments.prepared)
    if scene is None:
      print(f"{name}: left out, no file", flush=True)
      continue
    found[name] = _measure(scene, arguments.seed, arguments.runs)
  if arguments.seed == 0:
    atomic_files.write_json(
      _RESULT, {"config": _config(arguments.seed), "machine": _machine(), "scenes": found}
    )


def _table(scenes):
  """Returns a Markdown table of areas under the ROC curve and shares of unknown pixels found, in percent."""
  lines = [tables.row("score", *scenes, "mean"), tables.row(*["---"] * (len(scenes) + 2))]
  for key, name in _TABLE.items():
    figures = [(found["mean"][key]["auroc"], found["mean"][key]["found"]) for found in scenes.values()]
    cells = [f"{area:.3f} / {100 * share:.0f}" for area, share in [*figures, np.mean(figures, axis=0)]]
    lines.append(tables.row(name, *cells))
  rates = [found["rejected_at_stated_rate"] for found in scenes.values()]
  cells = [f"{100 * rate:.1f}" for rate in [*rates, np.mean(rates)]]
  return "\n".join([*lines, tables.row("known pixels rejected at a stated 5%", *cells)])


def _config(seed):
  return {
    "seed": seed,
    "steps": unknown_networks.STEPS,
    "batch": unknown_networks.BATCH,
    "mnf_components": _COMPONENTS,
    "most_training_pixels_per_class": _MOST_TRAIN,
    "penalty": _PENALTY,
    "reconstruction": unknown_networks.RECONSTRUCTION,
  }


def _machine():
  return f"{platform.machine()}, {jax.devices()[0].device_kind}, JAX {jax.__version__}"


def _measure(scene: Scene, seed: int, runs: Path) -> dict:
  """Returns the figures of every score: by class that is left out, and their mean."""
  inputs = fit_inputs(scene, _COMPONENTS)
  pixels, (padded,) = patches.lay_out([patches.Layer(scene.cube, inputs, scene.nodata)], 2 * _MARGIN + 1)
  classes = {}
  for class_id in scene.class_ids.tolist():
    kept = runs / f"{scene.name}-s{seed}-{class_id}.json"
    if not kept.exists():
      found = _without(scene, class_id, inputs, pixels, padded, seed)
      kept.parent.mkdir(parents=True, exist_ok=True)
      atomic_files.write_json(kept, found)
    if found := read_json(kept):
      classes[str(class_id)] = found
  scores = next(iter(classes.values()))
  means = {
    score: {
      key: float(np.mean([found[score][key] for found in classes.values()])) for key in ("auroc", "found")
    }
    for score in scores
  }
  for score, values in sorted(means.items(), key=lambda item: -item[1]["auroc"]):
    print(f"{scene.name}: {score}: {values['auroc']:.3f}, found {values['found']:.3f}", flush=True)
  rate = _rate(scene, inputs, padded, seed)
  print(f"{scene.name}: {rate:.1%} of known pixels rejected at a stated rate of {_STATED:.0%}", flush=True)
  return {"mean": means, "rejected_at_stated_rate": rate, "classes": classes}


def _rate(scene, inputs, padded, seed) -> float:
  """Returns the share of labels of a fold above the limit that the other folds set, the mean over the folds.

  Each of the other folds is left out in turn, as in a run, to set the limit.
  """
  folds = [part.test for part in suite_scenes.draw(scene, suite_scenes.FOLDS, seed)]
  generator, components = np.random.default_rng(seed), unlike.components_of(inputs)
  rates = []

  def scores(train, tested):
    of = scene.labels[tuple(train.T)]
    train = np.concatenate([generator.permutation(train[of == i])[:_MOST_TRAIN] for i in np.unique(of)])
    tested = tested[np.isin(scene.labels[tuple(tested.T)], of)]
    known, others = (unlike.average_at(padded, pixels + _MARGIN, components) for pixels in (train, tested))
    return unlike.score(unlike.fit(known, scene.labels[tuple(train.T)]), others)

  for k, tested in enumerate(folds):
    others = folds[:k] + folds[k + 1 :]
    inner = [
      scores(np.concatenate(others[:j] + others[j + 1 :]), left_out) for j, left_out in enumerate(others)
    ]
    limit = np.quantile(np.concatenate(inner), 1 - _STATED)
    rates.append((scores(np.concatenate(others), tested) > limit).mean())
  return float(np.mean(rates))


def _draw(scene, class_id, seed):
  """Returns training pixels, known test pixels and unknown ones, `[n, 2]` each."""
  generator = np.random.default_rng([seed, class_id])
  part = suite_scenes.draw(scene, suite_scenes.FOLDS, seed)[0]
  train = part.train[scene.labels[tuple(part.train.T)] != class_id]
  of = scene.labels[tuple(train.T)]
  train = np.concatenate([generator.permutation(train[of == i])[:_MOST_TRAIN] for i in np.unique(of)])
  known = part.test[np.isin(scene.labels[tuple(part.test.T)], np.unique(of))]
  unknown = np.argwhere(scene.labels == class_id)
  return (
    train.astype(np.int32),
    generator.permutation(known)[:_MOST_KNOWN].astype(np.int32),
    generator.permutation(unknown)[:_MOST_UNKNOWN].astype(np.int32),
  )


def _without(scene, class_id, inputs, pixels, padded, seed) -> dict:
  """Trains without a class and returns the figures of every score."""
  train, known, unknown = _draw(scene, class_id, seed)
  if len(known) == 0 or len(np.unique(scene.labels[tuple(train.T)])) < 2:
    return {}
  places = np.concatenate([train, known, unknown])
  cube = scene.cube[tuple(places.T)]
  values = inputs(cube, None).astype(np.float64)
  labels = np.searchsorted(scene.class_ids, scene.labels[tuple(train.T)])
  present = scene.class_ids != class_id
  first = inputs.spectral_channels
  averaged = unlike.average_at(padded, places + _MARGIN, slice(first, first + unlike.COMPONENTS))
  scores = _of_channels(values, averaged, labels, present, first)
  network = unknown_networks.make(inputs.channels, len(scene.class_ids))
  rows = 1 << (_MOST_TRAIN * len(scene.class_ids) - 1).bit_length()
  padding = (0, rows - len(train))
  arrays = (
    np.pad(train, [padding, (0, 0)]),
    np.pad(labels, padding).astype(np.int32),
    np.int32(len(train)),
    present,
  )
  key = jax.random.fold_in(jax.random.key(seed), class_id)
  for name, weight in (("network", 0.0), ("joint network", unknown_networks.RECONSTRUCTION)):
    bands = inputs.spectral_channels
    trained = unknown_networks.train(network, pixels, *arrays, key, bands=bands, weight=weight)
    found = unknown_networks.outputs(network, trained, pixels, places, bands)
    scores |= _of_network(name, found, labels, present)
    if weight:
      scores["reconstruction"] = found["error"]
    else:
      scores |= _of_mixture(found["logits"][:, present], scores.pop("logits"))
  n, k = len(train), len(known)
  results = {name: unknown_scores.compare(score[n : n + k], score[n + k :]) for name, score in scores.items()}
  print(
    f"{scene.name} without {class_id}: " + json.dumps({s: round(v["auroc"], 3) for s, v in results.items()}),
    flush=True,
  )
  return results


def _of_channels(values, averaged, labels, present, bands):
  scores, train = {}, slice(0, len(labels))
  scores["nearest training pixel, MNF of 3 x 3"] = unlike.score(unlike.fit(averaged[train], labels), averaged)
  parts = {"bands": values[:, :bands], "MNF": values[:, bands:], "MNF of 3 x 3": averaged.astype(float)}
  for name, own in parts.items():
    fitted = unknown_scores.fit_gaussian(own[train], labels)
    everything = unknown_scores.fit_gaussian(own[train], np.zeros_like(labels))
    scores[f"distance, {name}"] = unknown_scores.mahalanobis(fitted, own)
    scores[f"relative distance, {name}"] = unknown_scores.relative(fitted, everything, own)
  valid = np.ones(len(labels), bool)
  fitted = spectral_regression.fit(values[train].astype(np.float32), labels, valid, present, _PENALTY)
  logits = (values @ np.asarray(fitted["kernel"], float) + np.asarray(fitted["bias"], float))[:, present]
  scores["energy, regression"] = unknown_scores.energy(logits)
  scores["softmax, regression"] = unknown_scores.unsure(_log_softmax(logits))
  return scores | {"logits": logits}


def _of_network(name, found, labels, present):
  features, train = found["features"].astype(np.float64), slice(0, len(labels))
  features = (features - features[train].mean(axis=0)) / (features[train].std(axis=0) + 1e-6)
  logits = found["logits"].astype(np.float64)[:, present]
  fitted = unknown_scores.fit_gaussian(features[train], labels)
  everything = unknown_scores.fit_gaussian(features[train], np.zeros_like(labels))
  return {
    f"energy, {name}": unknown_scores.energy(logits),
    f"softmax, {name}": unknown_scores.unsure(_log_softmax(logits)),
    f"distance, features of {name}": unknown_scores.mahalanobis(fitted, features),
    f"relative distance, features of {name}": unknown_scores.relative(fitted, everything, features),
    f"nearest training pixel, features of {name}": unlike.score(
      unlike.fit(features[train], labels), features
    ),
  }


def _of_mixture(one, other):
  mixed = 0.5 * (one + other)
  return {
    "energy, mixture": unknown_scores.energy(mixed),
    "softmax, mixture": unknown_scores.unsure(_log_softmax(mixed)),
  }


def _log_softmax(logits):
  return logits + unknown_scores.energy(logits)[:, None]


if __name__ == "__main__":
  main()
