"""What whoever runs a server by REST relies on: limits, overload, who goes away, the log, counters, health, tokens."""

import asyncio
import logging

import httpx
import pytest

from ostinato.serving import ModelServer, ServingError
from ostinato.serving.rest import rest_application

TOY = "/v1/models/toy"


def test_a_body_that_is_too_long_is_refused_whether_it_says_so_or_not(ask, application):
    async def endless():
        while True:
            yield b"[" * 65536

    announced = ask(application, "POST", f"{TOY}:predict", b" " * 300_000)
    assert (announced.status_code, announced.headers["connection"]) == (413, "close")
    assert "more than 262144 bytes" in announced.json()["error"]
    length = ask(application, "POST", f"{TOY}:predict", b"{}", **{"content-length": "1" * 40})
    assert length.status_code == 413

    async def send():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(f"{TOY}:predict", content=endless())

    assert asyncio.run(send()).status_code == 413


def test_a_body_that_does_not_come_is_given_up(application):
    async def slow():
        yield b'{"instances":'
        await asyncio.sleep(3)
        yield b"[1]}"

    async def send():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(f"{TOY}:predict", content=slow())

    response = asyncio.run(send())
    assert response.status_code == 408
    assert "did not come within 0.3 s" in response.json()["error"]


def test_overload_is_answered_with_when_to_come_back(ask, server, application, monkeypatch):
    def full(*_, **__):
        raise ServingError("UNAVAILABLE", "256 requests wait already; try again later", 2.4)

    monkeypatch.setattr(server, "submit", full)
    response = ask(application, "POST", f"{TOY}:predict", {"instances": [1]})
    assert response.status_code == 503
    assert response.headers["retry-after"] == "3"
    assert response.json() == {"error": "256 requests wait already; try again later"}


def test_a_fault_of_the_server_is_no_secret_of_it(server, monkeypatch):
    def fault(*_, **__):
        raise ZeroDivisionError("/home/somebody")

    monkeypatch.setattr(server, "submit", fault)
    application = rest_application(server)

    async def send():
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(f"{TOY}:predict", json={"instances": [1]})

    response = asyncio.run(send())
    assert (response.status_code, response.json()) == (500, {"error": "the server failed on this request"})


def test_a_client_that_goes_away_takes_its_request_back(server, application, monkeypatch):
    forgotten = []

    async def never(*_, **__):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            forgotten.append(True)
            raise

    monkeypatch.setattr(server, "predict_of", never)
    messages = [{"type": "http.request", "body": b'{"instances": [1]}'}, {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": f"{TOY}:predict", "headers": [], "query_string": b""}
    asyncio.run(asyncio.wait_for(application(scope, receive, send), 5))
    assert (forgotten, sent) == ([True], [])
    with server.use("toy") as served:
        assert served.num_uses == 1


def test_one_line_is_logged_for_each_request(ask, application, caplog):
    caplog.set_level(logging.INFO, "ostinato")
    ask(application, "POST", f"{TOY}:predict?secret=1", {"instances": [1]})
    ask(application, "GET", f"{TOY}/" + "a" * 1000)
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith(f"POST {TOY}:predict 200 ")
    assert len(second) < 250


def test_requests_are_counted_for_prometheus(ask, application):
    before = ask(application, "GET", "/metrics").text
    ask(application, "POST", "/v1/models/made-up:predict", {"instances": [1]})
    ask(application, "POST", f"{TOY}:predict", {"instances": [1]})
    page = ask(application, "GET", "/monitoring/prometheus/metrics").text
    assert 'ostinato_serve_requests_total{api="rest",code="OK",model="toy"}' in page
    assert "made-up" not in page  # or anybody could make as many counters as they like
    assert 'ostinato_serve_batch_rows_bucket{le="1.0",model="toy"' in page
    assert before != page


def test_it_is_alive_and_ready_when_all_models_are_loaded(ask, server, application, tmp_path):
    assert ask(application, "GET", "/healthz").json() == {"status": "alive"}
    assert ask(application, "GET", "/readyz").status_code == 200
    loading = rest_application(ModelServer({"toy": tmp_path}))
    assert ask(loading, "GET", "/healthz").status_code == 200
    assert ask(loading, "GET", "/readyz").status_code == 503


def test_a_token_is_asked_for_everywhere_but_at_the_health(ask, server):
    application = rest_application(server, token="open sesame")
    for headers in ({}, {"authorization": "Bearer sesame"}, {"authorization": "Basic open sesame"}):
        response = ask(application, "GET", TOY, **headers)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
        assert "error" in response.json()
    assert ask(application, "GET", "/metrics").status_code == 401
    assert ask(application, "GET", "/healthz").status_code == 200
    assert ask(application, "GET", TOY, authorization="bearer open sesame").status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8501", 200), ("127.0.0.1", 200), ("[::1]:8501", 200), ("ours:80", 200), ("evil.example", 403)],
)
def test_a_local_server_answers_to_its_own_names_only(ask, server, host, status):
    assert ask(rest_application(server, hosts={"ours"}), "GET", TOY, host=host).status_code == status
