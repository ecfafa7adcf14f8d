"""Solutions of 09b: nets that are deeper and compute the same, and nets that don't."""

import copy

from minires import nn
from minires.backend import xp
from minires.tensor import Tensor, no_grad
from tests.course.kinds import right, wrong

AFTER, SAME = "test_neutral_layers_come_after_each_relu", "test_the_deeper_net_computes_the_same"
EPS = "test_eps_is_undone_too"
TRAINING = "test_in_training_mode_a_new_group_returns_its_map_too"
RUNNING = "test_the_running_statistics_are_those_of_the_map"
MODES = "test_all_layers_are_in_evaluation_mode"
OWN = "test_each_new_layer_has_arrays_of_its_own"
UNCHANGED = "test_the_given_layers_and_x_stay_as_they_were"
NOTHING = "test_there_may_be_nothing_to_insert"


def convolution(channels):
    conv = nn.Conv2d(channels, channels, (3, 3), padding=(1, 1), bias=False)
    conv.weight.data[...] = 0
    for channel in range(channels):
        conv.weight.data[1, 1, channel, channel] = 1
    return conv


def normalisation(array, *, gamma=None, beta=None):
    axes = tuple(range(array.ndim - 1))
    norm = nn.BatchNorm(array.shape[-1])
    norm.running_mean[:], norm.running_var[:] = array.mean(axis=axes), array.var(axis=axes)
    root = (norm.running_var + norm.eps) ** 0.5
    norm.weight.data[:] = root if gamma is None else gamma(norm)
    norm.bias.data[:] = norm.running_mean if beta is None else beta(norm)
    return norm


def group(array, **options):
    made = [convolution(array.shape[-1]), normalisation(array, **options), nn.ReLU()]
    return [layer.eval() for layer in made]


def maps_of(layers, x):
    """(layer, its map) in order."""
    with no_grad():
        for layer in layers:
            x = layer(x)
            yield layer, x.data


def built(layers, x, copies, group=group):
    deeper = []
    for layer, array in maps_of(layers, x):
        deeper.append(layer)
        if type(layer) is nn.ReLU:
            for _ in range(copies):
                deeper.extend(group(array))
    return deeper


@right
def by_a_generator(layers, x, copies=1):
    return built(layers, x, copies)


@right
def from_the_end(layers, x, copies=1):
    arrays = [array for _, array in maps_of(layers, x)]
    deeper = list(layers)
    for i in reversed(range(len(layers))):
        if isinstance(layers[i], nn.ReLU):
            deeper[i + 1 : i + 1] = [part for _ in range(copies) for part in group(arrays[i])]
    return deeper


@right
def deep_copies(layers, x, copies=1):
    """One group per ReLU, copied."""
    deeper = []
    for layer, array in maps_of(layers, x):
        deeper.append(layer)
        if isinstance(layer, nn.ReLU):
            one = group(array)
            deeper += [copy.deepcopy(part) for _ in range(copies) for part in one]
    return deeper


@right
def through_the_new_ones(layers, x, copies=1):
    """Each new group runs too, and the next one has the statistics of its map, which is the same."""
    deeper = []
    with no_grad():
        for layer in layers:
            x = layer(x)
            deeper.append(layer)
            for _ in range(copies if isinstance(layer, nn.ReLU) else 0):
                for part in group(x.data):
                    x = part(x)
                    deeper.append(part)
    return deeper


@wrong(EPS, mistake="eps_forgotten")
def root_of_the_variance(layers, x, copies=1):
    def made(array):
        return group(array, gamma=lambda norm: norm.running_var**0.5)

    return built(layers, x, copies, made)


@wrong(SAME, mistake="root_forgotten")
def the_variance_itself(layers, x, copies=1):
    def made(array):
        return group(array, gamma=lambda norm: norm.eps + norm.running_var)

    return built(layers, x, copies, made)


@wrong(SAME, mistake="gamma_left_at_1")
def as_batch_norm_starts(layers, x, copies=1):
    def made(array):
        channels = array.shape[-1]
        norm = nn.BatchNorm(channels, momentum=1.0)
        norm(Tensor(array))  # moves the running statistics all the way
        count = array.size // channels
        norm.running_var *= (count - 1) / count
        norm.momentum = 0.1
        return [part.eval() for part in (convolution(channels), norm, nn.ReLU())]

    return built(layers, x, copies, made)


@wrong(SAME, mistake="beta_left_at_0")
def no_shift(layers, x, copies=1):
    def made(array):
        return group(array, beta=lambda norm: xp.zeros_like(norm.running_mean))

    return built(layers, x, copies, made)


@wrong(SAME, mistake="running_left_alone")
def new_statistics(layers, x, copies=1):
    def made(array):
        parts = group(array)
        parts[1].running_mean[:], parts[1].running_var[:] = 0, 1
        return parts

    return built(layers, x, copies, made)


@wrong(TRAINING, mistake="for_evaluation_only")
def root_of_1_and_eps(layers, x, copies=1):
    def made(array):
        channels = array.shape[-1]
        norm = nn.BatchNorm(channels)
        norm.weight.data[:] = (1 + norm.eps) ** 0.5
        return [part.eval() for part in (convolution(channels), norm, nn.ReLU())]

    return built(layers, x, copies, made)


@wrong(SAME, mistake="random_filters")
def as_convolutions_start(layers, x, copies=1):
    def made(array):
        channels = array.shape[-1]
        conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        return [part.eval() for part in (conv, normalisation(array), nn.ReLU())]

    return built(layers, x, copies, made)


@wrong(OWN, mistake="shared_arrays")
def assigned_not_written(layers, x, copies=1):
    def made(array):
        parts = group(array)
        parts[1].running_mean = parts[1].bias.data
        return parts

    return built(layers, x, copies, made)


@wrong(OWN, mistake="the_same_layers_again")
def list_times_copies(layers, x, copies=1):
    deeper = []
    for layer, array in maps_of(layers, x):
        deeper += [layer, *(group(array) * copies if isinstance(layer, nn.ReLU) else [])]
    return deeper


@wrong(AFTER, mistake="after_the_last_only")
def at_the_end(layers, x, copies=1):
    last = max((i for i, layer in enumerate(layers) if isinstance(layer, nn.ReLU)), default=-1)
    arrays = [array for _, array in maps_of(layers, x)]
    new = [part for _ in range(copies) for part in group(arrays[last])] if last >= 0 else []
    return [*layers[: last + 1], *new, *layers[last + 1 :]]


@wrong(MODES, mistake="left_in_training")
def never_evaluated(layers, x, copies=1):
    def made(array):
        return [convolution(array.shape[-1]), normalisation(array), nn.ReLU()]

    return built(layers, x, copies, made)


@wrong(AFTER)
def after_each_layer(layers, x, copies=1):
    deeper = []
    for layer, array in maps_of(layers, x):
        deeper.append(layer)
        if isinstance(layer, nn.BatchNorm):
            deeper += [part for _ in range(copies) for part in group(array)]
    return deeper


@wrong(AFTER)
def without_a_relu(layers, x, copies=1):
    return built(layers, x, copies, lambda array: group(array)[:2])


@wrong(AFTER)
def inserted_into_the_given_list(layers, x, copies=1):
    layers[:] = built(list(layers), x, copies)
    return layers


@wrong(AFTER)
def copies_of_the_given_layers(layers, x, copies=1):
    return built([copy.deepcopy(layer) for layer in layers], x, copies)


@wrong(AFTER)
def one_by_one(layers, x, copies=1):
    def made(array):
        conv, norm, relu = group(array)
        thin = nn.Conv2d(array.shape[-1], array.shape[-1], 1, bias=False)
        thin.weight.data[...] = conv.weight.data[1:2, 1:2]
        return [thin.eval(), norm, relu]

    return built(layers, x, copies, made)


@wrong(RUNNING)
def unbiased_variance(layers, x, copies=1):
    def made(array):
        parts = group(array)
        count = array.size // array.shape[-1]
        parts[1].running_var *= count / (count - 1)
        parts[1].weight.data[:] = (parts[1].running_var + parts[1].eps) ** 0.5
        return parts

    return built(layers, x, copies, made)


@wrong(RUNNING)
def statistics_before_the_relu(layers, x, copies=1):
    deeper, before = [], x.data
    for layer, array in maps_of(layers, x):
        deeper.append(layer)
        if isinstance(layer, nn.ReLU):
            deeper += [part for _ in range(copies) for part in group(before)]
        before = array
    return deeper


@wrong(UNCHANGED)
def given_layers_trained(layers, x, copies=1):
    deeper = built(layers, x, copies)
    for layer in layers:
        layer.train()
    return deeper


@wrong(NOTHING)
def at_least_one_copy(layers, x, copies=1):
    return built(layers, x, max(copies, 1))
