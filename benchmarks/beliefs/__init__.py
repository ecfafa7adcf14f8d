"""Experiments on what is said about residual networks: each writes a table that the chapters read with course.measured."""

EXPERIMENTS = ("plain_vs_residual", "blocks", "minimised", "shattering")
