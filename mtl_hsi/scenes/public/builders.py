"""The four public scenes as TensorFlow Datasets (TFDS), without TensorFlow.

Importing this module registers them: `tfds.builder("salinas")`. It raises `RequestError` if TFDS is not
installed. Each data set has one split, "scene", with one example. `download.py` fetches the files because
TFDS's own downloader does not support mirrors.
"""

import contextlib
import io
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import format_shape
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES, PublicScene
from mtl_hsi.scenes.public.download import lock_directory
from mtl_hsi.scenes.public.registry import load_public
from mtl_hsi.scenes.public.verification import ChangedFile, check_content
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.storage.atomic_files import reason

try:
  import tensorflow_datasets as tfds
except ModuleNotFoundError:
  raise RequestError(f"{__name__} needs tensorflow-datasets: pip install 'mtl_hsi[datasets]'") from None

_SPLIT = "scene"
_UNLABELLED = "unlabelled"


class PublicSceneBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
  """Builds the data set of a public scene, with one example.

  Features: `cube` `[H, W, B]`; `labels` int32 `[H, W]`, 0 is unlabelled; `classes`, the class ids that
  occur, with their names as a ClassLabel; `wavelengths` and `widths` in nm float64 `[B]`, empty if
  unknown; `dtype` of the cube in the file; `provenance`.
  """

  VERSION = tfds.core.Version("1.0.0")
  RELEASE_NOTES = {"1.0.0": "The publisher's files, verified by SHA-256, or tensorly's copy."}  # noqa: RUF012
  facts: PublicScene
  cube_dtype = np.uint16

  def __init__(self, *, file_format: str = "array_record", **kwargs):
    super().__init__(file_format=file_format, **kwargs)

  def _info(self) -> tfds.core.DatasetInfo:
    facts = self.facts
    bands = tfds.features.Tensor(shape=(None,), dtype=np.float64, encoding="zlib")
    features = {
      "cube": tfds.features.Tensor(shape=facts.shape, dtype=self.cube_dtype, encoding="zlib"),
      "labels": tfds.features.Tensor(shape=facts.shape[:2], dtype=np.int32, encoding="zlib"),
      "classes": tfds.features.Sequence(tfds.features.ClassLabel(names=[_UNLABELLED, *facts.class_names])),
      "wavelengths": bands,
      "widths": bands,
      "dtype": tfds.features.Text(),
      "provenance": tfds.features.Text(),
    }
    return tfds.core.DatasetInfo(
      builder=self,
      description=(
        f"{facts.title}: an image of {facts.sensor}, {format_shape(facts.shape)} (rows x columns x bands), "
        f"with {sum(facts.class_counts)} labelled pixels of {len(facts.class_names)} classes."
      ),
      features=tfds.features.FeaturesDict(features),
      homepage=facts.page_url,
      citation=facts.citation,
    )

  def _split_generators(self, dl_manager: tfds.download.DownloadManager):
    directory = Path(dl_manager.download_dir)
    try:
      scene = load_public(self.facts.name, directory, download=True, accept_changed=False)
    except ChangedFile as error:
      raise RequestError(f"{error.found}; a data set accepts only the known file") from error
    return {_SPLIT: self._generate_examples(scene)}

  def _generate_examples(self, scene: Scene):
    unknown = np.empty(0)
    example = {
      "cube": _cast(scene, self.cube_dtype),
      "labels": scene.labels,
      "classes": sorted(scene.class_names),
      "wavelengths": unknown if scene.wavelengths is None else scene.wavelengths,
      "widths": unknown if scene.widths is None else scene.widths,
      "dtype": scene.cube.dtype.name,
      "provenance": scene.provenance,
    }
    yield scene.name, example


class IndianPines(PublicSceneBuilder):
  """Indian Pines, AVIRIS."""

  facts = PUBLIC_SCENES["indian_pines"]


class Salinas(PublicSceneBuilder):
  """Salinas, AVIRIS."""

  facts = PUBLIC_SCENES["salinas"]
  # [inferred] The public file of SalinasA, a part of Salinas, contains int16 and negative values.
  cube_dtype = np.int16


class PaviaUniversity(PublicSceneBuilder):
  """Pavia University, ROSIS."""

  facts = PUBLIC_SCENES["pavia_university"]


class PaviaCentre(PublicSceneBuilder):
  """Pavia Centre, ROSIS."""

  facts = PUBLIC_SCENES["pavia_centre"]


BUILDERS = {builder.facts.name: builder for builder in (IndianPines, Salinas, PaviaUniversity, PaviaCentre)}


def load_scene(name: str, data_dir: Path) -> Scene:
  """Loads a public scene from its TFDS data set, which is prepared under `data_dir`/tfds on first use.

  The scene equals that of `registry.load_public` bit for bit. Missing files are downloaded. Files with
  another SHA-256 are never accepted.

  Args:
    name: one of `BUILDERS`.
    data_dir: directory of the public files under their own names.

  Raises:
    RequestError: the name is unknown, or the files cannot be downloaded, written or read, or are not the
      known files.
  """
  if name not in BUILDERS:
    raise RequestError(f"unknown scene {name!r}; the public scenes are {', '.join(BUILDERS)}")
  builder = _prepare(BUILDERS[name], Path(data_dir).absolute())
  scene = _load_prepared(builder)
  check_content(scene, builder.facts)
  return scene


def _prepare(builder_class: type[PublicSceneBuilder], data_dir: Path) -> PublicSceneBuilder:
  root = data_dir / "tfds"
  builder = builder_class(data_dir=root)
  if _SPLIT in builder.info.splits:
    return builder
  # A progress bar over one example is useless, and the download shows its own.
  tfds.display_progress_bar(enable=False)
  try:
    root.mkdir(parents=True, exist_ok=True)
    with lock_directory(root), contextlib.redirect_stdout(io.StringIO()):
      # Another process may have prepared the data set while this one waited.
      builder = builder_class(data_dir=root)
      config = tfds.download.DownloadConfig(extract_dir=root / "extracted")
      builder.download_and_prepare(download_dir=data_dir, download_config=config)
  except OSError as error:
    raise RequestError(f"cannot write to {root}: {reason(error)}; choose another data directory") from error
  return builder


def _load_prepared(builder: PublicSceneBuilder) -> Scene:
  try:
    example = builder.as_data_source(split=_SPLIT)[0]
  # array_record raises RuntimeError for damaged files.
  except RuntimeError as error:
    problem = str(error).split(";")[0]
    raise RequestError(
      f"scene {builder.facts.name!r}: its prepared data set is damaged ({problem}); remove "
      f"{builder.data_path} and run again"
    ) from error
  name_of = builder.info.features["classes"].feature.int2str
  wavelengths, widths = example["wavelengths"], example["widths"]
  return Scene(
    name=builder.facts.name,
    cube=example["cube"].astype(example["dtype"].decode(), copy=False),
    labels=example["labels"],
    class_names={int(label): name_of(int(label)) for label in example["classes"]},
    sensor=builder.facts.sensor,
    wavelengths=wavelengths if wavelengths.size else None,
    widths=widths if widths.size else None,
    provenance=example["provenance"].decode(),
  )


def _cast(scene: Scene, dtype: type[np.integer]) -> np.ndarray:
  cast = scene.cube.astype(dtype)
  if not np.array_equal(cast, scene.cube):
    raise RequestError(
      f"scene {scene.name!r}: the cube has {scene.cube.dtype} values from {scene.cube.min()} to "
      f"{scene.cube.max()}, but its data set stores {np.dtype(dtype)}; "
      "read the files without TensorFlow Datasets"
    )
  return cast
