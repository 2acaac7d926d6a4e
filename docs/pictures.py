"""Draws docs/pictures/maps.png from the tutorial's files and its run.

  .venv/bin/python -m docs.pictures

The pictures of the report and of QGIS beside it are screenshots of the same run.
"""

import sys
from pathlib import Path

import geopandas
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import rasterio
from rasterio import plot

matplotlib.use("agg")

_ROOT = Path(__file__).resolve().parent.parent
_RUN, _EXAMPLE = _ROOT / "runs" / "fields", _ROOT / "example"
_OUTPUT = _ROOT / "docs" / "pictures" / "maps.png"
# Red, green and blue from 1, as the report chooses them.
_BANDS = (19, 12, 5)


def main() -> None:
  """Draws image and polygons, class map, and confidence side by side."""
  if not (_RUN / "maps").is_dir():
    sys.exit(f"{_RUN} is missing; run the commands of docs/tutorial.md up to section 3")
  figure, axes = plt.subplots(1, 3, figsize=(9, 3.7), layout="constrained")
  with rasterio.open(_EXAMPLE / "fields.tif") as image:
    values = image.read(_BANDS).astype(float)
    low, high = np.percentile(values, (2, 98), axis=(1, 2), keepdims=True)
    # The square root brightens dark areas.
    plot.show(np.sqrt(np.clip((values - low) / (high - low), 0, 1)), transform=image.transform, ax=axes[0])
  geopandas.read_file(_EXAMPLE / "fields.gpkg").boundary.plot(ax=axes[0], color="white", linewidth=1)
  with rasterio.open(_RUN / "maps" / "fields" / "prediction.tif") as classes:
    colours = np.array([classes.colormap(1)[number] for number in range(256)], np.uint8)
    axes[1].imshow(colours[classes.read(1)])
  with rasterio.open(_RUN / "maps" / "fields" / "confidence.tif") as confidence:
    shown = axes[2].imshow(confidence.read(2), vmin=0.4, vmax=1)
  figure.colorbar(shown, ax=axes[2], shrink=0.8)
  for axis, title in zip(axes, ("image and polygons", "class map", "calibrated confidence"), strict=True):
    axis.set_title(title, fontsize=10)
    axis.set_axis_off()
  figure.savefig(_OUTPUT, dpi=110)
  print(_OUTPUT.relative_to(_ROOT))


if __name__ == "__main__":
  main()
