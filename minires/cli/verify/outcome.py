"""Do the weights have the accuracy that the card says, and is it one that the recipe leads to?"""

import json
from pathlib import Path

from minires import data
from minires import recipes as folder
from minires.backend import to_host
from minires.cli import recipes
from minires.course.evidence import arrays
from minires.tensor import Tensor, no_grad

REFERENCES = Path(folder.__file__).parent / "references.json"
BATCH = 256
WIDTH = 3  # standard deviations


def logits(model, dataset):
    """Return the logits (N, K) of a model on a dataset, on the host."""
    model.eval()
    with no_grad():
        found = [to_host(model(Tensor(x)).data) for x, _ in data.batches(dataset, BATCH)]
    return arrays.joined(found)


def weights_reasons(evidence, model, test):
    """Return why weights.safetensors doesn't have the outcome that the run says, and how many images are near-ties."""
    reasons = []
    try:
        model.load_state_dict(evidence.weights)
    except (KeyError, ValueError) as error:
        return [f"weights.safetensors belongs to a different model: {error}"], 0
    found = logits(model, test)
    correct, near = arrays.hits(found, test.labels)
    told, images = evidence.result["test_hits"], evidence.result["test_images"]
    if images != len(test) or abs(told - correct) > near:
        reasons.append(f"weights.safetensors classifies {correct:,} of {len(test):,} test images correctly, result.json says {told:,} of {images:,}")  # fmt: skip
    if evidence.logits.shape != found.shape:
        reasons.append(f"predictions.npz: expected logits of shape {found.shape}, got {evidence.logits.shape}")  # fmt: skip
    elif apart := arrays.different_predictions(evidence.logits, found):
        reasons.append(f"predictions.npz has logits of other weights on {apart:,} of {len(test):,} images")  # fmt: skip
    if evidence.labels.tolist() != test.labels.tolist():
        reasons.append("predictions.npz has labels that differ from those of the test set")
    return reasons, near


def band(evidence):
    """Return (low, high, text) of the accuracies that a run of this recipe may have on this data, or None if there is no reference."""
    options, images = evidence.options, evidence.result["test_images"]
    known = json.loads(REFERENCES.read_text(encoding="utf-8"))
    for each in known:
        same = (
            each["recipe"] == recipes.title(options.recipe or "") and each["data"] == options.data
        )
        if same and each["fingerprint"] == options.fingerprint:
            mean = each["mean"]
            std = max(each["std"], (mean * (1 - mean) / images) ** 0.5)
            text = f"{100 * mean:.2f} % with a standard deviation of {100 * std:.2f} points, from {each['seeds']} seeds"
            return mean - WIDTH * std, mean + WIDTH * std, text
    return None


def band_reasons(evidence):
    """Return why the accuracy isn't one that the recipe leads to."""
    found, accuracy = band(evidence), evidence.result["test_accuracy"]
    if found is None or found[0] <= accuracy <= found[1]:
        return []
    return [f"the accuracy is {100 * accuracy:.2f} %, but runs of this recipe have {found[2]}"]
