"""A real scorer process: questions, swaps under load, a Kafka that is away, bad requests."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import httpx
import pytest

from hotpath.clock import SECOND, Clock
from hotpath.contract.row import row_function
from serve.http import MOST_BYTES
from tests.conftest import until
from tests.integration.serve import bundles
from tests.integration.serve.conftest import Host, Running, ended, scorer_process

INFER = "/v2/models/things/infer"


def expected(kind: str, number: int, asked_at: int) -> float:
    """What the model of that kind says to question `number`, asked then."""
    row = {**bundles.event(number), "event_time": asked_at, "due_at": bundles.START + 400 * SECOND}
    return bundles.model(kind)(row_function(bundles.contract(kind))(row)).score


def test_an_answer_names_its_generation_and_echoes_the_id(scorer: Running) -> None:
    answer = scorer.ask(7)
    said = answer["parameters"]
    assert answer["id"] == "q7"
    assert answer["model_version"] == str(said["sequence"])
    assert said["fingerprint"] == bundles.contract("numbers").fingerprint
    assert len(said["prediction_ids"]) == 1
    (score,) = answer["outputs"][0]["data"]
    assert score == expected("numbers", 7, said["asked_at"])
    assert answer["outputs"][1]["data"] == ["decline" if score >= said["threshold"] else "accept"]


def test_kafka_is_away_and_no_answer_waits_for_it(scorer: Running) -> None:
    clock = Clock()
    with socket.socket() as nobody, pytest.raises(ConnectionRefusedError):
        nobody.connect(("127.0.0.1", int(scorer.host.environment["HOTPATH__KAFKA__ONPREM__PORT"])))
    slowest = 0.0
    for number in range(300):
        start = clock.elapsed()
        scorer.ask(number)
        slowest = max(slowest, clock.elapsed() - start)
    assert slowest < 1.0


def test_models_and_health_are_described_as_the_protocol_says(scorer: Running) -> None:
    model = scorer.http.get("/v2/models/things").json()
    assert {"name": "due_at", "datatype": "BYTES", "shape": [-1]} in model["inputs"]
    assert [o["name"] for o in model["outputs"]] == ["score", "decision"]
    assert scorer.http.get("/v2/health/live").json() == {"live": True, "ready": True}
    assert scorer.http.get("/v2/health/ready").json() == {"live": True, "ready": True}
    assert scorer.http.get("/v2/models/things/ready").json()["ready"] is True
    page = scorer.http.get("/metrics").text
    assert 'hotpath_live_sequence{pipeline="things"}' in page
    assert "hotpath_request_seconds_bucket" in page


def test_swaps_under_load_fail_nothing_and_mix_nothing(scorer: Running) -> None:
    first = scorer.live()
    kinds = {scorer.ask()["parameters"]["bundle"]: "numbers"}
    answers: list[tuple[int, httpx.Response]] = []
    stop = threading.Event()

    def customer(start: int) -> None:
        with httpx.Client(base_url=scorer.http.base_url, timeout=10) as client:
            number = start
            while not stop.is_set():
                answers.append((number % 60, client.post(INFER, json=bundles.request(number % 60))))
                number += 1

    customers = [threading.Thread(target=customer, args=(20 * i,)) for i in range(3)]
    for thread in customers:
        thread.start()
    for step, kind in enumerate(("categories", "numbers"), start=1):
        kinds[scorer.host.go_live(kind, first + step)] = kind
        until(lambda goal=first + step: scorer.live() == goal, "the worker points at the new generation")  # type: ignore[misc]
    stop.set()
    for thread in customers:
        thread.join()

    assert [r.status_code for _, r in answers if r.status_code != 200] == []
    bodies = [(number, json.loads(r.content)) for number, r in answers]
    assert {b["parameters"]["sequence"] for _, b in bodies} == set(range(first, first + 3))
    mixed = [b for number, b in bodies if not _fits(kinds, number, b)]
    assert mixed == []


def _fits(kinds: dict[str, str], number: int, body: dict[str, Any]) -> bool:
    said = body["parameters"]
    kind = kinds[said["bundle"]]
    same = said["fingerprint"] == bundles.contract(kind).fingerprint
    return same and bool(body["outputs"][0]["data"] == [expected(kind, number, said["asked_at"])])


def _changed(field: str, /, **changes: object) -> bytes:
    request = bundles.request(1)
    for tensor in request["inputs"]:
        if tensor["name"] == field:
            tensor.update(changes)
    return json.dumps(request).encode()


def _number(literal: bytes) -> bytes:
    return _changed("n01", data=["@"]).replace(b'"@"', literal)


GOOD = json.dumps(bundles.request(1)).encode()
BAD_FIELDS = {
    "NaN": ("n01", _number(b"NaN")),
    "1e999": ("n01", _number(b"1e999")),
    "number as text": ("n01", _changed("n01", data=["1.5"])),
    "true as a number": ("n01", _changed("n01", data=[True])),
    "an endless whole number": ("n01", _number(b"1" + b"0" * 400)),
    "unknown field": ("nope", _changed("n01", name="nope")),
    "missing field": ("due_at", _changed("due_at", name="event_time")),
    "null where none may be": ("thing_id", _changed("thing_id", data=[None])),
    "time without a zone": ("due_at", _changed("due_at", data=["2026-11-18T12:26:40"])),
    "wrong datatype": ("e3", _changed("e3", datatype="FP64")),
    "wrong shape": ("e3", _changed("e3", shape=[2])),
    "a batch of none": ("e3", _changed("e3", shape=[0], data=[])),
    "a batch over the limit": ("e3", _changed("e3", shape=[65], data=["a"] * 65)),
    "two tensors of a field": ("n02", _changed("n01", name="n02")),
    "no inputs": ("inputs", b'{"inputs": []}'),
    "unknown key": ("body", b'{"inputs": [], "event": {}}'),
}


@pytest.mark.parametrize(("field", "body"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_a_bad_field_is_named_and_its_value_never_echoed(scorer: Running, field: str, body: bytes) -> None:
    response = scorer.http.post(INFER, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert field in response.json()["error"]
    assert "1.5" not in response.text


BAD_BODIES = {
    "malformed": b'{"inputs": [',
    "empty": b"",
    "duplicate keys": b'{"inputs": [], "inputs": []}',
    "trailing bytes": GOOD + b"{}",
    "bad UTF-8": b'{"id": "\xff"}',
    "lone surrogate": b'{"id": "\\ud800"}',
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "5,000-digit integer": b'{"id": ' + b"7" * 5000 + b"}",
    "100,000 brackets": b"[" * 100_000,
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_body_that_is_no_strict_json_is_refused(scorer: Running, body: bytes) -> None:
    response = scorer.http.post(INFER, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert set(response.json()) == {"error"}


def test_a_body_over_the_limit_is_refused_before_it_is_read(scorer: Running) -> None:
    head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    port = int(scorer.host.environment["HOTPATH__SERVE__PORT"])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"{head}Content-Length: {10**9}\r\n\r\n".encode())
        assert b" 413 " in connection.recv(65536)


def test_a_streamed_body_over_the_limit_is_refused_while_it_comes(scorer: Running) -> None:
    chunks = (b"x" * 65536 for _ in range(MOST_BYTES // 65536 + 2))
    response = scorer.http.post(INFER, content=chunks, headers={"content-type": "application/json"})
    assert response.status_code == 413


def test_a_client_that_leaves_half_way_is_no_error_of_ours(scorer: Running) -> None:
    refused = 'hotpath_requests_total{status="400"}'
    before = metric(scorer, refused)
    head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    port = int(scorer.host.environment["HOTPATH__SERVE__PORT"])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    until(lambda: metric(scorer, refused) == before + 1, "the request is counted as the client's fault")
    assert metric(scorer, 'hotpath_requests_total{status="500"}') == 0


def metric(scorer: Running, name: str) -> float:
    """A number of /metrics; 0 where it is not there."""
    lines = scorer.http.get("/metrics").text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)), 0.0)


def test_a_port_that_is_taken_is_named_and_ends_the_start(host: Host) -> None:
    with socket.create_server(("127.0.0.1", int(host.environment["HOTPATH__SERVE__PORT"]))):
        assert ended(scorer_process(host)) == 1
    assert "expected an address that is free" in (host.folder / "scorer.log").read_text()


@pytest.mark.parametrize(
    ("method", "path", "kind", "status"),
    [
        ("POST", INFER, "text/plain", 415),
        ("POST", "/v2/models/other/infer", "application/json", 404),
        ("POST", "/v2/models/..%2f/infer", "application/json", 404),
        ("GET", "/nothing", "application/json", 404),
        ("GET", INFER, "application/json", 405),
    ],
)
def test_what_is_not_served_is_refused_in_one_shape(
    scorer: Running, method: str, path: str, kind: str, status: int
) -> None:
    response = scorer.http.request(method, path, content=GOOD, headers={"content-type": kind})
    assert response.status_code == status
    assert set(response.json()) == {"error"}


def test_a_batch_is_answered_row_by_row_by_one_generation(scorer: Running) -> None:
    request = bundles.request(1)
    for tensor in request["inputs"]:
        tensor.update(shape=[64], data=tensor["data"] * 64)
    answer = scorer.http.post(INFER, json=request).json()
    assert answer["outputs"][0]["shape"] == [64]
    assert len(set(answer["parameters"]["prediction_ids"])) == 64


def test_an_answer_is_as_old_as_its_model(scorer: Running) -> None:
    said = scorer.ask()["parameters"]
    assert said["age_s"] == (said["asked_at"] - bundles.START) / SECOND


def test_a_pipeline_that_comes_while_it_runs_is_served_without_a_restart(scorer: Running) -> None:
    others = "/v2/models/others"
    assert scorer.http.get(f"{others}/ready").status_code == 404
    made = bundles.contract("numbers", "others")
    bundles.send(
        scorer.host.log, bundles.sealed("numbers", scorer.host.key, made), 1, scorer.host.key, "others"
    )
    before = scorer.live()
    scorer.host.follow()
    until(lambda: scorer.http.get(f"{others}/ready").status_code == 200, "the new pipeline is served")
    answer = scorer.http.post(f"{others}/infer", json=bundles.request(1)).json()
    assert (answer["model_name"], answer["parameters"]["sequence"]) == ("others", 1)
    assert scorer.live() == before
