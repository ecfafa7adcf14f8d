"""Claims about lesions: one branch out at a time, the shortcut stays, and the model is left as it was."""

import copy
import functools
from contextvars import copy_context

import numpy
from e11a_lesions import lesions

from minires.course import Check
from minires.models.resnet import BasicBlock, ResNet
from minires.nn import init
from minires.tensor import Tensor, grad_enabled

check = Check("11a")


def net(*sizes, **options):
    """Return a net in training mode whose batch norms have weights, biases and statistics of all kinds."""
    return copy.deepcopy(made(*sizes, **options))


@functools.cache
def made(depths, widths, *, shortcut="B", seed=0, dtype="float64"):
    """Return the net that is copied."""
    with init.kept_generator():
        init.manual_seed(seed)
        model = ResNet(BasicBlock, depths, widths, in_channels=2, num_classes=4, shortcut=shortcut)
    rng = numpy.random.default_rng(seed)
    state = model.state_dict()
    for name, array in state.items():
        if array.ndim == 1 and not name.startswith("fc"):
            array[...] = rng.standard_normal(array.shape)
            if name.endswith(("var", "weight")):
                array[...] = 0.5 + abs(array)
    model.load_state_dict(state)
    # So that each class is predicted for some of the images.
    model.astype("float64").eval().fc.bias.data[...] -= model(Tensor(images(150)[0])).data.mean(
        axis=0
    )
    return model.astype(dtype).train()


def images(n=60, shape=(4, 3, 2), seed=1, dtype="float64"):
    """Return images and random labels."""
    rng = numpy.random.default_rng(seed)
    x = rng.standard_normal((n, *shape)) + 3 * rng.standard_normal((n, 1, 1, shape[-1]))
    return x.astype(dtype), rng.integers(0, 4, n)


def counted(*sizes, n=60, shape=(4, 3, 2), ready=lambda model: model.eval(), **options):
    """Experiment: the counts of a net."""

    def run(lesions):
        model = net(*sizes, **options)
        ready(model)
        return lesions(model, *images(n, shape, dtype=options.get("dtype", "float64")))

    return run


def experiment(run, about):
    """check.experiment, in a context of its own: no solution turns graphs off for the claims after it."""
    check.experiment(lambda yours: copy_context().run(run, yours), lesions, about)


def test_there_is_an_int_per_block():
    def run(lesions):
        counts = lesions(net((2, 1), (3, 5)).eval(), *images(20))
        return {
            "what it is": type(counts).__name__,
            "of what": sorted({type(count).__name__ for count in counts}),
            "how many": len(counts),
        }

    experiment(run, "a net of three blocks")


def test_the_branch_goes_and_x_stays():
    experiment(counted((1,), (3,), n=150), "a net of one block, whose shortcut is x itself")
    experiment(counted((1,), (6,), n=150, seed=4), "another net of one block")


def test_a_projection_stays_and_so_does_the_last_relu():
    def run(lesions):
        return lesions(net((1, 2), (3, 5), seed=9).eval(), *images(150))[1:2]

    experiment(run, "the second of three blocks, whose shortcut is a projection")


def test_zero_channels_stay():
    def run(lesions):
        return lesions(net((1, 2), (3, 5), shortcut="A", seed=5).eval(), *images(150))[1:2]

    experiment(run, "the second of three blocks, with shortcut A")


def test_one_branch_at_a_time():
    experiment(counted((3,), (3,), seed=5), "a net of three blocks in one stage")
    experiment(counted((1, 1, 2), (2, 3, 4), seed=6), "a net of four blocks in three stages")
    experiment(counted((1, 2), (3, 3), shortcut="A", seed=7), "a net of three blocks, shortcut A")


def test_blocks_come_in_the_order_of_modules():
    # layer1.10 comes after layer1.2
    experiment(counted((11,), (2,), n=12, shape=(3, 2, 2), seed=3), "eleven blocks in one stage")
    experiment(counted((1, 1, 1, 1, 1), (2, 3, 3, 3, 4), n=20, shape=(3, 2, 2), seed=4), "five blocks in five stages")  # fmt: skip


def test_a_model_in_training_is_evaluated_too():
    experiment(
        counted((1, 1), (3, 5), ready=lambda model: model.train()), "a model in training mode"
    )

    def part(model):
        model.eval()
        model.layer1.train()

    experiment(counted((1, 1), (3, 5), ready=part), "a model with one stage in training mode")


def test_afterwards_the_model_is_the_same():
    def run(lesions):
        model, (x, labels) = net((1, 1), (2, 3)), images(30)
        y = model.eval()(Tensor(x)).data
        before, attributes = (
            model.state_dict(),
            [sorted(vars(module)) for _, module in model.modules()],
        )
        modules = [id(module) for _, module in model.modules()]
        lesions(model.train(), x, labels)
        after = model.state_dict()
        return {
            "arrays that have changed": [name for name in before if (before[name] != after[name]).any()],
            "the attributes of all modules": [sorted(vars(module)) for _, module in model.modules()] == attributes,
            "the modules": [id(module) for _, module in model.modules()] == modules,
            "its result": bool((model.eval()(Tensor(x)).data == y).all()),
        }  # fmt: skip

    experiment(run, "a model in training mode: its state afterwards")


def test_afterwards_each_module_has_its_own_mode():
    def modes(ready):
        def run(lesions):
            model = net((1, 1), (2, 3))
            ready(model)
            lesions(model, *images(10))
            return [module.training for _, module in model.modules()]

        return run

    experiment(modes(lambda model: model.train()), "the modes afterwards, of a model in training")
    experiment(modes(lambda model: model.eval()), "the modes afterwards, of a model in eval()")
    experiment(modes(lambda model: model.layer1.eval()), "the modes afterwards, of a model with one stage in eval()")  # fmt: skip
    experiment(modes(lambda model: model.eval().layer2.train()), "the modes afterwards, of a model with one stage in training")  # fmt: skip


def test_x_labels_and_gradients_stay():
    def run(lesions):
        model, (x, labels) = net((1,), (3,)), images(10)
        for i, parameter in enumerate(model.parameters()):
            parameter.grad = numpy.full(parameter.shape, float(i))
        model.fc.freeze()
        lesions(model, x, labels)
        return {
            "x": x,
            "labels": labels,
            "gradients": [parameter.grad for parameter in model.parameters()],
            "which ones are required": [parameter.requires_grad for parameter in model.parameters()],
            "graphs are built": grad_enabled(),
        }  # fmt: skip

    experiment(run, "a model with gradients")


def test_sizes_may_be_1_or_equal():
    def run(lesions):
        model, (x, labels) = net((1,), (3,)).eval(), images(8)
        return [lesions(model, x[i : i + 1], labels[i : i + 1]) for i in range(8)]

    experiment(run, "batches of one image")
    experiment(counted((2,), (1,), n=40, shape=(1, 1, 2)), "images of one pixel")
    experiment(counted((2, 1), (2, 2), n=2, shape=(2, 2, 2), seed=8), "sizes of 2 everywhere")


def test_all_or_none_may_be_right():
    def run(lesions):
        model = net((1,), (3,)).eval()
        x, _ = images(20)
        model.layer1[0].forward = model.layer1[0].shortcut  # x is at least 0 here
        without = model(Tensor(x)).data.argmax(axis=1)
        del model.layer1[0].forward
        return {"all": lesions(model, x, without), "none": lesions(model, x, (without + 1) % 4)}

    experiment(run, "labels that are all right without the branch, or all wrong")


def test_on_a_tie_the_first_class_is_predicted():
    def tied(model):
        model.eval().fc.weight.data[...] = 0
        model.fc.bias.data[...] = 0

    experiment(counted((2,), (3,), ready=tied), "a model whose logits are all 0")


def test_float32_images_and_small_ints():
    experiment(counted((2, 1), (3, 5), dtype="float32"), "a model and images in float32")

    def run(lesions):
        x, labels = images(260)
        large = numpy.zeros((2, 3, 4, 520))
        large[..., ::2] = x.transpose(3, 2, 1, 0)
        bytes_ = numpy.repeat(labels.astype(numpy.uint8), 2)
        return lesions(net((1,), (3,)).eval(), large[..., ::2].T, bytes_[::2])

    experiment(run, "260 images and labels of one byte, both with gaps in memory")


def test_two_models_take_turns():
    def run(lesions):
        first, other = (net((2,), (3,), seed=seed).eval() for seed in (5, 9))
        found = {"the first": lesions(first, *images())}
        found["the other"] = lesions(other, *images())
        first.fc.bias.data[...] = [0, 1, 0, 0]
        found["the first, with a different bias"] = lesions(first, *images())
        found["on other images"] = lesions(first, *images(seed=2))
        return found

    experiment(run, "two models, one of which then changes")
