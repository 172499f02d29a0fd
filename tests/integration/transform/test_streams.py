"""A running pipeline gains streams: the real stream job lands them too, from where their topics begin."""

from __future__ import annotations

from faults.stream_site import CONTRACT, StreamSite, stream_site
from hotpath.cli.lake import schemas
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.handoffs import topics
from hotpath.kafka import KafkaLog
from hotpath.kafka_admin import Admin
from hotpath.lake_check import check
from hotpath.settings import PROJECT
from tests import samples

STREAMS = """
streams:
  wind: {topic: weather.wind, fields: {station: {type: string}, gust: {type: double, nullable: true}}}
  risk: {topic: hotpath.scores.payments, fields: {entity: {type: string}, score: {type: double}}}
features:
"""
OLD = 30
"""Records of the wind that its topic had lost before anybody declared it."""


def gained() -> Contract:
    """The flights with two streams more."""
    folder = PROJECT / "config" / "pipelines"
    text = (folder / "flights.yaml").read_text().replace("\nfeatures:\n", STREAMS, 1)
    found = Contract.from_yaml(text, "flights.yaml", lambda name: (folder / name).read_text())
    assert found.events == load(folder / "flights.yaml").events
    return found


def send(site: StreamSite, topic: str, *values: bytes) -> None:
    log = KafkaLog(site.sent_to)
    for value in values:
        log.send(topic, value, b"k")
    assert log.flush(20) == 0


def test_streams_that_a_contract_gains_land_beside_what_landed_before() -> None:
    """events | the contract gains wind (older than its retention) and risk (new) | events, wind, risk"""
    contract = gained()
    with stream_site() as site:
        send(site, CONTRACT.events.topic, *(samples.raw(samples.event(n)) for n in range(5)))
        job = site.start_job()
        site.until(lambda: site.lake.counts()["events"] == 5, "the first events have landed", job)
        assert site.stop_job() == 0

        admin = Admin(site.address("cloud"))
        admin.ensure(topics([contract]), "cloud", 1)
        send(site, "weather.wind", *(b'{"station":"EWR","gust":1.0}' for _ in range(OLD)))
        admin.purge({("weather.wind", 0): OLD})
        Deployed(site.data / "deployed").put(contract)

        job = site.start_job()
        send(site, CONTRACT.events.topic, *(samples.raw(samples.event(n)) for n in range(5, 8)))
        send(site, "weather.wind", b'{"station":"JFK","gust":30.5}', b'{"station":"JFK","gust":null}', b"{")
        send(site, "hotpath.scores.payments", b'{"entity":"p-1","score":0.25,"decision":"accept"}')
        wanted = {"events": 8, "wind": 2, "risk": 1, "rejected": 1, "rejected.wind": 1, "purged": OLD}
        site.until(
            lambda: {name: site.lake.counts()[name] for name in wanted} == wanted, "streams have landed", job
        )
        assert site.stop_job() == 0
        assert check(site.lake, schemas(contract)).breaches == ()
        files = [file for manifest in site.lake.manifests() for file in manifest.files]
        folders = {file.dataset: file.path.split("/")[1] for file in files}
        assert folders["wind"] == f"schema={contract.source('wind').fingerprint[:16]}"
        wind = site.lake.read("wind", ["station", "gust", "offset"]).sort_by("offset").to_pylist()
        assert wind == [
            {"station": "JFK", "gust": 30.5, "offset": OLD},
            {"station": "JFK", "gust": None, "offset": OLD + 1},
        ]
        assert site.lake.read("risk", ["entity", "score"]).to_pylist() == [{"entity": "p-1", "score": 0.25}]
