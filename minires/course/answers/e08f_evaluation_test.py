"""Exercise 08f: models whose evaluation modes should be told apart, a check that does it, and checks that do not."""

import itertools

from minires import functional as F
from minires import nn
from minires.backend import to_device, xp
from minires.nn import init
from minires.tensor import Tensor


def check(candidate):
    """Raise AssertionError unless the models of candidate have a right eval().

    candidate  candidate() makes a model in training mode: a Module from x (N, 4) to (N, 2)
    """
    x = _inputs()
    model = candidate()
    model.eval()
    before = model.state_dict()
    y = model(Tensor(x)).data
    assert xp.allclose(model(Tensor(x)).data, y), "twice on the same x"
    assert xp.allclose(model(Tensor(x[:1])).data, y[:1]), "alone and among others"
    for name, array in model.state_dict().items():
        assert xp.array_equal(array, before[name]), name


def _inputs():
    return to_device((xp.arange(24.0).reshape(6, 4) % 7 - 2).astype("float32"))


class _Net(nn.Module):
    """Linear, batch norm, then, deeper, dropout and another batch norm, and a linear layer."""

    def __init__(self):
        self.norm = nn.BatchNorm(4)
        self.inner = [nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5)), nn.BatchNorm(8)]
        self.last = nn.Linear(8, 2)

    def forward(self, x):
        x = self.norm(x)
        for module in self.inner:
            x = module(x)
        return self.last(x)


class _Drops(nn.Dropout):
    def forward(self, x):
        return F.dropout(x, init.keep_mask(x.shape, self.p), p=self.p)


class _OfTheBatch(nn.BatchNorm):
    def forward(self, x):
        if self.training or len(x) < 2:
            return super().forward(x)
        mean, var = x.data.mean(axis=0), x.data.var(axis=0)
        return F.batch_norm_frozen(x, self.weight, self.bias, mean=mean, var=var, eps=self.eps)


class _Moves(nn.BatchNorm):
    def forward(self, x):
        y = super().forward(x)
        if not self.training:
            self.running_mean[...] += 0.1 * (x.data.mean(axis=0) - self.running_mean)
        return y


class _TopOnly(_Net):
    def train(self, mode=True):
        """Return the modules directly below this one."""
        self.training = self.norm.training = self.last.training = mode
        return self


# So that a check can't go by the names of classes.
for _wrong, _its in (
    (_Drops, nn.Dropout),
    (_OfTheBatch, nn.BatchNorm),
    (_Moves, nn.BatchNorm),
    (_TopOnly, _Net),
):
    _wrong.__name__ = _wrong.__qualname__ = _its.__name__
    _wrong.__module__ = _its.__module__


def _right():
    return _Net()


def _right_too():
    """A model after some training: its statistics differ from those of a new one."""
    net = nn.Sequential(
        nn.Sequential(nn.Linear(4, 3), nn.BatchNorm(3), nn.Dropout(0.25)), nn.Linear(3, 2)
    )
    net[0][1].running_mean[...], net[0][1].running_var[...] = 3.0, 5.0
    return net


def _dropping():
    """Return a model that drops half of 64 units, so that two calls never agree by chance."""
    net = _Net()
    net.inner[0] = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), _Drops(0.5), nn.Linear(64, 8))
    return net


def _of_the_batch():
    net = _Net()
    net.inner[1] = _OfTheBatch(8)
    return net


def _moving():
    """Return a model whose statistics move so little that two calls in a row hardly show it."""
    net = _Net()
    net.inner[1] = _Moves(8)
    net.inner[1].weight.data[...] = 1e-9
    return net


def _top_only():
    net = _TopOnly()
    net.inner[0] = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
    net.inner[1].momentum = 0.0
    return net


def _seeded(make, *seeds):
    """Return a function that makes the model, with the weights of these seeds in turn; by default, with the same ones each time."""
    turn = itertools.cycle(seeds or (8,))

    def candidate():
        with init.kept_generator():
            init.manual_seed(next(turn))
            return make()

    return candidate


RIGHT = {"a right one": _seeded(_right), "a right one with other layers": _seeded(_right_too),
         "a right one with different weights in each call": _seeded(_right, 8, 9, 10)}  # fmt: skip
WRONG = {"the one where dropout stays on": _seeded(_dropping), "the one that uses the batch's statistics": _seeded(_of_the_batch),
         "the one whose running statistics keep changing": _seeded(_moving),
         "the one whose eval() reaches only the top layers": _seeded(_top_only)}  # fmt: skip


def never_rejects(candidate):
    """the check accepts every model, right or wrong"""
    candidate().eval()(Tensor(_inputs()))


def twice_on_the_same(candidate):
    """the check rejects only the model where dropout stays on: two calls on the same x, for example, can show no more"""
    model, x = candidate().eval(), Tensor(_inputs())
    assert xp.allclose(model(x).data, model(x).data)


def alone_and_among_others(candidate):
    """the check accepts only one wrong model, whose running statistics keep changing: compare them before and after"""
    model, x = candidate().eval(), _inputs()
    assert xp.allclose(model(Tensor(x)).data[:1], model(Tensor(x[:1])).data)


def state_only(candidate):
    """the check rejects only the model whose running statistics keep changing: the saved state shows no more"""
    model = candidate().eval()
    before = model.state_dict()
    model(Tensor(_inputs()))
    assert all(xp.array_equal(before[name], array) for name, array in model.state_dict().items())


def never_content(candidate):
    """the check rejects every model, including the right ones: for example, because it is not in evaluation mode"""
    raise AssertionError
