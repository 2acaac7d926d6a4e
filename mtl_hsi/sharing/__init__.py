"""What is handed to others of a finished run: one file with a model card, and a StableHLO program.

May import everything up to `prediction`.
"""
