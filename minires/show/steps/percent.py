"""An upright axis in per cent, for bars."""

import math

STEPS = (0.02, 0.05, 0.1, 0.2, 0.25)  # between two lines


def percent_axis(scene, left, right, base, tall, most):
    """Draw grid lines with their numbers, and return the function from a fraction to its y.

    left, right  ends of the lines    base  y of 0 %    tall  pixels from there to the top    most  the largest fraction shown
    """
    step = next((step for step in STEPS if most <= 5 * step), STEPS[-1])
    count = max(math.ceil(most / step - 1e-9), 1)

    def y(fraction):
        return base - tall * fraction / (count * step)

    for i in range(count + 1):
        scene.add("path", "grid", d=f"M{left} {y(i * step):.1f}H{right}")
        scene.text(left - 6, y(i * step), f"{100 * i * step:g} %", "small", style="text-anchor:end")
    return y
