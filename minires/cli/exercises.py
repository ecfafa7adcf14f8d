"""minires exercises: the learner's way through the exercises, and the teacher's grading and verifying."""

from minires.cli import gpu
from minires.course import commands, grade, manifest, runner
from minires.course.folder import find


def exercises(arguments):
    """Run the command; without an action it is status. Returns the exit status."""
    return ACTIONS[arguments.action](arguments)


def add_arguments(parser):
    """Add the actions and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")

    def action(name, help, id=None):
        made = actions.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
        if id:
            nargs = None if id == "required" else "?"
            made.add_argument("id", nargs=nargs, metavar="ID", help="such as 05c, or im2col")
        return made

    action("status", "show a table of all exercises and your progress (also without an action)")
    action("next", "show which exercise comes next")
    action("check", "run the claims of an exercise, or of all that you have started", id="optional")
    action("watch", "check again whenever you save a file", id="optional")
    action("hint", "show a question; then the formula; then the code's shape", id="required")
    restored = "restore an exercise's original file; yours is kept in exercises/backup"
    action("reset", restored, id="required")
    solution = action("solution", "show the answer, once you have one", id="required")
    solution.add_argument("--give-up", action="store_true", help="show it even if you have none")
    _add_grade(action("grade", "run a class's submissions, and write a table of the results"))
    _add_verify(action("verify", "check that the learner's own code trained the network of a capstone"))  # fmt: skip


def _add_verify(parser):
    contents = "the run's folder: of minires train --mine --keep-epochs --recipe capstone-..."
    parser.add_argument("folder", metavar="FOLDER", help=contents)
    own = "the recipe that was set: a name, or a file of yours (default: the run's, if it is one of the capstone's)"  # fmt: skip
    parser.add_argument("--recipe", metavar="NAME", help=own)
    parser.add_argument("--data-dir", metavar="DIR", help="read CIFAR from this folder")
    library = "exercises that may be the library's code (default: none of those that the network runs)"  # fmt: skip
    parser.add_argument("--allow", nargs="+", metavar="ID", default=(), help=library)
    seed = "draw the checkpoint that is replayed in the middle (default: a different one each time)"
    parser.add_argument("--seed", type=int, metavar="N", help=seed)
    jobs = "how many processes run in parallel (default: one per core)"
    parser.add_argument("--jobs", type=int, metavar="N", help=jobs)


def _add_grade(parser):
    contents = "a folder with one folder per submission, which contains e05c_im2col.py and so on"
    parser.add_argument("folder", metavar="FOLDER", help=contents)
    table = "the table to write (default: grades.csv)"
    parser.add_argument("--out", metavar="FILE", default="grades.csv", help=table)
    seconds = "seconds per exercise (default: 20)"
    parser.add_argument("--seconds", type=float, default=20, metavar="S", help=seconds)
    memory = "MiB per exercise (default: 2048)"
    parser.add_argument("--memory", type=int, default=2048, metavar="MIB", help=memory)
    jobs = "how many to run in parallel, each in its own process (default: one per core)"
    parser.add_argument("--jobs", type=int, metavar="N", help=jobs)
    parser.add_argument("--only", nargs="+", metavar="ID", help="grade these exercises alone")


def _status(_):
    commands.status(find())


def _next(_):
    commands.coming(find())


def _check(arguments):
    home = find()
    gpu.announce_kernels("the first check")
    if arguments.id:
        state = commands.check(home, manifest.exercise(arguments.id))
        return 1 if state == runner.WRONG else 0
    return 1 if runner.WRONG in commands.check_begun(home) else 0


def _watch(arguments):
    gpu.announce_kernels("the first check")
    commands.watch(find(), manifest.exercise(arguments.id) if arguments.id else None)


def _hint(arguments):
    commands.hint(find(), manifest.exercise(arguments.id))


def _reset(arguments):
    commands.reset(find(), manifest.exercise(arguments.id))


def _solution(arguments):
    exercise = manifest.exercise(arguments.id)
    return 0 if commands.solution(find(), exercise, give_up=arguments.give_up) else 1


def _grade(arguments):
    only = [manifest.exercise(id).id for id in arguments.only] if arguments.only else None
    grade.grade(
        arguments.folder,
        arguments.out,
        tests=find(),
        seconds=arguments.seconds,
        memory=arguments.memory,
        only=only,
        jobs=arguments.jobs,
    )


def _verify(arguments):
    from minires.cli.verify.verdict import verify

    if arguments.jobs is not None and arguments.jobs < 1:
        raise ValueError(f"--jobs is {arguments.jobs}, expected at least 1")
    verdict = verify(
        arguments.folder,
        tests=find(),
        recipe=arguments.recipe,
        data_dir=arguments.data_dir,
        allowed=[manifest.exercise(id).id for id in arguments.allow],
        seed=arguments.seed,
        jobs=arguments.jobs,
    )
    return 1 if verdict.reasons else 0


ACTIONS = {
    None: _status,
    "status": _status,
    "next": _next,
    "check": _check,
    "watch": _watch,
    "hint": _hint,
    "reset": _reset,
    "solution": _solution,
    "grade": _grade,
    "verify": _verify,
}
