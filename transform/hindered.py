"""Why a stream query failed, where that may pass by itself: then the job waits instead of ending. Pure.

A failure comes out of the JVM as text (a worker's traceback, a Java exception and its causes); what is told
apart here is told by the words of the system or of Kafka's client, which no version of Spark rewrites.
"""

from __future__ import annotations

PASSING: tuple[tuple[str, str], ...] = (
    ("No space left on device", "a disk is full"),
    ("Disk quota exceeded", "a disk is full"),
    ("org.apache.kafka.common.errors.TimeoutException", "Kafka does not answer"),
    ("org.apache.kafka.common.errors.DisconnectException", "Kafka does not answer"),
)
"""What stands in the text, and what it means."""


def hindrance(said: str) -> str | None:
    """What hinders the stream and may pass; None where the failure is another.

    >>> hindrance("OSError: [Errno 28] No space left on device")
    'a disk is full'
    >>> hindrance("IllegalStateException: batch 4 doesn't exist") is None
    True
    """
    return next((meaning for words, meaning in PASSING if words in said), None)
