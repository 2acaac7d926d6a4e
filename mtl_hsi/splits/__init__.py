"""Which labelled pixels train and which test: drawing, files, and leakage between the two.

May import errors, storage and scenes."""
