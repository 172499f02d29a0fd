"""What may pass by itself is told from what never will."""

from __future__ import annotations

import pytest

from transform.hindered import hindrance


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "... PythonException: OSError: [Errno 28] Error writing bytes. No space left on device",
            "a disk is full",
        ),
        (
            "java.io.IOException: No space left on device at java.io.FileOutputStream.writeBytes",
            "a disk is full",
        ),
        (
            "ExecutionException: org.apache.kafka.common.errors.TimeoutException: Call()",
            "Kafka does not answer",
        ),
        ("BadArtifact: end of manifest 4: found None", None),
        ("org.apache.kafka.common.errors.UnknownTopicOrPartitionException", None),
        ("", None),
    ],
)
def test_a_failure_is_waited_out_or_not(said: str, why: str | None) -> None:
    assert hindrance(said) == why
