"""The steppers of deep and residual nets: what they show is computed here by other means, and bad input is refused."""

import math
import re
from fractions import Fraction
from itertools import product

import pytest

from minires import show
from tests.steppers import BLOCKS, DEPTHS, GAINS, LAYERS, LEFT, depends, picture, shown


def heights(state, name):
    """The heights of a line's points, as they are drawn: y points down."""
    return [float(point.split(",")[1]) for point in state[f"{name}.points"].split()]


def test_depth_has_a_line_in_each_panel_and_says_both():
    runs = shown(show.steps.depth(DEPTHS))
    assert [run[0][0] for run in runs] == [
        "plain: the gradient norm is 1 in layer 1 and 1e+03 in layer 4, 1e+03 times smaller in layer 1. "
        "The variance is 1 in layer 1 and 0 in layer 4.",
        "skip: the gradient norm is 2 in layer 1 and 2 in layer 4, nearly the same. "
        "The variance is 1 in layer 1 and nan in layer 4.",
    ]
    (_, plain), (_, skip) = (run[0] for run in runs)
    assert (plain["name.text"], skip["name.text"]) == ("plain", "skip")
    rising, falling = heights(plain, "line"), heights(plain, "line1")
    steps = [a - b for a, b in zip(rising, rising[1:])]  # noqa: RUF007
    assert steps == pytest.approx([150 / 3] * 3, abs=1.1)  # three powers of ten
    assert falling[0] < falling[1] < falling[2] == falling[3]  # 0 and the smallest, at the edge
    assert len(set(heights(skip, "line"))) == 1
    assert min(heights(skip, "line1")) == heights(skip, "line1")[3]  # NaN is at the upper edge
    assert max(rising) < min(falling)  # one panel above the other


def test_depth_draws_a_thousand_layers_in_a_small_page():
    nets = {f"net {i}": [(0.97 + 0.01 * i) ** k for k in range(1001)] for i in range(6)}
    stepper = show.steps.depth({"norm": nets, "variance": nets})
    assert len(picture(stepper)[0]) < 40_000
    (said, state) = shown(stepper)[0][0]
    assert f"{0.97**1000:.3g} in layer 1001" in said
    points = [list(map(float, point.split(","))) for point in state["line.points"].split()]
    xs, ys = zip(*points)
    assert 20 < len(points) <= 50 and list(xs) == sorted(set(xs))
    for x, y in points:  # all on one line, from end to end
        assert y == pytest.approx(
            ys[0] + (ys[-1] - ys[0]) * (x - xs[0]) / (xs[-1] - xs[0]), abs=1.1
        )
    assert [xs[0], xs[-1]] == [float(point.split(",")[0]) for point in shown(show.steps.depth(DEPTHS))[0][0][1]["line.points"].split()][:: 3]  # fmt: skip


def test_depth_draws_numbers_of_any_size():
    nets = {"a": [5e-324, 1.7e308], "b": [1.0, math.inf]}
    shown(show.steps.depth({"norm": nets, "variance": nets}, layers=["in", "out"]))


def by_length(blocks, gain):
    """Length -> (number of paths, fraction of the gradient), path by path."""
    found = {}
    for path in product((0, 1), repeat=blocks):
        carried = math.prod(Fraction(gain) if through else 1 for through in path)
        count, total = found.get(sum(path), (0, 0))
        found[sum(path)] = count + 1, total + carried
    whole = sum(total for _, total in found.values())
    return {length: (count, total / whole) for length, (count, total) in found.items()}


def bars(d):
    """(x, height) of each bar of a path."""
    found = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)h", d)
    return [(float(x), float(base) - float(top)) for x, base, top in found]


@pytest.mark.parametrize("blocks", [1, 3, 5])
def test_paths_are_all_different_and_of_the_length_that_is_said(blocks):
    runs = shown(show.steps.paths(blocks, GAINS))
    assert len(runs) == len(GAINS)
    for gain, run in zip(GAINS, runs):
        expected, seen, lengths = by_length(blocks, gain), set(), []
        for i, (said, state) in enumerate(run):
            assert said.startswith(f"Path {i + 1} of {2**blocks} ")
            first, rest = said.split(": ", 1)
            through = tuple(re.findall(r"F\d", first))
            length = int(re.match(r"length (\d+)\.", rest)[1])
            assert len(through) == length == state["taken.d"].count("M")
            seen.add(through)
            lengths.append(length)
            count, carried = expected[length]
            assert (f"The {count} paths of" in rest) == (count > 1)
            said_share = float(re.search(r"carr(?:y|ies) ([\d.e+-]+) % of the gradient", rest)[1])
            assert said_share == pytest.approx(100 * float(carried), rel=0.5 if carried < 0.095 else 0, abs=0.51 * (carried >= 0.095))  # fmt: skip
            assert f"if the gain is {gain:g}." in rest
            for k in range(blocks + 1):
                assert state[f"t{k}.text"].endswith(" %")
        assert len(seen) == 2**blocks == len(run) and lengths == sorted(lengths)


def test_bars_of_paths_are_as_high_as_their_fractions():
    for blocks in (4, 20):
        stepper = show.steps.paths(blocks, [0.5, 2.0])
        _, tree, _ = picture(stepper)
        (counted,) = [part.get("d") for part in tree.iter() if part.get("class") == "count" and part.get("d")]  # fmt: skip
        drawn = {"count": bars(counted)}
        for gain, run in zip((0.5, 2.0), shown(stepper)):
            drawn["share"] = bars(run[-1][1]["shares.d"])
            expected = by_length(blocks, gain) if blocks == 4 else {
                k: (math.comb(20, k), math.comb(20, k) * Fraction(gain) ** k / Fraction(1 + gain) ** 20) for k in range(21)
            }  # fmt: skip
            heights = {"count": [count / 2**blocks for count, _ in expected.values()], "share": [float(share) for _, share in expected.values()]}  # fmt: skip
            scale = max(height for _, height in drawn["count"]) / max(heights["count"])
            for kind, found in drawn.items():
                assert [height for _, height in found] == pytest.approx(
                    [scale * value for value in heights[kind] if scale * value >= 0.05], abs=0.3
                )
                assert [x for x, _ in found] == sorted(x for x, _ in found)


def test_the_two_bars_of_a_length_meet_above_its_number():
    stepper = show.steps.paths(4, 0.5)
    _, tree, _ = picture(stepper)
    ticks = {part.text: float(part.get("x")) for part in tree.iter() if part.text in list("01234") and not part.get("class")}  # fmt: skip
    shares = bars(shown(stepper)[0][-1][1]["shares.d"])
    assert [x for x, _ in shares] == pytest.approx([ticks[str(k)] for k in range(5)], abs=0.2)
    (counted,) = [part.get("d") for part in tree.iter() if part.get("class") == "count" and part.get("d")]  # fmt: skip
    wide = float(re.search(r"h([\d.]+)V", counted)[1])
    assert [x + wide for x, _ in bars(counted)] == pytest.approx([x for x, _ in shares], abs=0.2)


def test_many_paths_say_which_lengths_matter():
    """Checked against a count of each length in exact fractions: at most 2.5 % is on either side."""
    for blocks, gain in ((6, 1.0), (54, 0.5), (54, 0.05), (120, 3.0)):
        (((said, _),),) = shown(show.steps.paths(blocks, gain))
        assert said.startswith(f"{blocks} blocks make 2^{blocks} paths")
        r = Fraction(gain)
        for weights, sentence in zip(
            ([Fraction(math.comb(blocks, k), 2**blocks) for k in range(blocks + 1)],
             [math.comb(blocks, k) * r**k / (1 + r) ** blocks for k in range(blocks + 1)]),
            re.findall(r"(?:have|comes from) lengths? (\d+(?: to \d+)?)", said), strict=True,
        ):  # fmt: skip
            low, high = (int(end) for end in (sentence.split(" to ") * 2)[:2])
            edge = Fraction(1, 40)
            assert sum(weights[:low]) < edge <= sum(weights[: low + 1])
            assert sum(weights[high + 1 :]) <= edge < sum(weights[high:])


def test_paths_of_one_gain_have_no_slider_and_those_of_a_few_blocks_open_at_the_last():
    assert show.steps.paths(2, 1).choices == () and show.steps.paths(2).choices[0].slider
    assert '"atEnd":true' in picture(show.steps.paths(2))[0]


def test_lesions_leave_out_one_branch_at_a_time():
    (run,) = shown(show.steps.lesions(LEFT, 1017, whole=932, names=BLOCKS[1:5]))
    assert [said for said, _ in run] == [
        "The whole net classifies 932 of 1,017 images (91.6 %) correctly.",
        "Without the branch of block 1.1, the net classifies 805 of 1,017 images (79.2 %) correctly: 12.5 points less than the whole net.",
        "Without the branch of block 1.2, the net classifies 102 of 1,017 images (10.0 %) correctly: 81.6 points less than the whole net.",
        "Without the branch of block 2.0, the net classifies 932 of 1,017 images (91.6 %) correctly: as many as with it.",
        "Without the branch of block 2.1, the net classifies 940 of 1,017 images (92.4 %) correctly: 0.8 points more than the whole net.",
        "Without one branch, from 10.0 % (block 1.2) to 92.4 % (block 2.1) are classified correctly; with all of them, 91.6 %.",
    ]  # fmt: skip
    for step, (_, state) in enumerate(run):
        gone = step - 1 if 1 <= step <= 4 else None
        for k in range(4):
            assert state[f"branch{k}.class"] == ("gone" if k == gone else "edge")
            assert state[f"box{k}.class"] == ("gone" if k == gone else "node")
            assert state[f"bar{k}.class"] == ("current" if k == gone else "seen" if k < step - 1 else "off")  # fmt: skip
        assert (state["bypass.class"] == "bypass off") == (gone is None)


def test_lesions_draw_each_bar_as_high_as_its_accuracy():
    _, tree, _ = picture(show.steps.lesions(LEFT, 1017, whole=932, chance=0.25))
    tags = {part.get("data-name"): part for part in tree.iter()}
    heights = [float(tags[f"bar{k}"][0].get("height")) for k in range(4)]
    assert heights == pytest.approx([heights[1] / 102 * value for value in LEFT], abs=1)
    lines = {
        part.get("class"): [float(y) for y in re.findall(r"M46 ([\d.]+)H486", part.get("d"))]
        or None
        for part in tree.iter()
        if part.get("class") in ("whole", "chance") and "H486" in part.get("d")
    }
    (whole,), (chance,) = lines["whole"], lines["chance"]
    assert float(tags["bar2"][0].get("y")) == pytest.approx(whole, abs=0.1)
    base = float(tags["bar0"][0].get("y")) + heights[0]
    assert (base - whole) / (base - chance) == pytest.approx(932 / 1017 / 0.25, rel=0.01)


def test_lesions_take_accuracies_and_name_the_stages():
    stepper = show.steps.lesions([0.5, 0.25], 1, whole=0.75, names=["a.1", "b.1"])
    assert "classifies 75.0 % of the images correctly" in stepper.runs[0][0].say
    texts = {part.text for part in picture(stepper)[1].iter() if part.tag.endswith("text")}
    assert {"a", "b", "a.1", "b.1", "whole net: 75.0 %", "chance: 10.0 %"} <= texts
    numbered = show.steps.lesions([5, 2], 10, whole=9, names=["1.0", "2.0"])
    texts = {part.text for part in picture(numbered)[1].iter() if part.tag.endswith("text")}
    assert {"stage 1", "stage 2"} <= texts


@pytest.mark.parametrize("layers", [LAYERS, [(3, 1)] * 4, [(2, 3), (1, 1), (4, 2)], [(1, 1)]])
def test_receptive_field_shows_the_pixels_that_an_element_depends_on(layers):
    (run,) = shown(show.steps.receptive_field(layers))
    rows = depends(layers, 200)
    assert len(run) == len(rows) == len(layers) + 1
    for depth, (said, state) in enumerate(run[1:], 1):
        pixels, neighbour = rows[depth][:2]
        size, moved = max(pixels) - min(pixels) + 1, min(neighbour) - min(pixels)
        assert f"After layer {depth}, the receptive field of an element is {size} pixel{'s' * (size > 1)} wide" in said  # fmt: skip
        assert f"of its neighbour begins {moved} pixel{'s' * (moved > 1)} further" in said
        assert ("depends on" in said) == (len(pixels) < size)
        assert state[f"wide{depth}.text"].split()[0] == str(size)
        assert state["seen0.d"].count("M") == len(pixels)
        for name in (
            "span",
            "twin",
        ):  # the pixels are drawn next to each other, each of the same width
            left, right = map(float, re.match(r"M([\d.]+) [\d.]+v5H([\d.]+)v", state[f"{name}.d"]).groups())  # fmt: skip
            cell = float(re.match(r"M[\d.]+ [\d.]+h([\d.]+)v", state["seen0.d"])[1])
            assert (right - left) / cell == pytest.approx(size, rel=0.02)
    (_, first) = run[0]
    assert [key for key, text in first.items() if key.startswith("wide") and text] == ["wide0.text"]


def test_receptive_field_does_not_say_how_it_follows_from_kernel_and_stride():
    for _, state in shown(show.steps.receptive_field(LAYERS))[0]:
        assert not [text for text in state.values() if re.search(r"[*=+]|jump", text)]


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: show.steps.receptive_field([]), ValueError, "receptive_field: expected 1 to 8 layers, got 0"),
    (lambda: show.steps.receptive_field([(3, 1)] * 9), ValueError, "receptive_field: expected 1 to 8 layers, got 9"),
    (lambda: show.steps.receptive_field([3]), TypeError, "receptive_field: expected pairs of ints (kernel, stride), got 3"),
    (lambda: show.steps.receptive_field([(3, 1.0)]), TypeError, "expected pairs of ints (kernel, stride), got (3, 1.0)"),
    (lambda: show.steps.receptive_field([(3, 0)]), ValueError, "expected a kernel and a stride of at least 1, got (3, 0)"),
    (lambda: show.steps.receptive_field([(3, 2)] * 6), ValueError, "receptive_field: expected at most 60 pixels under two neighbours"),
    (lambda: show.steps.receptive_field([(60, 60)] * 8), ValueError, "receptive_field: expected at most 60 pixels under two neighbours"),
    (lambda: show.steps.receptive_field([(10**9, 1)]), ValueError, "expected at most 60 pixels under two neighbours"),
    (lambda: show.steps.lesions([], 10, whole=9), ValueError, "lesions: expected 1 to 60 blocks, got 0"),
    (lambda: show.steps.lesions([1] * 61, 10, whole=9), ValueError, "lesions: expected 1 to 60 blocks, got 61"),
    (lambda: show.steps.lesions([5], 0, whole=9), ValueError, "lesions: expected a total above 0, got 0"),
    (lambda: show.steps.lesions([5, 11], 10, whole=9), ValueError, "lesions: expected numbers from 0 to 10, got 11"),
    (lambda: show.steps.lesions([5], 10, whole=-1), ValueError, "lesions: expected numbers from 0 to 10, got -1"),
    (lambda: show.steps.lesions([math.nan], 10, whole=1), ValueError, "lesions: expected numbers from 0 to 10, got nan"),
    (lambda: show.steps.lesions([5], 10, whole=9, chance=10), ValueError, "lesions: expected a chance from 0 to 1, got 10"),
    (lambda: show.steps.lesions([5, 6], 10, whole=9, names=["a"]), ValueError, "lesions: expected 2 names of blocks, got 1"),
    (lambda: show.steps.lesions("no", 10, whole=9), ValueError, "lesions: expected numbers for correct, got ['n', 'o']"),
    (lambda: show.steps.paths(2.0), TypeError, "paths: expected an int for blocks, got 2.0"),
    (lambda: show.steps.paths(True), TypeError, "paths: expected an int for blocks, got True"),
    (lambda: show.steps.paths(0), ValueError, "paths: expected 1 to 120 blocks, got 0"),
    (lambda: show.steps.paths(121), ValueError, "paths: expected 1 to 120 blocks, got 121"),
    (lambda: show.steps.paths(3, []), ValueError, "paths: expected 1 to 8 finite gains of at least 0, got []"),
    (lambda: show.steps.paths(3, [1, -1]), ValueError, "paths: expected 1 to 8 finite gains of at least 0, got [1.0, -1.0]"),
    (lambda: show.steps.paths(3, math.nan), ValueError, "finite gains of at least 0, got [nan]"),
    (lambda: show.steps.paths(3, "much"), ValueError, "paths: expected a number or several for gain, got 'much'"),
    (lambda: show.steps.depth({}), ValueError, "depth: expected 1 to 3 panels, got 0"),
    (lambda: show.steps.depth({"norm": {}}), ValueError, "depth: expected 1 to 12 choices, got 0"),
    (lambda: show.steps.depth({"norm": {"a": [1, 2]}, "std": {"b": [1, 2]}}), ValueError,
     "depth: expected the same nets in each panel, got [['a'], ['b']]"),
    (lambda: show.steps.depth({"norm": {"a": [1, 2]}, "std": {"a": [1, 2, 3]}}), ValueError,
     "depth: expected the same number of layers for each choice, 2 to 2000, got [2, 3]"),
    (lambda: show.steps.depth({"norm": {"a": [1, 2]}, "std": {"a": [1, -2]}}), ValueError,
     "depth: expected no negative numbers for 'a', got -2"),
    (lambda: show.steps.depth({"norm": {"a": [1, 2]}, "std": {"a": [0, 0]}}), ValueError,
     "depth: expected at least one finite number above 0"),
    (lambda: show.steps.depth({"norm": {"a": [1, 2]}}, layers="abc"), ValueError, "depth: expected 2 names of layers, got 3"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused(make, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make()
