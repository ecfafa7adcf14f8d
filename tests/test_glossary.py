"""The glossary: each term is in bold at its first use, and its entry links there."""

import re

from tests import chapters

FILE = chapters.ROOT / "chapters" / "glossary.md"
ENTRY = re.compile(
    r"^- \*\*([^*]+)\*\*(?: \([^()]+\))?: (.+) \(\[(\d\d(?:\.\d)?)\]\(([\w.]+)#(\S+)\)\)$"
)
NEEDED = (
    "backpropagation", "autograd", "computational graph", "standard deviation", "central difference", "vector-Jacobian product",
    "overfitting", "receptive field", "weight sharing", "equivariance", "feature map", "gradient accumulation",
)  # fmt: skip


def entries():
    lines = [
        line for line in FILE.read_text(encoding="utf-8").splitlines() if line.startswith("- ")
    ]
    found = [ENTRY.match(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found) if not match]
    return [match.groups() for match in found]


def bolds(path):
    return [chapters.flat(term).lower() for term in chapters.BOLD.findall(chapters.markdown(path))]


def test_it_is_in_alphabetical_order_without_twins_and_has_what_readers_look_for():
    terms = [term.lower() for term, *_ in entries()]
    assert terms == sorted(set(terms)) and len(terms) >= 60
    assert {term.lower() for term in NEEDED} <= set(terms)


def test_each_entry_links_to_the_section_in_which_its_term_is_in_bold():
    for term, told, _, name, anchor in entries():
        path = FILE.parent / name
        assert anchor in chapters.anchors(path), (term, anchor)
        section = []
        for cell in chapters.cells(path):
            for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
                heading = re.match(r"#+ (.*)", line)
                if heading:
                    here = heading[1].strip().replace(" ", "-")
                section += [line] if here == anchor else []
        assert term.lower() in chapters.flat(" ".join(section)).lower().replace("**", "@").replace(
            "@", ""
        ), term
        assert f"**{term.lower()}**" in chapters.flat(" ".join(section)).lower(), term
        assert (
            told[0].islower()
            or told.split()[0].isupper()
            or told[0] in "`$0123456789"
            or told[:2].istitle()
        ), told


def test_a_term_is_in_bold_once_in_the_course():
    found = [term for path in chapters.PATHS for term in bolds(path)]
    for term, *_ in entries():
        assert found.count(term.lower()) == 1, term
