"""A run is its record until its network is asked for."""

from types import SimpleNamespace

from claims.conftest import Run


def test_a_network_is_opened_once_and_for_no_error():
    opened = []
    run = Run(SimpleNamespace(manifest={"errors": {"train_rms.binding": 50.0}}), lambda: opened.append("network") or {})
    assert run.error("train_rms.binding") == 50.0
    assert opened == []
    assert run.probe is run.probe
    assert opened == ["network"]
