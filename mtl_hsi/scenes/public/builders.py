"""The four public scenes as TensorFlow Datasets, without TensorFlow.

Importing this module registers them: `tfds.builder("salinas")`. Each has one split, "scene", of one
example. Files are fetched by `download.py`, not by TFDS, as its downloader knows no mirrors.
"""

import contextlib
import io
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import format_shape
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES, PublicScene, check_content
from mtl_hsi.scenes.public.checksums import ChangedFile
from mtl_hsi.scenes.public.download import alone
from mtl_hsi.scenes.public.registry import load_public
from mtl_hsi.scenes.scene import Scene

_SPLIT = "scene"
_UNLABELLED = "unlabelled"


class PublicSceneBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
  """A public scene as a data set of one example.

  Features: `cube` `[H, W, B]`; `labels` int32 `[H, W]`, 0 is unlabelled; `classes`, the class ids that
  occur, with their names as a ClassLabel; `wavelengths` and `widths` in nm float64 `[B]`, empty where
  unknown; `dtype`, the cube's own; `provenance`.
  """

  VERSION = tfds.core.Version("1.0.0")
  RELEASE_NOTES = {"1.0.0": "The publisher's files by their SHA-256, or the package tensorly's copy."}  # noqa: RUF012
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
      raise RequestError(f"{error.found}; a data set is made of no other file") from error
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
  # [inferred] The public file of its part SalinasA holds int16, and values below zero.
  cube_dtype = np.int16


class PaviaUniversity(PublicSceneBuilder):
  """Pavia University, ROSIS."""

  facts = PUBLIC_SCENES["pavia_university"]


class PaviaCentre(PublicSceneBuilder):
  """Pavia Centre, ROSIS."""

  facts = PUBLIC_SCENES["pavia_centre"]


BUILDERS = {builder.facts.name: builder for builder in (IndianPines, Salinas, PaviaUniversity, PaviaCentre)}


def load_scene(name: str, data_dir: Path) -> Scene:
  """Loads a public scene from its TFDS data set, which is prepared once, under `data_dir`/tfds.

  The scene is bit for bit that of `registry.load_public`, which reads the same files on first use and
  fetches those that are missing. Changed files are never taken here.

  Args:
    name: one of `BUILDERS`.
    data_dir: directory of the public files under their own names.

  Raises:
    RequestError: the name is unknown, or the files cannot be fetched, are not the known ones, or cannot be
      written or read back.
  """
  if name not in BUILDERS:
    raise RequestError(f"unknown scene {name!r}; the public scenes are {', '.join(BUILDERS)}")
  builder = _prepare(BUILDERS[name], Path(data_dir).absolute())
  scene = _read(builder)
  check_content(scene, builder.facts)
  return scene


def _prepare(builder_class: type[PublicSceneBuilder], data_dir: Path) -> PublicSceneBuilder:
  root = data_dir / "tfds"
  builder = builder_class(data_dir=root)
  if _SPLIT in builder.info.splits:
    return builder
  # The bars of one example tell nothing; the download draws its own.
  tfds.display_progress_bar(enable=False)
  try:
    root.mkdir(parents=True, exist_ok=True)
    with alone(root), contextlib.redirect_stdout(io.StringIO()):
      # Anew, as another process may have prepared it in the meantime.
      builder = builder_class(data_dir=root)
      config = tfds.download.DownloadConfig(extract_dir=root / "extracted")
      builder.download_and_prepare(download_dir=data_dir, download_config=config)
  except OSError as error:
    raise RequestError(
      f"cannot write to {root}: {error.strerror or error}; name another data directory"
    ) from error
  return builder


def _read(builder: PublicSceneBuilder) -> Scene:
  try:
    example = builder.as_data_source(split=_SPLIT)[0]
  # array_record has no exception of its own.
  except RuntimeError as error:
    reason = str(error).split(";")[0]
    raise RequestError(
      f"scene {builder.facts.name!r}: its prepared data set is damaged ({reason}); remove "
      f"{builder.data_path} and run again to prepare it anew"
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
      f"scene {scene.name!r}: the cube holds {scene.cube.dtype} values from {scene.cube.min()} to "
      f"{scene.cube.max()}, its data set {np.dtype(dtype)}; read the files without TensorFlow Datasets"
    )
  return cast
