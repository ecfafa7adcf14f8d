"""Solutions of 02g."""

from minires.backend import xp
from tests.course.kinds import right, wrong


@right
def put_back(f, x, g, *, step=1e-5):
    moved, gradient = x.copy(), xp.empty(x.shape)
    for index in xp.ndindex(x.shape):
        was = moved[index]
        moved[index] = was + step
        up = (g * f(moved)).sum()
        moved[index] = was - step
        down = (g * f(moved)).sum()
        moved[index] = was
        gradient[index] = (up - down) / (2 * step)
    return gradient


@right
def units(f, x, g, *, step=1e-5):
    slopes = [
        xp.vdot(g, f(x + step * unit.reshape(x.shape)) - f(x - step * unit.reshape(x.shape)))
        for unit in xp.eye(x.size)
    ]
    return xp.array(slopes).reshape(x.shape) / step / 2


@right
def flat(f, x, g, *, step=1e-5):
    gradient = []
    for k in range(x.size):
        ends = []
        for sign in (1, -1):
            moved = x.astype("float64").ravel()
            moved[k] += sign * step
            ends.append(sum((g * f(moved.reshape(x.shape))).ravel()))
        gradient.append((ends[0] - ends[1]) / (2 * step))
    return xp.reshape(gradient, x.shape)


def slopes(x, slope):
    gradient = xp.zeros_like(x)
    for index in xp.ndindex(x.shape):
        moved = x.copy()
        gradient[index] = slope(moved, index)
    return gradient


def ends(f, moved, index, step):
    moved[index] += step
    up = f(moved).copy()
    moved[index] -= 2 * step
    return up, f(moved)


@wrong("test_each_element_has_its_own_derivative", mistake="one_sided")
def forward(f, x, g, *, step=1e-5):
    start = (g * f(x)).sum()

    def slope(moved, index):
        moved[index] += step
        return ((g * f(moved)).sum() - start) / step

    return slopes(x, slope)


@wrong("test_each_element_has_its_own_derivative", mistake="not_halved")
def one_step_counted(f, x, g, *, step=1e-5):
    def slope(moved, index):
        up, down = ends(f, moved, index, step)
        return ((g * up).sum() - (g * down).sum()) / step

    return slopes(x, slope)


@wrong("test_the_upstream_gradient_counts", mistake="upstream_ignored")
def of_the_sum(f, x, g, *, step=1e-5):
    def slope(moved, index):
        up, down = ends(f, moved, index, step)
        return (up.sum() - down.sum()) / (2 * step)

    return slopes(x, slope)


@wrong("test_each_element_has_its_own_derivative", mistake="all_at_once")
def everything_moves(f, x, g, *, step=1e-5):
    up, down = (g * f(x + step)).sum(), (g * f(x - step)).sum()
    return xp.full(x.shape, (up - down) / (2 * step))


@wrong("test_each_element_has_its_own_derivative", mistake="sign_lost")
def down_minus_up(f, x, g, *, step=1e-5):
    def slope(moved, index):
        up, down = ends(f, moved, index, step)
        return (g * (down - up)).sum() / (2 * step)

    return slopes(x, slope)


@wrong("test_the_other_elements_stay_unchanged", mistake="steps_left_behind")
def stays_moved(f, x, g, *, step=1e-5):
    moved, gradient = x.astype("float64"), xp.zeros(x.shape)
    for index in xp.ndindex(x.shape):
        up, down = ends(f, moved, index, step)
        gradient[index] = (g * (up - down)).sum() / (2 * step)
    return gradient


@wrong("test_each_element_has_its_own_derivative")
def moves_the_callers(f, x, g, *, step=1e-5):
    gradient = xp.zeros_like(x)
    for index in xp.ndindex(x.shape):
        up, down = ends(f, x, index, step)
        x[index] += step
        gradient[index] = (g * (up - down)).sum() / (2 * step)
    x += 1e-9
    return gradient


@wrong("test_the_step_is_the_one_that_the_caller_gives")
def its_own_step(f, x, g, *, step=1e-5):
    return put_back(f, x, g, step=1e-5)


@wrong("test_the_result_of_f_may_have_a_different_shape")
def elementwise(f, x, g, *, step=1e-5):
    if f(x).shape != x.shape:
        return xp.zeros_like(x)
    return g * (f(x + step) - f(x - step)) / (2 * step)


@wrong("test_the_upstream_gradient_counts")
def first_output_only(f, x, g, *, step=1e-5):
    def slope(moved, index):
        up, down = ends(f, moved, index, step)
        return (g.ravel()[0] * (up - down).ravel()[0]) / (2 * step)

    return slopes(x, slope)


@wrong("test_each_element_has_its_own_derivative")
def undivided(f, x, g, *, step=1e-5):
    return put_back(f, x, g, step=step) * 2 * step


@wrong("test_the_result_of_f_may_have_a_different_shape")
def flattened(f, x, g, *, step=1e-5):
    return put_back(f, x, g, step=step).ravel()


@wrong("test_the_step_is_the_one_that_the_caller_gives")
def relative_step(f, x, g, *, step=1e-5):
    def slope(moved, index):
        own = step * abs(moved[index])
        up, down = ends(f, moved, index, own)
        return (g * (up - down)).sum() / (2 * own)

    return slopes(x, slope)
