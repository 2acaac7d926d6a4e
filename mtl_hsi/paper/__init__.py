"""The letter's protocol and published figures, as data.

May import `errors`, `scenes` and `channels`.
"""
