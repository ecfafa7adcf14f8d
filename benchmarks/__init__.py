"""Speed and memory, measured: python -m benchmarks.cpu (beside PyTorch and the machine's limits), python -m benchmarks.loop."""
