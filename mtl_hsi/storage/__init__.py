"""Files on disk: atomic writes, checksums, locks, guarded JSON, and the memory that reading needs.

May import `errors`.
"""
