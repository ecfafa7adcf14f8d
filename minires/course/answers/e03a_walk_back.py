"""Exercise 03a: the backward pass through a graph, and what goes wrong with it."""


def walk_back(root, g):
    """Add to the `grad` of every leaf below `root` the gradient of the loss, where g is that of root. Returns nothing.

    Each node's backward runs once, on the sum of what its users sent.
    """
    users, stack = {root: 0}, [root]
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and not hasattr(parent, "grad"):
                if parent not in users:
                    users[parent] = 0
                    stack.append(parent)
                users[parent] += 1
    waiting, ready = {root: g}, [root]
    while ready:
        node = ready.pop()
        for parent, part in zip(node.parents, node.backward(waiting.pop(node))):
            if parent is None:
                continue
            if hasattr(parent, "grad"):
                parent.grad = part if parent.grad is None else parent.grad + part
                continue
            waiting[parent] = waiting[parent] + part if parent in waiting else part
            users[parent] -= 1
            if users[parent] == 0:
                ready.append(parent)


def _leaf(parent):
    return hasattr(parent, "grad")


def _order(root):
    """Return the nodes, each after its parents."""
    order, seen, stack = [], {root}, [(root, iter(root.parents))]
    while stack:
        node, parents = stack[-1]
        parent = next(parents, stack)
        if parent is stack:
            order.append(node)
            stack.pop()
        elif parent is not None and not _leaf(parent) and parent not in seen:
            seen.add(parent)
            stack.append((parent, iter(parent.parents)))
    return order


def _walk(root, g, order, keep):
    """Run the nodes in this order; call keep(parent, part) for each contribution, with the sums so far in a dict."""
    sums = {root: g}
    for node in order:
        if node in sums:
            for parent, part in zip(node.parents, node.backward(sums[node])):
                if parent is not None:
                    keep(parent, part, sums)


def _add(parent, part, sums):
    if _leaf(parent):
        parent.grad = part if parent.grad is None else parent.grad + part
    else:
        sums[parent] = sums[parent] + part if parent in sums else part


def overwritten(root, g):
    """a leaf's grad is overwritten by the last contribution: it should be their sum"""

    def keep(parent, part, sums):
        if _leaf(parent):
            parent.grad = part
        else:
            _add(parent, part, sums)

    _walk(root, g, _order(root)[::-1], keep)


def last_part_wins(root, g):
    """a node with several users passes on only the last contribution instead of the sum"""

    def keep(parent, part, sums):
        if _leaf(parent):
            _add(parent, part, sums)
        else:
            sums[parent] = part

    _walk(root, g, _order(root)[::-1], keep)


def every_path(root, g):
    """each contribution is passed on separately when it arrives, so that a node runs once for each path to it"""
    stack = [(root, g)]
    while stack:
        node, g = stack.pop()
        for parent, part in zip(node.parents, node.backward(g)):
            if parent is not None and _leaf(parent):
                _add(parent, part, {})
            elif parent is not None:
                stack.append((parent, part))


def sum_sent_again(root, g):
    """a node passes on the sum so far whenever a contribution arrives, and so sends the first ones again"""
    sums, stack = {root: g}, [root]
    while stack:
        node = stack.pop()
        for parent, part in zip(node.parents, node.backward(sums[node])):
            if parent is not None:
                _add(parent, part, sums)
                if not _leaf(parent):
                    stack.append(parent)


def before_all_users(root, g):
    """a node runs once, as soon as it is reached, so that what its other users send later is lost"""
    order, seen = [root], {root}
    for node in order:
        for parent in node.parents:
            if parent is not None and not _leaf(parent) and parent not in seen:
                seen.add(parent)
                order.append(parent)
    _walk(root, g, order, _add)


def recursive(root, g):
    """the function is recursive, one call inside another for each parent: a deep graph exceeds Python's recursion limit"""
    order, seen = [], set()

    def visit(node):
        if node is not None and not _leaf(node) and node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    _walk(root, g, order[::-1], _add)


def leaves_emptied(root, g):
    """the gradients are set to zero first, so that what an earlier backward() left there is lost: that is the job of zero_grad"""
    order = _order(root)
    for node in order:
        for parent in node.parents:
            if parent is not None and _leaf(parent):
                parent.grad = None
    _walk(root, g, order[::-1], _add)


def borrowed_written_to(root, g):
    """contributions are added with +=, into an array that other code holds too"""

    def keep(parent, part, sums):
        if _leaf(parent) and parent.grad is None:
            parent.grad = part
        elif _leaf(parent):
            parent.grad += part
        elif parent in sums:
            sums[parent] += part
        else:
            sums[parent] = part

    _walk(root, g, _order(root)[::-1], keep)
