"""The glossary: in order, bilingual, and true to the package and to the lessons there are."""

import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")]
        for line in TEXT.splitlines() if line.startswith("| ")][2:]  # header and rule left out
TERMS = [row[0] for row in ROWS]
NAMES = sorted({name.rstrip(".") for name in re.findall(r"\bcr\.[\w.]+", TEXT)})
CJK = "[\u3400-\u9fff]"


def letters(term):
    """Return what dictionaries sort by: letters and digits, so that Re-ranking is reranking."""
    return re.sub(r"[\W_]", "", term.casefold())


def test_every_row_has_its_five_cells():
    assert len(ROWS) > 70
    assert [row for row in ROWS if len(row) != 5 or not all(row)] == []


def test_terms_are_in_alphabetical_order():
    assert sorted(TERMS, key=letters) == TERMS


def test_no_term_stands_there_twice():
    assert len({letters(term) for term in TERMS}) == len(TERMS)


def test_every_term_has_its_own_chinese_name():
    names = [row[1] for row in ROWS]
    assert [name for name in names if not re.search(CJK, name)] == []
    assert len(set(names)) == len(names)


def test_chinese_and_latin_are_spaced_but_not_beside_full_width_punctuation():
    tight = re.findall(f"{CJK}[A-Za-z0-9]|[A-Za-z0-9]{CJK}", TEXT)
    loose = re.findall(r" [（），。、；：]|[（），。、；：] ", "\n".join(row[1] for row in ROWS))
    assert tight + loose == []


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_in_the_package(name):
    pkgutil.resolve_name(name.replace("cr.", "coldrec.", 1))


def test_italics_point_to_an_entry():
    known = {re.sub(r" \(.*\)", "", term).casefold() for term in TERMS}
    meanings = "\n".join(row[2] for row in ROWS)
    assert [word for word in re.findall(r"\*(.+?)\*", meanings)
            if word.casefold() not in known] == []


def test_lessons_are_called_to_come_exactly_until_they_are_written():
    written = {path.name[:2] for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.py")}
    called = {(number, mark == "") for row in ROWS
              for number, mark in re.findall(r"(\d\d)( \(to come\))?", row[4])}
    assert called == {(number, number in written) for number, _ in called}
