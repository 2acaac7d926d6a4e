"""Writes small products of sensors as their providers deliver them, from the facts of their formats.

Every maker writes a product with given values `[H, W, B]` and returns the path that a user would name.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tests.scenes import formats

# Stored where there is no measurement.
NODATA = -32768

# Centres of EnMAP's bands in nm: two detectors that overlap from 902 to 993 nm. That at 1343 nm is opaque.
VNIR = (418.2, 550.3, 660.1, 750.4, 850.9, 903.6, 927.9, 993.0)
SWIR = (902.3, 931.5, 982.9, 1045.7, 1343.2, 1661.9, 2205.4)
ENMAP_CENTRES = np.sort(VNIR + SWIR)
ENMAP_EMPTY = int(np.flatnonzero(ENMAP_CENTRES == 1343.2)[0])
ENMAP = "ENMAP01-____L2A-DT0000001867_20220724T104526Z_008_V010302_20230628T165614Z"
ENMAP_LAYERS = ("CIRRUS", "CLASSES", "CLOUD", "CLOUDSHADOW", "HAZE", "SNOW", "TESTFLAGS")

DESIS_CENTRES = np.linspace(401.3, 999.5, 10).round(1)
DESIS = "DESIS-HSI-L2A-DT0485529167_004-20200822T104526-V0210"


def reflectance(labels: np.ndarray, bands: int, seed: int = 0) -> np.ndarray:
  """Returns noisy reflectance `[H, W, B]`, in which classes are bright in different bands, stored as 1e-4."""
  generator = np.random.default_rng(seed)
  bright = labels[..., None] % 3 == np.arange(bands) % 3
  return (800 + 2500 * bright + generator.normal(0, 80, (*labels.shape, bands))).astype(np.int16)


def save_enmap(
  parent: Path,
  values: np.ndarray,
  *,
  centres: np.ndarray = ENMAP_CENTRES,
  empty: tuple[int, ...] = (ENMAP_EMPTY,),
  flags: Mapping[str, np.ndarray] | None = None,
  prefix: str = f"{ENMAP}-",
  driver: str = "GTiff",
  suffix: str = ".TIF",
  metadata: str = "METADATA.XML",
  statistics: bool = True,
  level: str = "L2A",
  **profile: object,
) -> Path:
  """Writes an EnMAP product.

  Args:
    parent: where its folder is created.
    values: stored values int16 `[H, W, B]`; `empty` bands are set to `NODATA`.
    centres: centre of each band in nm, in the order of the file.
    empty: indices of bands without a measurement.
    flags: values of the quality layers by name, such as "CLOUD"; those that are missing are 0.
    prefix: of the names of all files.
    driver: GDAL's name of the format of the image.
    suffix: of the names of images; `_COG.TIF` for copies that are optimised for clouds.
    metadata: name of the metadata, after the prefix.
    statistics: whether the metadata have the statistics of bands.
    level: processing level.
    **profile: options of the format.
  """
  folder = parent / ENMAP
  folder.mkdir(parents=True)
  stored = values.copy()
  stored[..., list(empty)] = NODATA
  formats.save_raster(folder / f"{prefix}SPECTRAL_IMAGE{suffix}", stored, driver, nodata=NODATA, **profile)
  for layer in ENMAP_LAYERS:
    pixels = (flags or {}).get(layer, np.zeros(values.shape[:2]))
    formats.save_raster(folder / f"{prefix}QL_QUALITY_{layer}{suffix}", pixels.astype(np.uint8), driver)
  text = _enmap_metadata(np.asarray(centres), empty if statistics else None, level)
  (folder / f"{prefix}{metadata}").write_text(text)
  return folder


def _enmap_metadata(centres: np.ndarray, empty: tuple[int, ...] | None, level: str) -> str:
  numbers = range(1, len(centres) + 1)
  bands = "".join(
    f'<bandID number="{number}"><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand><FWHMOfBand>'
    f"{7 + number / 8}</FWHMOfBand><GainOfBand>0.0001</GainOfBand><OffsetOfBand>0</OffsetOfBand></bandID>"
    for number, centre in zip(numbers, centres)
  )
  channels = {
    detector: ",".join(str(number) for number, centre in zip(numbers, centres) if centre in of_detector)
    for detector, of_detector in (("vnir", VNIR), ("swir", SWIR))
  }
  lists = "".join(
    f"<{detector}ProductQuality><expectedChannelsList>{text}</expectedChannelsList>"
    f"</{detector}ProductQuality>"
    for detector, text in channels.items()
  )
  counted = [] if empty is None else numbers
  statistics = "".join(
    f'<bandID number="{number}"><mean>{-1000000 if number - 1 in empty else 0.21}</mean><stdDeviation>'
    f"{0 if number - 1 in empty else 0.05}</stdDeviation></bandID>"
    for number in counted
  )
  # Elements of the same name stand elsewhere too.
  return (
    f'<?xml version="1.0" encoding="UTF-8"?><level_X><metadata><schema><processingLevel>{level}'
    "</processingLevel></schema></metadata><base><temporalCoverage><startTime>2022-07-24T10:45:26.123456Z"
    f"</startTime></temporalCoverage><level>{level}</level></base><specific>{lists}<backgroundValue>0"
    f"</backgroundValue><bandCharacterisation>{bands}</bandCharacterisation></specific><product><navigation>"
    '<RPC><bandID number="1"><ROW_OFF>512.0</ROW_OFF></bandID></RPC></navigation><bandStatistics>'
    f"{statistics}</bandStatistics></product></level_X>"
  )


def save_desis(parent: Path, values: np.ndarray, *, flags: Mapping[int, np.ndarray] | None = None) -> Path:
  """Writes a DESIS product of int16 values `[H, W, 10]`; flags are bands of its second quality layer."""
  folder = parent / DESIS
  folder.mkdir(parents=True)
  options = {"nodata": NODATA, "interleave": "pixel", "compress": "deflate"}
  formats.save_raster(folder / f"{DESIS}-SPECTRAL_IMAGE.tif", values, **options)
  layer = np.zeros((*values.shape[:2], 10), np.uint8)
  for band, pixels in (flags or {}).items():
    layer[..., band] = pixels
  formats.save_raster(folder / f"{DESIS}-QL_QUALITY-2.tif", layer)
  bands = "".join(
    f"<band><bandNumber>{number}</bandNumber><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand>"
    "<wavelengthWidthOfBand>3.5</wavelengthWidthOfBand><response>0.1,0.9</response><wavelengths>1,2"
    "</wavelengths><gainOfBand>0.0001</gainOfBand><offsetOfBand>0.0</offsetOfBand></band>"
    for number, centre in enumerate(DESIS_CENTRES, start=1)
  )
  (folder / f"{DESIS}-SPECTRAL_IMAGE.hdr").write_text("ENVI\nbands = 10\n")
  (folder / f"{DESIS}-METADATA.xml").write_text(
    '<?xml version="1.0"?><hsi_doc><metadata><schema><processingLevel>L2A</processingLevel></schema>'
    "</metadata><base><temporalCoverage><startTime>2020-08-22T10:45:26Z</startTime></temporalCoverage></base><specific>"
    f"<bandCharacterisation>{bands}</bandCharacterisation></specific><product><interiorOrientation><band>1"
    "</band></interiorOrientation></product></hsi_doc>"
  )
  return folder


def zipped(folder: Path) -> Path:
  """Packs the folder of a product as a zip with that folder in it, and removes it."""
  path = shutil.make_archive(str(folder), "zip", folder.parent, folder.name)
  shutil.rmtree(folder)
  return Path(path).rename(folder.with_name(f"{folder.name}.ZIP"))
