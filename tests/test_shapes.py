"""Drawn shapes: their masks, boxes, colours and seeds, each against a count or a rule of its own."""

import math

import numpy
import pytest

from minires import data
from minires.data.shapes import LARGEST, SHAPES, SIDE, SMALLEST

NAMES = list(SHAPES)
drawn = data.drawn_shapes(200, 5)


def of(name, drawn=drawn):
    """The masks of one class."""
    return drawn.masks[drawn.labels == NAMES.index(name)]


def test_a_dataset_of_ten_classes_with_equally_many_images():
    made = data.shapes(50, 5)
    assert made.images.shape == (50, 32, 32, 3) and made.images.dtype == numpy.uint8
    assert made.counts() == [5] * 10 and made.classes == data.CLASSES["shapes"] == tuple(NAMES)
    assert (made.images == drawn.images[:50]).all() and (made.labels == drawn.labels[:50]).all()
    assert made.name == "shapes" and made.source == "drawn from seed 5"


def test_mean_and_std_are_near_those_of_the_images_and_the_same_for_each_set():
    made = data.shapes(500, 1)
    pixels = made.images / 255
    assert made.mean == data.shapes(10, 0).mean == (0.4,) * 3 and made.std == (0.3,) * 3
    assert pixels.mean(axis=(0, 1, 2)) == pytest.approx(made.mean, abs=0.04)
    assert pixels.std(axis=(0, 1, 2)) == pytest.approx(made.std, abs=0.04)


def test_an_image_depends_on_its_number_and_the_seed_alone():
    for n in (1, 7, 150):
        for some, more in zip(data.drawn_shapes(n, 5), drawn):
            assert (some == more[:n]).all()
    again = data.drawn_shapes(200, 5)
    assert all((one == other).all() for one, other in zip(drawn, again))
    assert len({image.tobytes() for image in drawn.images}) == 200
    other = data.drawn_shapes(10, 6)
    assert not any((one == two).all() for one, two in zip(other.images, drawn.images))
    assert not any((one == two).all() for one, two in zip(other.masks, drawn.masks))


def test_the_same_bits_on_every_machine():
    assert data.shapes(20, 0, difficulty=0.5).fingerprint() == "ac0029c2d7da13a5"


def test_the_global_generator_is_left_alone():
    numpy.random.seed(53)  # others seed it with 0
    before = numpy.random.get_state()[1].tolist()
    data.shapes(3, 1)
    assert numpy.random.get_state()[1].tolist() == before


def test_a_box_just_contains_its_mask():
    assert drawn.masks.dtype == bool and drawn.boxes.dtype.kind == "i"
    for mask, (top, left, bottom, right) in zip(drawn.masks, drawn.boxes.tolist()):
        points = [(i, j) for i in range(32) for j in range(32) if mask[i, j]]
        assert (top, left) == (min(i for i, _ in points), min(j for _, j in points))
        assert (bottom, right) == (max(i for i, _ in points) + 1, max(j for _, j in points) + 1)


def test_the_box_of_a_circle_gives_its_area():
    for mask in of("circle"):
        rows, columns = mask.any(axis=1).sum(), mask.any(axis=0).sum()
        assert abs(int(rows) - int(columns)) <= 1
        assert mask.sum() == pytest.approx(math.pi * rows * columns / 4, rel=0.06)


def test_the_area_of_a_ring_is_that_of_two_circles():
    for mask in of("ring"):
        outer = (
            numpy.logical_or.accumulate(mask, axis=1)
            & numpy.logical_or.accumulate(mask[:, ::-1], axis=1)[:, ::-1]
        )  # with the hole filled, row by row
        hole = outer & ~mask
        assert outer.sum() / hole.sum() == pytest.approx(3, rel=0.45)  # radii as sqrt(3) to 1


@pytest.mark.parametrize("name", NAMES)
def test_each_shape_has_one_area_whatever_its_pose(name):
    """Its share of a disc, counted on a fine grid; masks have it, up to pixels along the edge."""
    at = (numpy.arange(801) - 400) / 400
    x, y = numpy.meshgrid(at, at)
    inside = SHAPES[name](x, y)
    assert not (inside & (x * x + y * y > 1.0001)).any()  # nothing is cut off by the image's edge
    assert (inside == inside[:, ::-1]).all()  # a mirror image of itself
    share = inside.mean() * 4
    areas = of(name, data.drawn_shapes(300, 11)).sum(axis=(1, 2))
    low, high = share * SMALLEST**2, share * LARGEST**2
    assert 0.95 * low <= areas.min() and areas.max() <= 1.1 * high + 4
    assert areas.max() - areas.min() > 0.5 * (high - low)  # sizes differ


def test_a_square_is_the_set_of_points_closer_to_its_centre_than_its_sides():
    """Each mask of a square, drawn again by a loop from its own centre, area and rotation."""
    for mask in of("square")[:5]:
        i, j = numpy.nonzero(mask)
        cy, cx, half = i.mean(), j.mean(), math.sqrt(mask.sum()) / 2
        best = min(mistakes(mask, cy, cx, half, math.radians(angle)) for angle in range(0, 90, 3))
        assert best <= 0.06 * mask.sum() + 4


def mistakes(mask, cy, cx, half, angle):
    wrong = 0
    for i in range(SIDE):
        for j in range(SIDE):
            along = (i - cy) * math.cos(angle) + (j - cx) * math.sin(angle)
            across = (j - cx) * math.cos(angle) - (i - cy) * math.sin(angle)
            wrong += (max(abs(along), abs(across)) <= half) != mask[i, j]
    return wrong


def test_arrows_and_hourglasses_lean_by_up_to_33_degrees():
    """The angle of the longer principal axis of each mask, from its second moments."""
    many = data.drawn_shapes(600, 2)
    for name in ("arrow", "hourglass"):
        leans = []
        for mask in of(name, many):
            y, x = (at - at.mean() for at in numpy.nonzero(mask))
            leans.append(math.degrees(math.atan2(-2 * (x * y).sum(), (y * y - x * x).sum())) / 2)
        assert -38 < min(leans) < -25 and 25 < max(leans) < 38


def test_triangles_point_up():
    """The mean of a triangle is closer to its base than to its tip."""
    for mask in of("triangle"):
        rows = numpy.nonzero(mask)[0]
        assert rows.mean() > (rows.min() + rows.max()) / 2 - 0.25


def test_the_easiest_are_light_on_dark_and_have_no_clutter():
    easy = data.drawn_shapes(40, 3, difficulty=0)
    for image, mask in zip(easy.images.astype(int), easy.masks):
        around = numpy.pad(mask, 1)
        near = [around[i : i + 32, j : j + 32] for i in range(3) for j in range(3)]
        edge = numpy.logical_or.reduce(near)
        shape, ground = image[mask], image[~edge]
        assert shape.mean() > ground.mean() + 80
        assert ground.max() < 255 * 0.4 and (numpy.ptp(ground, axis=0) < 30).all()


def test_difficulty_adds_colours_and_noise_and_keeps_the_shapes():
    easy, hard = (data.drawn_shapes(60, 3, difficulty=level) for level in (0, 1))
    assert (easy.masks == hard.masks).all() and (easy.boxes == hard.boxes).all()
    corner = [drawn.images[:, :2, :2].astype(float) for drawn in (easy, hard)]
    assert corner[0].std(axis=(1, 2)).mean() < 10 < 25 < corner[1].std(axis=(1, 2)).mean()
    lighter = [
        image[mask].mean() > image[~mask].mean() for image, mask in zip(hard.images, hard.masks)
    ]
    assert 15 < sum(lighter) < 45  # light on dark as often as dark on light


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ((0,), ValueError, "n: expected at least 1, got 0"),
        ((2.0,), TypeError, "n: expected an int, got 2.0"),
        ((True,), TypeError, "n: expected an int, got True"),
        ((2, -1), ValueError, "seed: expected at least 0, got -1"),
        ((2, None), TypeError, "seed: expected an int, got None"),
    ],
)
def test_numbers_that_are_none(given, error, said):
    with pytest.raises(error, match=said):
        data.shapes(*given)


@pytest.mark.parametrize("difficulty", [-0.1, 1.1, math.nan])
def test_difficulty_is_from_0_to_1(difficulty):
    with pytest.raises(ValueError, match="difficulty: expected 0 to 1, got"):
        data.drawn_shapes(2, difficulty=difficulty)
    with pytest.raises(TypeError, match="difficulty: expected a number, got 'hard'"):
        data.shapes(2, difficulty="hard")
