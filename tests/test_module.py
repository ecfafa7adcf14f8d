"""Module: the tree of its attributes, its modes, its state, its text; and Sequential."""

import gc
import weakref
from collections import namedtuple

import numpy
import pytest
from numpy.testing import assert_array_equal

from minires.backend import BackendError, is_array, to_device, to_host
from minires.nn import (
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    Identity,
    Linear,
    MaxPool2d,
    Module,
    Parameter,
    ReLU,
    Sequential,
)
from minires.tensor import Tensor

pytestmark = pytest.mark.usefixtures("each_backend")


def array(values, dtype=numpy.float32):
    return to_device(numpy.array(values, dtype))


class Tree(Module):
    """A module with each kind of attribute, with names that are not in alphabetical order."""

    def __init__(self):
        self.stem = Linear(2, 3)
        self.blocks = [BatchNorm(3), ReLU(), Linear(3, 3, bias=False)]
        self.scale = Parameter(array([1.0, 2.0]))
        self.ends = (Identity(), Sequential(Linear(3, 4), Dropout(0.25)))
        self.heads = {"right": Linear(4, 1), "left": Linear(4, 2, bias=False)}
        self.weights = [Parameter(array([[3.0]])), 7, Parameter(array([4.0, 5.0]))]
        self.seen = array([8.0])
        self.depth, self.name, self.nothing = 3, "tree", None
        self.cache = Tensor([9.0])  # neither a parameter nor a buffer
        self.bn = BatchNorm(1)


PARAMETERS = """stem.weight stem.bias blocks.0.weight blocks.0.bias blocks.2.weight scale ends.1.0.weight ends.1.0.bias
heads.right.weight heads.right.bias heads.left.weight weights.0 weights.2 bn.weight bn.bias""".split()
BUFFERS = "blocks.0.running_mean blocks.0.running_var seen bn.running_mean bn.running_var".split()
STATE = """stem.weight stem.bias blocks.0.weight blocks.0.bias blocks.0.running_mean blocks.0.running_var blocks.2.weight scale
ends.1.0.weight ends.1.0.bias heads.right.weight heads.right.bias heads.left.weight weights.0 weights.2 seen
bn.weight bn.bias bn.running_mean bn.running_var""".split()
MODULES = """stem blocks.0 blocks.1 blocks.2 ends.0 ends.1 ends.1.0 ends.1.1 heads.right heads.left bn""".split()


def test_the_attributes_are_the_tree_in_the_order_written():
    tree = Tree()
    assert [name for name, _ in tree.named_parameters()] == PARAMETERS
    assert [name for name, _ in tree.named_buffers()] == BUFFERS
    assert [name for name, _ in tree.modules()] == ["", *MODULES]
    assert list(tree.state_dict()) == STATE


def test_each_name_stands_for_its_own_module_parameter_or_buffer():
    tree = Tree()
    modules = dict(tree.modules())
    parameters = dict(tree.named_parameters())
    buffers = dict(tree.named_buffers())
    assert (
        modules[""] is tree
        and modules["heads.left"] is tree.heads["left"]
        and modules["ends.1.0"] is tree.ends[1][0]
    )
    assert (
        parameters["blocks.2.weight"] is tree.blocks[2].weight
        and parameters["weights.2"] is tree.weights[2]
    )
    assert (
        buffers["blocks.0.running_var"] is tree.blocks[0].running_var
        and buffers["seen"] is tree.seen
    )
    mine, named = tree.parameters(), list(parameters.values())
    assert (
        isinstance(mine, list)
        and len(mine) == len(named)
        and all(a is b for a, b in zip(mine, named))
    )


def test_children_are_the_modules_right_below():
    tree = Tree()
    names = "stem blocks.0 blocks.1 blocks.2 ends.0 ends.1 heads.right heads.left bn".split()
    assert [name for name, _ in tree.children()] == names
    assert dict(tree.children())["ends.1"] is tree.ends[1]


def test_named_attributes_looks_into_lists_tuples_and_dicts():
    module = Module()
    module.a, module.b, module.c, module.d = 1, [2, 3], (4,), {"x": 5, 6: 7}
    assert list(module.named_attributes()) == [
        ("a", 1),
        ("b.0", 2),
        ("b.1", 3),
        ("c.0", 4),
        ("d.x", 5),
        ("d.6", 7),
    ]


def test_modules_take_a_name_for_the_root():
    tree = Sequential(Linear(1, 1), Sequential(ReLU()))
    assert [name for name, _ in tree.modules("net")] == ["net", "net.0", "net.1", "net.1.0"]


def test_a_shared_module_comes_once_under_its_first_name():
    net = Module()
    net.first, net.list = Linear(2, 3), []
    net.list = [net.first, BatchNorm(1)]
    net.again = net.list[1]
    assert [name for name, _ in net.modules()] == ["", "first", "list.1"]
    assert list(net.state_dict()) == ["first.weight", "first.bias"] + [
        f"list.1.{name}" for name in ("weight", "bias", "running_mean", "running_var")
    ]
    assert len(list(net.children())) == 4  # all places


def test_a_shared_parameter_and_a_shared_buffer_come_once():
    net = Module()
    net.a, net.b = Linear(2, 2), Linear(2, 2)
    net.b.weight = net.a.weight
    net.seen = net.too = array([1.0])
    assert [name for name, _ in net.named_parameters()] == ["a.weight", "a.bias", "b.bias"]
    assert len(net.parameters()) == 3
    assert [name for name, _ in net.named_buffers()] == ["seen"]
    net.load_state_dict(
        {name: numpy.full(value.shape, 5.0) for name, value in net.state_dict().items()}
    )
    assert_array_equal(net.b.weight.numpy(), numpy.full((2, 2), 5))


def test_modules_that_know_each_other_are_walked_once():
    net = Sequential(Linear(1, 1))
    net[0].parent = net
    assert [name for name, _ in net.modules()] == ["", "0"]
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias"]


def test_a_frozen_parameter_stays_a_parameter():
    layer = Linear(2, 3)
    layer.bias.requires_grad = False
    layer.scale = Parameter(array([1.0]), requires_grad=False)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias", "scale"]
    assert [parameter.requires_grad for parameter in layer.parameters()] == [True, False, False]
    assert list(layer.state_dict()) == ["weight", "bias", "scale"]


def test_a_parameter_is_a_tensor_that_requires_a_gradient():
    parameter = Parameter([1.0, 2.0])
    assert (
        isinstance(parameter, Tensor) and parameter.requires_grad is True and parameter.grad is None
    )
    assert parameter.numpy().dtype == numpy.float32


def test_an_attribute_set_later_is_in_the_tree_and_one_deleted_is_not():
    net = Sequential(ReLU())
    net.extra = Parameter([1.0])
    net.extra2 = Parameter([1.0])
    del net.extra
    assert [name for name, _ in net.named_parameters()] == ["extra2"]


def test_a_module_starts_in_training():
    assert Module().training is True and Tree().stem.training is True


def test_train_and_eval_reach_the_whole_tree_and_give_the_module_back():
    tree = Tree()
    switches = [
        (tree.eval, False),
        (tree.train, True),
        (lambda: tree.train(False), False),
        (lambda: tree.train(True), True),
    ]
    for switch, mode in switches:
        assert switch() is tree
        assert [module.training for _, module in tree.modules()] == [mode] * (1 + len(MODULES))
    tree.stem.eval()
    assert tree.stem.training is False and tree.training is True and tree.bn.training is True


def test_calling_a_module_is_its_forward():
    class Sum(Module):
        def forward(self, a, b):
            return a + 2 * b

    assert Sum()(Tensor([1.0]), Tensor([3.0])).item() == 7


def test_a_module_without_forward_says_so():
    class Unfinished(Module):
        pass

    with pytest.raises(NotImplementedError, match=r"^Unfinished has no forward\(\)$"):
        Unfinished()(1)


def test_astype_changes_the_direct_attributes_of_each_module_and_gives_the_module_back():
    net = Sequential(Linear(2, 3), BatchNorm(3))
    net[0].weight.grad = array(numpy.ones((2, 3)))
    weight, before = net[0].weight, {name: value.copy() for name, value in net.state_dict().items()}
    assert net.astype("float64") is net
    # a gradient of the old type would not fit.
    assert net[0].weight is weight and weight.grad is None
    assert is_array(weight.data) and is_array(net[1].running_var)
    for name, value in net.state_dict().items():
        assert value.dtype == numpy.float64, name
        assert_array_equal(value, before[name])
    assert {str(value.dtype) for value in net.astype("float32").state_dict().values()} == {
        "float32"
    }


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_astype_changes_parameters_and_buffers_in_lists_tuples_and_dicts_too(dtype):
    tree = Tree()
    tree.states = [array([1.0])]
    tree.pair = (array([2.0]), 3)
    tree.moments = {"m": array([4.0]), "t": 5}
    names = [name for name, _ in tree.modules()], list(tree.state_dict())
    state = tree.astype(dtype).state_dict()
    assert ([name for name, _ in tree.modules()], list(state)) == names
    assert [name for name, value in state.items() if value.dtype != dtype] == []
    assert [state[name].item() for name in ("states.0", "pair.0", "moments.m")] == [1, 2, 4]
    assert tree.pair[1] == 3 and tree.moments["t"] == 5 and isinstance(tree.pair, tuple)


def test_astype_leaves_the_other_attributes_as_they_are():
    Window = namedtuple("Window", "kernel stride")
    net = Module()
    net.window, net.widths, net.options, net.name = Window(3, 1), (16, 32), {"stem": "cifar"}, "net"
    net.astype("float64")
    assert net.window.kernel == 3 and (net.widths, net.options, net.name) == (
        (16, 32),
        {"stem": "cifar"},
        "net",
    )


def test_a_module_in_float64_computes_in_float64():
    net = Sequential(Linear(2, 3), BatchNorm(3), ReLU()).astype("float64")
    y = net(Tensor(array([[1.0, 2.0], [3.0, 5.0]], numpy.float64)))
    assert y.dtype == numpy.float64 and net[1].running_mean.dtype == numpy.float64
    net(Tensor(array([[1.0, 2.0], [3.0, 5.0]]))).sum().backward()
    assert net[0].weight.grad.dtype == numpy.float64


def test_a_state_is_copies_on_the_host():
    net = Sequential(Linear(2, 1), BatchNorm(1))
    state = net.state_dict()
    assert all(type(value) is numpy.ndarray for value in state.values())
    kept = {name: value.copy() for name, value in state.items()}
    for value in state.values():
        value += 1
    for name, value in net.state_dict().items():  # the model has not moved with the copies
        assert_array_equal(value, kept[name])
    net[0].weight.data *= 0
    net[1].running_var += 1
    # Nor the copies with the model.
    assert state["0.weight"].any() and state["1.running_var"] == [2]


def test_a_state_of_float64_is_float64():
    assert Linear(1, 1).astype("float64").state_dict()["weight"].dtype == numpy.float64


def test_load_state_dict_writes_into_the_arrays_that_are_there():
    source, target = Tree(), Tree()
    source.seen += 3
    source.blocks[0].running_mean += 5
    state = source.state_dict()
    own = [parameter.data for parameter in target.parameters()] + [
        buffer for _, buffer in target.named_buffers()
    ]
    target.load_state_dict(dict(reversed(state.items())))  # the order is of no account
    assert all(
        a is b
        for a, b in zip(
            own, [p.data for p in target.parameters()] + [b for _, b in target.named_buffers()]
        )
    )
    for name, value in target.state_dict().items():
        assert_array_equal(value, state[name], err_msg=name)
    state["scale"] += 1
    assert_array_equal(target.scale.numpy(), [1, 2])  # and nothing is shared


def test_load_state_dict_keeps_the_models_own_type():
    layer = Linear(2, 1)
    layer.load_state_dict({"weight": numpy.array([[0.1], [2.0]]), "bias": numpy.array([3])})
    assert layer.weight.dtype == layer.bias.dtype == numpy.float32
    assert_array_equal(layer.weight.numpy(), numpy.array([[0.1], [2.0]], numpy.float32))
    assert_array_equal(layer.bias.numpy(), [3])


def test_load_state_dict_takes_arrays_of_the_backend_too():
    layer = Linear(1, 1)
    layer.load_state_dict({"weight": array([[2.0]]), "bias": array([3.0])})
    assert (layer.weight.item(), layer.bias.item()) == (2, 3)


class Small(Module):
    def __init__(self):
        self.fc, self.bn, self.out = Linear(3, 2), BatchNorm(2), Linear(2, 2)


def test_load_state_dict_names_every_fault_and_then_writes_nothing():
    net = Small()
    before = net.state_dict()
    state = {name: value + 1 for name, value in before.items()}
    del state["fc.bias"], state["bn.running_var"]
    state["fc.weight"] = numpy.zeros((2, 3))
    state["out.bias"] = numpy.zeros(())
    state["fc.b"], state["head"] = numpy.zeros(2), numpy.zeros(1)
    with pytest.raises(ValueError) as error:
        net.load_state_dict(state)
    assert str(error.value) == (
        "the state does not fit Small:\n"
        "  missing: fc.bias\n"
        "  missing: bn.running_var\n"
        "  unknown: fc.b\n"
        "  unknown: head\n"
        "  fc.weight: expected shape (3, 2), got (2, 3)\n"
        "  out.bias: expected shape (2,), got ()"
    )
    for name, value in net.state_dict().items():
        assert_array_equal(value, before[name])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("out.bias"), "missing: out.bias"),
        (lambda state: state.update(extra=numpy.zeros(1)), "unknown: extra"),
        # It would broadcast.
        (
            lambda state: state.update({"out.bias": numpy.zeros(1)}),
            r"out.bias: expected shape \(2,\), got \(1,\)",
        ),
    ],
)
def test_one_fault_is_enough(change, message):
    net = Small()
    before, state = net.state_dict(), {name: value + 1 for name, value in net.state_dict().items()}
    change(state)
    with pytest.raises(ValueError, match=f"^the state does not fit Small:\n  {message}$"):
        net.load_state_dict(state)
    for name, value in net.state_dict().items():
        assert_array_equal(value, before[name])


class Foreign:
    """An array of a different library, such as a PyTorch tensor."""

    shape, dtype = (2,), "float32"


@pytest.mark.parametrize(
    ("value", "error"), [(Foreign(), BackendError), (numpy.array(["a", "b"]), ValueError)]
)
def test_load_state_dict_writes_nothing_where_one_value_is_no_array_of_numbers(value, error):
    net = Small()
    before = net.state_dict()
    state = {name: value + 1 for name, value in before.items()} | {"out.bias": value}
    with pytest.raises(error):
        net.load_state_dict(state)
    for name, value in net.state_dict().items():
        assert_array_equal(value, before[name], err_msg=name)


def test_a_module_is_drawn_as_a_tree_with_shapes_and_counts():
    class Net(Module):
        def __init__(self):
            self.body = Sequential(
                Conv2d(3, 16, (3, 5), stride=(2, 1), padding=(1, 2), bias=False),
                BatchNorm(16),
                ReLU(),
            )
            self.pools = [MaxPool2d(2), Identity()]
            self.drop = Dropout(0.25)
            self.fc = Linear(64, 20)
            self.scale = Parameter(array(2.0))
            self.unused = None

    assert repr(Net()) == "\n".join(
        [
            "Net()  scale ()  2,053 parameters",
            "  body: Sequential()  752 parameters",
            "    0: Conv2d(3, 16, 3x5, stride 2x1, padding 1x2)  weight (3, 5, 3, 16)  720 parameters",
            "    1: BatchNorm(16)  weight (16,)  bias (16,)  32 parameters",
            "    2: ReLU()",
            "  pools.0: MaxPool2d(2x2, stride 2x2)",
            "  pools.1: Identity()",
            "  drop: Dropout(p=0.25)",
            "  fc: Linear(64, 20)  weight (64, 20)  bias (20,)  1,300 parameters",
        ]
    )


def test_a_layer_is_drawn_in_one_line():
    assert repr(Flatten()) == "Flatten()"
    assert repr(Linear(2, 3, bias=False)) == "Linear(2, 3)  weight (2, 3)  6 parameters"


def test_describe_says_nothing_by_default():
    assert Module().describe() == ""


def test_sequential_runs_its_modules_one_after_the_other():
    class Digit(Module):
        def __init__(self, digit):
            self.digit = digit

        def forward(self, x):
            return x * 10 + self.digit

    net = Sequential(Digit(1), Digit(2), Digit(3))
    assert net(Tensor([0.0])).item() == 123
    assert len(net) == 3 and net[1].digit == 2 and net[-1].digit == 3
    assert [name for name, _ in net.children()] == ["0", "1", "2"]
    assert [module.digit for module in net] == [1, 2, 3]
    with pytest.raises(IndexError):
        net[3]


def test_sequential_keeps_the_order_beyond_ten():
    net = Sequential(*(Linear(1, 1, bias=False) for _ in range(12)))
    assert list(net.state_dict()) == [f"{i}.weight" for i in range(12)]


def test_an_empty_sequential_is_the_identity():
    x = Tensor([1.0])
    assert Sequential()(x) is x and len(Sequential()) == 0 and repr(Sequential()) == "Sequential()"


def test_gradients_reach_every_parameter_of_a_tree():
    net = Sequential(Linear(2, 3), BatchNorm(3), ReLU(), Sequential(Linear(3, 1)))
    net(Tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.0]])).sum().backward()
    assert [name for name, parameter in net.named_parameters() if parameter.grad is None] == []
    assert all(to_host(parameter.grad).shape == parameter.shape for parameter in net.parameters())


def test_a_forward_pass_leaves_no_graph_behind_in_the_module():
    net, dead = Sequential(Linear(2, 3), BatchNorm(3)), []
    gc.disable()
    try:
        for _ in range(2):
            y = net(Tensor([[1.0, 2.0], [3.0, -1.0]]))
            dead.append(weakref.ref(y.node))
        del y
        assert [node() for node in dead] == [None, None]
    finally:
        gc.enable()


def test_astype_goes_both_ways():
    net = Sequential(Linear(2, 3), BatchNorm(3)).astype("float64").astype("float32")
    assert {value.dtype.name for value in net.state_dict().values()} == {"float32"}


def test_a_module_that_knows_its_parent_can_be_drawn():
    parent, child = Sequential(Linear(2, 3)), Module()
    parent.child, child.parent = child, parent
    assert repr(parent).count("child: Module") == 1


def test_a_function_among_the_parts_of_a_sequence_is_refused():
    with pytest.raises(TypeError, match="^Sequential: expected a Module as part 1, got .*abs.*$"):
        Sequential(ReLU(), abs)


def test_a_list_in_the_place_of_an_array_is_named():
    with pytest.raises(
        ValueError,
        match=r"weight: expected an array of shape \(2, 3\), got a list\n  bias: expected an array of shape \(3,\), got a list$",
    ):
        Linear(2, 3).load_state_dict({"weight": [[1, 2, 3], [4, 5, 6]], "bias": [1, 2, 3]})


def test_modules_in_lists_of_lists_are_found():
    net = Module()
    net.stages = [[Linear(2, 2)], {"a": [Linear(2, 3)]}]
    assert [name for name, _ in net.named_parameters()] == [
        "stages.0.0.weight", "stages.0.0.bias", "stages.1.a.0.weight", "stages.1.a.0.bias"]  # fmt: skip
    assert not net.eval().stages[1]["a"][0].training


def test_astype_leaves_ints_and_bools_what_they_are():
    net = Sequential(BatchNorm(2))
    net.steps = array([7], numpy.int64)
    net.mask = array([True, False], bool)
    net.table = {"seen": [array([3], numpy.uint8)]}
    net.index = Parameter(array([1], numpy.int64), requires_grad=False)
    types = {name: str(value.dtype) for name, value in net.astype("float64").state_dict().items()}
    floats = {f"0.{name}": "float64" for name in ("weight", "bias", "running_mean", "running_var")}
    assert types == {
        **floats,
        "steps": "int64",
        "mask": "bool",
        "table.seen.0": "uint8",
        "index": "int64",
    }


@pytest.mark.parametrize("dtype", ["int64", "bool", "complex64", numpy.uint8, int])
def test_astype_refuses_what_is_no_type_of_floats_and_changes_nothing(dtype):
    net = Sequential(Linear(2, 3), BatchNorm(3))
    with pytest.raises(
        TypeError,
        match="^astype: expected a dtype of floats, got .*; ints and bools in a module stay unchanged$",
    ):
        net.astype(dtype)
    assert {str(value.dtype) for value in net.state_dict().values()} == {"float32"}


def test_what_two_modules_share_they_share_after_astype():
    net = Sequential(BatchNorm(2), BatchNorm(2))
    net[1].running_mean = net[0].running_mean
    net[1].moments = [net[0].running_var]
    net.moments = {"m": net[0].running_var}
    names = list(net.state_dict())
    net.astype("float64")
    assert (
        net[1].running_mean is net[0].running_mean
        and net[1].moments[0] is net.moments["m"] is net[0].running_var
    )
    assert list(net.state_dict()) == names and net[0].running_var.dtype == numpy.float64


def test_astype_reaches_buffers_however_deep_and_in_named_tuples():
    Moments = namedtuple("Moments", "mean var")
    net = Module()
    net.deep, net.moments = [{"a": (array([1.0]),)}], Moments(array([2.0]), 3)
    net.astype("float64")
    assert net.deep[0]["a"][0].dtype == net.moments.mean.dtype == numpy.float64
    assert isinstance(net.moments, Moments) and net.moments.var == 3


def test_a_numpy_scalar_or_a_type_is_no_buffer():
    net = Sequential(Linear(1, 1))
    net.eps, net.flag, net.dtype = numpy.float64(0.1), numpy.bool_(True), numpy.float32
    state = net.state_dict()
    assert list(state) == ["0.weight", "0.bias"]
    net.load_state_dict({name: value + 1 for name, value in state.items()})
    net.astype("float64")
    assert_array_equal(net[0].bias.numpy(), state["0.bias"] + 1)
    assert net.eps == 0.1 and net.dtype is numpy.float32


@pytest.mark.parametrize(
    ("value", "fault"),
    [(numpy.array([1j, 2.0]), "out.bias: expected float32, got complex128"), (numpy.array(["a", "b"]), "out.bias: expected float32, got <U1"),
     ([1.0, 2.0], r"out.bias: expected an array of shape \(2,\), got a list")],
)  # fmt: skip
def test_a_state_of_numbers_that_would_be_cut_is_refused(value, fault):
    net = Small()
    before = net.state_dict()
    with pytest.raises(ValueError, match=f"^the state does not fit Small:\n  {fault}$"):
        net.load_state_dict(
            {name: array + 1 for name, array in before.items()} | {"out.bias": value}
        )
    for name, array_now in net.state_dict().items():
        assert_array_equal(array_now, before[name], err_msg=name)


def test_floats_do_not_go_into_ints_and_ints_and_bools_go_into_floats():
    net = Module()
    net.steps, net.scale = array([7], numpy.int64), array([1.0, 1.0])
    net.load_state_dict(
        {"steps": numpy.array([8], numpy.int32), "scale": numpy.array([True, False])}
    )
    assert net.steps.tolist() == [8] and net.scale.tolist() == [1, 0]
    with pytest.raises(ValueError, match="steps: expected int64, got float64"):
        net.load_state_dict({"steps": numpy.array([8.5]), "scale": numpy.array([2, 3])})
    assert net.scale.tolist() == [1, 0]


def test_of_many_faults_some_are_named_and_the_rest_counted():
    model = Sequential(*(Linear(1, 1) for _ in range(10)))
    with pytest.raises(ValueError, match="missing: 0.weight\n(.*\n){11}  and 8 more$"):
        model.load_state_dict({})


def test_a_module_hands_on_options():
    class Scaled(Module):
        def forward(self, x, *, by=1):
            return x * by

    assert Scaled()(Tensor([2.0]), by=3).item() == 6


def test_a_tuple_in_which_nothing_changes_stays_the_one_that_it_is():
    class Holder(Module):
        def __init__(self):
            self.weight = Parameter(to_device(numpy.ones(2, "f4")))
            self.sizes = (3, 4)

    module = Holder()
    sizes = module.sizes
    assert module.astype("float64").sizes is sizes and module.weight.dtype == "float64"


def test_twelve_faults_are_all_named():
    names = [f"extra{i}" for i in range(12)]
    state = {**Linear(1, 1).state_dict(), **{name: numpy.zeros(1) for name in names}}
    with pytest.raises(ValueError) as error:
        Linear(1, 1).load_state_dict(state)
    assert all(name in str(error.value) for name in names) and "more" not in str(error.value)


def test_a_frozen_tree_stays_in_evaluation_and_learns_nothing():
    model = Sequential(Linear(2, 2), BatchNorm(2)).train()
    assert model.freeze() is model
    assert [(module.frozen, module.training) for _, module in model.modules()] == [
        (True, False)
    ] * 3
    assert [parameter.requires_grad for parameter in model.parameters()] == [False] * 4
    model.train()
    assert not any(module.training for _, module in model.modules())
    model.freeze(False)
    assert [(module.frozen, module.training) for _, module in model.modules()] == [
        (False, True)
    ] * 3
    assert [parameter.requires_grad for parameter in model.parameters()] == [True] * 4
