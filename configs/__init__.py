"""The defaults, and the config files."""
