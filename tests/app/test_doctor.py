"""What the doctor finds, in a sound installation and in one with a part broken."""

import shutil

import pytest

from roomread.app import doctor, licences
from roomread.cli.main import main
from roomread.modelcard import WEIGHTS
from roomread.watch.cameras import Camera


def found(db):
    return {finding.part: finding for finding in doctor.examine(db)}


def test_a_sound_installation_has_nothing_bad_and_looking_makes_no_store(tmp_path):
    findings = found(tmp_path / "none.sqlite")
    assert [finding for finding in findings.values() if finding.state == "bad"] == []
    assert "each ran" in findings["weights"].what
    assert "h264" in findings["video"].what
    assert not (tmp_path / "none.sqlite").exists()


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A copy of the published networks that may be broken."""
    for path in WEIGHTS.glob("expression*"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(doctor, "WEIGHTS", tmp_path)
    return tmp_path


def test_a_network_that_was_changed_is_bad(weights):
    path = weights / "expression.onnx"
    path.write_bytes(path.read_bytes() + b"0")
    finding = found(weights / "store.sqlite")["weights"]
    assert (finding.state, finding.remedy) == ("bad", "Install roomread again")
    assert "is not the one that its card describes" in finding.what


def test_a_network_without_a_card_is_bad(weights):
    (weights / "expression.json").unlink()
    assert found(weights / "store.sqlite")["weights"].state == "bad"


def test_a_missing_package_of_the_base_is_bad_and_one_of_an_extra_is_a_note(monkeypatch, tmp_path):
    there = licences.version
    monkeypatch.setattr(doctor, "version", lambda name: None if name in ("pandas", "keras") else there(name))
    findings = found(tmp_path / "store.sqlite")
    assert (findings["packages"].state, findings["packages"].what) == ("bad", "missing: pandas")
    assert (findings["extra learn"].state, findings["extra learn"].what) == ("note", "not installed: keras")
    assert 'pip install "roomread[learn]"' in findings["extra learn"].remedy


def test_a_video_decoder_that_is_missing_is_bad(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "DECODERS", ("h264", "betamax"))
    assert found(tmp_path / "store.sqlite")["video"].what == "cannot decode: betamax"


def test_cameras_are_listed_as_commands_name_them(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "list_cameras", lambda: [Camera("Room 3", "/dev/video0", word="camera:0")])
    assert found(tmp_path / "store.sqlite")["cameras"].what == "camera:0 (Room 3)"


def test_what_is_no_store_and_a_full_disk_are_bad_and_the_command_exits_with_1(monkeypatch, tmp_path, capsys):
    (tmp_path / "store.sqlite").write_bytes(b"no store at all" * 100)
    monkeypatch.setattr(doctor, "ROOM", 10**30)
    assert main(["doctor", "--db", str(tmp_path / "store.sqlite")]) == 1
    out = capsys.readouterr().out
    assert "BAD   store: " in out
    assert "BAD   disk of the store: " in out
    assert "Traceback" not in out
