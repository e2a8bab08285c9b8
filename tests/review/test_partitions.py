"""The data set that other programs read: one file for each lesson, whole or not there."""

import dataclasses

import duckdb
import fsspec
import polars
import pytest

from roomread.app.panel import find_mapping
from roomread.errors import MissingExtraError, OutputError, SettingsError
from roomread.review.partitions import Partitions
from roomread.store.privacy import Gate, allowance

SHARMA = find_mapping("sharma")


@pytest.fixture
def gate(lesson, readings):
    """A function that opens a lesson of six seats in ten seconds; its arguments replace what the lesson says."""

    def build(**changes):
        seen = readings(range(10), [(row, seat, "happy") for row in range(10) for seat in range(1, 7)])
        record = lesson(**changes)
        return Gate(record, allowance(record, 6), seen)

    return build


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_duckdb_and_polars_read_all_lessons_with_their_courses_and_days(tmp_path, gate):
    data = Partitions(str(tmp_path / "data"))
    data.write(gate(number=1, began="2026-03-12T09:15:00+01:00"), SHARMA, "Physics 1/a")
    data.write(gate(number=2, began="2026-03-13T09:15:00+01:00"), SHARMA, "Physics 1/a")
    data.write(gate(number=3), SHARMA, None)
    everything = f"{tmp_path}/data/**/*.parquet"
    found = duckdb.query(
        f"select lesson, course, cast(day as varchar), count(*) > 0, any_value(clock) is not null "
        f"from read_parquet('{everything}', hive_partitioning = true) group by all order by lesson"
    )
    assert found is not None and found.fetchall() == [
        (1, "Physics 1/a", "2026-03-12", True, True),
        (2, "Physics 1/a", "2026-03-13", True, True),
        (3, None, None, True, False),
    ]
    frame = polars.read_parquet(everything, hive_partitioning=True)
    assert frame.group_by("lesson").len().height == 3
    assert frame["engagement"].null_count() + frame["engagement"].is_nan().sum() < frame.height


def test_writing_again_takes_the_place_of_what_was_written_even_in_another_course(tmp_path, gate):
    Partitions(str(tmp_path)).write(gate(), SHARMA, "old")
    again = Partitions(str(tmp_path))
    again.write(gate(), SHARMA, "old")
    assert len(files(tmp_path)) == 1
    again.write(gate(), SHARMA, "new")
    assert files(tmp_path) == ["course=new/day=__HIVE_DEFAULT_PARTITION__/lesson-1.parquet"]


def test_any_file_system_of_fsspec_will_do(gate):
    Partitions("memory://classes").write(gate(), SHARMA, "a")
    found = fsspec.filesystem("memory").find("/classes")
    assert found == ["/classes/course=a/day=__HIVE_DEFAULT_PARTITION__/lesson-1.parquet"]


def test_too_few_seats_stay_hidden(tmp_path, gate):
    few = gate()
    few = dataclasses.replace(few, _readings=few._readings.of(few._readings.seats < 3))
    path = Partitions(str(tmp_path)).write(few, SHARMA, None)
    assert polars.read_parquet(path)["engagement"].drop_nulls().drop_nans().is_empty()


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        pytest.param("nonsense://x", SettingsError, "nonsense", id="no such kind"),
        pytest.param("s3://bucket/x", MissingExtraError, "s3fs", id="a package is missing"),
        pytest.param("{file}/x", OutputError, "cannot be written to", id="a file stands in the way"),
    ],
)
def test_a_folder_that_cannot_be_used_is_told_before_the_work(tmp_path, address, error, words):
    (tmp_path / "file").write_text("")
    with pytest.raises(error, match=words):
        Partitions(address.format(file=tmp_path / "file"))
