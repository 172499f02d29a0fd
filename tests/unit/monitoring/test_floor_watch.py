"""A poor live model is rolled back from, once; killed between any two steps it still is once.

hours     0 ──── model 1, good ──── 3 ──── model 2, poor: three windows ──── 6
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest

from hotpath.bundle_store import Forced
from hotpath.handoffs import MODELS, Announcement, Receipt
from hotpath.kafka import Delivered, Headers, MemoryLog
from tests.unit.monitoring.answered import Site
from tests.unit.monitoring.story import CONTRACT, GOOD, NONE, POOR, Story, poor_after_good


@dataclass
class DyingLog(MemoryLog):
    """The process dies when it is about to send its n-th record."""

    lives: int = 1_000_000

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers | None = None,
        on_delivery: Delivered | None = None,
    ) -> bool:
        if self.lives == 0:
            raise SystemExit
        self.lives -= 1
        return super().send(topic, value, key, headers, on_delivery)


@pytest.fixture
def log() -> DyingLog:
    return DyingLog()


@pytest.fixture
def story(tmp_path: Path, log: DyingLog) -> Story:
    return Story(Site(tmp_path, CONTRACT, log), log)


def test_a_poor_live_model_is_rolled_back_to_the_good_one_before(story: Story) -> None:
    good, _ = poor_after_good(story)
    story.watch()
    assert story.kinds()[2:] == [(3, "rollback", good.bundle)]
    assert story.announced()[-1].why.startswith("live auc of sequence 2 0.0000, 0.0000, 0.0000")
    assert story.floor() == {"windows_below": 3, "rolled_back": 1, "stuck": 0}
    assert story.site.store.taken()[3]["instead_of"] == 2


# hours     0 ── 1, good ── 4 ── 2, poor ── 6 ── 3, poor ── 8      a new model every two windows
def test_models_that_are_promoted_faster_than_a_row_fills_are_rolled_back_from_all_the_same(
    story: Story,
) -> None:
    good = story.publish("good")
    story.asks(good, GOOD, 4)
    for name in ("poor", "poor too"):
        story.asks(story.publish(name), POOR, 2)
        watch = story.watch()
    assert story.kinds()[3:] == [(4, "rollback", good.bundle)]
    assert story.floor() == {"windows_below": 4, "rolled_back": 1, "stuck": 0}
    back = story.announced()[-1]
    for name in ("poor again", "and again"):  # after a rollback a row begins anew
        story.asks(back, GOOD, 1)
        back = story.publish(name)
    story.asks(back, POOR, 1)
    story.site.follow(watch)
    assert story.floor()["windows_below"] == 1


def test_after_a_rollback_the_row_is_of_what_was_answered_since(story: Story) -> None:
    poor_after_good(story)
    story.watch()
    back = story.announced()[-1]
    story.asks(back, POOR, 2)
    story.watch()
    assert story.floor()["windows_below"] == 2
    story.asks(story.publish("third"), POOR, 1)
    story.watch()
    assert story.floor()["windows_below"] == 3


def test_what_an_operator_forced_has_a_row_of_its_own(story: Story) -> None:
    story.asks(story.publish("good"), GOOD, 2)
    story.asks(story.publish("poor"), POOR, 2)
    forced = story.publish("forced")
    story.asks(forced, POOR, 2)
    story.site.store.note_forced(Forced(forced.bundle, forced.sequence, "ann", "the fair is on", 9))
    story.watch()
    assert (len(story.kinds()), story.floor()["windows_below"]) == (3, 2)
    story.asks(forced, POOR, 1)
    story.watch()
    assert story.kinds()[-1][:2] == (4, "rollback")


def test_it_is_announced_once_though_it_stays_poor_and_the_watch_restarts(story: Story) -> None:
    _, poor = poor_after_good(story)
    watch = story.watch()
    story.asks(poor, POOR)
    story.site.follow(watch)
    (story.site.folder / "outcomes.state").unlink()
    story.watch()
    story.site.follow(story.site.watch())  # one that has not read its topics yet asks what stands there
    assert len(story.kinds()) == 3


@pytest.mark.parametrize("lives", [0, 1])
def test_a_death_before_the_announcement_is_made_good_and_after_it_not_repeated(
    story: Story, log: DyingLog, lives: int
) -> None:
    good, _ = poor_after_good(story)
    log.lives = lives
    with pytest.raises(SystemExit):
        story.watch()
    assert len(story.kinds()) == 2
    log.lives = 100
    story.watch()
    story.watch()
    assert story.kinds()[2:] == [(4, "rollback", good.bundle)]


def test_a_log_that_takes_nothing_is_asked_again_at_the_next_look(story: Story, log: DyingLog) -> None:
    poor_after_good(story)
    log.refuse = True
    watch = story.watch()
    assert len(story.kinds()) == 2
    log.refuse = False
    story.site.follow(watch, [])
    assert len(story.kinds()) == 3


def test_a_bundle_that_was_left_is_never_gone_back_to(story: Story) -> None:
    good, _ = poor_after_good(story)
    story.watch()
    back = story.announced()[-1]
    story.asks(back, GOOD, 1)
    third = story.publish("third")
    story.asks(third, GOOD, 9)  # as a whole it stays good enough, and yet it was left
    story.asks(third, POOR, 3)
    story.watch()
    assert story.kinds()[-1] == (5, "rollback", good.bundle)
    story.asks(story.announced()[-1], POOR, 3)
    story.watch()
    assert len(story.kinds()) == 5
    assert story.floor() == {"windows_below": 3, "rolled_back": 1, "stuck": 1}


def test_without_an_older_model_that_is_good_enough_the_live_one_stays(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    story.asks(story.publish("first"), POOR, 1)
    poor = story.publish("poor")
    story.asks(poor, POOR, 3)
    watch = story.watch()
    story.site.follow(watch, [])
    assert len(story.kinds()) == 2
    assert story.floor() == {"windows_below": 4, "rolled_back": 0, "stuck": 1}
    assert caplog.text.count("no older model is good enough") == 1


def test_a_bundle_whose_bytes_are_gone_from_the_store_is_passed_over(story: Story) -> None:
    older = story.publish("older")
    story.asks(older, GOOD, 1)
    newer = story.publish("newer")
    story.asks(newer, GOOD, 1)
    story.asks(story.publish("poor"), POOR, 3)
    (story.site.root / "store" / "bundles" / f"{newer.bundle}.zip").write_bytes(b"torn")
    story.watch()
    assert story.kinds()[-1] == (4, "rollback", older.bundle)


def test_answers_without_a_score_make_no_model_poor(story: Story) -> None:
    story.asks(story.publish("good"), GOOD, 2)
    story.asks(story.publish("mute"), NONE, 3)
    story.watch()
    assert len(story.kinds()) == 2
    assert story.floor()["windows_below"] == 0


def receipt(
    said: Announcement, kind: Literal["admitted", "refused", "live", "rolled_back"], at: int
) -> Receipt:
    return Receipt("small", "s", said.sequence, said.bundle, kind, "", at)


def test_while_receipts_and_answers_name_two_models_nothing_is_ruled(story: Story) -> None:
    good, poor = poor_after_good(story)
    watch = story.site.watch()
    for said in (good, poor):
        watch.announced(said)
    watch.receipt(receipt(good, "live", 1))
    story.site.follow(watch)
    assert len(story.kinds()) == 2
    watch.receipt(receipt(poor, "live", 2))
    story.site.follow(watch, [])
    assert len(story.kinds()) == 3


def test_a_model_that_an_operator_left_is_not_gone_back_to_and_not_waited_for(story: Story) -> None:
    older = story.publish("older")
    story.asks(older, GOOD, 1)
    live = story.publish("live")
    story.asks(live, GOOD, 1)
    left = story.publish("left")
    story.asks(left, GOOD, 1)
    story.asks(live, POOR, 3)
    watch = story.site.watch()
    for said in story.announced():
        watch.announced(said)
        watch.receipt(receipt(said, "live", said.sequence))
    watch.receipt(receipt(live, "rolled_back", 9))
    story.site.follow(watch)
    assert story.kinds()[-1] == (4, "rollback", older.bundle)


def test_another_pipelines_words_change_nothing(story: Story) -> None:
    good, poor = poor_after_good(story)
    watch = story.site.watch()
    for said in (good, poor):
        watch.announced(said)
    watch.announced(replace(poor, pipeline="other", sequence=9))
    watch.receipt(replace(receipt(good, "live", 9), pipeline="other"))
    story.site.follow(watch)
    assert len(story.kinds()) == 3


def test_without_a_floor_there_is_no_rollback(tmp_path: Path, log: DyingLog) -> None:
    story = Story(Site(tmp_path, log=log), log)
    poor_after_good(story)
    story.watch()
    assert len(story.kinds()) == 2


def test_a_retired_bundle_is_not_gone_back_to(story: Story, log: DyingLog) -> None:
    good, _ = poor_after_good(story)
    log.send(MODELS, None, key=f"small/{good.bundle}".encode())
    story.site.follow(story.site.watch())
    assert story.floor()["stuck"] == 1
