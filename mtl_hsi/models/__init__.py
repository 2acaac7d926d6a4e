"""Networks as pure functions of parameters: first layers, backbones, heads, and their registry.

May import errors."""
