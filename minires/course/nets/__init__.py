"""Trained networks that the chapters look into. Each has a folder here with its weights and its card.

    model = course.net("shapes-resnet20")
    x, labels = next(iter(data.batches(data.shapes(1000, seed=1), 1000)))     # its test images, normalised
    (model(Tensor(x)).data.argmax(axis=1) == labels).mean()

`minires train --recipe shapes` trains such a network; card.md in its folder has its seed, accuracy, versions and time.
"""

from pathlib import Path

from minires import models, names

__all__ = ["net"]

_FOLDER = Path(__file__).parent


def net(name):
    """Return a trained network, in evaluation mode.

    Raises  ValueError: an unknown name; the message suggests the nearest.
    """
    from minires import checkpoint  # it needs safetensors, and the rest of the course does not

    known = sorted(path.parent.name for path in _FOLDER.glob("*/weights.safetensors"))
    names.check("net of the course", name, known)
    state, facts = checkpoint.load_weights(_FOLDER / name / "weights.safetensors")
    model = models.build(facts["model"], **facts["options"])
    model.load_state_dict(state)
    model.eval()
    return model
