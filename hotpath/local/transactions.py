"""Root of the demonstration's client: fifty transactions a second, come what may.

    python -m hotpath.local.transactions

A transaction asks the scorer about a real flight of the next hours, takes its decision and logs it. It is
due at a fixed instant and its latency counts from there, so a scorer that stalls is not spared the questions
that it kept waiting. Starts when its model is first ready; ends on SIGTERM with every line written.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import orjson

from hotpath import deployed
from hotpath.clock import DAY, HOUR, SECOND, Clock, Micros
from hotpath.contract.model import Contract
from hotpath.contract.tensors import DATATYPES
from hotpath.errors import BadConfig, HotpathError, Unavailable
from hotpath.local.answers import SLOW_US
from hotpath.local.busy import Busy
from hotpath.local.report import quantile
from hotpath.progress import Progress
from hotpath.settings import Settings
from hotpath.settings import load as load_settings
from ingest import nycflights
from ingest.flights import Flights
from ingest.plan import resumed
from ingest.records import rfc3339

PIPELINE = "flights"
EVERY: Micros = SECOND // 50
AHEAD: Micros = 3 * HOUR
"""Flights that depart within this are asked about."""
IN_FLIGHT = 64
TIMEOUT_S = 4.0
"""An answer that takes longer has failed."""
KEPT_S = 15.0
"""Idle connections are let go before the scorer does it (30 s): no question meets a closing one."""
READY_EVERY_S = 0.1
QUESTIONS_EVERY_S = 5
RECENT = 20_000
"""The transactions that the shown percentiles are about."""

log = logging.getLogger("transactions")


@dataclass
class Counts:
    """What the console shows; the report counts the lines."""

    taken_us: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))
    counted: Counter[str] = field(default_factory=Counter)
    model: Mapping[str, float] = field(default_factory=dict)

    def add(self, taken_us: int, said: Mapping[str, Any]) -> None:
        """One more transaction, and what came back."""
        failed = said["error"] is not None
        self.taken_us.append(taken_us)
        self.counted.update(total=1, failed=int(failed), over_1s=int(taken_us > SLOW_US))
        if not failed:
            self.model = {"live": said["sequence"], "age_s": round(said["age_s"], 1)}

    def shown(self) -> dict[str, float]:
        """Totals, percentiles (µs) of the recent ones, and the last answer's model (age in virtual s)."""
        ordered = sorted(self.taken_us)
        percentiles = {f"p{p}_us": int(quantile(ordered, p / 100)) for p in (50, 99)}
        return {"total": 0, "failed": 0, "over_1s": 0, **self.counted, **percentiles, **self.model}


class Client:
    """The open loop."""

    def __init__(self, settings: Settings, contract: Contract, clock: Clock, lines: BinaryIO) -> None:
        self._base = f"http://{settings.serve.host}:{settings.serve.port}"
        self._types = {f.name: DATATYPES[f.type] for f in contract.events.fields}
        self._time = contract.events.time
        self._clock, self._lines, self._counts = clock, lines, Counts()
        self._flights = _flights(clock, contract)
        self._busy = Busy(settings.state("transactions").parent)
        self._progress = Progress(settings.state("transactions"))
        self._ran: Sequence[str] = ()
        self._questions: Sequence[Mapping[str, object]] = ()
        self._slots = asyncio.Semaphore(IN_FLIGHT)

    async def run(self, stopping: asyncio.Event) -> None:
        """From the first ready until told to stop."""
        limits = httpx.Limits(
            max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT, keepalive_expiry=KEPT_S
        )
        async with httpx.AsyncClient(base_url=self._base, timeout=TIMEOUT_S, limits=limits) as http:
            self._progress.say("waiting for the scorer")
            await self._ready(http, stopping)
            self._questions = self._coming()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch(stopping))
                await self._ask_at_a_fixed_rate(http, stopping, tasks)
        self._progress.say("stopped", **self._counts.shown())

    async def _ready(self, http: httpx.AsyncClient, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                if (await http.get(f"/v2/models/{PIPELINE}/ready")).is_success:
                    return
            except httpx.HTTPError:
                pass  # it has not come up yet
            await _pause(stopping, READY_EVERY_S)

    async def _ask_at_a_fixed_rate(
        self, http: httpx.AsyncClient, stopping: asyncio.Event, tasks: asyncio.TaskGroup
    ) -> None:
        begun, begun_real, number = self._clock.elapsed(), self._clock.real(), 0
        while not stopping.is_set():
            due = begun + number * EVERY / SECOND
            await asyncio.sleep(due - self._clock.elapsed())
            await self._slots.acquire()
            transaction = self._transact(http, number, due, begun_real + number * EVERY)
            tasks.create_task(transaction).add_done_callback(lambda _: self._slots.release())
            number += 1

    async def _transact(self, http: httpx.AsyncClient, number: int, due: float, scheduled_at: Micros) -> None:
        request = self._request(number)
        said = await self._ask(http, number, request)
        # The line's last field is how long it took, measured after the rest of it was written.
        line = orjson.dumps({"scheduled_at": scheduled_at, "request": request, **said})
        self._lines.write(line[:-1])
        taken_us = int((self._clock.elapsed() - due) * SECOND)
        end = {"latency_us": taken_us, **({"busy": self._ran} if taken_us > SLOW_US else {})}
        self._lines.write(b"," + orjson.dumps(end)[1:] + b"\n")
        self._counts.add(taken_us, said)

    def _request(self, number: int) -> dict[str, object]:
        """The next flight's question; every other one leaves its time to the scorer."""
        question = self._questions[number % len(self._questions)]
        asked = {self._time: rfc3339(self._clock.now())} if number % 2 else {self._time: None}
        return {name: value for name, value in {**question, **asked}.items() if value is not None}

    async def _ask(
        self, http: httpx.AsyncClient, number: int, request: Mapping[str, object]
    ) -> dict[str, Any]:
        content = orjson.dumps({"id": str(number), "inputs": tensors(request, self._types)})
        try:
            response = await http.post(
                f"/v2/models/{PIPELINE}/infer", content=content, headers={"content-type": "application/json"}
            )
        except httpx.HTTPError as error:
            return {"error": type(error).__name__}
        if not response.is_success:
            return {"error": f"{response.status_code} {response.text[:200]}"}
        try:
            return {"error": None, **answered(orjson.loads(response.content))}
        except (ValueError, KeyError, TypeError, IndexError) as error:
            return {"error": f"not an answer: {error!r}"}

    def _coming(self) -> Sequence[Mapping[str, object]]:
        """The next flights' questions; at night the next morning's. Raises Unavailable after the last day."""
        now = self._clock.now()
        found = self._flights.questions(now, AHEAD) or self._flights.questions(now, DAY)
        if not found:
            raise Unavailable("flights to ask about", rfc3339(now), "a time in the season", "FRESH=1")
        return found

    async def _watch(self, stopping: asyncio.Event) -> None:
        """Each second: what runs, what is shown, lines to disk; now and then the next flights."""
        second = 0
        while not stopping.is_set():
            self._ran = await asyncio.to_thread(self._busy.look)
            if second % QUESTIONS_EVERY_S == 0:
                self._questions = await asyncio.to_thread(self._coming)
            self._lines.flush()
            await asyncio.to_thread(lambda: self._progress.say("asking", **self._counts.shown()))
            second += 1
            await _pause(stopping, 1)


def tensors(fields: Mapping[str, object], types: Mapping[str, str]) -> list[dict[str, object]]:
    """A question as inputs of the Open Inference Protocol, one tensor of one value a field."""
    return [
        {"name": name, "shape": [1], "datatype": types[name], "data": [value]}
        for name, value in fields.items()
    ]


def answered(body: Mapping[str, Any]) -> dict[str, object]:
    """What a line keeps of an answer. Raises KeyError, TypeError or IndexError on another body."""
    outputs = {output["name"]: output["data"][0] for output in body["outputs"]}
    kept = ("threshold", "bundle", "sequence", "asked_at", "age_s", "degraded")
    said = {name: body["parameters"][name] for name in kept}
    (prediction_id,) = body["parameters"]["prediction_ids"]
    score, decision = outputs["score"], outputs["decision"]
    return {"score": score, "decision": decision, "prediction_id": prediction_id, **said}


def _flights(clock: Clock, contract: Contract) -> Flights:
    segments = clock.timeline().segments
    if not segments:
        raise BadConfig("clock file", None, "a first instant to replay from", "run hotpath demo")
    return nycflights.flights(resumed(segments[0].virtual), contract.events, contract.labels)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return


async def _run(settings: Settings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    clock = Clock(settings.clock_file())
    contract = deployed.contract(settings, PIPELINE)
    with opened(settings.data, clock.real()) as lines:
        await Client(settings, contract, clock, lines).run(stopping)


def folder(data: Path) -> Path:
    """Where the lines are, one file a run of the client."""
    return data / "onprem" / "answers"


def opened(data: Path, started: Micros) -> BinaryIO:
    """This run's file."""
    folder(data).mkdir(parents=True, exist_ok=True)
    return (folder(data) / f"{started}.jsonl").open("ab", buffering=1 << 20)


def main() -> int:
    """Exit code 0 when told to stop, 1 with the reason in the log."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    code = 0
    try:
        asyncio.run(_run(load_settings()))
    except* HotpathError as errors:
        for error in errors.exceptions:
            log.error("%s", error)
        code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
