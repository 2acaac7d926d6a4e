"""Coverage-guided fuzzing of everything that reads a file or a command line; see README.md."""
