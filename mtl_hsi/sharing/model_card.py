"""The model card of a run, in the format of the Hugging Face hub: a YAML header and Markdown."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import yaml

from mtl_hsi.plurals import noun
from mtl_hsi.report import colours, left_out_text
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.runs.trained_scene import TrainedScene

_TAGS = ("hyperspectral", "remote-sensing", "land-cover", "image-segmentation", "jax", "flax")
_TASK = "image-segmentation"


def text(
  trained: TrainedRun, scenes: Mapping[str, Any], metrics: Mapping[str, Any], *, licence: str, file: str
) -> str:
  """Returns the model card.

  Args:
    trained: the run.
    scenes: its `scenes.json`, by scene.
    metrics: its `metrics.json`.
    licence: identifier of the licence.
    file: name of the exported file.
  """
  title = file.rpartition(".")[0] or file
  names = [trained.target, *(name for name in trained.scenes if name != trained.target)]
  header = yaml.safe_dump(_header(title, names, metrics, licence), sort_keys=False, allow_unicode=True)
  parts = [
    f"# {_escape(title)}",
    _what_it_is(trained, names),
    f"## Use\n\n```\nmtl-hsi predict {file} image.tif -o maps/image\n```\n\n{_use(trained, names)}",
    "## Classes",
    *(_classes(trained.scenes[name], trained) for name in names),
    "## Training data",
    *(_training_data(trained.scenes[name], scenes[name]) for name in names),
    "## Accuracy",
    *(_accuracy(name, metrics) for name in names),
    "## Limits",
    _limits(scenes),
  ]
  return f"---\n{header}---\n\n" + "\n\n".join(parts) + "\n"


def _header(title, names, metrics, licence):
  results = []
  for name in names:
    found = _measures(metrics["scenes"][name])
    if found:
      results.append(
        {
          "task": {"type": _TASK, "name": "Land cover classification"},
          "dataset": {"type": name, "name": name},
          "metrics": [{"type": kind, "value": value, "name": label} for kind, label, value in found],
        }
      )
  return {
    "license": licence,
    "library_name": "mtl_hsi",
    "pipeline_tag": _TASK,
    "tags": list(_TAGS),
    "metrics": ["accuracy"],
    "model-index": [{"name": title, "results": results}],
  }


def _measures(of_scene: Mapping[str, Any]) -> list[tuple[str, str, float]]:
  """Returns type, name and value of the accuracies that are known."""
  keys = {
    "overall_accuracy": ("accuracy", "Overall accuracy"),
    "average_accuracy": ("accuracy", "Average accuracy"),
    "kappa": ("kappa", "Cohen's kappa"),
  }
  known = [(*names, of_scene[key]["mean"]) for key, names in keys.items()]
  return [(kind, label, round(value, 4)) for kind, label, value in known if value is not None]


def _what_it_is(trained, names):
  scenes = f"the scene {names[0]}" if len(names) == 1 else f"the scenes {', '.join(names)}"
  count = trained.voters * len(trained.snapshot_epochs)
  patch = f"{trained.network.patch} x {trained.network.patch} pixels"
  mixed = (
    " Further experts are mixed in; left-out labels choose the weights and calibrate the mixture."
    if trained.mixtures
    else ""
  )
  verb, together = ("classifies", "") if count == 1 else ("classify", " together")
  return (
    f"It maps land cover in hyperspectral images like {_escape(scenes)}. {count} {noun(count, 'network')} "
    f"({trained.config.model.name}, patches of {patch}, trained with mtl_hsi) {verb} every pixel{together}."
    f"{mixed}"
  )


def _use(trained, names):
  others = f" `--scene` selects another scene: {', '.join(names[1:])}." if len(names) > 1 else ""
  return (
    f"The image is classified as {_escape(names[0])}.{others} It must have the sensor and the unit "
    "of that scene. The program warns if many pixels are outside the range of training."
  )


def _classes(scene: TrainedScene, trained: TrainedRun) -> str:
  given, codes = scene.class_colours or {}, scene.class_codes or {}
  lines = [f"### {_escape(scene.name)}", "", "| id | class | colour |", "|---|---|---|"]
  for position, (class_id, name) in enumerate(scene.class_names.items()):
    colour = colours.hexadecimal(given.get(class_id, colours.class_colour(position)))
    code = f" (number {codes[class_id]} in the labels)" if class_id in codes else ""
    lines.append(f"| {class_id} | {_escape(name)}{code} | {colour} |")
  more = trained.legend.class_names(scene.name).keys() - scene.class_names.keys()
  if more:
    lines += ["", "A new image may also have the classes of the other scenes: they share a legend."]
  return "\n".join(lines)


def _training_data(scene: TrainedScene, entry: Mapping[str, Any]) -> str:
  height, width, bands = entry["shape"]
  facts = [f"{height} x {width} pixels, {bands} bands"]
  if scene.wavelengths is not None:
    facts.append(f"{np.min(scene.wavelengths):.5g} to {np.max(scene.wavelengths):.5g} nm")
  if entry["sensor"]:
    facts.append(f"sensor {entry['sensor']}")
  if entry["simulated"]:
    facts.append("simulated")
  origin = f" ({entry['provenance']})" if entry["provenance"] else ""
  return f"{_escape(scene.name)}: {_escape(', '.join(facts) + origin)}."


def _accuracy(name: str, metrics: Mapping[str, Any]) -> str:
  of_scene = metrics["scenes"][name]
  if not _measures(of_scene):
    return f"{_escape(name)}: all labels were used for training, so no accuracy is known."
  lines = [f"### {_escape(name)}", "", "| | % | 95% interval |", "|---|---|---|"]
  for key, title in (("overall_accuracy", "overall accuracy"), ("average_accuracy", "average accuracy")):
    lines.append(f"| {title} | {_percent(of_scene[key]['mean'])} | {_interval(of_scene[key])} |")
  lines += ["", *_how_measured(name, metrics), "", "| class | producer's % | user's % | test pixels |"]
  lines += ["|---|---|---|---|"]
  for row in of_scene["per_class"]:
    shares = (_percent(row[key]["mean"]) for key in ("accuracy", "users_accuracy"))
    lines.append(f"| {_escape(row['name'])} | {' | '.join(shares)} | {row['test_pixels']:.0f} |")
  return "\n".join(lines)


def _how_measured(name: str, metrics: Mapping[str, Any]) -> Iterator[str]:
  of_scene = metrics["scenes"][name]
  left_out = of_scene.get("left_out")
  if left_out:
    yield f"{left_out_text.describe(left_out)} {left_out_text.of_map(of_scene.get('mixture'))}"
  else:
    count = len(of_scene["overall_accuracy"]["replicas"])
    replicas = f"{count} {noun(count, 'replica')}"
    yield f"Accuracy on labelled pixels that were not used for training, mean of {replicas}."
  leakage = metrics["leakage"].get(name)
  if leakage:
    yield f"{leakage:.0%} of these pixels have a training pixel in their patch; this is too optimistic."


def _limits(scenes: Mapping[str, Any]) -> str:
  limits = [
    "The accuracy was measured on labels of the same scene. Expect less on other images and dates.",
    "Land cover that is in none of the classes is mapped as one of them.",
    "The model was not tested on images of other sensors, units or atmospheric corrections.",
    "Areas counted in a map are biased; estimate them from a random sample (mtl-hsi assess).",
  ]
  if any(entry["simulated"] for entry in scenes.values()):
    limits.append("Accuracies of simulated scenes say nothing about real ones.")
  return "\n".join(f"- {limit}" for limit in limits)


def _percent(share: float | None) -> str:
  return "-" if share is None else f"{100 * share:.1f}"


def _interval(measure: Mapping[str, Any]) -> str:
  interval = measure.get("interval")
  return "-" if interval is None else f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"


def _escape(words: str) -> str:
  """Returns plain text as Markdown."""
  return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", words)
