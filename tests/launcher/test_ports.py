"""Ports are free, remembered, and kept apart between checkouts."""

import gc
import secrets
import socket
from pathlib import Path

from rihla_local.ports import FIRST, LAST, Ports, is_free


def somewhere() -> str:
    """The identity of a checkout like no other: tests of several workers look for ports in different places."""
    return secrets.token_hex(4)


def test_a_port_is_remembered_by_the_next_start(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json", "1a2b3c4d")
    chosen = {name: first.take(name) for name in ("postgres", "redis", "auth")}
    first.save()
    del first
    again = Ports(tmp_path / "ports.json", "1a2b3c4d")
    assert {name: again.take(name) for name in chosen} == chosen
    assert len(set(chosen.values())) == 3
    assert all(FIRST <= port < LAST for port in chosen.values())


def test_a_remembered_port_that_somebody_took_is_replaced(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json", somewhere())
    before = ports.take("redis")
    with socket.create_server(("127.0.0.1", before)):
        assert not is_free(before)
        after = ports.take("redis")
    assert after != before


def test_a_preferred_port_gives_way_to_the_next_free_one(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json", somewhere())
    wanted = ports.take("somewhere free")
    with socket.create_server(("127.0.0.1", wanted)):
        assert Ports(tmp_path / "other.json", somewhere()).take("gateway", preferred=wanted) > wanted


def test_checkouts_begin_to_look_at_different_places(tmp_path: Path) -> None:
    one = Ports(tmp_path / "one.json", "00000001").take("postgres")
    other = Ports(tmp_path / "other.json", "00000fff").take("postgres")
    assert one != other


def test_two_launchers_that_start_at_once_choose_different_ports(tmp_path: Path) -> None:
    same = somewhere()
    one, other = Ports(tmp_path / "one.json", same), Ports(tmp_path / "other.json", same)
    wanted = one.take("gateway")
    assert one.take("gateway") == wanted
    assert is_free(wanted)
    assert other.take("gateway", preferred=wanted) != wanted
    assert other.take("postgres") != wanted


def test_a_port_is_given_back_when_its_launcher_is_gone(tmp_path: Path) -> None:
    wanted = Ports(tmp_path / "one.json", somewhere()).take("gateway")
    gc.collect()
    assert Ports(tmp_path / "other.json", somewhere()).take("gateway", preferred=wanted) == wanted
