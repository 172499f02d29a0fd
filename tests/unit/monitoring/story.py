"""What a pipeline with a floor goes through, hour by hour: models published, questions asked and answered."""

from __future__ import annotations

from dataclasses import dataclass

from hotpath.bundle import CONTENT, Sealed, opened, seal
from hotpath.clock import MINUTE
from hotpath.handoffs import BUNDLES, MODELS, Announcement
from hotpath.kafka import Log, standing
from hotpath.points import Point
from hotpath.publish import publish
from monitoring.outcome_watch import OutcomeWatch
from tests.unit.monitoring.answered import KEY, START, Asked, Site, Told, land, with_floor

CONTRACT = with_floor('{auc: ">= 0.55", window: 1h, windows: 3, labels: 4}')
GOOD, POOR, NONE = (0.9, 0.1), (0.1, 0.9), (None, None)
Scores = tuple[float | None, float | None]


@dataclass
class Story:
    """What a pipeline goes through, an hour at a time: models published, questions asked and answered."""

    site: Site
    log: Log
    hour: int = 0

    def publish(self, name: str) -> Announcement:
        """A new model, as the trainer publishes it."""
        bundle = bundled(name)
        return publish(bundle, "small", "fresh", self.now(), self.log, self.site.store, KEY)

    def asks(self, said: Announcement, scores: Scores, hours: int = 1) -> None:
        """Questions to one model; the labels say that the first score of each pair should be the higher."""
        for _ in range(hours):
            first, asked, told = self.hour * 60, list[Asked](), list[Told]()
            for n in range(8):
                at, who, yes = first + n, f"{self.hour}-{n}", n % 2 == 0
                score = scores[0 if yes else 1]
                asked.append(Asked(at, who, score, self.hour * 100 + n, said.sequence, bundle=said.bundle))
                told.append(Told(at + 10, who, yes, self.hour * 100 + n))
            land(self.site.lake, self.hour, asked, told)
            self.hour += 1
        # Something has to arrive after the hour, or nobody knows that it is over.
        land(self.site.lake, self.hour, [], [Told(self.hour * 60, "nobody", True, self.hour)])
        self.hour += 1

    def watch(self) -> OutcomeWatch:
        """A watch that has just begun and read its topics."""
        watch = self.site.watch()
        for said in self.announced():
            watch.announced(said)
        return self.site.follow(watch)

    def announced(self) -> list[Announcement]:
        """Every announcement, proved down to the bundle's bytes."""
        found = []
        chunks = {e.key: e.value or b"" for e in standing(self.log, BUNDLES)}
        for value in (e.value or b"" for e in standing(self.log, MODELS)):
            if b'"pipeline":"small"' not in value:
                continue
            said = Announcement.verified(value, KEY.public_key())
            packed = b"".join(chunks[f"{said.bundle}/{i}".encode()] for i in range(said.chunks))
            assert opened(packed, KEY.public_key()).id == said.bundle
            found.append(said)
        return found

    def kinds(self) -> list[tuple[int, str, str]]:
        return [(a.sequence, a.kind, a.bundle) for a in self.announced()]

    def floor(self) -> dict[str, object]:
        """The newest point of the floor."""
        said = [Point.parse((e.value or b"").decode()) for e in self.site.said.entries]
        return dict(next(p.fields for p in reversed(said) if p.measurement == "floor"))

    def now(self) -> int:
        return START + self.hour * 60 * MINUTE


def bundled(name: str) -> Sealed:
    return seal(dict.fromkeys(CONTENT, b"{}"), {"name": name}, KEY)


def poor_after_good(story: Story) -> tuple[Announcement, Announcement]:
    """Sequence 1 was good for two hours, sequence 2 has been poor for three."""
    good = story.publish("good")
    story.asks(good, GOOD, 2)
    poor = story.publish("poor")
    story.asks(poor, POOR, 3)
    return good, poor
