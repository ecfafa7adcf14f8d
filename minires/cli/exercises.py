"""minires exercises: the learner's way through them, and the teacher's grading."""

from minires.course import commands, grade, manifest, runner
from minires.course.folder import find


def exercises(options):
    """Run the command; without a deed it is status. Returns the exit status."""
    return {
        None: _status, "status": _status, "next": _next, "check": _check, "watch": _watch, "hint": _hint, "reset": _reset,
        "solution": _solution, "grade": _grade,
    }[options.deed](options)  # fmt: skip


def add_arguments(parser):
    """The deeds and their arguments."""
    deeds = parser.add_subparsers(dest="deed", metavar="DEED")

    def deed(name, help, id=None):
        one = deeds.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        if id:
            one.add_argument("id", nargs=None if id == "needed" else "?", metavar="ID", help="such as 05c, or im2col")
        return one

    deed("status", "a table of all exercises, and how far you are (also without a deed)")
    deed("next", "which exercise comes next")
    deed("check", "run the claims of an exercise; without one, of all that were begun", id="optional")
    deed("watch", "check again whenever a file is saved", id="optional")
    deed("hint", "a question; then the formula; then the shape of the code", id="needed")
    deed("reset", "the file as it was at first; yours is kept in exercises/backup", id="needed")
    solution = deed("solution", "the answer, once you have one", id="needed")
    solution.add_argument("--give-up", action="store_true", help="show it though there is none")
    one = deed("grade", "run a class's submissions, each in its own process, and write a table of what became of them")
    one.add_argument("folder", metavar="FOLDER", help="its sub-folders are submissions: each holds e05c_im2col.py and so on")
    one.add_argument("--out", metavar="FILE", default="grades.csv", help="the table (default: grades.csv)")
    one.add_argument("--seconds", type=float, default=20, metavar="S", help="for an exercise (default: 20)")
    one.add_argument("--memory", type=int, default=2048, metavar="MIB", help="for an exercise (default: 2048)")
    one.add_argument("--jobs", type=int, metavar="N", help="so many side by side (default: one a core)")
    one.add_argument("--only", nargs="+", metavar="ID", help="these exercises")


def _status(_):
    commands.status(find())


def _next(_):
    commands.coming(find())


def _check(options):
    home = find()
    if options.id:
        return 1 if commands.check(home, manifest.exercise(options.id)) == runner.WRONG else 0
    states = commands.check_begun(home)
    return 1 if runner.WRONG in states else 0


def _watch(options):
    commands.watch(find(), manifest.exercise(options.id) if options.id else None)


def _hint(options):
    commands.hint(find(), manifest.exercise(options.id))


def _reset(options):
    commands.reset(find(), manifest.exercise(options.id))


def _solution(options):
    return 0 if commands.solution(find(), manifest.exercise(options.id), give_up=options.give_up) else 1


def _grade(options):
    only = [manifest.exercise(id).id for id in options.only] if options.only else None
    grade.grade(options.folder, options.out, tests=find(), seconds=options.seconds, memory=options.memory,
                only=only, jobs=options.jobs)  # fmt: skip
