"""The machine: devices, processes, replicas, signals and progress bars.

May import `errors`.
"""
