import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from roomread.cli import analyze
from roomread.cli.main import main, make_parser


@pytest.fixture
def clip(tmp_path, write_video):
    return write_video(tmp_path / "class.mp4", [np.full((90, 160, 3), 120, np.uint8)] * 10, 10)


@pytest.fixture
def db(tmp_path):
    return tmp_path / "lessons.sqlite"


@pytest.fixture
def run(db, capsys):
    """Run a command with a store of the test's own; return exit code, what it printed, and what it said beside."""

    def run(line, *more):
        code = main([*shlex.split(line), *(str(word) for word in more), "--db", str(db)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


COMMANDS = (
    "demo",
    "analyze",
    "batch",
    "lessons",
    "report",
    "export",
    "delete",
    "retention",
    "structure",
    "mappings",
    "code",
    "agreement",
    "calibrate",
    "watch",
    "live",
    "serve",
    "check",
    "doctor",
    "licences",
    "store",
    "data",
    "augment",
    "model",
    "train",
    "evaluate",
    "predict",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_ends_in_an_example(command, capsys):
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    assert re.search(rf"\nexample: roomread {command}( \S.*)?\n$", capsys.readouterr().out)


def test_every_command_has_its_help_tested():
    page = make_parser().format_help()
    assert re.findall(r"^    (\w+)(?: |$)", page, re.MULTILINE) == list(COMMANDS)


def test_an_empty_argument_is_no_path(capsys):
    with pytest.raises(SystemExit) as left:
        main(["check", ""])
    assert left.value.code == 2
    assert "an argument is empty" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_an_output_that_is_full_is_told():
    command = [sys.executable, "-c", "from roomread.cli.main import run; run()", "mappings"]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=buffered)
    assert done.returncode == 1
    assert done.stderr == "roomread: The output cannot be used: No space left on device.\n"


def test_without_a_command_the_commands_are_listed(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out == make_parser().format_help()


def test_wrong_use_exits_with_2(capsys):
    with pytest.raises(SystemExit) as left:
        main(["analyze"])
    assert left.value.code == 2


def test_a_video_with_boxes_never_takes_the_place_of_another(run, clip, tmp_path):
    code, out, _ = run("analyze --json --annotate --purpose research --out", tmp_path, clip, clip)
    videos = [lesson["files"]["annotated"] for lesson in json.loads(out)["lessons"]]
    assert code == 0 and len(set(videos)) == 2 and all(Path(video).stat().st_size for video in videos)


def test_analyze_prints_the_lesson_at_a_glance_and_writes_what_out_asks_for(run, clip, tmp_path):
    code, out, _ = run("analyze --purpose research --out", tmp_path / "results", clip)
    assert code == 0
    assert "lesson 1: class, 1 s, 5 frames, complete" in out
    assert "engagement not known: no face has a score" in out
    names = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert names == ["class-1-class.csv", "class-1-class.dictionary.json", "class-1-report.html"]


def test_json_is_one_object_with_null_for_unknown(run, clip):
    code, out, _ = run("analyze --json --fps native --purpose research --reference R1", clip)
    summary = json.loads(out)["lessons"][0]
    assert code == 0
    assert summary["engagement"] is None
    assert summary["frames"] == 10
    assert summary["single_seats"] == []


def test_one_bad_source_among_good_ones_is_named_and_the_others_are_done(run, clip, tmp_path):
    code, out, err = run("analyze --json --purpose research", tmp_path / "absent.mp4", clip)
    answer = json.loads(out)
    assert code == 1
    assert len(answer["lessons"]) == 1
    assert "does not exist" in answer["failed"][str(tmp_path / "absent.mp4")]
    assert "does not exist" in err


def test_lessons_report_export_and_delete_take_one_through_a_lessons_life(run, clip, tmp_path):
    assert run("lessons")[2].startswith("There is no lesson yet.")
    run("analyze --purpose research --name Monday", clip)
    assert "Monday" in run("lessons")[1]
    assert json.loads(run("lessons --json")[1])[0]["name"] == "Monday"
    assert run("report Monday -o", tmp_path / "r.html") == (0, f"{tmp_path / 'r.html'}\n", "")
    for form in ("csv", "parquet", "json"):
        code, out, _ = run(f"export 1 --to {form} --out", tmp_path)
        assert code == 0
        assert all((tmp_path / line.rsplit("/")[-1]).exists() for line in out.split())
    assert run("delete 1")[:2] == (0, "deleted lesson 1: Monday\n")
    assert run("report 1")[0] == 1


def test_an_error_is_one_line_without_a_traceback_and_exits_with_1(run, tmp_path):
    code, out, err = run("analyze --purpose research", tmp_path / "absent.mp4")
    assert (code, out) == (1, "")
    assert err.startswith("roomread: ") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("analyze --fps 0 --purpose demo x.mp4", "fps must be at least 0.001"),
        ("demo --seconds 0.5", "`seconds` must be from 1 to 7200"),
        ("demo --seed -1", "seed"),
        ("analyze --purpose research --reference ' ' x.mp4", "The reference is empty"),
        ("analyze x.mp4", "A purpose is needed"),
        ("analyze --purpose demo --mapping nonsense x.mp4", "There is no mapping"),
        ("report 9", "no lesson '9'"),
    ],
)
def test_a_mistake_is_told_in_words(run, line, words):
    code, _, err = run(line)
    assert code == 1
    assert words in err


def test_the_first_run_says_what_the_tool_may_be_used_for(run, clip):
    assert "Article 5(1)(f)" in run("analyze --purpose research", clip)[2]
    assert "Article 5(1)(f)" not in run("analyze --purpose research", clip)[2]


def test_single_seats_are_refused_on_the_command_line_too(run, clip, tmp_path):
    run("analyze --purpose self-study", clip)
    code, _, err = run("export last --to csv --table seats --out", tmp_path / "tables")
    assert code == 1
    assert "are refused" in err
    assert not (tmp_path / "tables").exists()


def test_an_output_folder_that_cannot_be_written_is_told_before_anything_is_stored(run, clip, db, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = run("analyze --purpose research --out", tmp_path / "file", clip)
    assert code == 1
    assert err.startswith("roomread: ") and err.count("\n") == 1
    assert "cannot be written" in err
    assert not db.exists()


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("1:30", 90), ("1:00:01.5", 3601.5)])
def test_times_are_read_as_seconds_or_with_colons(text, seconds):
    assert analyze._time(text) == seconds


def test_what_is_no_time_is_told_with_what_is_one(capsys):
    with pytest.raises(SystemExit):
        main(["analyze", "x.mp4", "--start", "abc"])
    assert (
        "expected seconds, m:ss or h:mm:ss from the start of the recording. Received: 'abc'" in capsys.readouterr().err
    )


def test_a_stopped_run_keeps_its_lesson_and_exits_with_130(run, clip, monkeypatch):
    from roomread.app import observing

    real = getattr(observing, "observe")  # noqa: B009

    def observe(frames, *rest):
        seen = real(frames, *rest)
        yield next(seen)
        raise KeyboardInterrupt

    monkeypatch.setattr(observing, "observe", observe)
    code, out, err = run("analyze --purpose research", clip)
    assert code == 130
    assert "stopped" in out
    assert "what was seen until then is kept" in err


def test_ctrl_c_before_the_first_frame_ends_the_command_and_tells_what_was_done(run, clip, tmp_path, monkeypatch):
    from roomread.app import observing

    real, calls = getattr(observing, "observe"), []  # noqa: B009

    def observe(frames, *rest):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        yield from real(frames, *rest)

    monkeypatch.setattr(observing, "observe", observe)
    code, out, err = run("analyze --purpose research --json", clip, clip, clip)
    assert (code, len(calls)) == (130, 2)
    assert len(json.loads(out)["lessons"]) == 1 and json.loads(out)["failed"] == {}
    assert "stopped" in err


def test_the_end_of_input_at_the_question_for_the_purpose_is_an_answer(run, clip, monkeypatch):
    def end(_):
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", end)
    code, _, err = run("analyze", clip)
    assert code == 1 and "A purpose is needed" in err


def test_serving_where_recordings_cannot_lie_is_told_in_words(run, tmp_path):
    (tmp_path / "lessons.sqlite-recordings").touch()
    code, _, err = run("serve --no-browser --port 0")
    assert code == 1 and err.startswith("roomread: ") and "cannot be made" in err


def test_the_base_import_loads_no_heavy_library():
    code = "import sys, roomread, roomread.cli.main; print([m for m in sys.modules if m in sys.argv[1:]])"
    heavy = ("keras", "tensorflow", "torch", "pandas", "onnxruntime", "av", "sqlalchemy", "PIL", "numpy")
    done = subprocess.run([sys.executable, "-c", code, *heavy[:-1]], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
