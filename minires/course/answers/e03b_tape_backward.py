"""Exercise 03b: a backward pass along a tape, one with a bug, and what else goes wrong with it."""


def tape_backward(tape, g):
    """Add to the `grad` of every leaf the gradient of the loss, where g is that of the tape's last node. Returns nothing.

    tape  nodes in the order in which they ran. Those that the last one does not depend on do not run
    """
    grads = {tape[-1]: g}  # node -> its gradient so far
    for node in reversed(tape):
        if node not in grads:
            continue
        for parent, part in zip(node.parents, node.backward(grads.pop(node))):
            if parent is None:
                continue
            if hasattr(parent, "grad"):  # a leaf
                parent.grad = part if parent.grad is None else parent.grad + part
            else:
                grads[parent] = grads[parent] + part if parent in grads else part


def hunted(tape, g):
    """parents and contributions go through a dict, which keeps one contribution of a parent that occurs twice, as in x * x"""
    grads = {tape[-1]: g}  # node -> its gradient so far
    for node in reversed(tape):
        if node not in grads:
            continue
        parts = dict(zip(node.parents, node.backward(grads.pop(node))))
        for parent, part in parts.items():
            if parent is None:
                continue
            if hasattr(parent, "grad"):  # a leaf
                parent.grad = part if parent.grad is None else parent.grad + part
            else:
                grads[parent] = grads[parent] + part if parent in grads else part


def _leaf(parent):
    return hasattr(parent, "grad")


def _add(parent, part, grads):
    if _leaf(parent):
        parent.grad = part if parent.grad is None else parent.grad + part
    else:
        grads[parent] = grads[parent] + part if parent in grads else part


def _along(tape, g, keep):
    """Run the tape backwards; call keep(node, i, parent, part, grads) for each contribution."""
    grads = {tape[-1]: g}
    for node in reversed(tape):
        if node in grads:
            for i, (parent, part) in enumerate(zip(node.parents, node.backward(grads.pop(node)))):
                if parent is not None:
                    keep(node, i, parent, part, grads)


def first_part_kept(tape, g):
    """if a parent occurs twice, its second contribution is lost, and only the first is kept"""

    def keep(node, i, parent, part, grads):
        if parent not in node.parents[:i]:
            _add(parent, part, grads)

    _along(tape, g, keep)


def last_part_doubled(tape, g):
    """if a parent occurs twice, one of its contributions is counted twice: the two may differ"""

    def keep(node, i, parent, part, grads):
        if parent not in node.parents[i + 1 :]:
            _add(parent, part * node.parents.count(parent), grads)

    _along(tape, g, keep)


def leaf_overwritten(tape, g):
    """a leaf's grad is overwritten by each contribution"""

    def keep(node, i, parent, part, grads):
        if _leaf(parent):
            parent.grad = part
        else:
            _add(parent, part, grads)

    _along(tape, g, keep)


def only_leaves_fixed(tape, g):
    """leaves now get all their contributions, but nodes that one op uses twice still do not"""

    def keep(node, i, parent, part, grads):
        if _leaf(parent) or parent not in node.parents[i + 1 :]:
            _add(parent, part, grads)

    _along(tape, g, keep)


def node_overwritten(tape, g):
    """a node with several users passes on only the last contribution instead of the sum"""

    def keep(node, i, parent, part, grads):
        if _leaf(parent):
            _add(parent, part, grads)
        else:
            grads[parent] = part

    _along(tape, g, keep)


def borrowed_written_to(tape, g):
    """contributions are added with +=, into an array that other code holds too"""

    def keep(node, i, parent, part, grads):
        if _leaf(parent) and parent.grad is not None:
            parent.grad += part
        elif not _leaf(parent) and parent in grads:
            grads[parent] += part
        else:
            _add(parent, part, grads)

    _along(tape, g, keep)


def all_of_the_tape(tape, g):
    """every node of the tape runs, including those that the last one does not depend on, with a gradient of 0"""
    grads = {}
    grads[tape[-1]] = g
    for node in reversed(tape):
        for parent, part in zip(node.parents, node.backward(grads.pop(node, 0 * g))):
            if parent is not None:
                _add(parent, part, grads)
