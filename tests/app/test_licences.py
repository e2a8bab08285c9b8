"""The terms of an installation: what packages say of themselves in their various ways, and what the cards say."""

import json
import re
from email.message import Message

import pytest

from roomread.app import licences
from roomread.app.licences import UNKNOWN, licence_of, needed
from roomread.cli.main import main
from roomread.modelcard import WEIGHTS


@pytest.fixture(scope="module")
def found():
    return {terms.name: terms for terms in licences.licences()}


def about(**fields):
    """A package's own description."""
    message = Message()
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            message[name.replace("_", "-")] = value
    return message


@pytest.mark.parametrize(
    ("description", "licence"),
    [
        (about(License_Expression="MIT", License="all rights reserved"), "MIT"),
        (about(License="BSD 3-Clause", Classifier="License :: OSI Approved :: BSD License"), "BSD 3-Clause"),
        (
            about(License="Copyright\nand so on", Classifier=["License :: OSI Approved :: BSD License", "Topic :: X"]),
            "BSD License",
        ),
        (about(Classifier=["License :: OSI Approved :: A", "License :: OSI Approved :: B"]), "A, B"),
        (about(License="Copyright\nand so on", Classifier="Topic :: Software Development"), UNKNOWN),
        (about(), UNKNOWN),
    ],
)
def test_the_most_exact_that_a_package_says_of_its_licence_is_told_and_nothing_is_guessed(description, licence):
    assert licence_of(description) == licence


def test_packages_are_followed_to_what_they_need_in_turn_and_say_for_what(found):
    assert found["fastapi"].needed_by == "base" and found["starlette"].needed_by == "base"  # which fastapi needs
    assert found["pytest"].needed_by == "dev" and found["pluggy"].needed_by == "dev"
    assert "roomread" not in found


def test_an_extra_that_is_not_installed_whole_is_left_out(monkeypatch):
    there = licences.version
    monkeypatch.setattr(licences, "version", lambda name: None if name == "pytest" else there(name))
    assert {terms.needed_by for terms in licences.licences()} >= {"base", "weights", "demo"}
    assert "dev" not in {terms.needed_by for terms in licences.licences()}


def test_what_an_extra_adds_is_only_what_the_base_does_not_need():
    base, extra = ({each.name for each in needed("roomread", part)} for part in ("", "demo"))
    assert "numpy" in base and extra == {"scikit-image"}


def test_nothing_that_the_base_install_needs_stands_under_gpl_or_agpl_alone(found):
    """But for the parts of FFmpeg inside PyAV's wheel, which are named as such."""
    packages = [terms for terms in found.values() if terms.needed_by == "base" and terms.name != "FFmpeg inside av"]
    assert len(packages) > 20
    for terms in packages:
        assert terms.licence != UNKNOWN
        assert " OR " in terms.licence or not re.search(r"(?<!L)GPL|(?<!Lesser )General Public", terms.licence)


def test_the_ffmpeg_inside_pyav_is_told_with_its_strong_parts(found, monkeypatch):
    assert re.search("GPL", found["FFmpeg inside av"].licence)
    monkeypatch.setattr(licences, "ffmpeg", lambda: ("8.0", "LGPL version 3 or later", "--enable-libx264rgb"))
    assert licences._ffmpeg().licence == "LGPL version 3 or later"
    monkeypatch.setattr(licences, "ffmpeg", lambda: ("8.0", "GPL", "--enable-libx264 --enable-libx265"))
    assert licences._ffmpeg().licence == "GPL, with libx264 and libx265 (GPL-2.0-or-later)"


def test_every_network_is_listed_with_the_licence_of_its_card(found):
    for path in WEIGHTS.rglob("*.onnx"):
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        assert found[path.relative_to(WEIGHTS).as_posix()].licence == card["licence"] != UNKNOWN
    assert "research only" in found["research/glance.json"].licence


def test_the_command_prints_a_line_for_each_or_json(capsys):
    assert main(["licences"]) == 0
    assert re.search(r"^numpy +\d\S* +base +BSD-3-Clause", capsys.readouterr().out, re.MULTILINE)
    assert main(["licences", "--json"]) == 0
    assert {"name", "version", "licence", "needed_by"} == set(json.loads(capsys.readouterr().out)[0])
