"""What observers coded at the pages."""

from __future__ import annotations

from collections.abc import Callable

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


def test_a_folder_of_somebody_s_own_beside_the_store_is_left_alone(file_store: LessonStore, lesson: MakeLesson) -> None:
    kept = file_store.add(lesson())
    assert file_store.file is not None
    path = file_store.file.with_name("lessons-codes") / "1.csv"
    path.parent.mkdir()
    path.write_text(FORM, encoding="utf-8")
    again = LessonStore(file_store.name)
    assert codes_of(again, kept, False) == []
    again.delete(kept)
    assert path.read_text(encoding="utf-8") == FORM
