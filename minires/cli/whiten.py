"""The first convolution of ResNet-8, computed from the training images: --whiten."""

from minires import data
from minires.backend import to_host

WHITENED = 5000  # images from which it is computed


def whiten(model, options, train):
    """Compute and freeze a model's first convolution.

    Raises  ValueError: the model has none that can be computed, or more filters than the patches of the images have directions.
    """
    if not hasattr(model, "whiten"):
        raise ValueError(f"--whiten: expected --model resnet8, got {options.model}")
    if options.weights:
        raise ValueError(
            "--whiten computes the first convolution, and --weights brings one: "
            "give one or the other, not both"
        )
    kh, kw, c, filters = model.conv1.weight.shape
    if filters > 2 * kh * kw * c:
        raise ValueError(
            f"--whiten: {options.model} computes {filters} filters, but patches of {kh}x{kw} "
            f"pixels with {c} channel{'s' * (c > 1)} have at most {2 * kh * kw * c}: "
            "it needs images in colour (--no-whiten turns it off)"
        )
    x, _ = next(iter(data.batches(train, min(len(train), WHITENED))))
    model.whiten(to_host(x))
