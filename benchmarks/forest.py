"""A random forest on the spectra of pixels, from image and polygons to map.

`python -m benchmarks.forest image.tif polygons.gpkg class map.tif` uses scikit-learn's classifier with its
defaults, on all cores.
"""

import sys

import geopandas
import numpy as np
import rasterio
from rasterio.features import rasterize
from sklearn.ensemble import RandomForestClassifier


def main(image: str, polygons: str, column: str, out: str) -> None:
  with rasterio.open(image) as source:
    cube, profile = np.moveaxis(source.read(), 0, 2), source.profile
  features = geopandas.read_file(polygons).to_crs(profile["crs"])
  codes, _ = features[column].factorize(sort=True)
  shapes = zip(features.geometry, codes + 1, strict=True)
  labels = rasterize(shapes, cube.shape[:2], transform=profile["transform"])
  forest = RandomForestClassifier(n_jobs=-1, random_state=0).fit(cube[labels > 0], labels[labels > 0])
  classes = forest.predict(cube.reshape(-1, cube.shape[2])).reshape(labels.shape).astype(np.uint8)
  with rasterio.open(out, "w", **{**profile, "count": 1, "dtype": "uint8"}) as target:
    target.write(classes, 1)


if __name__ == "__main__":
  main(*sys.argv[1:])
