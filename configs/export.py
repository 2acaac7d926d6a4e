"""Writes a finished run to one file, for predictions on any machine.

  python launch.py --config=configs/export.py --config.export_of=runs/fields

The file has the networks that make maps, the channels, mixtures and classes of the
scenes, the config without file paths, the accuracies and a model card
(docs/sharing.md). By default it has no pixels of the scenes; `training_pixels` adds
those that `unknown` of configs/predict.py needs. Nothing is uploaded.
"""

from ml_collections import config_dict


def get_config() -> config_dict.ConfigDict:
  """Returns the keys of an export."""
  config = config_dict.ConfigDict()
  # Work directory of the finished run, or an exported file.
  config.export_of = ""
  # The file to write. With "stablehlo": the common path of two files, without an ending. Empty: a path with
  # the name of the run, next to its work directory.
  config.output = ""
  # Also export averaged MNF components of some training pixels, which configs/predict.py needs to find
  # unknown land cover.
  config.training_pixels = False
  # What to write: "model", one file for configs/predict.py; or "stablehlo", a StableHLO program for other
  # software, which computes class ids and probabilities from the values of an image.
  config.kind = "model"
  # With "stablehlo": the scene of the run whose bands and classes apply. Empty: the target.
  config.scene = ""
  # With "stablehlo": rows and columns of the images. None: images of any size.
  config.tile = config_dict.placeholder(int)
  # Licence for the model card: an identifier of the Hugging Face hub, such as cc-by-4.0.
  config.license = "unknown"
  return config
