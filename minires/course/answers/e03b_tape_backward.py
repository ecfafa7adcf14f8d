"""Exercise 03b: a walk back along a tape, one with a bug, and what else goes wrong with it."""


def tape_backward(tape, g):
    """Add to the `grad` of every leaf the gradient of the loss, where g is that of the tape's last node. Gives nothing.

    tape  nodes in the order in which they ran. Not all lead to the last one; those that do not, do not run
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
    """parents and parts go through a dict, which keeps one part of a parent that is there twice, as in x * x"""
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
    """Back along the tape; keep(node, i, parent, part, grads) where a part arrives."""
    grads = {tape[-1]: g}
    for node in reversed(tape):
        if node in grads:
            for i, (parent, part) in enumerate(zip(node.parents, node.backward(grads.pop(node)))):
                if parent is not None:
                    keep(node, i, parent, part, grads)


def first_part_kept(tape, g):
    """the second part of a parent that is there twice is lost, and only the first is kept"""

    def keep(node, i, parent, part, grads):
        if parent not in node.parents[:i]:
            _add(parent, part, grads)

    _along(tape, g, keep)


def last_part_doubled(tape, g):
    """one part of a parent that is there twice is taken twice: the two need not be equal"""

    def keep(node, i, parent, part, grads):
        if parent not in node.parents[i + 1 :]:
            _add(parent, part * node.parents.count(parent), grads)

    _along(tape, g, keep)


def leaf_overwritten(tape, g):
    """a leaf's grad is overwritten by each part that comes"""

    def keep(node, i, parent, part, grads):
        if _leaf(parent):
            parent.grad = part
        else:
            _add(parent, part, grads)

    _along(tape, g, keep)


def leaves_mended_only(tape, g):
    """leaves get all their parts now, and nodes that are used twice by one op still do not"""

    def keep(node, i, parent, part, grads):
        if _leaf(parent) or parent not in node.parents[i + 1 :]:
            _add(parent, part, grads)

    _along(tape, g, keep)


def node_overwritten(tape, g):
    """a node that has several users passes on the last part only, and not the sum"""

    def keep(node, i, parent, part, grads):
        if _leaf(parent):
            _add(parent, part, grads)
        else:
            grads[parent] = part

    _along(tape, g, keep)


def borrowed_written_to(tape, g):
    """parts are added up with +=, into an array that others hold too"""

    def keep(node, i, parent, part, grads):
        if _leaf(parent) and parent.grad is not None:
            parent.grad += part
        elif not _leaf(parent) and parent in grads:
            grads[parent] += part
        else:
            _add(parent, part, grads)

    _along(tape, g, keep)


def all_of_the_tape(tape, g):
    """every node of the tape runs, also those that the last one does not come from, with a gradient of 0"""
    grads = {}
    grads[tape[-1]] = g
    for node in reversed(tape):
        for parent, part in zip(node.parents, node.backward(grads.pop(node, 0 * g))):
            if parent is not None:
                _add(parent, part, grads)
