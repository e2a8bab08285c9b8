"""Who may ask, and who is refused."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from roomread.app.studio import Studio
from roomread.app.web.guard import LARGEST_BODY, hosts_of
from roomread.app.web.server import WebSettings, make_app


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:9999", "localhost.evil.example:8642", ""])
def test_another_name_for_this_machine_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "roomread" not in answer.text.splitlines()[0] or "printed" in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8642", "localhost:8642", "[::1]:8642"])
def test_this_machine_may_ask_under_each_of_its_own_names(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


def test_browsers_leave_out_the_usual_port_and_write_small_letters() -> None:
    assert hosts_of(("MySchool", "::1"), 443, True) == {"myschool", "myschool:443", "[::1]", "[::1]:443"}
    assert hosts_of(("MySchool",), 80, False) == {"myschool", "myschool:80"}
    assert hosts_of(("MySchool",), 80, True) == {"myschool:80"}


def pem(folder: Path) -> dict[str, Any]:
    (folder / "c.pem").touch()
    return {"certificate": folder / "c.pem", "key": folder / "c.pem"}


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_the_usual_port_of_one_scheme_is_no_other_schemes(studio: Studio, tmp_path: Path, scheme: str) -> None:
    settings = WebSettings(host="MySchool", port=443, **pem(tmp_path))
    client = TestClient(make_app(studio, settings, 443, "secret"), "https://myschool")
    own = {"authorization": "Bearer secret", "origin": f"{scheme}://myschool"}
    assert client.get("/lessons", headers=own).status_code == (200 if scheme == "https" else 403)


def test_on_every_address_the_machines_name_and_the_address_asked_are_answered(studio: Studio, tmp_path: Path) -> None:
    settings = WebSettings(host="0.0.0.0", **pem(tmp_path))
    client = TestClient(make_app(studio, settings, 8642, "secret"), "https://192.0.2.7:8642")
    here = socket.gethostname().lower()
    for host in ("192.0.2.7:8642", f"{here}:8642", f"{here}.local:8642", "127.0.0.1:8642"):
        assert client.get("/login", headers={"host": host}).status_code == 200, host
    for host in ("evil.example:8642", "192.0.2.8:8642", "0.0.0.0:8642"):
        assert client.get("/login", headers={"host": host}).status_code == 421, host
    guard = make_app(studio, settings, 8642, "secret")
    both = {"type": "http", "path": "/login", "scheme": "https", "method": "GET", "server": ("::ffff:192.0.2.7", 8642)}
    assert guard.refusal(both, {"host": "192.0.2.7:8642"}) is None  # by a socket that listens on both families


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=lambda headers: "=".join(*headers.items()),
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_requests_of_other_sites_are_refused(client: TestClient, method: str, headers: dict[str, str]) -> None:
    answer = client.request(method, "/api/lessons", headers=headers)
    assert answer.status_code == 403
    assert "other sites" in answer.text


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {}], ids=["foreign", "none"])
def test_a_websocket_of_another_site_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect("ws://127.0.0.1:8642/api/live/view", headers=headers),
    ):
        pass
    assert refused.value.code == 4403


def test_every_answer_says_that_nothing_may_come_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/nothing", "/static/app.css"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_a_large_body_is_refused_before_it_is_read(client: TestClient) -> None:
    answer = client.post("/login", content=b"x" * (LARGEST_BODY + 1))
    assert answer.status_code == 413

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1000

    assert client.post("/login", content=endless()).status_code == 413


def test_without_the_token_nothing_is_told(guarded: Callable[..., TestClient]) -> None:
    assert guarded().get("/").status_code == 401
    opened = guarded(accept="text/html").get("/")
    assert opened.status_code == 401 and '<a href="/login">' in opened.text
    assert guarded(authorization="Bearer wrong").get("/api/lessons").status_code == 401
    assert guarded(authorization="Bearer secret").get("/").status_code == 200
    assert guarded(cookie="roomread=secret").get("/").status_code == 401
    assert guarded(authorization="Bearer \xff".encode("latin-1")).get("/").status_code == 401
    assert guarded(cookie="other=1; roomread=secre").get("/").status_code == 401


def test_the_token_is_exchanged_for_a_cookie_that_scripts_cannot_read(guarded: Callable[..., TestClient]) -> None:
    client = guarded()
    assert client.get("/login").status_code == 200
    assert client.post("/login", data={"token": "wrong"}).status_code == 401
    answer = client.post("/login", data={"token": "secret"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert client.get("/").status_code == 200


def test_beyond_this_machine_a_certificate_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be encrypted"):
        WebSettings(host="0.0.0.0")
    with pytest.raises(ValueError, match="belong together"):
        WebSettings(certificate=tmp_path / "c.pem")
    with pytest.raises(ValueError, match="no file"):
        WebSettings(host="0.0.0.0", certificate=tmp_path / "c.pem", key=tmp_path / "k.pem")


def test_what_does_not_exist_is_told_in_words(client: TestClient) -> None:
    page = client.get("/nothing")
    assert page.status_code == 404 and "There is no such page" in page.text
    assert client.get("/api/nothing").json() == {"error": "There is no such page."}


def test_the_page_for_programs_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/api/docs").text
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    assert client.get("/static/api/swagger-ui-bundle.js").status_code == 200
    assert client.get("/api/openapi.json").json()["info"]["title"] == "roomread"


def test_a_token_may_have_any_letters(studio: Studio) -> None:
    client = TestClient(make_app(studio, WebSettings(), 8642, "pässword-€-long"), "http://127.0.0.1:8642")
    for token, status in (("pässword-€-long", 200), ("pässword-€-lone", 401)):
        assert client.get("/", headers={b"authorization": f"Bearer {token}".encode()}).status_code == status
