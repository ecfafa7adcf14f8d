"""Strange solutions of 03b."""

from collections import defaultdict
from functools import reduce
from itertools import chain
from operator import add

import numpy

from tests.course.kinds import right, wrong

TWICE = "test_an_op_may_take_one_leaf_twice"
NODE_TWICE = "test_an_op_may_take_one_node_twice"
AGAIN = "test_the_same_tape_may_run_again"


def leaf(parent):
    return hasattr(parent, "grad")


def give(target, part):
    target.grad = part if target.grad is None else target.grad + part


def arrive(grads, parent, part):
    if leaf(parent):
        give(parent, part)
    elif parent is not None:
        grads[parent] = grads[parent] + part if parent in grads else part


def back(tape, g, pairs=zip, grads=None):
    """pairs(parents, parts)  the contributions of one node that are used"""
    grads = {} if grads is None else grads
    grads[tape[-1]] = g
    for node in reversed(tape):
        if node in grads:
            for parent, part in pairs(node.parents, node.backward(grads.pop(node))):
                arrive(grads, parent, part)


@right
def sums_by_parent_before_they_arrive(tape, g):
    def pairs(parents, parts):
        sums = {}
        for parent, part in zip(parents, parts):
            if parent is not None:
                sums[parent] = sums[parent] + part if parent in sums else part
        return sums.items()

    back(tape, g, pairs)


@right
def grouped_by_identity(tape, g):
    def pairs(parents, parts):
        groups = defaultdict(list)
        for i, parent in enumerate(parents):
            if parent is not None:
                groups[id(parent)].append(i)
        for places in groups.values():
            yield parents[places[0]], reduce(add, [parts[i] for i in places])

    back(tape, g, pairs)


@right
def with_a_stack_of_the_tape(tape, g):
    rest, grads = list(tape), {}
    grads[rest[-1]] = g
    while rest:
        node = rest.pop()
        total = grads.pop(node, None)
        if total is None:
            continue
        parts = node.backward(total)
        for i in range(len(node.parents)):
            arrive(grads, node.parents[i], parts[i])


@right
def pulled_by_each_node(tape, g):
    sent = {}  # node -> its parts

    def contributions(parent, users):
        for user in users:
            yield from (part for p, part in zip(user.parents, sent.get(user, ())) if p is parent)

    leaves = dict.fromkeys(p for node in tape for p in node.parents if leaf(p))
    for i in range(len(tape) - 1, -1, -1):
        parts = [g] if i == len(tape) - 1 else list(contributions(tape[i], tape[:i:-1]))
        if parts:
            sent[tape[i]] = tape[i].backward(reduce(add, parts))
    for x in leaves:
        for part in contributions(x, tape[::-1]):
            give(x, part)


@right
def by_position(tape, g):
    place = {node: i for i, node in enumerate(tape)}
    grads = [[] for _ in tape]
    grads[-1] = [g]
    for node, parts in zip(reversed(tape), reversed(grads)):
        if not parts:
            continue
        for parent, part in zip(node.parents, node.backward(reduce(add, parts))):
            if parent in place:
                grads[place[parent]].append(part)
            elif parent is not None:
                give(parent, part)


@wrong(AGAIN)
def tape_turned_around_in_place(tape, g):
    if isinstance(tape, list):
        last = tape[-1]
        tape.reverse()
        back([*tape[1:][::-1], last], g)
    else:
        back(tape, g)


@wrong(AGAIN)
def tape_used_up(tape, g):
    back(tuple(tape), g)
    while isinstance(tape, list) and tape:
        tape.pop()


@wrong(AGAIN)
def grads_as_a_default_argument(tape, g, ran=set()):  # noqa: B006
    if tape[-1] not in ran:
        ran.add(tape[-1])
        back(tape, g)


@wrong(AGAIN)
def sums_left_on_the_nodes(tape, g):
    tape[-1].sum = g
    for node in reversed(tape):
        if not hasattr(node, "sum"):
            continue
        for parent, part in zip(node.parents, node.backward(node.sum)):
            if leaf(parent):
                give(parent, part)
            elif parent is not None:
                parent.sum = parent.sum + part if hasattr(parent, "sum") else part


@wrong("test_arrays_that_other_code_holds_do_not_change")
def equal_parts_kept_once(tape, g):
    def pairs(parents, parts):
        kept = {}
        for parent, part in zip(parents, parts):
            kept[id(parent), id(part)] = parent, part
        return kept.values()

    back(tape, g, pairs)


@wrong(TWICE)
def doubled_if_the_parents_are_all_the_same(tape, g):
    def pairs(parents, parts):
        if len(set(parents)) == 1:
            return [(parents[0], len(parents) * parts[0])]
        return zip(parents, parts)

    back(tape, g, pairs)


@wrong("test_an_op_may_take_one_node_three_times")
def fixed_for_two_operands(tape, g):
    def pairs(parents, parts):
        if len(parents) == 2 and parents[0] is parents[1]:
            return [(parents[0], parts[0] + parts[1])]
        return dict(zip(parents, parts)).items()

    back(tape, g, pairs)


@wrong("test_an_op_may_take_one_node_three_times")
def neighbours_merged(tape, g):
    def pairs(parents, parts):
        merged = []
        for parent, part in zip(parents, parts):
            if merged and merged[-1][0] is parent:
                merged[-1] = (parent, merged[-1][1] + part)
                if len(merged) == 1 and len(parents) > 2:
                    return merged
            else:
                merged.append((parent, part))
        return merged

    back(tape, g, pairs)


@wrong("test_a_gradient_of_0_is_a_gradient")
def zeros_do_not_run(tape, g):
    grads = {tape[-1]: g}
    for node in reversed(tape):
        total = grads.pop(node, 0.0)
        if not hasattr(total, "shape") and not total:
            continue
        for parent, part in zip(node.parents, node.backward(total)):
            arrive(grads, parent, part)


@wrong("test_other_ops_may_take_the_same_node")
def every_node_starts_with_g(tape, g):
    last = set(tape) - {parent for node in tape for parent in node.parents}
    back(tape, g, grads=dict.fromkeys(last, g))


@wrong("test_two_losses_add_up")
def leaves_cleared_first(tape, g):
    for parent in chain.from_iterable(node.parents for node in tape):
        if leaf(parent):
            parent.grad = None
    back(tape, g)


@wrong("test_arrays_that_other_code_holds_do_not_change")
def in_place_for_the_second_part(tape, g):
    def pairs(parents, parts):
        sums = {}
        for parent, part in zip(parents, parts):
            if parent in sums:
                sums[parent] += part
            else:
                sums[parent] = part
        return sums.items()

    back(tape, g, pairs)


@wrong("test_gradients_may_be_arrays_of_any_shape")
def sums_as_floats(tape, g):
    def pairs(parents, parts):
        for parent, part in zip(parents, parts):
            yield (
                parent,
                float(part.mean()) if leaf(parent) and getattr(part, "ndim", 0) > 1 else part,
            )

    back(tape, g, pairs)


@wrong(NODE_TWICE)
def fixed_at_leaves_by_reading_twice(tape, g):
    grads = {tape[-1]: g}
    for node in reversed(tape):
        if node not in grads:
            continue
        parts = node.backward(grads.pop(node))
        for parent, part in zip(node.parents, parts):
            if leaf(parent):
                give(parent, part)
        for parent in set(node.parents):
            if parent is not None and not leaf(parent):
                arrive(grads, parent, parts[node.parents.index(parent)])


@wrong("test_names_mean_nothing")
def parts_by_name(tape, g):
    def pairs(parents, parts):
        sums, named = {}, {}
        for parent, part in zip(parents, parts):
            if parent is not None:
                named[parent.name] = parent
                sums[parent.name] = sums[parent.name] + part if parent.name in sums else part
        return [(named[name], total) for name, total in sums.items()]

    back(tape, g, pairs)


@wrong("test_a_gradient_of_0_is_a_gradient")
def nothing_to_do_if_g_is_0(tape, g):
    return back(tape, g) if numpy.any(g) else None


@wrong("test_operands_may_alternate")
def fixed_for_up_to_three_operands(tape, g):
    back(tape, g, lambda *both: zip(*both) if len(both[0]) < 4 else dict(zip(*both)).items())


@wrong("test_nan_is_not_hidden")
def nan_is_no_gradient(tape, g):
    def pairs(parents, parts):
        return ((a, b) for a, b in zip(parents, parts) if b is None or not numpy.isnan(b).any())

    back(tape, g, pairs)
