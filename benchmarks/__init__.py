"""Measurements of speed, memory and accuracy. Begin with python -m benchmarks.cpu, which compares minires with PyTorch."""
