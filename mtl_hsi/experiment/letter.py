"""What makes an experiment one of the letter's, and the published figure for it."""

from mtl_hsi.experiment.problem import Problem
from mtl_hsi.paper import protocol, published
from mtl_hsi.scenes.public.verification import is_public
from mtl_hsi.settings.band_settings import BY_WAVELENGTH
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.settings.model_settings import SVM
from mtl_hsi.training.recipe import LETTER_RECIPE


def follows_the_letter(settings: Settings) -> bool:
  """Returns whether network and training are the letter's, up to what it leaves open (statistics, vote)."""
  if settings.split.file or settings.split.by_blocks or settings.split.folds or settings.scenes.given_splits:
    return False
  if settings.origin or settings.scenes.band_ranges or settings.bands.alignment == BY_WAVELENGTH:
    return False
  inference, training, model = settings.inference.options, settings.training, settings.model
  if inference.symmetric or inference.smoothing.steps or settings.bands.mnf_components:
    return False
  if model.name == SVM:
    return True
  phases = tuple((phase.epochs, phase.learning_rate, phase.frozen) for phase in training.schedule.phases)
  network = model.blocks, model.pool
  return (phases, training.optimizer, training.batch_size, network, training.recipe) == (
    protocol.PHASES,
    protocol.OPTIMIZER,
    protocol.BATCH_SIZE,
    protocol.NETWORK,
    LETTER_RECIPE,
  )


def paper_figure(problem: Problem, settings: Settings) -> published.PaperFigure | None:
  """Returns the published figure for the target, or None if the experiment is not one of the letter's."""
  model = settings.model
  if not all(map(is_public, problem.scenes.values())) or not follows_the_letter(settings):
    return None
  target = protocol.SHORT_NAMES[settings.scenes.target]
  if settings.bands.count != protocol.bands_of(target):
    return None
  partners = [name for name in problem.scenes if name != settings.scenes.target]
  column = published.column_of(
    settings.scenes.target, partners, model.name, model.spectral_knowledge, sorted(settings.bands.reversed)
  )
  return column and published.figure(target, column, settings.split.samples_per_class)
