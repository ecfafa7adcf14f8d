"""Does the learning rate have to fall? One network, five schedules: the accuracy halfway and at the end."""

from benchmarks.beliefs import recipes
from benchmarks.beliefs.recipes import STEPS
from benchmarks.beliefs.table import Making
from minires import optim

LR = 0.05
SCHEDULES = {
    "constant": optim.constant(LR),
    "constant, a fifth": optim.constant(LR / 5),
    "step": optim.step(LR, milestones=[STEPS // 2, STEPS * 3 // 4]),
    "cosine": optim.cosine(LR, steps=STEPS),
    "triangle": optim.triangle(LR, steps=STEPS, peak=0.2, start=0.05),
}
COLUMNS = {
    "training loss, last epoch": 2,
    "test accuracy, %, halfway": 1,
    "test accuracy, %, end": 1,
}


def tables(seeds, *, quick):
    """Yield (name, table)."""
    parts = recipes.images(quick, half=True)
    setting = (
        f"{recipes.SETTING}; the images are scaled down to 16 x 16 pixels. SGD, Nesterov momentum 0.9, weight decay 5e-4, peak "
        f"learning rate {LR} (a fifth of it in the second row); the step schedule divides it by 10 halfway and again after "
        f"three quarters. Tested on {recipes.TESTED} other shapes."
    )
    made = Making(
        "Does the learning rate have to fall?",
        setting,
        "python -m benchmarks.beliefs schedules",
        seeds,
        COLUMNS,
    )
    for seed in seeds:
        for name, schedule in SCHEDULES.items():
            epochs = 2 if quick else recipes.EPOCHS
            found = recipes.trained(parts, seed, recipes.sgd(schedule), epochs=epochs)
            values = found[-1][0], found[0][1], found[-1][1]
            made.add(name, seed, **dict(zip(COLUMNS, values)))
    yield "schedules", made
