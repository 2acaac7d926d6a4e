"""Evaluation of maps: accuracies, significance, class areas, and proposals of pixels to label.

May import errors, storage and scenes."""
