from __future__ import annotations

import socket

import pytest

from hotpath.local import ports
from hotpath.local.ports import free_port


def test_a_port_is_given_once_and_never_one_that_the_system_hands_to_outgoing_connections() -> None:
    given = [free_port() for _ in range(100)]
    assert len(set(given)) == 100
    assert all(ports.LOW <= port < ports.HIGH for port in given)


def test_a_port_whose_neighbour_is_taken_is_not_given() -> None:
    with socket.socket() as taken:
        port = free_port()
        taken.bind(("127.0.0.1", port + 1))
        assert not ports._free(port, port + 1)


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_parts_share_no_port_and_all_lie_in_the_range(of: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[set[int]] = []
    for number in range(of):
        monkeypatch.setenv(ports.PART, ports.part(number, of))
        mine = {free_port() for _ in range(50)}
        given.append(mine | {port + 1 for port in mine})
    assert len(set.union(*given)) == of * 100
    assert all(ports.LOW <= port < ports.HIGH for port in set.union(*given))
