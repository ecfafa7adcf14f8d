"""ImageNet: the names of its 1,000 classes, and how images are prepared for networks trained on it."""

from pathlib import Path

# Its licence is next to it.
CLASSES = tuple(Path(__file__).with_name("imagenet.txt").read_text(encoding="utf-8").splitlines())
PREPARED = {
    "size": [224, 224, 3],
    "resize": 256,
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}
