"""show.steps: each stepper's frames hold what loops compute, its page is small and whole, and bad input is refused."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minires import show
from minires.backend import xp
from minires.show.steps import Choice, Frame, Stepper
from minires.show.steps.scene import Scene
from minires.show.steps.stepper import HERE
from tests.steppers import IMAGE, bowl, eight_nodes, patches, picture, shown, steppers
from tests.test_walk import Small, sent_on_at_once

LARGEST = 40_000  # characters of one output in a notebook
MINUS, PLUS = [[-1.0] * 9] * 9, [[0.5, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]


STEPPERS = dict(steppers())
each_stepper = pytest.mark.parametrize("name", STEPPERS)


@each_stepper
def test_a_page_is_small_and_asks_no_other_host_for_anything(name):
    page, _, _ = picture(STEPPERS[name])
    assert len(page) < LARGEST
    assert re.findall(r"https?:|//\w|url\(|@import|<link", page) == []


@each_stepper
def test_without_a_script_there_is_a_picture_with_alt_text_and_no_button(name):
    page, tree, alt = picture(STEPPERS[name])
    assert len(alt) >= 15 and STEPPERS[name].title in alt and STEPPERS[name].runs[0][-1].say in alt
    assert tree.get("role") == "img" and tree.get("aria-label") == alt
    assert "<button" not in page and "<input" not in page
    assert STEPPERS[name].title in repr(STEPPERS[name]) and "a stepper of" in repr(STEPPERS[name])
    assert STEPPERS[name]._repr_mimebundle_()["text/plain"] == repr(STEPPERS[name])


@each_stepper
def test_each_step_is_packed_without_loss(name):
    stepper = STEPPERS[name]
    for run, frames in zip(stepper.runs, shown(stepper), strict=True):
        for frame, (said, state) in zip(run, frames, strict=True):
            assert said == frame.say
            assert frame.changes.items() <= state.items()


@each_stepper
def test_what_a_step_does_not_mention_is_as_the_scene_draws_it(name):
    keys = {key for run in STEPPERS[name].runs for frame in run for key in frame.changes}
    start = {}
    for run, frames in zip(STEPPERS[name].runs, shown(STEPPERS[name])):
        for frame, (_, state) in zip(run, frames):
            for key in keys - set(frame.changes):
                assert start.setdefault(key, state[key]) == state[key]


def test_the_same_figure_is_the_same_text_each_time():
    again = dict(steppers())
    for name, stepper in STEPPERS.items():
        assert again[name]._repr_mimebundle_() == stepper._repr_mimebundle_()


PIECES = st.one_of(
    st.text("ab.-+e{} '<&\"é", max_size=3),
    st.integers(-(10**12), 10**12).map(str),
    st.floats(allow_nan=True).map(repr),
    st.floats(-100, 100).map(lambda value: f"{value:.2f}"),
)


@given(st.lists(st.lists(PIECES, max_size=5).map("".join), min_size=1, max_size=4))
def test_any_text_comes_back_as_it_was(texts):
    scene = Scene(10, 10)
    scene.text(5, 5, "start", name="a")
    frames = [Frame(text, {"a.text": text} if text else {}) for text in texts]
    (run,) = shown(Stepper(scene, [frames], title="Texts of all kinds"))
    assert [said for said, _ in run] == texts
    assert [state.get("a.text", "start") for _, state in run] == [text or "start" for text in texts]


def test_a_walk_has_a_sentence_for_each_run_and_its_sums():
    x = Small("x")
    b = Small("b", 2.0, (x,))
    root = Small("d", 1.0, (Small("c", 3.0, (b,)), b, None))
    (run,) = shown(show.steps.walk(root, sent_on_at_once, 10.0, title="Wrong"))
    assert [said for said, _ in run] == [
        "d runs: it receives the upstream gradient 10 and sends 10 to c; 10 to b.",
        "c runs: it receives the upstream gradient 10 and sends 30 to b.",
        "b runs: it receives the upstream gradient 30 and sends 60 to x, whose gradient is now 60.",
        "b runs again (twice now): it receives the upstream gradient 10 and sends 20 to x, whose gradient is now 80.",
    ]
    written = [sorted(value for key, value in state.items() if key.startswith(("n", "v")) and key.endswith("text") and value)
               for _, state in run]  # fmt: skip
    assert written == [["10", "10", "g = 10"], ["30", "g = 10", "ran once"], ["60", "g = 30", "grad = 60", "ran once", "ran once"],
                       ["20", "g = 10", "grad = 80", "ran once", "ran once"]]  # fmt: skip
    assert "backward" not in vars(b) and b.backward(1.0) == (2.0,)


def test_a_graph_of_eight_nodes_is_small_enough_with_all_its_runs():
    page, _, _ = picture(show.steps.walk(eight_nodes(), sent_on_at_once))
    assert len(page) < LARGEST


each_geometry = pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [((2, 2), (1, 1), (0, 0)), ((3, 2), (1, 2), (1, 0)), ((1, 3), (2, 1), (0, 2)), ((3, 4), (1, 1), (0, 0))],
)  # fmt: skip


@each_geometry
def test_im2col_says_the_row_of_each_window(kernel, stride, padding):
    (run,) = shown(show.steps.im2col(IMAGE, kernel, stride=stride, padding=padding))
    expected = list(patches(IMAGE, kernel, stride, padding))
    assert len(run) == len(expected)
    for r, ((said, state), (_, row)) in enumerate(zip(run, expected)):
        assert said.endswith(
            f"become row {r} of the im2col matrix: {' '.join(f'{value:g}' for value in row)}."
        )
        later = {key for key, value in state.items() if value == "later"}
        assert later == {f"r{i}.class" for i in range(r + 1, len(run))}


def test_im2col_of_channels_interleaves_them():
    image = [[[i * 10 + j + 100 * c for c in range(2)] for j in range(3)] for i in range(2)]
    (run,) = shown(show.steps.im2col(image, 2))
    assert [said.partition("matrix: ")[2] for said, _ in run] == [
        "0 100 1 101 10 110 11 111.", "1 101 2 102 11 111 12 112.",
    ]  # fmt: skip


@each_geometry
def test_col2im_adds_each_row_where_its_patch_was(kernel, stride, padding):
    image = [[0.0] * 4 for _ in range(3)]
    places = [pixels for pixels, _ in patches(image, kernel, stride, padding)]
    columns = [[r + 10.0 * k for k in range(math.prod(kernel))] for r in range(len(places))]
    stepper = show.steps.col2im(columns, (3, 4), kernel, stride=stride, padding=padding)
    (run,) = shown(stepper)
    touched = set()
    for (said, state), pixels, row in zip(run, places, columns, strict=True):
        again = lost = 0
        for (i, j), value in zip(pixels, row):
            if 0 <= i < 3 and 0 <= j < 4:
                image[i][j] += value
                again += (i, j) in touched
                touched.add((i, j))
            else:
                lost += 1
        for i, j in touched:
            assert state[f"p{i}_{j}.text"] == f"{image[i][j]:g}"
        assert (f"{again} of the pixels already" in said) == bool(again)
        assert (f"{lost} of the {len(row)} values" in said) == bool(lost)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_windows_counts_the_positions_of_each_choice(size):
    stepper = show.steps.windows(size)
    runs = iter(shown(stepper))
    for k in (2, 3):
        for s in (1, 2, 3):
            for p in (0, 1, 2):
                starts = [at for at in range(-p, size + p - k + 1) if (at + p) % s == 0]
                run = next(runs)
                assert len(run) == len(starts) ** 2
                said, state = run[-1]
                assert state["title.text"] == f"output {len(starts)}x{len(starts)}"
                assert state["formula.text"].endswith(f"= {len(starts)}")
                first, last = starts[-1] + p, starts[-1] + p + k - 1
                assert f"covers rows {first} to {last} and columns {first} to {last}" in said
                assert ("never covered" in said) == (last < size + 2 * p - 1)
    assert len(picture(stepper)[0]) < LARGEST


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_valley_follows_sgd(momentum):
    rates = [0.02, 0.09, 0.11]
    stepper = show.steps.valley(bowl, (4, -1), rates, steps=20, momentum=momentum)
    for rate, run in zip(rates, shown(stepper), strict=True):
        x, y, u, v = 4.0, -1.0, 0.0, 0.0
        for k, (said, _) in enumerate(run):
            wx, wy, loss = map(float, re.search(r"w = \((\S+), (\S+)\), loss (\S+?)\.(?: |$)", said).groups())  # fmt: skip
            assert (wx, wy) == pytest.approx((x, y), abs=0.0051, rel=1e-3)
            assert loss == pytest.approx(0.5 * (x * x + 20 * y * y), rel=0.006)
            assert said.startswith("At the start" if k == 0 else f"After {k} update")
            u, v = momentum * u + x, momentum * v + 20 * y
            x, y = x - rate * u, y - rate * v
        assert len(run) == 21
        assert "diverges" not in "".join(said for said, _ in run[:-1])
    if not momentum:  # 2 / 20 is the limit
        assert ["diverges" in run[-1][0] for run in shown(stepper)] == [False, False, True]


def test_valley_stops_where_numbers_end():
    (run,) = shown(show.steps.valley(bowl, (4, 1), [1e40], steps=30))
    assert len(run) < 31 and "The next loss is not finite: learning rate 1e+40 diverges" in run[-1][0]  # fmt: skip


def test_gradients_say_both_ends_and_their_ratio():
    norms = {"small": [1e-6, 1e-3, 1.0], "same": [2.0, 2.0, 2.0], "none": [0.0, 1.0, math.inf]}
    runs = shown(show.steps.gradients(norms, layers=["a", "b", "c"], ylabel="std"))
    assert [run[0][0] for run in runs] == [
        "small: the std is 1e-06 in layer a and 1 in layer c, 1e+06 times smaller in layer a.",
        "same: the std is 2 in layer a and 2 in layer c, nearly the same.",
        "none: the std is 0 in layer a and inf in layer c.",
    ]
    heights = [[float(point.split(",")[1]) for point in run[0][1]["line.points"].split()] for run in runs]  # fmt: skip
    assert heights[0][0] > heights[0][1] > heights[0][2] and len(set(heights[1])) == 1
    assert heights[0][0] - heights[0][1] == pytest.approx(heights[0][1] - heights[0][2], abs=1.1)


def test_a_slider_chooses_among_numbers_and_a_menu_among_names():
    assert show.steps.gradients({0.5: [1, 2], 2: [1, 3]}).choices[0].slider
    assert not show.steps.gradients({"He": [1, 2], "2": [1, 3]}).choices[0].slider


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: show.steps.walk(Small("b", 1.0, (Small("x"),)), lambda root, g: None), ValueError, "walk: expected at least one node to run"),
    (lambda: show.steps.walk(Small("b", 1.0, (Small("x"),)), lambda root, g: [root.backward(g) for _ in range(61)]), ValueError,
     "walk: expected at most 60 runs of nodes, got 61"),
    (lambda: show.steps.im2col([1.0, 2.0], 1), ValueError, r"im2col: expected an image of shape (H, W) or (H, W, C), got (2,)"),
    (lambda: show.steps.im2col("picture", 1), TypeError, "im2col: x: expected an array of numbers, got str"),
    (lambda: show.steps.im2col(IMAGE, 4), ValueError, "kernel: expected at most (3, 4)"),
    (lambda: show.steps.im2col(IMAGE, 2, stride=0), ValueError, "stride: expected at least 1, got 0"),
    (lambda: show.steps.im2col(xp.zeros((13, 13)), 3), ValueError, "im2col: expected at most 150 pixels of the padded image, got 169"),
    (lambda: show.steps.im2col(xp.zeros((9, 9)), 3), ValueError, "im2col: expected at most 36 rows of the im2col matrix, got 49"),
    (lambda: show.steps.col2im(MINUS, (5, 5, 1), 3), ValueError, "col2im: expected a shape (H, W), got (5, 5, 1)"),
    (lambda: show.steps.col2im(PLUS, (5, 5), 3), ValueError, "col2im: expected columns of shape (9, 9), got (2, 4)"),
    (lambda: show.steps.windows(11), ValueError, "windows: expected a size of at most 10, got 11"),
    (lambda: show.steps.windows(2, kernels=(3,), paddings=(0,)), ValueError, "kernel: expected at most (2, 2)"),
    (lambda: show.steps.windows(5, strides=()), ValueError, "windows: expected at least one of strides, got none"),
    (lambda: show.steps.windows(5, strides=(0,)), ValueError, "windows: strides: expected at least 1, got 0"),
    (lambda: show.steps.windows(10, paddings=(4, 5)), ValueError, "windows: expected at most 600 positions of the kernel in all, got"),
    (lambda: show.steps.valley(bowl, (4, 1), []), ValueError, "valley: expected 1 to 24 finite learning rates, got []"),
    (lambda: show.steps.valley(bowl, (4, 1, 2), [1]), ValueError, "valley: expected two numbers for start, got (4, 1, 2)"),
    (lambda: show.steps.valley(bowl, (0, 0), [1]), ValueError, "valley: expected a start away from the minimum"),
    (lambda: show.steps.valley(bowl, (4, 1), [1], steps=0), ValueError, "valley: expected 1 to 100 steps, got 0"),
    (lambda: show.steps.valley(lambda w: w[0], (4, 1), [1]), ValueError, "valley: expected loss(w) to return (value, gradient of shape (2,))"),
    (lambda: show.steps.valley(lambda w: (0.0, w), (4, 1), [1]), ValueError, "valley: expected a loss that is smallest at the minimum"),
    (lambda: show.steps.gradients({}), ValueError, "gradients: expected 1 to 12 choices, got 0"),
    (lambda: show.steps.gradients({"a": [1, 2], "b": [1]}), ValueError, "gradients: expected the same number of layers for each choice"),
    (lambda: show.steps.gradients({"a": [1, -2]}), ValueError, "gradients: expected no negative numbers for 'a', got -2"),
    (lambda: show.steps.gradients({"a": [0, 0]}), ValueError, "gradients: expected at least one finite number above 0"),
    (lambda: show.steps.gradients({"a": "no"}), ValueError, "gradients: expected a list of numbers for 'a', got 'no'"),
    (lambda: show.steps.gradients({"a": [1, 2]}, layers=["x"]), ValueError, "gradients: expected 2 names of layers, got 1"),
    (lambda: Stepper(Scene(9, 9), [[]], title="Empty"), ValueError, "Stepper: expected 1 runs of at least one frame, got 1 with [0] frames"),
    (lambda: Stepper(Scene(9, 9), [[Frame("a")]], [Choice("b", (1, 2))], title="Few"), ValueError, "Stepper: expected 2 runs"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused(make, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make()


def test_the_player_is_short_and_knows_no_arithmetic_of_a_network():
    source = (HERE / "player.js").read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 120
    assert not re.search(r"kernel|stride|padding|gradient|rate|Math\.(?!min|max)", source)
