"""Readers of hyperspectral images: array files, rasters, and the wavelengths of their bands.

May import `errors`, `storage` and the values of `scenes`.
"""
