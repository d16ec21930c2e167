"""The store of trained runs: one folder a run, complete or absent, checked on reading.

    <store>/<profile>/<run name>/seed-<seed>/<fingerprint>/
        manifest.json                 config, fingerprint, device, versions, times, errors, sizes and checksums of the files
        weights.safetensors           the final parameters
        checkpoint-<step>.safetensors the parameters at log-spaced steps; of a wide network its embeddings alone
        curves.csv                    loss and RMS against step
        .damaged-<fingerprint>-<n>/   a run found damaged, kept aside
    <store>/.unfinished/<fingerprint>/  a run in training, see nuclr.train.unfinished
    <store>/.leases/<fingerprint>       who trains it, see nuclr.train.lease

A run's folder is written under another name and renamed when it is whole, so that a reader never sees half a run.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from nuclr.config import AdditionConfig, RunConfig, from_dict, to_dict
from nuclr.errors import NuclrError
from nuclr.files import PARTIAL, Unwritable, patiently, sync, write
from nuclr.model.adder import Adder
from nuclr.model.probe import Probe
from nuclr.train.loop import Curve

FORMAT, READABLE = 3, (2, 3)  # before 3 every checkpoint held all parameters, as those of narrow networks do
# The paper profile would weigh 313 GB with whole checkpoints, of which the claims read the embeddings alone (docs/gpu-runner.md).
WHOLE_UP_TO = 512  # width of the network
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # of a file or folder that a store takes from elsewhere


@dataclass(frozen=True)
class StoredRun:
    """A trained run on disk. `manifest` is the parsed manifest.json, whose format and fingerprint were checked."""

    folder: Path
    config: RunConfig
    manifest: dict[str, Any]

    def weights(self, step: int | None = None) -> dict[str, Tensor]:
        """Parameters without replica axis, final or at a checkpoint, where a wide network has its embeddings alone.

        Raises NuclrError when the file is damaged.
        """
        name = "weights.safetensors" if step is None else f"checkpoint-{step}.safetensors"
        return load_tensors(self._read(name))

    def probe(self, step: int | None = None, device: str = "cpu") -> Probe:
        """The trained network, final or at a checkpoint, for analysis on a device, "cpu" or "cuda"; `weights` tells what a
        checkpoint holds. Raises NuclrError for one of modular addition.
        """
        if isinstance(self.config.data, AdditionConfig):
            raise NuclrError(f"Run {self.config.label} learned to add: it knows no nuclides.")
        low, high = (np.array(self.manifest[key]) for key in ("low", "high"))
        return Probe.open(self.config, self.weights(step), low, high, device)

    def adder(self, step: int | None = None) -> Adder:
        """The trained network of modular addition, final or at a checkpoint. Raises NuclrError for one of nuclei."""
        if not isinstance(self.config.data, AdditionConfig):
            raise NuclrError(f"Run {self.config.label} learned of nuclides: it does not add.")
        return Adder.open(self.config.model, self.config.data.modulus, self.weights(step))

    def curves(self) -> Curve:
        """Points of the training curves, one dict a point."""
        lines = self._read("curves.csv").decode().splitlines()
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(lines)]

    def contents(self) -> dict[str, bytes]:
        """Every file of the run, its manifest first. Raises NuclrError for a damaged one."""
        return {"manifest.json": _text(self.manifest)} | {name: self._read(name) for name in self.manifest["files"]}

    def record(self) -> dict[str, Any]:
        """What a report says of the run. weights: their sha256, by which a later judging knows the same network."""
        keys = ("fingerprint", "profile", "steps", "device", "precision", "arithmetic", "seconds")
        weights = self.manifest["files"]["weights.safetensors"]
        found = {"name": self.config.name, "seed": self.config.seed, "weights": weights}
        return found | {key: self.manifest[key] for key in keys} | {"driver": self.manifest.get("driver")}

    def _read(self, name: str) -> bytes:
        expected = self.manifest["files"].get(name)
        if expected is None:
            raise NuclrError(
                f"Run {self.config.label} has no {name}: its files are {', '.join(self.manifest['files'])}."
            )
        path = self.folder / name
        try:
            content = path.read_bytes()
        except OSError as trouble:
            raise NuclrError(f"Cannot read {path} ({trouble.strerror}): {self.mend}") from trouble
        if sha256(content) != expected:
            raise NuclrError(
                f"{path} is damaged (sha256 {sha256(content)[:12]}, its manifest says {expected[:12]}): {self.mend}"
            )
        return content

    @property
    def mend(self) -> str:
        return f"remove {self.folder} and run `python -m nuclr train --profile {self.manifest['profile']}` to train it again."


class Store:
    """The folder of runs. Raises Unwritable where it cannot be written."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def folder(self, profile: str, config: RunConfig, fingerprint: str) -> Path:
        return self.root / profile / config.name / f"seed-{config.seed}" / fingerprint

    def find(self, profile: str, config: RunConfig, fingerprint: str) -> StoredRun | None:
        """The run with this fingerprint, or None where there is none yet. Raises NuclrError when its manifest is damaged."""
        folder = self.folder(profile, config, fingerprint)
        if not folder.exists():
            return None
        mend = f"run `python -m nuclr train --profile {profile}` to train it again."
        path = folder / "manifest.json"
        try:
            content = path.read_bytes()
        except OSError as trouble:
            raise NuclrError(f"{path} cannot be read ({trouble}): {mend}") from trouble
        manifest = _parsed(content, path, mend, fingerprint)
        return StoredRun(folder, from_dict(manifest["config"]), manifest)

    def runs(self) -> list[StoredRun | NuclrError]:
        """Every run in the store, of whatever profile and fingerprint; of one that cannot be read here, the error that tells why."""
        found: list[StoredRun | NuclrError] = []
        for path in sorted(self.root.glob("[!.]*/*/seed-*/[!.]*/manifest.json")):
            try:
                manifest = _parsed(path.read_bytes(), path, "remove it.", path.parent.name)
                run = StoredRun(path.parent, from_dict(manifest["config"]), manifest)
                self.verify(run)
                found.append(run)
            except OSError as trouble:
                found.append(NuclrError(f"{path} cannot be read ({trouble})."))
            except NuclrError as trouble:  # damage, or a config that another version has settings for
                told = str(trouble)
                found.append(trouble if str(path.parent) in told else NuclrError(f"{path}: {told}"))
        return found

    def verify(self, run: StoredRun) -> None:
        """Compare the sizes of a run's files with its manifest: cheap; reading a file compares its sha256.

        Raises NuclrError naming the first file that is missing or of another size.
        """
        for name, size in run.manifest["sizes"].items():
            path = run.folder / name
            try:
                found = path.stat().st_size
            except OSError as trouble:
                raise NuclrError(f"Cannot read {path} ({trouble.strerror}): {run.mend}") from trouble
            if found != size:
                raise NuclrError(f"{path} is damaged ({found} bytes, its manifest says {size}): {run.mend}")

    def examine(self, profile: str, config: RunConfig, fingerprint: str) -> tuple[StoredRun | None, str]:
        """(the run, "") where it is whole, (None, "") where there is none, (None, what is wrong) where it is damaged."""
        try:
            run = self.find(profile, config, fingerprint)
            if run:
                self.verify(run)
        except NuclrError as damage:
            return None, str(damage).partition(": ")[0]
        return run, ""

    def set_aside(self, profile: str, config: RunConfig, fingerprint: str) -> Path:
        """Rename a damaged run, which is kept for whoever wants to look; its new folder. Hold the run's lease."""
        folder = self.folder(profile, config, fingerprint)
        for number in count(1):
            aside = folder.with_name(f".damaged-{fingerprint}-{number}")
            if not aside.exists():
                break
        try:
            os.rename(folder, aside)
            sync(folder.parent)
        except OSError as trouble:
            raise Unwritable(aside, trouble) from trouble
        return aside

    def clean(self, profile: str, config: RunConfig, fingerprint: str) -> None:
        """Remove what a killed process left of this run half-written. Hold the run's lease."""
        folder = self.folder(profile, config, fingerprint)
        for partial in folder.parent.glob(f"{PARTIAL}{fingerprint}-*"):
            shutil.rmtree(partial, ignore_errors=True)

    def others(self, profile: str, config: RunConfig, fingerprint: str) -> list[str]:
        """Fingerprints of stored runs with this profile, name and seed which are not the wanted one: stale."""
        parent = self.folder(profile, config, fingerprint).parent
        return sorted(child.name for child in parent.glob("[0-9a-f]*") if child.name != fingerprint)

    def add(
        self,
        profile: str,
        config: RunConfig,
        fingerprint: str,
        files: dict[str, bytes],
        facts: dict[str, Any],
        ours: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Write a finished run, whole or not at all. False where `ours`, asked last, says that the run is no longer ours.

        A run that is there by then is left as it is: it is the same run. Raises Unwritable; nothing half-written is left.
        """
        manifest = {
            "format": FORMAT,
            "fingerprint": fingerprint,
            "profile": profile,
            "config": to_dict(config),
            **facts,
            "files": {name: sha256(content) for name, content in files.items()},
            "sizes": {name: len(content) for name, content in files.items()},
        }
        manifest["sha256"] = _checksum(manifest)
        folder = self.folder(profile, config, fingerprint)
        return self._place(folder, files | {"manifest.json": _text(manifest)}, ours)

    def put(self, contents: dict[str, bytes]) -> tuple[StoredRun, bool]:
        """Take in a run from another store, from its `contents`, whole or not at all: the run, and whether it was here already.

        Raises NuclrError where the files are not those that its manifest names, and where another run is in its place.
        """
        manifest = _parsed(contents.get("manifest.json", b""), Path("manifest.json"), "the run is not taken in.")
        try:
            config, profile, fingerprint = from_dict(manifest["config"]), manifest["profile"], manifest["fingerprint"]
            sound = all(NAME.fullmatch(name) for name in (profile, config.name, fingerprint, *manifest["files"]))
        except (KeyError, TypeError) as trouble:
            raise NuclrError(f"A manifest is not one of a run ({trouble}): the run is not taken in.") from trouble
        checksums = {name: sha256(content) for name, content in contents.items() if name != "manifest.json"}
        if not sound or manifest["files"] != checksums:
            raise NuclrError(
                f"The files of run {config.label} are not those that its manifest names: it is not taken in."
            )
        folder = self.folder(profile, config, fingerprint)
        known = folder.exists()
        if not known:
            self._place(folder, contents)
        found = self.find(profile, config, fingerprint)
        if found is None or found.manifest != manifest:
            raise NuclrError(
                f"The store has another training of run {config.label} in {folder}: it stays, move it away to take this one in."
            )
        self.verify(found)
        return found, known

    def _place(self, folder: Path, contents: dict[str, bytes], ours: Callable[[], bool] = lambda: True) -> bool:
        partial = folder.with_name(f"{PARTIAL}{folder.name}-{secrets.token_hex(4)}")
        try:
            for name, content in contents.items():
                write(partial / name, content)
            if not ours():
                return False
            patiently(lambda: os.rename(partial, folder))
            sync(folder.parent)
        except OSError as trouble:
            if trouble.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise Unwritable(folder, trouble) from trouble
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return True


def kept(config: RunConfig, parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    """What a checkpoint keeps of the parameters."""
    if config.model.width <= WHOLE_UP_TO:
        return parameters
    return {name: value for name, value in parameters.items() if name.startswith("embedding.")}


def pack(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """Tensors as the bytes of a safetensors file."""
    return save_tensors({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, metadata)


def curves_csv(curve: Curve) -> bytes:
    """A curve as CSV; a column a quantity, a line a point."""
    columns = list(dict.fromkeys(key for point in curve for key in point))
    lines = [",".join(columns)]
    lines += [",".join(repr(point[key]) if key in point else "" for key in columns) for point in curve]
    return ("\n".join(lines) + "\n").encode()


def _parsed(content: bytes, path: Path, mend: str, owner: str | None = None) -> dict[str, Any]:
    """A manifest whose format, fingerprint (that of its `owner`) and checksum are right. Raises NuclrError naming `path`."""
    try:
        manifest: dict[str, Any] = json.loads(content)
        version, checksum = manifest["format"], manifest.get("sha256")
        found = manifest["fingerprint"]
    except (ValueError, KeyError, TypeError, AttributeError) as trouble:
        raise NuclrError(f"{path} cannot be read ({trouble}): {mend}") from trouble
    if version not in READABLE:
        known = " and ".join(map(str, READABLE))
        raise NuclrError(
            f"{path} was written by another version of nuclr (format {version}, this one reads {known}): {mend}"
        )
    if found != (owner or found):
        raise NuclrError(f"{path} belongs to another run (fingerprint {found}): {mend}")
    if checksum != _checksum(manifest):
        raise NuclrError(f"{path} is damaged (its sha256 is not that of its content): {mend}")
    return manifest


def _text(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, indent=1, allow_nan=False).encode()


def _checksum(manifest: dict[str, Any]) -> str:
    """sha256 of a manifest but for its last entry, which is this."""
    return sha256(_text({key: value for key, value in manifest.items() if key != "sha256"}))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
