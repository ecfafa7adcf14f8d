"""Solutions of 03b: fixed ones, and ones that were mended in the wrong place."""

from collections import defaultdict

from tests.course.kinds import right, wrong


def is_leaf(parent):
    return hasattr(parent, "grad")


def give(leaf, part):
    leaf.grad = part if leaf.grad is None else leaf.grad + part


def pass_on(grads, parent, part):
    if is_leaf(parent):
        give(parent, part)
    else:
        grads[parent] = grads[parent] + part if parent in grads else part


def back(tape, g, arrive):
    """arrive(grads, the (parent, part)s of a node)."""
    grads = {tape[-1]: g}
    for node in tape[::-1]:
        if node in grads:
            pairs = zip(node.parents, node.backward(grads[node]))
            arrive(grads, [(parent, part) for parent, part in pairs if parent is not None])


@right
def pair_by_pair(tape, g):
    def arrive(grads, pairs):
        for parent, part in pairs:
            pass_on(grads, parent, part)

    back(tape, g, arrive)


@right
def lists_of_parts(tape, g):
    parts = defaultdict(list)
    parts[tape[-1]].append(g)
    for node in reversed(tape):
        if parts[node]:
            for parent, part in zip(node.parents, node.backward(_total(parts.pop(node)))):
                if parent is not None:
                    parts[parent].append(part)
    for parent, some in parts.items():
        if is_leaf(parent) and some:
            give(parent, _total(some))


def _total(parts):
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


@right
def by_index(tape, g):
    grads = [None] * len(tape)
    grads[-1] = g
    number = {node: i for i, node in enumerate(tape)}
    for i in range(len(tape) - 1, -1, -1):
        if grads[i] is None:
            continue
        for parent, part in zip(tape[i].parents, tape[i].backward(grads[i])):
            if parent in number:
                before = grads[number[parent]]
                grads[number[parent]] = part if before is None else before + part
            elif parent is not None:
                give(parent, part)


@wrong("test_an_op_may_take_one_leaf_twice", mistake="first_part_kept")
def setdefault(tape, g):
    def arrive(grads, pairs):
        parts = {}
        for parent, part in pairs:
            parts.setdefault(parent, part)
        for parent, part in parts.items():
            pass_on(grads, parent, part)

    back(tape, g, arrive)


@wrong("test_an_op_may_take_one_leaf_twice", mistake="last_part_doubled")
def counted(tape, g):
    def arrive(grads, pairs):
        parents = [parent for parent, _ in pairs]
        for parent, part in dict(pairs).items():
            pass_on(grads, parent, parents.count(parent) * part)

    back(tape, g, arrive)


@wrong("test_two_ops_may_take_one_leaf", mistake="leaf_overwritten")
def leaf_assigned(tape, g):
    def arrive(grads, pairs):
        for parent, part in pairs:
            if is_leaf(parent):
                parent.grad = part
            else:
                pass_on(grads, parent, part)

    back(tape, g, arrive)


@wrong("test_a_diamond_adds", mistake="node_overwritten")
def node_assigned(tape, g):
    def arrive(grads, pairs):
        for parent, part in pairs:
            if is_leaf(parent):
                give(parent, part)
            else:
                grads.update({parent: part})

    back(tape, g, arrive)


@wrong("test_an_op_may_take_one_node_twice", mistake="only_leaves_fixed")
def dict_of_nodes(tape, g):
    def arrive(grads, pairs):
        for parent, part in pairs:
            if is_leaf(parent):
                give(parent, part)
        for parent, part in dict(pairs).items():
            if not is_leaf(parent):
                pass_on(grads, parent, part)

    back(tape, g, arrive)


@wrong("test_arrays_that_other_code_holds_do_not_change", mistake="borrowed_written_to")
def in_place(tape, g):
    def arrive(grads, pairs):
        for parent, part in pairs:
            if is_leaf(parent) and parent.grad is None:
                parent.grad = part
            elif is_leaf(parent):
                parent.grad += part
            elif parent in grads:
                grads[parent] += part
            else:
                grads[parent] = part

    back(tape, g, arrive)


@wrong("test_other_ops_may_take_the_same_node", mistake="all_of_the_tape")
def zeros_everywhere(tape, g):
    grads = {node: 0 * g for node in tape}
    grads[tape[-1]] = g
    for node in reversed(tape):
        for parent, part in zip(node.parents, node.backward(grads[node])):
            if parent is not None:
                pass_on(grads, parent, part)


@wrong("test_an_op_may_take_one_node_twice")
def only_nodes_fixed(tape, g):
    def arrive(grads, pairs):
        for parent, part in pairs:
            if not is_leaf(parent):
                pass_on(grads, parent, part)
        for parent, part in dict(pairs).items():
            if is_leaf(parent):
                give(parent, 2 * part)

    back(tape, g, arrive)


@wrong("test_a_diamond_adds")
def forwards(tape, g):
    back(
        (*tape[:-1][::-1], tape[-1]),
        g,
        lambda grads, pairs: [pass_on(grads, *pair) for pair in pairs],
    )


@wrong("test_an_op_may_take_one_leaf_twice")
def doubled_where_two_are_equal(tape, g):
    def arrive(grads, pairs):
        twice = len({parent for parent, _ in pairs}) < len(pairs)
        for parent, part in dict(pairs).items():
            pass_on(grads, parent, 2 * part if twice else part)

    back(tape, g, arrive)


@wrong("test_an_op_may_take_one_node_three_times")
def two_at_most(tape, g):
    def arrive(grads, pairs):
        for parent, part in [*pairs[:1], *pairs[1:][-1:]]:
            pass_on(grads, parent, part)

    back(tape, g, arrive)


@wrong("test_an_op_may_take_one_leaf_twice")
def runs_twice(tape, g):
    def arrive(grads, pairs):
        for parent, part in pairs:
            pass_on(grads, parent, part)

    for node in tape[:-1]:
        node.backward(0.0)
    back(tape, g, arrive)


@wrong("test_operands_that_need_no_gradient_get_none", crashes=True)
def none_is_a_parent(tape, g):
    grads = {tape[-1]: g}
    for node in reversed(tape):
        if node in grads:
            for parent, part in zip(node.parents, node.backward(grads.pop(node))):
                pass_on(grads, parent, part)
    grads[None] + g


@wrong("test_arrays_that_other_code_holds_do_not_change")
def own_copy_on_leaves_then_in_place(tape, g):
    grads = {tape[-1]: g}
    for node in reversed(tape):
        if node in grads:
            for parent, part in zip(node.parents, node.backward(grads.pop(node))):
                if parent is None:
                    continue
                if not is_leaf(parent):
                    pass_on(grads, parent, part)
                elif parent.grad is None:
                    parent.grad = part * 1
                else:
                    parent.grad += part
