"""Leases: one holder, the dead are found out at once on their host and by their heartbeat elsewhere, the living are left alone."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest

from nuclr.errors import NuclrError
from nuclr.train import lease
from nuclr.train.lease import Holder, Leases

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere processes are told by their heartbeat alone")


def leave(root, holder, age=0.0):
    """A lease of `holder` whose last heartbeat was `age` seconds ago."""
    path = root / ".leases" / "run"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(asdict(holder)))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.fixture
def ended():
    """A process of this host that has ended."""
    with subprocess.Popen(["sleep", "60"]) as process:
        holder = replace(Holder.here(), pid=process.pid, start=lease._started(process.pid) or 0)
        process.kill()
    return holder


ELSEWHERE = Holder("another-host", "another boot", 1, 1, 0.0, "token")


def test_a_lease_is_held_by_one_and_given_back(tmp_path):
    with Leases(tmp_path, ["a", "b"]) as first:
        with Leases(tmp_path, ["b", "c"]) as second:
            assert first.mine == ["a", "b"]
            assert second.mine == ["c"]
            assert second.others == {"b": f"process {os.getpid()} on {Holder.here().host}"}
        first.release("a")
        with Leases(tmp_path, ["a", "b"]) as third:
            assert third.mine == ["a"]
    assert not list(tmp_path.glob(".leases/*"))


def test_leases_are_given_back_on_exceptions(tmp_path):
    with pytest.raises(ZeroDivisionError), Leases(tmp_path, ["a", "b"]):
        raise ZeroDivisionError
    assert not list(tmp_path.glob(".leases/*"))


def test_leases_taken_before_the_drive_failed_are_given_back(tmp_path, monkeypatch):
    create = lease._create

    def fail(path, content):
        if path.name == "b":
            raise OSError(28, "No space left on device")
        return create(path, content)

    monkeypatch.setattr(lease, "_create", fail)
    with pytest.raises(NuclrError, match=r"Cannot write to the store .*No space left"), Leases(tmp_path, ["a", "b"]):
        pass
    assert not list(tmp_path.glob(".leases/*"))


@linux
def test_the_lease_of_a_dead_process_of_this_host_is_free_at_once(tmp_path, ended):
    leave(tmp_path, ended)
    with Leases(tmp_path, ["run"]) as leases:
        assert leases.mine == ["run"]


@linux
def test_a_pid_used_again_is_not_taken_for_its_holder(tmp_path):
    me = Holder.here()
    leave(tmp_path, replace(me, start=me.start - 1))
    with Leases(tmp_path, ["run"]) as leases:
        assert leases.mine == ["run"]


@linux
def test_a_living_process_of_this_host_keeps_its_lease_without_a_heartbeat(tmp_path):
    leave(tmp_path, Holder.here(), age=1e6)  # it may have been stopped for days
    with Leases(tmp_path, ["run"]) as leases:
        assert leases.mine == []


@pytest.mark.parametrize(("age", "free"), [(0, False), (100, False), (130, True)])
def test_another_host_is_judged_by_its_heartbeat(tmp_path, age, free):
    leave(tmp_path, ELSEWHERE, age)
    with Leases(tmp_path, ["run"]) as leases:
        assert (leases.mine == ["run"]) is free
        assert leases.others == ({} if free else {"run": "process 1 on another-host"})


def test_a_heartbeat_that_does_not_move_is_found_out_though_the_servers_clock_was_set_back(tmp_path, monkeypatch):
    path = leave(tmp_path, ELSEWHERE, age=-1e6)
    now = time.monotonic()
    for seconds, moved, free in [(0, False, False), (119, False, False), (121, True, False), (242, False, True)]:
        monkeypatch.setattr(lease.time, "monotonic", lambda seconds=seconds: now + seconds)
        if moved:
            os.utime(path, (time.time() + 2e6, time.time() + 2e6))
        with Leases(tmp_path, ["run"]) as leases:
            assert (leases.mine == ["run"]) is free, seconds


def test_a_lease_without_a_name_is_judged_by_its_heartbeat(tmp_path):
    path = leave(tmp_path, ELSEWHERE)
    for content, free in [(b"", False), (b'{"host": "x"}', False), (b"\xff\x00", True)]:
        path.write_bytes(content)
        if free:
            os.utime(path, (0, 0))
        with Leases(tmp_path, ["run"]) as leases:
            assert (leases.mine == ["run"]) is free


def test_the_heartbeat_touches_our_lease_and_nobody_elses(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "BEAT", 0.01)
    path = tmp_path / ".leases" / "run"
    with Leases(tmp_path, ["run"]) as leases:
        os.utime(path, (0, 0))
        deadline = time.monotonic() + 10
        while path.stat().st_mtime == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert path.stat().st_mtime > 0
        assert not leases.lost("run")
        theirs = leave(tmp_path, ELSEWHERE, age=1000)
        time.sleep(0.1)
        assert theirs.stat().st_mtime < time.time() - 900
        assert leases.lost("run")
    assert theirs.exists()  # not ours to give back


@linux
def test_a_zombie_is_dead(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = replace(Holder.here(), pid=process.pid, start=lease._started(process.pid))
    leave(tmp_path, holder)
    with Leases(tmp_path, ["run"]) as leases:
        assert leases.mine == []
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, but still listed
    assert holder.gone()
    process.communicate()
