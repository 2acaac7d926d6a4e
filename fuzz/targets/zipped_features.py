"""Zipped features: the archive itself, and GeoJSON in a valid one."""

from pathlib import Path

from fuzz import features, wrapping


def seeds(folder: Path) -> list[bytes]:
  found = features.seeds(folder / "seed.geojson", to="EPSG:4326")
  return [*found, *(wrapping.archive({"a/b.geojson": data}) for data in found)]


def feed(data: bytes, folder: Path) -> None:
  packed = data if data.startswith(b"PK") else wrapping.archive({"b.geojson": data})
  features.feed(packed, folder / "a.zip")
