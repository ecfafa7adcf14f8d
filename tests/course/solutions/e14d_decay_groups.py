"""Solutions of 14d."""

from minires.nn import BatchNorm, Conv2d, Linear, Module, Parameter
from tests.course.kinds import right, wrong

SMALL, RESNET, NAMES = "test_a_small_network", "test_a_resnet", "test_names_are_the_authors_choice"
LISTS, DEEP, SHARED = (
    "test_layers_may_be_in_lists_and_dicts",
    "test_modules_may_be_in_modules",
    "test_a_shared_layer_or_parameter_comes_once",
)
FROZEN, EMPTY = (
    "test_a_parameter_that_does_not_learn_is_left_out",
    "test_both_groups_are_there_even_if_empty",
)
SUBCLASS, ITSELF, ONES = (
    "test_subclasses_count_too",
    "test_the_model_itself_may_be_a_layer",
    "test_sizes_of_1_are_sizes",
)
GIVEN, STEP, UNCHANGED = (
    "test_weight_decay_is_what_it_is_given",
    "test_a_step_decays_the_first_group_alone",
    "test_the_model_stays_unchanged",
)
LAYERED = "test_a_subclass_may_have_layers_of_its_own"


def pair(decayed, others, decay, rest=0.0):
    return [
        dict(params=list(decayed), weight_decay=decay),
        dict(params=list(others), weight_decay=rest),
    ]


def split(parameters, decay, is_weight, rest=0.0):
    """Return the groups; is_weight  takes a parameter"""
    groups = pair([], [], decay, rest)
    for parameter in parameters:
        groups[0 if is_weight(parameter) else 1]["params"].append(parameter)
    return groups


def learning(model):
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


@right
def by_axes(model, decay):
    return split(learning(model), decay, lambda parameter: parameter.data.ndim >= 2)


@right
def by_layers(model, decay):
    chosen = {
        id(layer.weight) for _, layer in model.modules() if isinstance(layer, (Conv2d, Linear))
    }
    return split(learning(model), decay, lambda parameter: id(parameter) in chosen)


@right
def layer_by_layer(model, decay):
    """From the layers alone, each parameter once."""
    seen, groups = set(), pair([], [], decay)
    for _, layer in model.modules():
        kind = isinstance(layer, (Conv2d, Linear)), isinstance(layer, BatchNorm)
        for name in ("weight", "bias") if any(kind) else ():
            parameter = getattr(layer, name)
            if parameter is not None and parameter.requires_grad and id(parameter) not in seen:
                seen.add(id(parameter))
                groups[0 if kind[0] and name == "weight" else 1]["params"].append(parameter)
    return groups


@right
def all_but_norms_and_biases(model, decay):
    spared = set()
    for _, layer in model.modules():
        if isinstance(layer, BatchNorm):
            spared |= {id(layer.weight), id(layer.bias)}
        elif isinstance(layer, (Conv2d, Linear)):
            spared.add(id(layer.bias))
    return split(learning(model), decay, lambda parameter: id(parameter) not in spared)


@right
def in_reverse(model, decay):
    """The order doesn't matter."""
    return split(learning(model)[::-1], decay, lambda parameter: len(parameter.shape) != 1)


def walked(value, *, lists=True, once=True, seen=None):
    """Return the parameters below a value."""
    seen = set() if seen is None else seen
    if isinstance(value, Parameter):
        if once and id(value) in seen:
            return []
        seen.add(id(value))
        return [value]
    if isinstance(value, Module):
        parts = vars(value).values()
    elif lists and isinstance(value, dict):
        parts = value.values()
    elif lists and isinstance(value, (list, tuple)):
        parts = value
    else:
        parts = ()
    return [p for part in parts for p in walked(part, lists=lists, once=once, seen=seen)]


def weight(parameter):
    return parameter.ndim > 1


@right
def by_a_walk(model, decay):
    return split([p for p in walked(model) if p.requires_grad], decay, weight)


@wrong(RESNET, mistake="by_the_name_bn")
def bn_and_bias(model, decay):
    groups = pair([], [], decay)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            spared = "bn" in name or name.endswith("bias")
            groups[int(spared)]["params"].append(parameter)
    return groups


@wrong(SMALL, mistake="everything_called_weight")
def all_weights(model, decay):
    own = {id(p) for name, p in model.named_parameters() if name.split(".")[-1] == "weight"}
    return split(learning(model), decay, lambda p: id(p) in own)


@wrong(SMALL, mistake="everything")
def all_of_them(model, decay):
    return pair(learning(model), [], decay)


@wrong(SMALL, mistake="biases_too")
def norms_spared(model, decay):
    norms = {id(p) for _, m in model.modules() if isinstance(m, BatchNorm) for p in m.parameters()}
    return split(learning(model), decay, lambda p: id(p) not in norms)


@wrong(SMALL, mistake="only_convolutions")
def four_axes(model, decay):
    return split(learning(model), decay, lambda p: p.ndim == 4)


@wrong(SMALL, mistake="only_linear_layers")
def two_axes(model, decay):
    return split(learning(model), decay, lambda p: len(p.shape) == 2)


@wrong(SMALL, mistake="groups_swapped")
def other_way_round(model, decay):
    return split(learning(model), decay, lambda p: p.ndim < 2)


@wrong(SMALL, mistake="decay_for_both")
def same_for_both(model, decay):
    return split(learning(model), decay, weight, rest=decay)


@wrong(FROZEN, mistake="frozen_ones_too")
def all_parameters(model, decay):
    return split(model.parameters(), decay, weight)


@wrong(SHARED, mistake="shared_twice")
def walked_through(model, decay):
    return split([p for p in walked(model, once=False) if p.requires_grad], decay, weight)


@wrong(LISTS, mistake="lists_missed")
def attributes_only(model, decay):
    return split([p for p in walked(model, lists=False) if p.requires_grad], decay, weight)


@wrong(DEEP, mistake="top_layers_only")
def children_only(model, decay):
    found = []
    for _, layer in model.children():
        for value in vars(layer).values():
            if (
                isinstance(value, Parameter)
                and value.requires_grad
                and not any(value is p for p in found)
            ):
                found.append(value)
    return split(found, decay, weight)


@wrong(SUBCLASS, mistake="subclasses_missed")
def exact_classes(model, decay):
    own = {id(m.weight) for _, m in model.modules() if m.__class__ in {Conv2d, Linear}}
    return split(learning(model), decay, lambda p: id(p) in own)


@wrong(EMPTY, mistake="empty_group_missing")
def groups_with_members(model, decay):
    return [group for group in split(learning(model), decay, weight) if len(group["params"])]


@wrong(GIVEN)
def no_decay_no_groups(model, decay):
    """Without decay all are alike."""
    return split(learning(model), decay, weight) if decay else pair([], learning(model), 0)


@wrong(SMALL)
def three_groups(model, decay):
    weights, others = (group["params"] for group in split(learning(model), decay, weight))
    norms = {id(p) for _, m in model.modules() if isinstance(m, BatchNorm) for p in m.parameters()}
    biases = [p for p in others if id(p) not in norms]
    return [
        *pair(weights, biases, decay),
        {"params": [p for p in others if id(p) in norms], "weight_decay": 0},
    ]


@wrong(ONES)
def more_than_one_number(model, decay):
    """A weight is what has more than one number."""
    return split(learning(model), decay, lambda p: p.ndim > 1 and p.size > 1)


@wrong(UNCHANGED)
def frozen_meanwhile(model, decay):
    """Evaluation mode, so that nothing happens."""
    model.eval()
    return split(learning(model), decay, weight)
