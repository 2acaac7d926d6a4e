"""Features in GeoJSON."""

from pathlib import Path

from fuzz import features


def seeds(folder: Path) -> list[bytes]:
  return features.seeds(folder / "seed.geojson", to="EPSG:4326")


def feed(data: bytes, folder: Path) -> None:
  features.feed(data, folder / "a.geojson")
