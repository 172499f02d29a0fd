"""What the host-clock ledger remembers: hosts, open windows, how far arrivals have come. Pure.

A window is closed, and judged once, when a row has landed that arrived past its end by a grace. Rows that
land later still are counted. Where nothing more lands, marks that passed show that there was nothing more
to land: then the windows are judged in a *view*, which is thrown away, for a stream job that stands must
not lose what it has yet to land.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hotpath.clock import Micros
from hotpath.errors import BadArtifact
from monitoring.clocks import Host, Hosts, Judged, Span, State, judge
from monitoring.windows import Met, Observed, Rules, Seen, Window

FORMAT = 1


@dataclass(frozen=True)
class Ledger:
    """`closed`: every window that ended by then is judged. `horizon`: the newest live arrival."""

    hosts: Hosts = field(default_factory=dict)
    open: Mapping[int, Window] = field(default_factory=dict)
    horizon: Micros = 0
    closed: Micros = 0

    def seen(self, observed: Observed, rules: Rules) -> Ledger:
        """The ledger with rows that have landed, nothing judged yet."""
        hosts = dict(self.hosts)
        for name, met in observed.met.items():
            there = hosts.get(name)
            # An import's hosts are no news: they were there before anybody looked.
            state: State = "new" if met.live is not None else "good"
            hosts[name] = replace(there, met=there.met + met) if there else Host(met, state)
        windows = dict(self.open)
        for number, window in observed.windows.items():
            if rules.ends(number) <= self.closed:
                for name, seen in window.items():
                    hosts[name] = replace(hosts[name], late=hosts[name].late + seen.count)
            else:
                windows[number] = _merged(windows.get(number, {}), window)
        return replace(self, hosts=hosts, open=windows, horizon=max(self.horizon, observed.newest or 0))

    def settled(self, monitor: Micros | None, rules: Rules) -> tuple[Ledger, tuple[Judged, ...]]:
        """The ledger with every window judged that arrivals have passed, and what each came to."""
        return self._passed(self.horizon - rules.grace, monitor, rules)

    def view(self, mark: Micros, monitor: Micros | None, rules: Rules) -> Hosts:
        """The hosts as they stand if a mark stamped `mark` has crossed and nothing older comes any more.

        A whole window of grace: the stream job lands rows a little after the marks are read.
        """
        return self._passed(mark - rules.window, monitor, rules)[0].hosts

    def _passed(
        self, instant: Micros, monitor: Micros | None, rules: Rules
    ) -> tuple[Ledger, tuple[Judged, ...]]:
        over = sorted(number for number in self.open if rules.ends(number) <= instant)
        hosts, found = self.hosts, []
        for number in over:
            hosts, judged = judge(hosts, number, self.open[number], monitor, rules)
            found.append(judged)
        still = {number: window for number, window in self.open.items() if number not in over}
        closed = max([self.closed, *(rules.ends(number) for number in over)])
        return replace(self, hosts=hosts, open=still, closed=closed), tuple(found)

    def not_after(self, now: Micros, rules: Rules) -> Ledger:
        """The ledger without arrivals after `now`, so that what arrives from now on is judged again."""
        still = {number: window for number, window in self.open.items() if number * rules.window <= now}
        closed = min(self.closed, now // rules.window * rules.window)
        return replace(self, open=still, horizon=min(self.horizon, now), closed=closed)

    def to_json(self) -> dict[str, object]:
        """Plain values; `from_json` gives the same ledger."""
        return {
            "hosts": {name: asdict(host) for name, host in self.hosts.items()},
            "open": {n: {h: asdict(s) for h, s in window.items()} for n, window in self.open.items()},
            "horizon": self.horizon,
            "closed": self.closed,
        }

    @classmethod
    def from_json(cls, raw: Any) -> Ledger:
        """Raises KeyError, TypeError, AttributeError where `raw` is no ledger."""
        hosts = {name: _host(host) for name, host in raw["hosts"].items()}
        windows = {int(n): {h: _seen(s) for h, s in window.items()} for n, window in raw["open"].items()}
        return cls(hosts, windows, raw["horizon"], raw["closed"])


@dataclass(frozen=True)
class Memory:
    """What a watch keeps in its file: the ledger, the next batch it wants, the newest mark's stamp.

    `named`: of each (host, since) the domain's instant at which it was named.
    """

    rules: Rules
    ledger: Ledger = field(default_factory=Ledger)
    cursor: int = 0
    mark: Micros = 0
    named: Mapping[tuple[str, Micros], Micros] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The file's content."""
        named = [[host, since, at] for (host, since), at in self.named.items()]
        plain = {"format": FORMAT, "rules": asdict(self.rules), "ledger": self.ledger.to_json()}
        return json.dumps({**plain, "cursor": self.cursor, "mark": self.mark, "named": named}).encode()

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Memory:
        """Raises BadArtifact where `data` is no such file, or one of an older format."""
        try:
            raw = json.loads(data)
            if raw["format"] != FORMAT:
                raise BadArtifact(source, raw["format"], f"format {FORMAT}")
            named = {(str(host), int(since)): int(at) for host, since, at in raw["named"]}
            ledger = Ledger.from_json(raw["ledger"])
            return cls(Rules(**raw["rules"]), ledger, raw["cursor"], raw["mark"], named)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadArtifact(source, data, "a host-clock ledger") from error

    def at(self, now: Micros, rules: Rules) -> Memory:
        """The same where the on-prem broker's clock says `now`.

        It may have been ahead, and been set back: what it stamped meanwhile would make all that comes late.
        """
        if max(self.mark, self.ledger.horizon) <= now + rules.limit:
            return self
        return replace(self, mark=min(self.mark, now), ledger=self.ledger.not_after(now, rules))

    def under(self, rules: Rules, now: Micros) -> Memory:
        """The same under the rules of today.

        Other rules mostly mean another rate: what arrived before `now` came with other jitter, and is not
        judged. The hosts stay.
        """
        if rules == self.rules:
            return self
        closed = max(self.ledger.closed, rules.ends(now // rules.window))
        return replace(self, rules=rules, ledger=replace(self.ledger, open={}, closed=closed))


def _merged(one: Window, other: Window) -> Window:
    return {**one, **{name: one.get(name, Seen()) + seen for name, seen in other.items()}}


def _host(raw: dict[str, Any]) -> Host:
    spans = tuple(Span(**span) for span in raw["spans"])
    runs = {name: tuple(raw[name]) for name in ("beyond", "within")}
    return Host(**{**raw, **runs, "met": Met(**raw["met"]), "spans": spans})


def _seen(raw: dict[str, Any]) -> Seen:
    return Seen(**{**raw, "wildest": tuple(raw["wildest"])})
