"""Claims about receptive_field: how far apart, along one axis, the pixels lie that one number of the result depends on."""

import operator

from e12d_receptive_field import receptive_field

from minires.course import Check

check = Check("12d", tolerance=0)


def test_without_layers_a_pixel_sees_itself():
    check.same(receptive_field, [])


def test_one_layer_sees_its_kernel():
    check.same(receptive_field, [(3, 1)])
    check.same(receptive_field, [(7, 2)])
    check.same(receptive_field, [(1, 1)])


def test_two_kernels_of_3_see_5_pixels():
    check.same(receptive_field, [(3, 1), (3, 1)])
    check.same(receptive_field, [(3, 1), (3, 1), (3, 1)])
    check.same(receptive_field, [(5, 1), (2, 1), (1, 1)])


def test_after_a_stride_neighbours_are_further_apart():
    check.same(receptive_field, [(3, 2), (3, 1)])
    check.same(receptive_field, [(1, 3), (4, 1)])


def test_the_last_stride_does_not_matter():
    check.same(receptive_field, [(3, 1), (3, 2)])
    check.same(receptive_field, [(2, 1), (2, 5)])


def test_strides_multiply():
    check.same(receptive_field, [(3, 2), (3, 2), (3, 2), (3, 1)])
    check.same(receptive_field, [(3, 3), (2, 1), (1, 2), (4, 1), (3, 5), (2, 1)])


def test_a_kernel_may_be_smaller_than_its_stride():
    check.same(receptive_field, [(1, 2), (1, 2), (1, 2)])
    check.same(receptive_field, [(2, 5), (2, 3), (2, 2)])
    check.same(receptive_field, [(1, 4), (3, 1)])


def test_the_order_matters():
    check.same(receptive_field, [(7, 2), (3, 1), (5, 3), (2, 1)])
    check.same(receptive_field, [(2, 1), (5, 3), (3, 1), (7, 2)])


def test_equal_layers_all_count():
    check.same(receptive_field, [(2, 2)] * 5)
    check.same(receptive_field, ((4, 2),) * 3)


def test_networks_of_the_paper():
    """The longest path: through every branch, from the image to a pixel in front of the last pool."""
    stem = [(7, 2), (3, 2)]
    basic = [(3, 1)] * 4 + ([(3, 2)] + [(3, 1)] * 3) * 3
    bottleneck, halving = [(1, 1), (3, 1), (1, 1)], [(1, 1), (3, 2), (1, 1)]
    bottlenecks = (
        bottleneck * 3
        + halving
        + bottleneck * 3
        + halving
        + bottleneck * 5
        + halving
        + bottleneck * 2
    )
    check.same(receptive_field, stem + basic)
    check.same(receptive_field, stem + bottlenecks)
    check.same(receptive_field, [(3, 1)] * 7 + ([(3, 2)] + [(3, 1)] * 5) * 2)


def test_fields_may_be_large():
    check.same(receptive_field, [(3, 2)] * 38)
    check.same(receptive_field, [(1, 1)] * 3_000 + [(3, 1)])
    found = check.call(receptive_field, [(3, 2)] * 100)  # 1 + 2 * (1 + 2 + 4 + ... + 2**99)
    check.true(
        found == 2**101 - 1, f"100 layers (3, 2): expected 2**101 - 1 = {2**101 - 1}, got {found!r}"
    )


def test_every_short_net():
    layers = [(kernel, stride) for kernel in (1, 2, 3, 4) for stride in (1, 2, 3)]
    nets = [
        (one, other, third)
        for one in layers
        for other in layers
        for third in ((1, 1), (2, 1), (3, 2))
    ]

    def run(field):
        return {f"receptive_field({list(net)})": field(list(net)) for net in nets}

    check.experiment(run, receptive_field, "three layers, with kernels up to 4 and strides up to 3")


def test_the_field_is_an_int():
    found = check.call(receptive_field, [(3, 2), (5, 2), (3, 1)])
    check.true(
        hasattr(found, "__index__") and operator.index(found) == found,
        f"expected an int, got {found!r}",
    )


def test_the_list_stays_as_it_was_and_no_call_depends_on_another():
    def run(field):
        layers, others = [(3, 2), (5, 2), (3, 1)], [(3, 2), (5, 3), (3, 1)]
        found = [field(layers), field(others), field(layers), field(layers[:2]), field(layers[1:])]
        return {"the fields": found, "the list": [*layers]}

    check.experiment(run, receptive_field, "a list, another one, and the first again")
