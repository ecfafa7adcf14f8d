"""Experiments on what is said about residual networks: each writes a table that the chapters read with course.measured."""

EXPERIMENTS = (
    "plain_vs_residual",
    "depth",
    "gradients_by_depth",
    "blocks",
    "order",
    "minimised",
    "shattering",
    "lesions",
    "paths",
    "parts",
    "faults",
    "losses",
    "schedules",
    "optimisers",
    "decay",
    "logs",
)
