"""Strange solutions of 09b."""

import copy
from functools import reduce
from itertools import chain

from minires import nn
from minires.backend import xp
from minires.nn import init
from minires.tensor import Tensor, no_grad
from tests.course.kinds import right, wrong

AFTER, SAME = "test_neutral_layers_come_after_each_relu", "test_the_deeper_net_computes_the_same"
TRAINING = "test_in_training_mode_a_new_group_returns_its_map_too"
RUNNING = "test_the_running_statistics_are_those_of_the_map"
OWN, TWO = "test_each_new_layer_has_arrays_of_its_own", "test_training_one_net_leaves_another_alone"
UNCHANGED = "test_the_given_layers_and_x_stay_as_they_were"
DEAD, KINDS = "test_a_channel_may_be_0_everywhere", "test_nets_may_be_of_other_kinds"
NOTHING, GRAPH = "test_there_may_be_nothing_to_insert", "test_the_layers_run_under_no_grad"
TRAINED = "test_the_new_layers_can_be_trained"


def neutral(array, root=lambda var, eps: xp.sqrt(var + eps)):
    channels = array.shape[-1]
    rows = array.reshape(-1, channels).astype("float64")
    conv, norm = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm(channels)
    init.dirac(conv.weight.data)
    mean, var = rows.mean(axis=0), rows.var(axis=0)
    norm.load_state_dict(
        {"weight": root(var, norm.eps).astype("float32"), "bias": mean.astype("float32"),
         "running_mean": mean.astype("float32"), "running_var": var.astype("float32")}
    )  # fmt: skip
    return nn.Sequential(conv, norm, nn.ReLU()).eval()


def parts(sequence):
    return [sequence[i] for i in range(3)]


def is_relu(layer):
    return isinstance(layer, nn.ReLU)


def along(layers, x, copies, made=neutral, after=is_relu):
    result = []
    with no_grad():
        for layer in layers:
            x = layer(x)
            result.append([layer])
            if after(layer):
                result += [parts(made(x.data)) for _ in range(copies)]
    return list(chain.from_iterable(result))


@right
def in_float64_by_a_state_dict(layers, x, copies=1):
    return along(layers, x, copies)


@right
def by_running_the_prefix_each_time(layers, x, copies=1):
    with no_grad():
        return [
            part
            for i, layer in enumerate(layers, 1)
            for part in [layer] + [
                new
                for _ in range(copies * isinstance(layer, nn.ReLU))
                for new in parts(neutral(reduce(lambda y, one: one(y), layers[:i], x).data))
            ]
        ]  # fmt: skip


@right
def trained_into_place(layers, x, copies=1):
    """The running statistics come from a pass with momentum 1, and are corrected to the biased variance."""

    def made(array):
        group = neutral(array)
        norm, count = group[1], array.size // array.shape[-1]
        norm.train().momentum = 1.0
        with no_grad():
            norm(Tensor(array))
        norm.momentum = 0.1
        norm.running_var *= (count - 1) / count
        norm.eval()
        return group

    return along(layers, x, copies, made)


MADE = {}


@wrong(OWN)
def cached_by_channels(layers, x, copies=1):
    def made(array):
        return MADE.setdefault(array.shape[-1], neutral(array))

    MADE.clear()
    return along(layers, x, copies, made)


@wrong(TWO)
def one_convolution_for_all_nets(layers, x, copies=1):
    """Each call fits the statistics, and takes the convolutions of the call before."""
    turn = iter(KEPT[:])

    def made(array):
        group = neutral(array)
        earlier = next(turn, None)
        if earlier is not None and earlier.weight.shape == group[0].weight.shape:
            group[0].weight = earlier.weight
        KEPT.append(group[0])
        return group

    return along(layers, x, copies, made)


KEPT = []


@wrong(DEAD)
def divided_by_the_root(layers, x, copies=1):
    def made(array):
        with xp.errstate(all="ignore"):
            return neutral(array, root=lambda var, eps: var * (1 + eps / var) / xp.sqrt(var + eps))

    return along(layers, x, copies, made)


@wrong(OWN)
def views_of_one_array(layers, x, copies=1):
    """All statistics and weights of a group are rows of one array, and the bias is the row of the running mean."""

    def made(array):
        group = neutral(array)
        norm = group[1]
        store = xp.stack([norm.running_mean, norm.running_var, norm.weight.data])
        norm.running_mean, norm.running_var, norm.weight.data = store
        norm.bias.data = store[0]
        return group

    return along(layers, x, copies, made)


@wrong(UNCHANGED)
def in_training_mode_meanwhile(layers, x, copies=1):
    deeper = along(layers, x, copies)
    with no_grad():
        for layer in layers:
            x = layer.train()(x)
            layer.eval()
    return deeper


@wrong(UNCHANGED)
def x_normalised_in_place(layers, x, copies=1):
    deeper = along(layers, x, copies)
    x.data /= 2
    return deeper


@wrong(KINDS)
def only_after_a_batch_norm(layers, x, copies=1):
    deeper, before = [], None
    with no_grad():
        for layer in layers:
            x = layer(x)
            deeper.append(layer)
            if isinstance(layer, nn.ReLU) and isinstance(before, nn.BatchNorm):
                deeper += [part for _ in range(copies) for part in parts(neutral(x.data))]
            before = layer
    return deeper


def altered(layers, x, copies, change):
    """The right list, after change(conv, norm, relu, array) of each group."""

    def made(array):
        group = neutral(array)
        change(*parts(group), array)
        return group

    return along(layers, x, copies, made)


@wrong(GRAPH)
def with_a_graph(layers, x, copies=1):
    deeper = along(layers, x, copies)
    for layer in layers:
        x = layer(x)
    return deeper


@wrong(TRAINED)
def frozen_for_evaluation(layers, x, copies=1):
    return altered(layers, x, copies, lambda conv, norm, relu, array: norm.freeze())


@wrong(KINDS)
def found_by_index(layers, x, copies=1):
    """A ReLU that occurs twice in the list is found at its first place."""
    deeper, maps = list(layers), []
    with no_grad():
        for layer in layers:
            x = layer(x)
            maps.append(x.data)
    for layer, array in zip(layers, maps):
        if isinstance(layer, nn.ReLU):
            place = deeper.index(layer) + 1
            deeper[place:place] = [part for _ in range(copies) for part in parts(neutral(array))]
    return deeper


@wrong(RUNNING)
def another_eps(layers, x, copies=1):
    def change(conv, norm, relu, array):
        norm.eps = 1e-12
        norm.weight.data[...] = xp.sqrt(norm.running_var + 1e-12)

    return altered(layers, x, copies, change)


@wrong(RUNNING)
def statistics_that_never_move(layers, x, copies=1):
    def change(conv, norm, relu, array):
        norm.momentum = 0.0

    return altered(layers, x, copies, change)


@wrong(DEAD)
def dead_channels_stay_dead(layers, x, copies=1):
    """gamma 0 is neutral for this x only."""

    def change(conv, norm, relu, array):
        norm.weight.data *= norm.running_var > 0

    return altered(layers, x, copies, change)


@wrong(RUNNING)
def variance_1_for_dead_channels(layers, x, copies=1):
    def change(conv, norm, relu, array):
        norm.running_var[norm.running_var == 0] = 1
        norm.weight.data[...] = xp.sqrt(norm.running_var + norm.eps)

    return altered(layers, x, copies, change)


@wrong(OWN)
def one_new_relu_for_all(layers, x, copies=1):
    relu = nn.ReLU().eval()
    deeper = along(layers, x, copies)
    return [relu if isinstance(one, nn.ReLU) and one not in layers else one for one in deeper]


MOMENTS = {}


@wrong(RUNNING)
def moments_kept_by_channels(layers, x, copies=1):
    """In evaluation mode any statistics are neutral, with gamma and beta to match."""

    def made(array):
        return neutral(MOMENTS.setdefault(array.shape[-1], array))

    return along(layers, x, copies, made)


@right
def a_group_copied_deeply(layers, x, copies=1):
    return along(layers, x, copies, lambda array: copy.deepcopy(neutral(array)))


@wrong(KINDS)
def after_what_ends_in_a_relu(layers, x, copies=1):
    """A Sequential with ReLUs in it is none."""

    def ends(layer):
        return is_relu(layer) or any(is_relu(one) for _, one in layer.modules())

    return along(layers, x, copies, after=ends)


@wrong(RUNNING)
def statistics_by_layer(layers, x, copies=1):
    """Of a ReLU that occurs twice, the last map counts both times."""
    maps, result = {}, []
    with no_grad():
        for layer in layers:
            x = maps[id(layer)] = layer(x)
    for layer in layers:
        groups = copies if is_relu(layer) else 0
        result += [layer, *chain(*(parts(neutral(maps[id(layer)].data)) for _ in range(groups)))]
    return result
