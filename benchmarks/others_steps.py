"""The two problems of benchmarks.others in each library: a function per library that returns a step.

python -m benchmarks.others_steps LIBRARY PROBLEM IMAGES answers each line in stdin with the seconds of a step, and the first
one with the seconds until the first step was done.
"""

import itertools
import os
import sys
import time

import numpy

from benchmarks.problems import CLASSES, NETS, SGD, SMOOTHING, Shape, batch

WIDTH, SIZE = 64, 32  # channels and pixels per side of the convolution


def shape(n):
    """Return the Shape of the convolution."""
    return Shape(n, SIZE, WIDTH, WIDTH, 3, 1)


def channels_first(array):
    """Return images (N, H, W, C) as (N, C, H, W), or a weight (KH, KW, C, F) as (F, C, KH, KW)."""
    axes = (3, 2, 0, 1) if array.shape[:2] == (3, 3) else (0, 3, 1, 2)
    return numpy.ascontiguousarray(array.transpose(axes))


def weights():
    """Return the parameters of ResNet-20 in the order in which forward() takes them: (F, C, KH, KW), gamma, beta of each convolution."""
    rng, found = numpy.random.default_rng(0), []

    def conv(c, f, kernel):
        scale = numpy.float32((2 / (f * kernel**2)) ** 0.5)
        found.append(rng.standard_normal((f, c, kernel, kernel), dtype=numpy.float32) * scale)
        found.extend((numpy.ones(f, numpy.float32), numpy.zeros(f, numpy.float32)))

    conv(3, 16, 3)
    for before, width in ((16, 16), (16, 32), (32, 64)):
        for block in range(3):
            conv(width if block else before, width, 3)
            conv(width, width, 3)
            if before != width and not block:
                conv(before, width, 1)
    head = rng.standard_normal((64, CLASSES), dtype=numpy.float32) / numpy.float32(8)
    return [*found, head, numpy.zeros(CLASSES, numpy.float32)]


def forward(conv, norm, relu, mean, dense, parameters, x):
    """Return the logits of ResNet-20 by a library's functions.

    conv  of (x, weight, stride, padding)    norm  of (x, gamma, beta)    mean  over the image    dense  of (x, weight, bias)
    """
    left = iter(parameters)

    def conv_norm(x, stride=1, padding=1):
        return norm(conv(x, next(left), stride, padding), next(left), next(left))

    x = relu(conv_norm(x))
    for stage, block in itertools.product(range(3), range(3)):
        stride = 2 if stage and not block else 1
        y = conv_norm(relu(conv_norm(x, stride)))
        x = relu(y + (conv_norm(x, stride, 0) if stride == 2 else x))
    return dense(mean(x), next(left), next(left))


def minires(problem, n, name="numpy"):
    """Return a step in minires, on a backend."""
    from benchmarks import ours
    from minires import backend, ops

    backend.use(name)
    if problem == "resnet20":
        return ours.training(ours.build(NETS[problem]), *batch(n))
    x, weight, g = shape(n).arrays()

    def step():
        _, backward = ops.conv2d(x, weight, padding=1)
        backward(g)

    return step


def pytorch(problem, n, layout, compiled=False):
    """Return a step in PyTorch."""
    import torch

    from benchmarks import peers

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if problem == "resnet20":
        (x, labels), model = batch(n), peers.build(NETS[problem], layout)
        model = torch.compile(model) if compiled else model
        return peers.training(model, peers.images(x, layout), labels)
    if not compiled:
        return peers.convolution(shape(n), layout)[1]
    x, weight, g = (torch.from_numpy(channels_first(a)).contiguous(memory_format=peers.LAYOUTS[layout]) for a in shape(n).arrays())  # fmt: skip
    inputs = [x.requires_grad_(), weight.requires_grad_()]
    conv = torch.compile(lambda x, weight: torch.nn.functional.conv2d(x, weight, padding=1))
    return lambda: torch.autograd.grad(conv(*inputs), inputs, g)


def jax(problem, n):
    """Return a step in JAX, compiled by jit, with images (N, H, W, C)."""
    import jax
    from jax import numpy as jnp

    def conv(x, weight, stride, padding):
        numbers = ("NHWC", "OIHW", "NHWC")
        return jax.lax.conv_general_dilated(x, weight, (stride,) * 2, [(padding,) * 2] * 2, dimension_numbers=numbers)  # fmt: skip

    def norm(x, gamma, beta):
        mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
        return (x - mean) * jax.lax.rsqrt(var + 1e-5) * gamma + beta

    if problem == "convolution":
        x, weight, g = (jnp.asarray(array) for array in shape(n).arrays())
        weight = weight.transpose(3, 2, 0, 1)

        @jax.jit
        def both(x, weight, g):
            y, backward = jax.vjp(lambda x, weight: conv(x, weight, 1, 1), x, weight)
            return y, backward(g)

        return lambda: jax.block_until_ready(both(x, weight, g))

    x, labels = map(jnp.asarray, batch(n))

    def loss(parameters):
        how = norm, jax.nn.relu, lambda x: x.mean((1, 2)), lambda x, weight, bias: x @ weight + bias
        logits = jax.nn.log_softmax(forward(conv, *how, parameters, x))
        target = (1 - SMOOTHING) * jax.nn.one_hot(labels, CLASSES) + SMOOTHING / CLASSES
        return -(target * logits).sum(1).mean()

    @jax.jit
    def update(parameters, velocities):
        gradients = jax.grad(loss)(parameters)
        gradients = [g + SGD["weight_decay"] * w for g, w in zip(gradients, parameters)]
        velocities = [SGD["momentum"] * v + g for v, g in zip(velocities, gradients)]
        steps = [g + SGD["momentum"] * v for g, v in zip(gradients, velocities)]
        return [w - SGD["lr"] * s for w, s in zip(parameters, steps)], velocities

    state = [list(map(jnp.asarray, weights())), [jnp.zeros(w.shape) for w in weights()]]

    def step():
        state[:] = jax.block_until_ready(update(*state))

    return step


def tinygrad(problem, n):
    """Return a step in tinygrad, by TinyJit."""
    from tinygrad import Context, Tensor, TinyJit
    from tinygrad.nn.optim import SGD as Descent

    if problem == "convolution":
        x, weight, g = (Tensor(channels_first(array)).realize() for array in shape(n).arrays())
        x.requires_grad, weight.requires_grad = True, True

        @TinyJit
        def both():
            x.grad, weight.grad = None, None
            (x.conv2d(weight, padding=1) * g).sum().backward()
            Tensor.realize(x.grad, weight.grad)
            return x.grad, weight.grad

        return lambda: [each.numpy() for each in both()][:0]

    def norm(x, gamma, beta):
        mean = x.mean((0, 2, 3))
        apart = x - mean.reshape(1, -1, 1, 1)
        return x.batchnorm(gamma, beta, mean, ((apart * apart).mean((0, 2, 3)) + 1e-5).rsqrt())

    images, labels = batch(n)
    x, labels = Tensor(channels_first(images)).realize(), Tensor(labels).realize()
    parameters = [Tensor(array).realize() for array in weights()]
    for parameter in parameters:
        parameter.requires_grad = True
    optimizer = Descent(parameters, lr=SGD["lr"], momentum=SGD["momentum"], nesterov=True, weight_decay=SGD["weight_decay"])  # fmt: skip

    @TinyJit
    def step():
        how = norm, Tensor.relu, lambda x: x.mean((2, 3)), lambda x, weight, bias: x @ weight + bias
        conv = lambda x, weight, stride, padding: x.conv2d(weight, stride=stride, padding=padding)  # noqa: E731
        logits = forward(conv, *how, parameters, x)
        optimizer.zero_grad()
        loss = logits.sparse_categorical_crossentropy(labels, label_smoothing=SMOOTHING).backward()
        return loss.realize(*optimizer.schedule_step())

    def training():
        with Context(TRAINING=1):
            step().item()

    return training


def dezero(problem, n):
    """Return a step in DeZero."""
    numpy.int = int  # a name that NumPy 1.24 removed, and DeZero uses
    from dezero import Variable
    from dezero import functions as F

    if problem == "convolution":
        x, weight, g = (channels_first(array) for array in shape(n).arrays())

        def both():
            y = F.conv2d(Variable(x), Variable(weight), None, 1, 1)
            y.grad = Variable(g)
            y.backward()

        return both

    images, labels = batch(n)
    x, parameters = channels_first(images), [Variable(array) for array in weights()]
    velocities = [numpy.zeros_like(each.data) for each in parameters]

    def step():
        how = (
            lambda x, gamma, beta: F.batch_nrom(x, gamma, beta, 0 * gamma.data, 0 * gamma.data),
            F.relu,
            lambda x: F.sum(x.reshape(*x.shape[:2], -1), axis=2) / (x.shape[2] * x.shape[3]),
            F.linear,
        )
        conv = lambda x, weight, stride, padding: F.conv2d(x, weight, None, stride, padding)  # noqa: E731
        loss = F.softmax_cross_entropy(forward(conv, *how, parameters, Variable(x)), labels)
        for each in parameters:
            each.cleargrad()
        loss.backward()
        for each, v in zip(parameters, velocities):
            g = each.grad.data + SGD["weight_decay"] * each.data
            v *= SGD["momentum"]
            v += g
            each.data -= SGD["lr"] * (g + SGD["momentum"] * v)

    return step


def mygrad(problem, n):
    """Return the convolution in MyGrad."""
    import mygrad
    from mygrad.nnet.layers import conv_nd

    x, weight, g = (channels_first(array) for array in shape(n).arrays())

    def both():
        conv_nd(mygrad.tensor(x), mygrad.tensor(weight), stride=1, padding=1).backward(g)

    return both


STEPS = {
    "minires": minires,
    "minires compiled": lambda problem, n: minires(problem, n, "compiled"),
    **{
        f"PyTorch {layout}{kind}": lambda problem, n, layout=layout, kind=kind: pytorch(problem, n, f"PyTorch {layout}", bool(kind))
        for layout in ("NCHW", "channels_last")
        for kind in ("", " compiled")
    },
    **{"JAX": jax, "tinygrad": tinygrad, "DeZero": dezero, "MyGrad": mygrad},
}  # fmt: skip


def main():
    """Answer the lines of stdin."""
    name, problem, n = sys.argv[1:]
    answers, begun = os.fdopen(os.dup(1), "w"), time.perf_counter()
    os.dup2(2, 1)  # a library may print too
    step = STEPS[name](problem, int(n))
    step()
    step()
    print(time.perf_counter() - begun, file=answers, flush=True)
    for _ in sys.stdin:
        begun = time.perf_counter()
        step()
        print(time.perf_counter() - begun, file=answers, flush=True)


if __name__ == "__main__":
    main()
