"""Features in GeoPackages, which are SQLite databases."""

from pathlib import Path

from fuzz import features


def seeds(folder: Path) -> list[bytes]:
  return features.seeds(folder / "seed.gpkg")


def feed(data: bytes, folder: Path) -> None:
  features.feed(data, folder / "a.gpkg")
