"""Strange solutions of 03a."""

import sys
from collections import Counter, defaultdict
from functools import reduce
from graphlib import TopologicalSorter
from operator import add

from tests.course.kinds import right, wrong

HELD = "test_arrays_that_other_code_holds_do_not_change"
AGAIN = "test_a_second_backward_pass_on_the_same_nodes_starts_afresh"
SHARED = "test_two_losses_may_share_nodes"


def leaf(parent):
    return hasattr(parent, "grad")


def inner(node):
    return [parent for parent in node.parents if parent is not None and not leaf(parent)]


def give(target, part):
    target.grad = part if target.grad is None else target.grad + part


def ordered(root, seen=None):
    """Nodes, each before its parents: a depth-first search without recursion, turned around."""
    seen = set() if seen is None else seen
    order, stack = [], [(root, iter(inner(root)))]
    seen.add(root)
    while stack:
        node, parents = stack[-1]
        for parent in parents:
            if parent not in seen:
                seen.add(parent)
                stack.append((parent, iter(inner(parent))))
                break
        else:
            order.append(node)
            stack.pop()
    return order[::-1]


def counted(root, g, left, skip=lambda part: False, pair=lambda node: node.parents):
    """Run each node when left(parent, node), how many users of parent have still to run after node, is 0."""
    sums, ready = {root: g}, [root]
    while ready:
        node = ready.pop()
        for parent, part in zip(pair(node), node.backward(sums.pop(node))):
            if parent is None or skip(part):
                continue
            if leaf(parent):
                give(parent, part)
                continue
            sums[parent] = sums[parent] + part if parent in sums else part
            if left(parent, node) == 0 and parent not in ready:
                ready.append(parent)


def users_of(root):
    """Return left(parent, node) that counts operands."""
    users = Counter(parent for node in ordered(root) for parent in inner(node))

    def left(parent, node):
        users[parent] -= 1
        return users[parent]

    return left


def run(order, sums, keep=give, merge=add, count=lambda part: True):
    """Run the nodes in this order on the sums. count(part)  whether a contribution is used at all"""
    for node in order:
        if node in sums:
            for parent, part in zip(node.parents, node.backward(sums.pop(node))):
                if parent is None or not count(part):
                    continue
                if leaf(parent):
                    keep(parent, part)
                else:
                    sums[parent] = merge(sums[parent], part) if parent in sums else part


@right
def by_graphlib(root, g):
    graph, todo = {}, [root]
    while todo:
        node = todo.pop()
        if node not in graph:
            graph[node] = inner(node)
            todo += graph[node]
    order = list(TopologicalSorter(graph).static_order())
    run(reversed(order), {root: g})


@right
def class_with_a_pass(root, g):
    class Pass:
        def __init__(self):
            self.contributions = defaultdict(list)

        def __call__(self, node):
            total = reduce(add, self.contributions.pop(node))
            for parent, part in zip(node.parents, node.backward(total)):
                if parent is not None:
                    self.contributions[parent].append(part)

    one = Pass()
    one.contributions[root].append(g)
    for node in ordered(root):
        one(node)
    for target, parts in one.contributions.items():
        if target.grad is not None:
            parts.insert(0, target.grad)
        target.grad = reduce(add, parts)


@right
def by_identity(root, g):
    users, nodes, stack = {}, {id(root): root}, [root]
    while stack:
        for parent in inner(stack.pop()):
            users[id(parent)] = users.get(id(parent), 0) + 1
            if id(parent) not in nodes:
                nodes[id(parent)] = parent
                stack.append(parent)
    sums, ready = {id(root): g}, {id(root)}
    while ready:
        node = nodes[ready.pop()]
        for parent, part in zip(node.parents, node.backward(sums.pop(id(node)))):
            if parent is None:
                pass
            elif leaf(parent):
                give(parent, part)
            else:
                key = id(parent)
                sums[key] = sums[key] + part if key in sums else part
                users[key] -= 1
                if not users[key]:
                    ready.add(key)


@right
def longest_path_first(root, g):
    depth = dict.fromkeys(ordered(root), 0)
    for node in depth:  # each before its parents
        for parent in inner(node):
            depth[parent] = max(depth[parent], depth[node] + 1)
    levels = defaultdict(list)
    for node, level in depth.items():
        levels[level].append(node)
    run([node for level in sorted(levels) for node in levels[level]], {root: g})


@right
def users_as_sets(root, g):
    users = defaultdict(set)
    for node in ordered(root):
        for parent in inner(node):
            users[parent].add(node)
    counted(root, g, lambda parent, node: users[parent].discard(node) or len(users[parent]))


@wrong(AGAIN)
def seen_as_a_default_argument(root, g, seen=set()):  # noqa: B006
    run([root] if root in seen else ordered(root, seen), {root: g})


@wrong(SHARED)
def nodes_run_once_in_their_life(root, g, done=set()):  # noqa: B006
    order = [node for node in ordered(root) if node not in done]
    done.update(order)
    run(order, {root: g})


@wrong(AGAIN)
def sums_left_on_the_nodes(root, g):
    root.sum = g
    for node in ordered(root):
        for parent, part in zip(node.parents, node.backward(node.sum)):
            if parent is None:
                continue
            if leaf(parent):
                give(parent, part)
            else:
                parent.sum = getattr(parent, "sum", 0) + part


@wrong(AGAIN)
def users_counted_on_the_nodes(root, g):
    for node in ordered(root):
        for parent in inner(node):
            parent.users = getattr(parent, "users", 0) + 1

    def left(parent, node):
        parent.users -= 1
        return parent.users or setattr(parent, "users", 1) or 0  # the next pass waits for one more

    counted(root, g, left)


ORDER = {}


@wrong(SHARED)
def order_kept_from_the_first_loss(root, g):
    for node in ordered(root):
        ORDER.setdefault(node, len(ORDER))
    run(sorted(ordered(root), key=ORDER.get), {root: g})


@wrong("test_a_gradient_of_0_is_a_gradient")
def zeros_skipped(root, g):
    run(
        ordered(root),
        {root: g},
        count=lambda part: bool((part != 0) if not hasattr(part, "any") else part.any()),
    )


@wrong(HELD)
def in_place_on_nodes_only(root, g):
    def merge(total, part):
        total += part
        return total

    run(ordered(root), {root: g}, merge=merge)


@wrong("test_gradients_may_be_arrays_of_any_shape")
def as_floats(root, g):
    run(
        ordered(root),
        {root: g},
        keep=lambda x, part: give(x, part.sum() if hasattr(part, "sum") else part),
    )


@wrong("test_the_recursion_limit_does_not_change")
def recursion_limit_raised(root, g):
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 12_000))
    run(ordered(root), {root: g})


@wrong("test_a_node_that_is_used_at_two_depths_waits_for_both")
def shortest_path_first(root, g):
    level, seen, order = [root], {root}, []
    while level:
        order += level
        following = []
        for node in level:
            for parent in inner(node):
                if parent not in seen:
                    seen.add(parent)
                    following.append(parent)
        level = following
    run(order, {root: g})


@wrong("test_a_gradient_of_0_is_a_gradient")
def zeros_not_counted_as_arrived(root, g):
    counted(root, g, users_of(root), skip=lambda part: isinstance(part, float) and part == 0)


@wrong("test_operands_that_need_no_gradient_get_none")
def parents_without_none_beside_all_parts(root, g):
    counted(root, g, users_of(root), pair=lambda node: [p for p in node.parents if p is not None])


@wrong("test_operands_that_need_no_gradient_get_none")
def stops_at_the_first_none(root, g):
    counted(
        root,
        g,
        users_of(root),
        pair=lambda node: [*node.parents, None][: [*node.parents, None].index(None)],
    )


@wrong("test_gradients_of_two_losses_add_up")
def only_the_first_loss(root, g):
    totals = {}
    run(ordered(root), {root: g}, keep=lambda x, part: totals.update({x: totals.get(x, 0) + part}))
    for x, total in totals.items():
        x.grad = total if x.grad is None else x.grad


@wrong("test_names_mean_nothing")
def leaves_by_name(root, g):
    totals, leaves = {}, {}

    def keep(x, part):
        leaves[x.name] = x
        totals[x.name] = totals[x.name] + part if x.name in totals else part

    run(ordered(root), {root: g}, keep=keep)
    for name, x in leaves.items():
        give(x, totals[name])
