"""Spectral libraries: spectra of known classes, measured elsewhere, resampled to the bands of a scene.

May import errors, plurals, storage and the other files of scenes except public and simulated.
"""
