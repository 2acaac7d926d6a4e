"""Writes a finished run to one file that others can predict with.

  python launch.py --config=configs/export.py --config.export_of=runs/fields

The file has the networks that make maps, the channels, mixtures and classes of the
scenes, the config without the paths of files, the accuracies and a model card
(docs/sharing.md). It has no pixels of the scenes, unless `training_pixels` adds
those that `unknown` of configs/predict.py needs. Nothing is uploaded.
"""

from ml_collections import config_dict


def get_config() -> config_dict.ConfigDict:
  """Returns the keys of an export."""
  config = config_dict.ConfigDict()
  # Work directory of the finished run, or a file that was exported before.
  config.export_of = ""
  # The file to write; with "stablehlo" the common path of two files, without an ending. Empty: the name of
  # the run, beside its work directory.
  config.output = ""
  # Also export training pixels: averaged MNF components of some of them, with which configs/predict.py tells
  # unknown land cover.
  config.training_pixels = False
  # What to write: "model", one file for configs/predict.py, or "stablehlo", a program of StableHLO from the
  # values of an image to class ids and probabilities, for other software.
  config.kind = "model"
  # With "stablehlo": the scene of the run that images resemble. Empty: the target.
  config.scene = ""
  # With "stablehlo": rows and columns of the images. None: images of any size.
  config.tile = config_dict.placeholder(int)
  # Licence of the model for the model card, as the Hugging Face hub names it, such as cc-by-4.0.
  config.license = "unknown"
  return config
