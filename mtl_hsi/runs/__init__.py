"""The files of a run: its work directory, its records, and the trained networks read back.

May import settings, report and the packages above them."""
