"""What a map is worth: accuracies, significance, areas, and pixels to label next.

May import errors, storage and scenes."""
