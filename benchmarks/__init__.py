"""Speed and memory, measured: each file is a command, such as python -m benchmarks.loop."""
