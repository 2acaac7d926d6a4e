"""The letter's tables and figures: what it published, the trainings that repeat it, and ours beside its."""
