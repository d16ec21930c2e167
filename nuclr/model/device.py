"""Where to compute: the device that an option names."""

from __future__ import annotations

from nuclr.errors import NuclrError

DEVICES = ("auto", "cpu", "cuda")


def device_named(device: str) -> str:
    """The device that is meant, "cpu" or "cuda"; "auto" is cuda where there is one.

    Raises NuclrError for another name, and for cuda where there is none.
    """
    if device not in DEVICES:
        raise NuclrError(f"There is no device {device!r}: choose cpu, cuda or auto.")
    import torch  # takes seconds, which a wrong name need not wait for

    if device == "cuda" and not torch.cuda.is_available():
        raise NuclrError("This machine has no CUDA device that torch can use: choose --device cpu.")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
