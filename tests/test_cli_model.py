import argparse

import pytest

from roomread.cli.learn import _EpochBars
from roomread.cli.model import add_commands
from roomread.errors import SettingsError

pytestmark = pytest.mark.learn


@pytest.fixture
def run():
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())

    def run(*words):
        options = parser.parse_args([str(word) for word in words])
        return options.run(options)

    return run


def test_model_prints_the_layers_and_draws_them(run, capsys, tmp_path):
    assert run("model", "baseline", "--out", tmp_path / "baseline.png") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "baseline: 32,116,743 parameters, 260,062,208 multiply-adds a face"
    assert any(line.split()[-2:] == ["31,720,448", "31,719,424"] for line in lines)
    assert lines[-1] == str(tmp_path / "baseline.png")
    assert (tmp_path / "baseline.png").read_bytes().startswith(b"\x89PNG")


def test_a_network_with_ways_round_is_drawn_with_each_of_them(run, capsys, tmp_path):
    assert run("model", "compact", "--out", tmp_path / "compact.svg") == 0
    assert "compact: 1,236,775 parameters" in capsys.readouterr().out
    assert (tmp_path / "compact.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("huge",), "no model 'huge'. Expected one of: compact, large, tiny, baseline"),
        (("tiny", "--out", "x.doc"), "x.doc is no figure"),
    ],
)
def test_a_mistake_is_told_in_words(run, words, message):
    with pytest.raises(SettingsError, match=message):
        run("model", *words)


def test_a_bar_gives_way_to_the_line_of_its_epoch(capsys):
    with _EpochBars() as bars:
        for epoch in (1, 2):
            for share in (0.5, 1.0):
                bars.progress(epoch, share)
            bars.say(f"epoch {epoch}")
    assert capsys.readouterr().err.split("\n") == ["epoch 1", "epoch 2", ""]
