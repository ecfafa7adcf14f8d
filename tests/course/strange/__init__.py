"""Solutions of kinds that the first bank does not hold: state between calls, layouts in memory, equal sizes, special values."""
