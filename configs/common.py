"""Every config key with its default: the paper's protocol, where a file says nothing else.

Liu & Shi, "Multitask Deep Learning With Spectral Knowledge for Hyperspectral
Image Classification" (2020); [author] marks what the author's public code
settles where the letter is silent. Not a config to run: configs/mtl.py,
configs/paper.py and configs/named.py start from it.
"""

from ml_collections import config_dict


def get_config() -> config_dict.ConfigDict:
  """The defaults; `scenes` and `target` are left to the caller."""
  config = config_dict.ConfigDict()

  # Scenes trained together, by name, and the one the experiment is about.
  config.scenes = ()
  config.target = ""
  # Where the public scenes' files are; whether to fetch those that are missing,
  # and whether to take files that pass the content check but not the checksum.
  config.data_dir = "data"
  config.download = False
  config.accept_changed_files = False
  # Scenes from files (see configs/own.py) and simulated ones (configs/quickstart.py), by name.
  config.files = config_dict.ConfigDict()
  config.simulate = config_dict.ConfigDict()
  # Reads and checks everything, says what the scenes hold, and stops; nothing is written.
  config.check_only = False

  # "index", the paper's rule: bands is 103 or 160 input channels, or None, which takes all as they are. Or
  # "wavelength": every scene is resampled to common bands in the range that all share, those of the coarsest
  # scene or of a grid in nm, "first:last:step" or centres with commas between.
  config.alignment = "index"
  config.bands = config_dict.placeholder(int)
  config.grid = ""
  # Scenes whose bands are reversed after alignment (the paper's INVERSE columns).
  config.reversed = ()

  # What every scene's values are divided by: "maximum", the scene's own [author], or a number such as "5000"
  # [author, another script]; or "per_band", to mean 0 and standard deviation 1 of every band.
  config.scaling = "maximum"
  # So many minimum noise fractions of the scaled bands join them as channels, those that show most above the
  # noise; at most as many as there are bands. Scenes that share the first convolution have them in common.
  config.mnf_components = 0

  # "random" draws n pixels a class and tests all others (paper); "blocks" draws them from one half of the
  # scene's square blocks, of so many rows and columns, and tests those pixels of the other half whose
  # patches overlap no training patch; or the path of a split.npz that a run wrote. Scenes whose files
  # say which pixels are tested (configs/own.py) are trained on n a class of their other labels. n = 0 trains
  # on all: with "random" nothing is left to test, for a last map when the accuracy is known.
  config.split = "random"
  config.block_size = 24
  config.samples_per_class = 10
  # Monte-Carlo runs [author: 10]; replica r has the seed `seed + r`.
  config.replicas = 10
  config.seed = 0

  config.model = config_dict.ConfigDict()
  # "hresnet", "ccnn", "vresnet" (configs/best.py), or "svm": one for every scene and replica on its own, on
  # the pixels' spectra; keys from model.norm on mean nothing to it, those before stay as they are.
  config.model.name = "hresnet"
  # Residual blocks (hresnet, vresnet), and average pooling instead of flattening before the head (hresnet).
  config.model.blocks = 1
  config.model.pool = False
  # Side of the patches and channels of all convolutions (vresnet). None: hresnet and ccnn have their own.
  config.model.patch = config_dict.placeholder(int)
  config.model.width = config_dict.placeholder(int)
  # BatchNorm statistics: "per_scene" (own in training and in use) or "joint" (one set in both).
  config.model.norm = "per_scene"
  # Kernels at the start: "normal", N(0, 0.01) everywhere [author], or "glorot", by fan-in and fan-out.
  config.model.init = "normal"
  # Convolutions in training: "products" of matrices, or "xla", XLA's own, which may win on some accelerators.
  # They agree to rounding.
  config.model.convolution = "products"
  # Share the first convolution among the scenes (paper, section III-B). Without, they may have different
  # numbers of bands: those with fewer get empty channels (which init="glorot" counts as inputs).
  config.spectral_knowledge = True

  # "per_scene": every step takes batch_size samples of every scene; "mixed": of the pooled set.
  config.batch = "per_scene"
  config.batch_size = 20
  # An epoch's last batch, where it is not full: "partial" [author], or "dropped".
  config.last_batch = "partial"
  # None: an epoch shows every sample of the longest set once, in its four mirror images. A number: it has so
  # many steps, whose samples are drawn anew for each, in a random image: "none" (as they are), "mirrors" (of
  # the four) or "symmetries" (of the square's eight); balanced draws all classes of a scene equally often.
  config.steps_per_epoch = config_dict.placeholder(int)
  config.augmentation = "mirrors"
  # Up to so many rows and columns, either way, the patch of such a sample is off its pixel.
  config.patch_shift = 0
  config.balanced = False
  # Channels of training patches: standard deviation of a random gain and offset of every patch, of its scaled
  # values, and the probability of a channel to be set to 0; noise fractions are channels of their own.
  config.radiometric_jitter = 0.0
  config.band_dropout = 0.0
  # Share of every target that is spread evenly over the scene's classes.
  config.label_smoothing = 0.0
  # Run in the order of their names; each starts with fresh optimiser state [author].
  # `frozen` names parameter groups: "stem", "backbone", "heads".
  config.phases = config_dict.ConfigDict()
  config.phases.phase1 = {"epochs": 100, "learning_rate": 1.0, "frozen": ()}
  config.phases.phase2 = {"epochs": 30, "learning_rate": 0.1, "frozen": ()}
  # Within a phase: the share of its steps over which the learning rate rises to the phase's; and what it does
  # then, "none" (it stays) or "cosine" (it falls to 0 at the phase's end).
  config.warmup = 0.0
  config.learning_rate_decay = "none"
  # Decay per step of a moving average of the weights, such as 0.99, which votes instead of them; 0: none.
  config.weight_averaging = 0.0
  # Any optax optimiser of a learning rate, by name, with its arguments as further keys.
  # Keras's constants of Adadelta [author]; they go when the name is changed.
  config.optimizer = {"name": "adadelta", "rho": 0.95, "eps": 1e-7}
  # Epochs after the last phase at which networks are kept to vote [author]; negative: before its end.
  config.snapshots = (2, 4, 6, 8, 10)

  # Operands of the convolutions' products, whose sums are always float32: "float32", "tf32" (10 bits of
  # mantissa, on NVIDIA GPUs) or "bfloat16" (7 bits, anywhere; compare accuracies before relying on it).
  config.precision = "float32"
  # "dense" computes what neighbouring pixels share once; "patches" takes every pixel's patch on its own.
  # symmetries: the mean probability over all eight of a pixel's surroundings, at eight times the work.
  config.classify = {"method": "dense", "tile_pixels": 4096, "symmetries": False}
  # Probabilities are mixed with those of neighbouring pixels of like spectra: by a random walk that ends with
  # probability restart before every step, approached in so many steps, each of which reaches a pixel further
  # (0: not). The larger sharpness is, the less it crosses edges.
  config.classify.smoothing = {"steps": 0, "restart": 0.01, "sharpness": 2.0}
  # How many unlabelled pixels of each scene are proposed to be labelled next: where the networks are least
  # sure.
  config.proposals = 0
  # Time between two saves of the state that a killed run resumes from.
  config.checkpoint_seconds = 60.0
  return config
