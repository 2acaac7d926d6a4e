"""Every training key with its default: the letter's protocol.

Liu & Shi, "Multitask Deep Learning With Spectral Knowledge for Hyperspectral
Image Classification" (2020). [author] marks a value that comes from the author's
public code because the letter does not state it.

This file is not run. configs/mtl.py, configs/paper.py and configs/named.py start
from it. `python -m docs.config_page` makes docs/configs.md from its comments.
"""

from ml_collections import config_dict


def get_config() -> config_dict.ConfigDict:
  """Returns the defaults. The caller sets `scenes` and `target`."""
  config = config_dict.ConfigDict()

  # == Scenes ==
  # Names of the scenes that are trained together.
  config.scenes = ()
  # The scene that the experiment is about.
  config.target = ""
  # Directory of the public scenes' files.
  config.data_dir = "data"
  # Download missing files of public scenes.
  config.download = False
  # Accept a public file that passes the content check but has another checksum.
  config.accept_changed_files = False
  # Scenes from files, by name; see configs/own.py.
  config.files = config_dict.ConfigDict()
  # A scene from files whose cube takes more megabytes than this in memory is read by windows, and only the
  # surroundings of its training pixels are kept. The networks and the map are the same.
  config.whole_scene_mb = 500
  # Simulated scenes, by name; see configs/quickstart.py.
  config.simulate = config_dict.ConfigDict()
  # "separate": every scene has its own classes and head. "shared": scenes share the classes that have the
  # same name, and one head, so labels of one scene serve the others. A class without labels in a scene is
  # masked there. Needs model.norm="joint" and spectral_knowledge=True.
  config.legend = "separate"
  # Read and check all scenes, print a summary and stop. Nothing is written.
  config.check_only = False

  # == Bands and values ==
  # "index" matches bands by number, as in the letter. "wavelength" resamples all scenes to common bands in
  # the range that every scene covers.
  config.alignment = "index"
  # With "index": number of input channels, 103 or 160. None uses all bands as they are.
  config.bands = config_dict.placeholder(int)
  # With "wavelength": the common bands in nm, as "first:last:step" or as centres separated by commas. Empty
  # uses the bands of the coarsest scene.
  config.grid = ""
  # Scenes whose bands are reversed after alignment (the letter's INVERSE columns).
  config.reversed = ()
  # How values are scaled: "maximum" divides by the scene's maximum [author]; a number such as "5000" divides
  # by that number [author, another script]; "per_band" standardises every band to mean 0 and standard
  # deviation 1. Separately for each scene this removes differences of light between flights. It also removes
  # differences of cover between tiles of one image: "per_band_joint" standardises every band over all scenes
  # together. It needs scenes with equal numbers of bands.
  config.scaling = "maximum"
  # Number of minimum noise fraction (MNF) components to add as input channels, best signal-to-noise ratio
  # first; at most the number of bands. 0 adds none. Scenes that share the first layer share the components.
  # Needs scaling="per_band" or "per_band_joint".
  config.mnf_components = 0

  # == Training and test pixels ==
  # "random" draws n pixels per class for training and tests on all others (letter). "blocks" divides each
  # scene into square blocks, draws the training pixels from one half of them, and tests on those pixels of
  # the other half whose patches overlap no training patch. "folds" cuts all labels into folds of whole units
  # (see `fold_units`): the accuracy is that of networks which did not see the fold; the map is made by
  # networks which saw all labels. "scenes" leaves out one whole scene at a time and needs legend="shared":
  # the accuracy is what the networks are worth on the next image. The path of another run's split.npz reuses
  # its pixels. Scenes whose files mark test pixels (configs/own.py) train on n pixels per class of their
  # other labels.
  config.split = "random"
  # Side of the blocks, in pixels.
  config.block_size = 24
  # Training pixels per class. 0 uses all training labels. With "random" this leaves no test pixels. With
  # "folds", any other number draws pixels as "random" does. "scenes" always uses all labels.
  config.samples_per_class = 10
  # Number of folds: with split="folds" of all labels, otherwise of the training pixels of every replica. One
  # more network is trained for each fold, without its pixels. 0: none. `mixture` needs folds. With
  # split="scenes" every scene is a fold: leave it at 0.
  config.folds = 0
  # What a fold keeps together, with split="folds" or samples_per_class=0. "labels": the polygon, line or
  # point of a vector file or table, or the connected region of a label raster. "blocks": blocks of
  # `block_size`.
  config.fold_units = "labels"
  # Pixels that the training labels of a fold keep away from the labels that it leaves out.
  config.fold_buffer = 0
  # Number of Monte Carlo replicas [author: 10], each with its own training pixels and initial weights. If all
  # of them train on all labels, they vote on one map.
  config.replicas = 10
  # Replica r uses the seed `seed + r`.
  config.seed = 0

  # == Network ==
  config.model = config_dict.ConfigDict()
  # "hresnet" or "ccnn" (letter), "vresnet" (configs/best.py), or "svm": a support vector machine on the
  # spectrum of each pixel, separate for every scene and replica. The SVM ignores the keys from model.norm on.
  config.model.name = "hresnet"
  # Number of residual blocks (hresnet, vresnet).
  config.model.blocks = 1
  # Average pooling instead of flattening before the head (hresnet).
  config.model.pool = False
  # Side of the patches, in pixels (vresnet). None for hresnet and ccnn, whose patch size is fixed.
  config.model.patch = config_dict.placeholder(int)
  # Channels of every convolution (vresnet). None for hresnet and ccnn.
  config.model.width = config_dict.placeholder(int)
  # Batch normalisation statistics: "per_scene" keeps one set per scene; "joint" keeps one set for all scenes.
  # Training and inference use the same sets.
  config.model.norm = "per_scene"
  # Initial kernels: "normal" draws from N(0, 0.01) everywhere [author]; "glorot" scales by fan-in and
  # fan-out.
  config.model.init = "normal"
  # Convolutions in training: "products" computes them as matrix products; "xla" uses XLA's convolutions,
  # which may be faster on some accelerators. Both agree up to rounding.
  config.model.convolution = "products"
  # Share the first layer among all scenes (letter, section III-B). Without it, scenes may have different
  # numbers of bands; those with fewer bands get empty channels, which init="glorot" counts as inputs.
  config.spectral_knowledge = True

  # == Optimisation ==
  # "per_scene": every step uses batch_size samples of every scene. "mixed": every step uses batch_size
  # samples of the pooled training set.
  config.batch = "per_scene"
  # Samples per step.
  config.batch_size = 20
  # The last, incomplete batch of an epoch: "partial" uses it [author], "dropped" skips it.
  config.last_batch = "partial"
  # None: an epoch shows every sample of the largest training set once in each of its four mirror images. A
  # number: an epoch has that many steps, and every step draws its samples at random.
  config.steps_per_epoch = config_dict.placeholder(int)
  # With steps_per_epoch: random transformation of every drawn patch. "none", "mirrors" (four) or "symmetries"
  # (the eight symmetries of the square).
  config.augmentation = "mirrors"
  # With steps_per_epoch: maximum random shift of a training patch, in pixels, at most half a patch; use 0 for
  # objects only a few pixels wide.
  config.patch_shift = 0
  # With steps_per_epoch: draw all classes of a scene equally often.
  config.balanced = False
  # Standard deviation of a random gain and offset, applied to the scaled values of every training patch.
  config.radiometric_jitter = 0.0
  # Probability that a channel of a training patch is set to 0. MNF components count as channels.
  config.band_dropout = 0.0
  # Share of every training target that is spread evenly over the scene's classes.
  config.label_smoothing = 0.0
  # Training phases, run in the order of their names. Each starts with a fresh optimiser state [author].
  # `epochs` is the length, `learning_rate` the peak rate, and `frozen` the parameter groups that do not
  # train: "stem", "backbone", "heads".
  config.phases = config_dict.ConfigDict()
  # The letter's first phase.
  config.phases.phase1 = {"epochs": 100, "learning_rate": 1.0, "frozen": ()}
  # The letter's second phase.
  config.phases.phase2 = {"epochs": 30, "learning_rate": 0.1, "frozen": ()}
  # Share of each phase's steps over which the learning rate rises to its peak.
  config.warmup = 0.0
  # Learning rate schedule after the warm-up: "none" keeps the rate; "cosine" lowers it to 0 by the end of the
  # phase.
  config.learning_rate_decay = "none"
  # Decay per step of a moving average of the weights, such as 0.99. The averaged weights then vote. 0
  # averages nothing.
  config.weight_averaging = 0.0
  # Any optax optimiser that takes a learning rate, by name; further keys are its arguments. The defaults are
  # Keras's constants of Adadelta [author]. They are dropped when another name is given.
  config.optimizer = {"name": "adadelta", "rho": 0.95, "eps": 1e-7}
  # Epochs whose networks vote, counted from the end of the last phase [author]. A positive number trains that
  # many epochs longer; a negative number is an epoch before the end.
  config.snapshots = (2, 4, 6, 8, 10)

  # == Computation and results ==
  # Precision of the operands of convolutions: "float32", "tf32" (10-bit mantissa, NVIDIA GPUs) or "bfloat16"
  # (7-bit mantissa; compare accuracies before you rely on it). Sums and the first layer are always float32.
  config.precision = "float32"
  config.classify = config_dict.ConfigDict()
  # "dense" computes what neighbouring pixels share only once. "patches" classifies every pixel's patch
  # separately, with the same result.
  config.classify.method = "dense"
  # Pixels per tile, without its halo. This bounds memory.
  config.classify.tile_pixels = 4096
  # Average the probabilities over the eight symmetries of each pixel's surroundings, at eight times the cost.
  config.classify.symmetries = False
  # The class probabilities can be smoothed along similar spectra, by a random walk with restart.
  config.classify.smoothing = config_dict.ConfigDict()
  # Number of iterations, and so the smoothing radius in pixels. 0 disables smoothing.
  config.classify.smoothing.steps = 0
  # Probability that the walk ends before each step. A smaller value smooths over longer distances.
  config.classify.smoothing.restart = 0.01
  # A larger value preserves edges better.
  config.classify.smoothing.sharpness = 2.0
  # What is mixed with the network and chosen for each scene by the labels that the folds leave out.
  config.mixture = config_dict.ConfigDict()
  # A second network that sees patches of this side (odd) and only the bands, no MNF components. Its training
  # patches are not shifted. 0: none. Needs model.name="vresnet".
  config.mixture.local_patch = 0
  # A multinomial logistic regression on the spectra of single pixels. Its channels are chosen among these:
  # "bands", "mnf" (the MNF components), "bands_and_mnf"; its penalty among 1, 10 and 100. Empty: none.
  config.mixture.regression = ()
  # Strengths of smoothing to choose from: "none", "light" (4 pixels), "middle" (12) and "strong" (40). Empty:
  # classify.smoothing as it is.
  config.mixture.smoothings = ()
  # Also write the probabilities of all classes, and their entropy and margin, to maps/<scene>/: "none",
  # "uint8" (multiples of 1/250, which sum to exactly 1) or "float16".
  config.probabilities = "none"
  # Pixels that are unlike every class, found by their distance to the training pixels (docs/trust.md).
  # "score" writes this distance to maps/<scene>/unknown.tif. "mark" also maps such pixels as the class
  # "unknown". With "none", every pixel gets one of the classes. Needs folds and MNF components.
  config.unknown = "none"
  # Share of pixels of known classes that may be called unknown, estimated from left-out labels.
  config.unknown_rate = 0.05
  # Number of unlabelled pixels per scene to propose for labelling: those where the networks are least
  # certain.
  config.proposals = 0
  # Also write losses, accuracies and learning rates to tensorboard/ in the work directory, as TensorBoard
  # event files. history.csv has the same figures.
  config.tensorboard = True
  # Seconds between two saves of the state from which an interrupted run resumes.
  config.checkpoint_seconds = 60.0
  return config
