"""What is handed to others of a finished run: one file and a model card.

May import everything up to `report` and `runs`.
"""
