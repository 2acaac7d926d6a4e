"""Exports of a finished run for others: one file with a model card, and a StableHLO program.

May import everything up to `prediction`.
"""
