"""What observers coded at the pages, and what earlier versions kept of it in files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from roomread.store.codes import Code, add_code, codes_of, take_back_code
from roomread.store.lessons import LessonStore
from roomread.types import WHOLE_CLASS, Lesson

MakeLesson = Callable[..., Lesson]
FIRST, SECOND = Code("Anna", 1, 0.0, 20.0, "here", 2), Code("Anna", 2, 20.0, 40.0, "there", None)
FORM = (
    "start,end,clock,seat,where,level,observer\n"
    '0,20,0:00–0:20,1,"9% from the left, 31% from the top",2,Anna\n'
    "20,40.5,0:20–0:40,2,there,,Anna\n"
)


def test_codes_come_back_in_the_order_in_which_they_were_said(store: LessonStore, lesson: MakeLesson) -> None:
    kept, other = store.add(lesson()), store.add(lesson())
    of_class = Code("Anna", WHOLE_CLASS, 0.0, 20.0, "the whole picture", 1)
    bens = Code("Ben", 1, 0.0, 20.0, "here", 0)
    assert all(add_code(store, kept, code) for code in (SECOND, FIRST, of_class, bens))
    assert codes_of(store, kept, False, "Anna") == [SECOND, FIRST]
    assert codes_of(store, kept, False) == [SECOND, FIRST, bens]
    assert codes_of(store, kept, True) == [of_class]
    assert codes_of(store, other, False) == []


def test_a_glance_is_coded_once_by_each_and_the_last_can_be_taken_back(store: LessonStore, lesson: MakeLesson) -> None:
    kept = store.add(lesson())
    assert add_code(store, kept, FIRST) and not add_code(store, kept, FIRST)
    assert add_code(store, kept, SECOND)
    assert take_back_code(store, kept, False, "Anna") and codes_of(store, kept, False) == [FIRST]
    assert not take_back_code(store, kept, False, "Ben") and not take_back_code(store, kept, True, "Anna")
    store.delete(kept)
    assert codes_of(store, kept, False) == []


def test_files_of_earlier_versions_are_taken_over_and_go(file_store: LessonStore, lesson: MakeLesson) -> None:
    kept = file_store.add(lesson())
    assert file_store.file is not None
    folder = file_store.file.with_name("lessons-codes")
    folder.mkdir()
    (folder / "1.csv").write_text(FORM, encoding="utf-8")
    (folder / "1-class.csv").write_text(FORM.replace(",1,", ",class,").replace("20,40.5,0:20–0:40,2,there,,Anna\n", ""))
    add_code(file_store, kept, Code("Anna", 1, 0.0, 20.0, "here", 2))  # as if it had been broken off before
    again = LessonStore(file_store.name)
    assert codes_of(again, kept, False) == [FIRST, Code("Anna", 2, 20.0, 40.5, "there", None)]
    assert [code.seat for code in codes_of(again, kept, True)] == [WHOLE_CLASS]
    assert not folder.exists()


@pytest.mark.parametrize(
    "text",
    [
        FORM.replace(",", ";"),
        FORM + "x,y\n",
        FORM + "1,2,0:01,1,there,high,Anna\n",
        "\ud800".encode("utf-8", "replace").decode(),
    ],
)
def test_a_file_that_is_none_of_ours_stays_until_its_lesson_goes(
    file_store: LessonStore, lesson: MakeLesson, text: str
) -> None:
    kept = file_store.add(lesson())
    assert file_store.file is not None
    path = file_store.file.with_name("lessons-codes") / "1.csv"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    again = LessonStore(file_store.name)
    assert path.read_text(encoding="utf-8") == text and codes_of(again, kept, False) == []
    again.delete(kept)
    assert not path.parent.exists()
