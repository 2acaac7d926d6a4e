"""The networks: stems, backbones and heads."""
