"""Makes the maps and the report of a finished run again, from its saved networks.

  python launch.py --config=configs/report.py --config.report_of=runs/fields

For runs of an earlier version of the program. The scenes are read and classified
again; nothing is trained, except for an SVM. The scenes' files must be as they were:
if they have changed, the run stays as it is.
"""

from ml_collections import config_dict


def get_config() -> config_dict.ConfigDict:
  """Returns the only key."""
  config = config_dict.ConfigDict()
  # Work directory of the finished run.
  config.report_of = ""
  return config
