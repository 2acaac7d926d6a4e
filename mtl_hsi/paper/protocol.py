"""The letter's protocol, as data (Liu & Shi, sections III-B to III-D)."""

from mtl_hsi.channels import by_index

# Epochs, learning rate and frozen groups of each phase.
PHASES = ((100, 1.0, ()), (30, 0.1, ()))
OPTIMIZER = "adadelta"
BATCH_SIZE = 20
# Residual blocks, and average pooling.
NETWORK = (1, False)

# Short names of the scenes in tables and config cells, and sensors.
SHORT_NAMES = {"indian_pines": "IN", "salinas": "SA", "pavia_university": "PU", "pavia_centre": "PC"}
_SENSORS = {"IN": "AVIRIS", "SA": "AVIRIS", "PU": "ROSIS", "PC": "ROSIS"}
_BANDS = {"ROSIS": by_index.ROSIS_BANDS, "AVIRIS": by_index.AVIRIS_BANDS}

# The scene of each table, and the rows of all tables.
TABLES = {"I": "PU", "II": "PC", "III": "IN", "IV": "SA"}
SAMPLES_PER_CLASS = (5, 10, 15, 20, 25, 30)


def bands_of(target: str) -> int:
  """Returns the number of input channels of the experiments on a target, by its short name."""
  return _BANDS[_SENSORS[target]]
