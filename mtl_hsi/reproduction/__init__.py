"""Reproduction: the runs of the letter's tables, and the comparison with the published values.

May import all packages except configs, library and launch.
"""
