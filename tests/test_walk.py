"""show.walk draws each step of a backward pass, right or wrong."""

import pytest

from minires import show


class Small:
    """A leaf, or with parents a node, of a graph for show.walk; it sends factor * g to each parent."""

    def __init__(self, name, factor=1.0, parents=None):
        self.name, self.factor = name, factor
        if parents is not None:
            self.parents = parents

    def backward(self, g):
        return tuple(None if parent is None else self.factor * g for parent in self.parents)


def sent_on_at_once(node, g):
    """A walk that runs a node once for each path to it."""
    for parent, part in zip(node.parents, node.backward(g)):
        if hasattr(parent, "parents"):
            sent_on_at_once(parent, part)


def test_a_walk_has_a_panel_for_each_run_with_what_the_node_got_and_sent():
    x = Small("x")
    b = Small("b", 2.0, (x,))
    picture = show.walk(
        Small("d", 1.0, (Small("c", 3.0, (b,)), b, None)), sent_on_at_once, columns=3
    )
    words = [sorted(text.get_text() for text in axes.texts) for axes in picture.axes if axes.texts]
    assert words == [["1", "1", "b", "c", "d: 1", "x"], ["3", "b", "c: 1", "d", "x"], ["6", "b: 3", "c", "d", "x: 6"],
                     ["2", "b: 1", "c", "d", "x: 8"]]  # fmt: skip
    assert len(picture.axes) == 6 and picture.png().startswith(b"\x89PNG")


def test_its_alt_text_says_what_each_node_got_and_sent():
    x = Small("x")
    root = Small("d", 1.0, (Small("c", 3.0, (x,)), x, None))
    assert show.walk(root, sent_on_at_once).alt == (
        "1: d receives 1 and sends 1 to c, 1 to x. 2: c receives 1 and sends 3 to x. x ends with 4."
    )


def test_after_a_walk_was_drawn_its_nodes_are_as_they_were():
    b = Small("b", 2.0, (Small("x"),))

    def stumbles(node, g):
        node.backward(g)
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        show.walk(b, stumbles)
    assert b.backward(1.0) == (2.0,) and "backward" not in vars(b)
    with pytest.raises(ValueError, match="walk: expected at least one node to run"):
        show.walk(b, lambda root, g: None)
