"""Claims about study: what it finds depends on the net and the images alone, and the net is left as it was."""

import copy
import functools
from contextvars import copy_context

import numpy
from e11e_lesion_study import study

from minires.course import Check
from minires.models.resnet import BasicBlock, ResNet
from minires.nn import init
from minires.tensor import Tensor, grad_enabled

check = Check("11e")


def net(*sizes, **options):
    """Return a net in evaluation mode whose batch norms have weights, biases and statistics of all kinds."""
    return copy.deepcopy(made(*sizes, **options))


@functools.cache
def made(depths, widths, *, shortcut="B", seed=0, dtype="float64"):
    """Return the net that is copied."""
    with init.kept_generator():
        init.manual_seed(seed)
        model = ResNet(BasicBlock, depths, widths, in_channels=2, num_classes=4, shortcut=shortcut)
    rng = numpy.random.default_rng(seed)
    for name, array in (state := model.state_dict()).items():
        if array.ndim == 1 and not name.startswith("fc"):
            array[...] = rng.standard_normal(array.shape)
            if name.endswith(("var", "weight")):
                array[...] = 0.5 + abs(array)
    model.load_state_dict(state)
    # So that each class is predicted for some of the images.
    model.astype("float64").eval().fc.bias.data[...] -= model(Tensor(images()[0])).data.mean(axis=0)
    return model.astype(dtype)


def images(n=90, shape=(4, 3, 2), seed=1, dtype="float64"):
    """Return images and random labels."""
    rng = numpy.random.default_rng(seed)
    x = rng.standard_normal((n, *shape)) + 3 * rng.standard_normal((n, 1, 1, shape[-1]))
    return x.astype(dtype), rng.integers(0, 4, n)


def found(*sizes, n=90, shape=(4, 3, 2), ready=lambda model: None, batch=100, **options):
    """Experiment: a study of a net."""

    def run(study):
        model = net(*sizes, **options)
        ready(model)
        x, labels = images(n, shape, dtype=options.get("dtype", "float64"))
        return dict(study(model, x, labels, batch=batch))

    return run


def experiment(run, about):
    """check.experiment, in a context of its own: no solution turns graphs off for the claims after it."""
    check.experiment(lambda yours: copy_context().run(run, yours), study, about)


def test_one_block_in_evaluation_mode():
    experiment(found((1,), (3,)), "one block, all images in one batch")


def test_the_accuracy_of_the_whole_net():
    def run(study):
        return study(net((1, 1), (3, 5)), *images(), batch=45)["whole"]

    experiment(run, "two batches of 45 images: the accuracy of the whole net")


def test_the_sizes_of_the_branches():
    def run(study):
        return study(net((1, 2), (3, 5)), *images(), batch=45)["sizes"]

    experiment(run, "two batches of 45 images: the sizes of three branches")
    experiment(found((1, 1), (3, 6), shortcut="A", n=20), "two blocks, with shortcut A")


def test_one_branch_at_a_time():
    experiment(found((3,), (3,), seed=5), "three blocks in one stage")
    experiment(found((1, 1, 1), (2, 3, 4), seed=6), "three blocks in three stages")


def test_a_small_last_batch():
    experiment(found((2,), (3,), batch=80, seed=3), "batches of 80 and 10 images")
    experiment(found((1,), (3,), batch=40, n=81), "batches of 40, 40 and 1 images")


def test_a_model_that_comes_in_training_mode():
    experiment(found((1, 1), (3, 5), ready=lambda model: model.train()), "a model in training mode")
    experiment(found((1,), (3,), ready=lambda model: model.layer1.train()), "a model with one stage in training mode")  # fmt: skip


def test_afterwards_the_model_is_the_same():
    def run(study):
        model, (x, labels) = net((1, 1), (2, 3)).train(), images(30)
        before, attributes = (
            model.state_dict(),
            [sorted(vars(module)) for _, module in model.modules()],
        )
        study(model, x, labels, batch=30)
        after = model.state_dict()
        return {
            "arrays that have changed": [name for name in before if (before[name] != after[name]).any()],
            "the attributes of all modules": [sorted(vars(module)) for _, module in model.modules()] == attributes,
        }  # fmt: skip

    experiment(run, "a model in training mode: its state afterwards")


def test_afterwards_each_module_has_its_own_mode():
    def modes(ready):
        def run(study):
            model = net((1, 1), (2, 3))
            ready(model)
            study(model, *images(10), batch=10)
            return [module.training for _, module in model.modules()]

        return run

    experiment(modes(lambda model: model.train()), "the modes afterwards, of a model in training")
    experiment(modes(lambda model: model.layer2.train()), "the modes afterwards, of a model with one stage in training")  # fmt: skip


def test_images_labels_and_gradients_stay():
    def run(study):
        model, (x, labels) = net((1,), (3,)), images(10)
        for i, parameter in enumerate(model.parameters()):
            parameter.grad = numpy.full(parameter.shape, float(i))
        study(model, x, labels, batch=8)
        return {
            "x": x,
            "labels": labels,
            "gradients": [parameter.grad for parameter in model.parameters()],
            "which ones are required": [parameter.requires_grad for parameter in model.parameters()],
            "graphs are built": grad_enabled(),
        }  # fmt: skip

    experiment(run, "a model with gradients")


def test_what_it_returns():
    def kind(value):  # numpy.float64 is a float
        return "float" if isinstance(value, float) else type(value).__name__

    def run(study):
        model, (x, labels) = net((2,), (3,)), images(20)
        given = study(model, x, labels, batch=8)
        return {
            **{name: kind(value) for name, value in given.items()},
            **{f"the first of {name}": kind(given[name][0]) for name in ("sizes", "without")},
        }  # fmt: skip

    experiment(run, "the types of what is returned for two blocks")


def test_sizes_of_batches_may_be_1_or_larger_than_all():
    experiment(found((1,), (3,), n=4, batch=1), "four batches of one image")
    experiment(found((2,), (2,), n=2, shape=(2, 2, 2), batch=2), "sizes of 2 everywhere")
    experiment(found((1, 1), (3, 3), n=7, batch=1000), "a batch size above the number of images")


def test_float32_images_and_labels_of_a_byte():
    Check("11e", tolerance=1e-4).experiment(
        lambda yours: copy_context().run(found((1, 1), (3, 5), dtype="float32"), yours),
        study,
        "a model and images in float32",
    )

    def run(study):
        x, _ = images(280)
        large = numpy.zeros((2, 3, 4, 560))
        large[..., ::2] = x.transpose(3, 2, 1, 0)
        model = net((1,), (3,))
        guesses = model(Tensor(x)).data.argmax(axis=1)  # so that all are right
        bytes_ = numpy.repeat(guesses.astype(numpy.uint8), 2)
        return study(model, large[..., ::2].T, bytes_[::2], batch=280)

    experiment(
        run, "280 images and labels of one byte that are all right, both with gaps in memory"
    )


def test_two_models_take_turns():
    def run(study):
        first, other = (net((2,), (3,), seed=seed) for seed in (5, 9))
        found = {"the first": study(first, *images(40), batch=40)}
        found["the other"] = study(other, *images(40), batch=40)
        first.fc.bias.data[...] = [0, 1, 0, 0]
        first.layer1[0].bn2.weight.data *= 2
        found["the first, with other weights"] = study(first, *images(40), batch=40)
        found["on other images"] = study(first, *images(40, seed=2), batch=40)
        return found

    experiment(run, "two models, one of which then changes")
