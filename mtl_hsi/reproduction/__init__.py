"""Grids of experiments: sweeps over keys, and the letter's tables beside the published values.

May import all packages except configs, library and launch.
"""
