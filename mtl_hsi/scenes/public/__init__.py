"""The four public scenes: their facts, download, verification and sensors.

May import `errors`, `storage` and the other modules of `scenes`, but not `scenes.simulated`.
"""
