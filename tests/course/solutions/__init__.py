"""Right and wrong solutions of each exercise, in the file of its name."""
