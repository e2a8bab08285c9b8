"""The options that say how frames are looked at."""

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from roomread.app.analyze import AnalyzeSettings
from roomread.cli.main import main
from roomread.cli.observing import add_looking, add_reading, settings_of
from roomread.errors import SettingsError


@pytest.fixture
def read(tmp_path):
    """A function that makes settings of a command line, and of a file where one is given."""

    def make(line, toml=None, **own):
        parser = argparse.ArgumentParser()
        add_looking(parser)
        add_reading(parser)
        if toml is not None:
            (tmp_path / "room.toml").write_text(toml)
            line += f" --settings {tmp_path / 'room.toml'}"
        return settings_of(AnalyzeSettings, parser.parse_args(line.split()), own)

    return make


def test_where_nothing_is_said_the_defaults_hold(read):
    assert read("", fps=None) == AnalyzeSettings()


def test_every_option_reaches_its_setting(read):
    made = read("--threads 3 --device cuda --smallest-face 12 --signals 0 --model m.onnx", fps=8.0)
    assert (made.threads, made.device, made.model, made.fps) == (3, "cuda", Path("m.onnx"), 8.0)
    assert made.detector.smallest_face == 12
    assert made.signals.rate == 0


def test_the_command_line_goes_before_the_file_and_leaves_the_rest_of_it(read):
    toml = 'fps = 2\nmodel = "a.onnx"\n[detector]\nthreshold = 0.6\nsmallest_face = 30\n[signals]\nrate = 4\n'
    made = read("--smallest-face 20", toml)
    assert (made.fps, made.model, made.signals.rate) == (2.0, Path("a.onnx"), 4.0)
    assert (made.detector.threshold, made.detector.smallest_face) == (0.6, 20.0)


def test_masks_of_the_command_line_come_to_those_of_the_file(read):
    made = read("--mask 0,0,0.5,1 --mask 0,0,1,0,1,1 --mask-px 3,4,50,60", "[masks]\nfractions = [[0.5, 0.5, 1, 1]]\n")
    assert made.masks.fractions == ((0.5, 0.5, 1, 1), (0, 0, 0.5, 1), (0, 0, 1, 0, 1, 1))
    assert made.masks.pixels == ((3, 4, 50, 60),)


@pytest.mark.parametrize(
    ("line", "toml", "words"),
    [
        ("--mask 0,0,2,1", None, "numbers from 0 to 1"),
        ("--threads 0", None, "threads must lie between 1 and 256"),
        ("--smallest-face -1", None, "smallest_face must lie between 1 and 1000"),
        ("", "[detector]\nwide = 3\n", "unknown setting 'wide'"),
        ("", "[masks]\nfractions = [[0, 1]]\n", "A mask must be a rectangle"),
    ],
)
def test_what_does_not_fit_is_told_in_words(read, line, toml, words):
    with pytest.raises(SettingsError, match=words):
        read(line, toml)


def test_a_zone_without_numbers_is_wrong_use(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["check", "x.mp4", "--mask", "left,top"])
    assert "expected numbers with commas between them. Received: 'left,top'" in capsys.readouterr().err


def test_the_example_of_settings_says_the_defaults_but_for_masks_and_the_smallest_face(read):
    example = (Path(__file__).parents[1] / "examples" / "room.toml").read_text(encoding="utf-8")
    made, default = read("", example), AnalyzeSettings()
    assert len(made.masks.fractions) == len(made.masks.pixels) == 1
    assert made.detector.smallest_face == 20
    assert replace(made, masks=default.masks, detector=default.detector, threads=default.threads) == default
    assert replace(made.detector, smallest_face=None) == default.detector
