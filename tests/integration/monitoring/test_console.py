"""The console in a real browser: it shows what the board has, follows it, and talks to nobody else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from hotpath.clock import DAY, HOUR, MINUTE, SECOND, Clock, Micros
from hotpath.handoffs import Announcement, HostClock, Receipt
from hotpath.local.ports import free_port
from hotpath.points import Number, Point
from hotpath.settings import PROJECT
from monitoring.board import Alarm, Board
from monitoring.console.app import MOST_READERS, Served, application, serve
from monitoring.console.rows import Known, hosts, models
from monitoring.console.snapshot import Elsewhere, snapshot
from monitoring.console.state import Snapshot
from monitoring.monitors import MONITORS
from tests.browser import Page, browser
from tests.conftest import until

SCREENSHOTS = PROJECT / ".hotpath" / "screenshots"
NOW: Micros = 1_795_252_800 * SECOND
VIRTUAL: Micros = 1_359_800_000 * SECOND
WRONG = {"jfk-hot-1": 10_800.0, "lga-hot-1": -3_600.0}
HOSTS = [*(f"{airport}-{n}" for airport in ("ewr", "jfk", "lga") for n in range(1, 5)), *WRONG]
QUALITY = {
    "answers": 24_310, "labelled": 9_120, "coverage": 0.375, "auc": 0.7012,
    "f1": 0.4411, "f2": 0.5123, "accuracy": 0.7431, "log_loss": 0.4967,
}  # fmt: skip


@dataclass
class Sample:
    """A board with a quarter of an hour of everything, and what the root would add."""

    board: Board = field(default_factory=lambda: Board(MONITORS))
    recent: list[Alarm] = field(default_factory=list)
    elsewhere: Elsewhere = field(default_factory=lambda: Elsewhere(VIRTUAL))
    now: Micros = NOW

    def say(self, measurement: str, tags: dict[str, str], **fields: Number) -> None:
        self.board.add(Point(measurement, tags, fields, self.now), self.now)

    def look(self) -> None:
        self.recent = [*reversed(self.board.look(self.now)), *self.recent]

    def snapshot(self) -> Snapshot:
        return snapshot(self.board, self.recent, self.now, self.elsewhere)


def fed() -> Sample:
    """900 s of a run with two wrong hosts; the line is silent at its end."""
    sample = Sample()
    for second in range(0, 901, 2):
        sample.now = NOW + second * SECOND
        say_everything(sample, second)
        if second % 30 == 0:
            say_clocks(sample, second)
            sample.look()
    sample.elsewhere = elsewhere()
    return sample


def say_everything(sample: Sample, second: int) -> None:
    wave = math.sin(second / 60)
    flights = {"pipeline": "flights"}
    sample.say(
        "scorer", {**flights, "scorer": "onprem-1:8080"}, requests=100, errors=0, degraded=0, dropped=0,
        request_us=640 + 80 * wave, features_us=55.0, model_us=82.0 + 4 * wave,
        model_age_s=(second * 60) % 7800, generation=1 + second // 130,
    )  # fmt: skip
    sample.say("stream", flights, rows=240, rejected=0, batch_s=1.3 + 0.2 * wave, behind=120)
    sample.say("mirror", {"topic": "flights.status"}, behind=max(0, int(40 * wave)))
    sample.say("line", {"site": "onprem"}, silence_s=1.0 if second < 880 else second - 870, difference_s=0.04)
    sample.say("freshness", {**flights, "of": "events"}, p50_s=2.1, p95_s=3.4 + wave)
    sample.say("freshness", {**flights, "of": "labels"}, p50_s=2.0, p95_s=3.1)
    sample.say("machine", {"site": "cloud", "machine": "cloud-1"}, cpu=61 + 20 * wave, memory=71, disk=38)
    sample.say("writer", {}, written=second * 20, refused=0, behind=14)


def say_clocks(sample: Sample, second: int) -> None:
    flights = {"pipeline": "flights"}
    for place, host in enumerate(HOSTS):
        wrong = WRONG.get(host, 0.0) if second >= 240 else 0.0
        sample.say(
            "clock", {**flights, "host": host}, count=40, offset_s=wrong + place / 10,
            bad=int(bool(wrong) and second >= 300), ahead=40 if wrong < 0 else 0,
        )  # fmt: skip
    flagged = 2 if second >= 300 else 0
    sample.say("clocks", flights, hosts=len(HOSTS), flagged=flagged, new=0, monitor_wrong=0, onprem_wrong=0)
    auc = 0.69 + second / 90_000
    sample.say("outcomes", {**flights, "by": "all", "group": "all"}, answers=second, coverage=0.375, auc=auc)
    sample.say("run", {**flights, "state": "promoted"}, seconds=74.0, auc=0.712, wrong_clock=318)
    sample.say("freshness", {**flights, "of": "model"}, p50_s=151.0, p95_s=151.0)


def elsewhere() -> Elsewhere:
    announced, receipts = [], []
    for n in range(1, 7):
        bundle, at = f"flights-2013-02-0{n}T06-{n:02}-11-{n}f3a", VIRTUAL - (7 - n) * 2 * HOUR
        why = "not worse than the live one"
        announced.append(Announcement("flights", bundle, "0" * 64, 1, 1, n, "promote", why, at))
        receipts.append(Receipt("flights", "onprem-1:8080", n, bundle, "live", "", at))
    by_model = {str(n): {"auc": 0.68 + n / 200, "labelled": 1500.0, "answers": 4000.0} for n in range(1, 7)}
    groups = {
        "model": by_model,
        "maturity": dict.fromkeys(("up to 1h", "1h to 3h", "3h to 6h", "6h or more"), QUALITY),
        "age": dict.fromkeys(("up to 1h", "1h to 3h"), QUALITY),
    }
    announced.append(
        Announcement("prices", "p1", "0" * 64, 1, 1, 1, "promote", "rmse 3.1000", VIRTUAL - HOUR)
    )
    known = {
        "flights": Known("auc", {a.bundle: {"auc": 0.712} for a in announced}, by_model),
        "prices": Known("rmse", {"p1": {"rmse": 3.1}}, {}),
    }
    outcomes = {
        "flights": {"metrics": ["auc", "f1", "f2", "accuracy", "log_loss"], "all": QUALITY, "by": groups},
        "prices": {"metrics": ["rmse", "mae"], "all": {**QUALITY, "rmse": 4.25, "mae": 2.5}, "by": {}},
    }
    rows = models(announced, receipts, known, VIRTUAL)
    return Elsewhere(VIRTUAL, 60.0, rows, hosts(map(ledger, HOSTS)), outcomes)


def ledger(host: str) -> HostClock:
    offset = int(WRONG.get(host, 0.3) * SECOND)
    state = "behind" if offset > MINUTE else "ahead" if offset < 0 else "good"
    bad: list[list[int | None]] = [[VIRTUAL - 3 * HOUR, None, offset]] if host in WRONG else []
    first = VIRTUAL - 31 * DAY
    return HostClock("flights", host, 2, state, offset, first, VIRTUAL - MINUTE, 5_120, bad, VIRTUAL)  # type: ignore[arg-type]


@pytest.fixture
def sample() -> Sample:
    return fed()


Console = Callable[[Callable[[], Snapshot]], Served]


@pytest.fixture
def console() -> Iterator[Console]:
    started: list[Served] = []

    def start(state: Callable[[], Snapshot]) -> Served:
        started.append(serve(application(state), "127.0.0.1", free_port(), Clock()))
        return started[-1]

    yield start
    for served in started:
        served.stop()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path) as opened:
        yield opened


def text(page: Page, selector: str) -> str | None:
    found = page.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? null")
    return None if found is None else " ".join(str(found).split())


def shows(page: Page, selector: str, expected: str) -> None:
    until(lambda: expected in (text(page, selector) or ""), f"{selector} shows {expected!r}", 20)


def test_the_page_shows_live_numbers_and_follows_them(console: Console, page: Page, sample: Sample) -> None:
    served = console(sample.snapshot)
    page.open(served.url)

    shows(page, "#stream", "live")
    shows(page, "[data-figure=request_rate] dd", "50 /s")
    shows(page, "[data-figure=line_silence] dd", "30 s")
    shows(page, "#models tbody tr", "flights 6 flights-2013-02-06")
    shows(page, "#models tbody tr", "live")
    shows(page, "#models tbody tr:last-child", "prices 1 p1 announced 1 h RMSE 3.100")
    shows(page, "#hosts tbody tr", "jfk-hot-1 behind +3 h")
    shows(page, "[data-alarm=host_flagged]", "warn")
    shows(page, "[data-alarm=host_flagged] [data-subject='flights/jfk-hot-1']", "for 10 min")
    shows(page, "#outcomes .scores", "0.701")
    shows(page, "#outcomes [aria-label='Live quality of prices']", "RMSE 4.250 MAE 2.500")
    shows(page, "[data-monitor=memory] .value", "71 %")
    until(lambda: page.evaluate("document.querySelectorAll('#charts canvas').length") == 6, "six charts")
    page.screenshot(SCREENSHOTS / "console.png")
    page.screenshot(SCREENSHOTS / "console-whole.png", whole=True)

    sample.now += SECOND
    sample.say("machine", {"site": "cloud", "machine": "cloud-1"}, cpu=61, memory=98, disk=38)
    sample.say("line", {"site": "onprem"}, silence_s=0.5)
    shows(page, "[data-monitor=memory] .value", "98 %")
    shows(page, "[data-figure=line_silence] dd", "0.5 s")

    page.paint("dark")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("document.querySelectorAll('#charts canvas').length") == 6
    page.screenshot(SCREENSHOTS / "console-dark.png")
    assert page.requested
    assert all(url.startswith(f"{served.url}/") for url in page.requested), page.requested
    assert page.errors == []


def test_with_nothing_to_show_the_page_says_so_in_words(console: Console, page: Page) -> None:
    page.open(console(Sample().snapshot).url)
    shows(page, "#stream", "live")
    shows(page, "#summary", "all quiet")
    shows(page, "#models", "No model yet")
    shows(page, "#hosts", "No host yet")
    shows(page, "#outcomes", "No outcome yet")
    shows(page, "#recent", "Nothing has begun")
    shows(page, "#chart-live_auc", "nothing measured yet")
    page.screenshot(SCREENSHOTS / "console-empty.png")
    assert page.errors == []


def test_a_lost_stream_is_said_and_comes_back(console: Console, page: Page, sample: Sample) -> None:
    served = console(sample.snapshot)
    page.open(served.url)
    shows(page, "#stream", "live")
    served.stop()
    shows(page, "#stream", "disconnected")
    again = serve(application(sample.snapshot), "127.0.0.1", int(served.url.rsplit(":", 1)[1]), Clock())
    try:
        shows(page, "#stream", "live")
    finally:
        again.stop()


def test_text_from_outside_is_shown_as_text(console: Console, page: Page, sample: Sample) -> None:
    host = "<img src=x onerror=alert(1)>"
    sample.say("clock", {"pipeline": "flights", "host": host}, count=1, offset_s=9.0, bad=1, ahead=0)
    sample.look()
    page.open(console(sample.snapshot).url)
    shows(page, "#recent", f"flights/{host}")
    assert page.evaluate("document.querySelectorAll('img[src=x]').length") == 0
    assert page.errors == []


def test_only_loopback_names_are_answered_and_only_to_get(console: Console) -> None:
    url = console(Sample().snapshot).url
    assert httpx.get(url).status_code == 200
    assert httpx.get(url, headers={"Host": "localhost:8090"}).status_code == 200
    for host in ("evil.example", "evil.example:8090", "127.0.0.1.evil.example", "", "[::1].evil"):
        assert httpx.get(url, headers={"Host": host}).status_code in (400, 421), host
    assert httpx.post(f"{url}/state.json").status_code == 405
    assert httpx.get(f"{url}/docs").status_code == httpx.get(f"{url}/../app.py").status_code == 404
    policy = httpx.get(url).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_stream_serves_many_and_forgets_who_has_left(console: Console) -> None:
    url = console(Sample().snapshot).url
    for _ in range(MOST_READERS + 5):
        with httpx.stream("GET", f"{url}/events") as stream:
            assert stream.status_code == 200
            data = next(line for line in stream.iter_lines() if line.startswith("data:"))
            assert json.loads(data.removeprefix("data:"))["now"] == NOW
