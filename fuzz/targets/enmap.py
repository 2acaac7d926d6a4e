"""XML metadata of EnMAP images."""

from pathlib import Path

from mtl_hsi.scenes.images.wavelength_table import read_wavelength_table

_BAND = "<wavelengthCenterOfBand>{}</wavelengthCenterOfBand><FWHMOfBand> 6.5 </FWHMOfBand>"


def seeds(folder: Path) -> list[bytes]:
  bands = "".join(f'<bandID number="{centre}">{_BAND.format(centre)}</bandID>\n' for centre in (418, 424.5))
  table = f"<specific><bandCharacterisation>{bands}</bandCharacterisation></specific>"
  whole = f'<?xml version="1.0" encoding="UTF-8"?>\n<level_X><metadata/>{table}</level_X>'
  return [whole.encode(), whole.replace("UTF-8", "UTF-16").encode("utf-16")]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "METADATA.XML"
  path.write_bytes(data)
  read_wavelength_table(path, 2, None)
