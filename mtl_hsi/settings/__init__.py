"""The readers of configs: from keys to checked, typed values.

May import training, classification and the packages above them."""
