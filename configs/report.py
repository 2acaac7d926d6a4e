"""Makes the maps and the report of a finished run again, from its saved networks.

  python launch.py --config=configs/report.py --config.report_of=runs/fields

For runs of an earlier version of the program. The scenes are read and classified
again; nothing is trained, except for an SVM. The scenes' files must be as they were:
if they have changed, the run stays as it is.
"""

from ml_collections import config_dict

from configs import common


def get_config() -> config_dict.ConfigDict:
  """Returns the run, and values of keys that it may lack."""
  config, defaults = config_dict.ConfigDict(), common.get_config()
  # Work directory of the finished run.
  config.report_of = ""
  # Keys that runs of earlier versions lack.
  config.lacking = config_dict.ConfigDict()
  # Whether TensorBoard event files are written.
  config.lacking.tensorboard = defaults.tensorboard
  # What to do with pixels that are unlike every class, as in configs/common.py.
  config.lacking.unknown = defaults.unknown
  # The share of pixels of known classes that may be called unknown.
  config.lacking.unknown_rate = defaults.unknown_rate
  return config
