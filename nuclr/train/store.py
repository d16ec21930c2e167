"""The store of trained runs: one folder a run, complete or absent, checked on reading.

    <store>/<profile>/<run name>/seed-<seed>/<fingerprint>/
        manifest.json                 config, fingerprint, sizes, device, versions, times, errors, checksums of the files
        weights.safetensors           the final parameters
        checkpoint-<step>.safetensors the parameters at log-spaced steps
        curves.csv                    loss and RMS against step
    <store>/.unfinished/<fleet>/      state of a fleet in training, from which it resumes

A run's folder is written under another name and renamed when it is whole, so that a reader never sees half a run.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from nuclr.config import RunConfig, from_dict, to_dict
from nuclr.errors import NuclrError
from nuclr.files import write
from nuclr.model.probe import Probe
from nuclr.train.loop import Curve

FORMAT = 1


@dataclass(frozen=True)
class StoredRun:
    """A trained run on disk. `manifest` is the parsed manifest.json, whose format and fingerprint were checked."""

    folder: Path
    config: RunConfig
    manifest: dict[str, Any]

    def weights(self, step: int | None = None) -> dict[str, Tensor]:
        """Parameters without replica axis, final or at a checkpoint. Raises NuclrError when the file is damaged."""
        name = "weights.safetensors" if step is None else f"checkpoint-{step}.safetensors"
        return load_tensors(self._read(name))

    def probe(self, step: int | None = None) -> Probe:
        """The trained network, final or at a checkpoint, for analysis."""
        low, high = (np.array(self.manifest[key]) for key in ("low", "high"))
        return Probe.open(self.config, self.weights(step), low, high)

    def curves(self) -> Curve:
        """Points of the training curves, one dict a point."""
        lines = self._read("curves.csv").decode().splitlines()
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(lines)]

    def record(self) -> dict[str, Any]:
        """What a report says of the run."""
        keys = ("fingerprint", "profile", "steps", "device", "precision", "seconds")
        return {"name": self.config.name, "seed": self.config.seed} | {key: self.manifest[key] for key in keys}

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
            raise NuclrError(f"Cannot read {path} ({trouble.strerror}): {self._mend()}") from trouble
        if sha256(content) != expected:
            raise NuclrError(
                f"{path} is damaged (sha256 {sha256(content)[:12]}, its manifest says {expected[:12]}): {self._mend()}"
            )
        return content

    def _mend(self) -> str:
        return f"remove {self.folder} and run `python -m nuclr train --profile {self.manifest['profile']}` to train it again."


class Store:
    """The folder of runs. Raises NuclrError where it cannot be written."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def folder(self, profile: str, config: RunConfig, fingerprint: str) -> Path:
        return self.root / profile / config.name / f"seed-{config.seed}" / fingerprint

    def find(self, profile: str, config: RunConfig, fingerprint: str) -> StoredRun | None:
        """The run with this fingerprint, or None where there is none yet."""
        folder = self.folder(profile, config, fingerprint)
        path = folder / "manifest.json"
        if not path.exists():
            return None
        mend = f"remove {folder} and train it again."
        try:
            manifest = json.loads(path.read_bytes())
            version = manifest["format"]
        except (OSError, ValueError, KeyError, TypeError) as trouble:
            raise NuclrError(f"{path} cannot be read ({trouble}): {mend}") from trouble
        if version != FORMAT:
            raise NuclrError(
                f"{path} was written by another version of nuclr (format {version}, this one reads {FORMAT}): {mend}"
            )
        if manifest.get("fingerprint") != fingerprint:
            raise NuclrError(f"{path} belongs to another run (fingerprint {manifest.get('fingerprint')}): {mend}")
        return StoredRun(folder, from_dict(manifest["config"]), manifest)

    def others(self, profile: str, config: RunConfig, fingerprint: str) -> list[str]:
        """Fingerprints of stored runs with this profile, name and seed which are not the wanted one: stale."""
        parent = self.folder(profile, config, fingerprint).parent
        return sorted(child.name for child in parent.glob("[0-9a-f]*") if child.name != fingerprint)

    def add(
        self, profile: str, config: RunConfig, fingerprint: str, files: dict[str, bytes], facts: dict[str, Any]
    ) -> StoredRun:
        """Write a finished run, whole or not at all."""
        folder = self.folder(profile, config, fingerprint)
        manifest = {
            "format": FORMAT,
            "fingerprint": fingerprint,
            "profile": profile,
            "config": to_dict(config),
            **facts,
            "files": {name: sha256(content) for name, content in files.items()},
        }
        partial = folder.with_name(f".partial-{fingerprint}")
        shutil.rmtree(partial, ignore_errors=True)
        for name, content in files.items():
            write(partial / name, content)
        write(partial / "manifest.json", json.dumps(manifest, indent=1, allow_nan=False).encode())
        os.replace(partial, folder)
        return StoredRun(folder, config, manifest)


class Unfinished:
    """The state of a fleet in training, on disk. The key names its members, so that the same fleet finds it again."""

    def __init__(self, root: Path, fingerprints: Sequence[str]) -> None:
        self.folder = root / ".unfinished" / sha256("".join(fingerprints).encode())[:16]

    def save(self, tensors: dict[str, Tensor], step: int, seconds: float, curves: list[Curve]) -> None:
        facts = json.dumps({"step": step, "seconds": seconds, "curves": curves})
        write(self.folder / "state.safetensors", pack(tensors, {"facts": facts}))

    def load(self) -> tuple[dict[str, Tensor], int, float, list[Curve]] | None:
        """(tensors, step, seconds, curves), or None where nothing was begun."""
        path = self.folder / "state.safetensors"
        if not path.exists():
            return None
        try:
            content = path.read_bytes()
            header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
            facts = json.loads(header["__metadata__"]["facts"])
            return load_tensors(content), facts["step"], facts["seconds"], facts["curves"]
        except (OSError, ValueError, KeyError, SafetensorError) as trouble:
            raise NuclrError(
                f"The unfinished training in {path} cannot be read ({trouble}): remove {self.folder} to begin it anew."
            ) from trouble

    def save_checkpoint(self, step: int, tensors: dict[str, Tensor]) -> None:
        write(self.folder / f"checkpoint-{step}.safetensors", pack(tensors))

    def checkpoints(self) -> dict[str, dict[str, Tensor]]:
        """File name to tensors with replica axis."""
        return {path.name: load_tensors(path.read_bytes()) for path in sorted(self.folder.glob("checkpoint-*"))}

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def pack(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """Tensors as the bytes of a safetensors file."""
    return save_tensors({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, metadata)


def curves_csv(curve: Curve) -> bytes:
    """A curve as CSV; a column a quantity, a line a point."""
    columns = list(dict.fromkeys(key for point in curve for key in point))
    lines = [",".join(columns)]
    lines += [",".join(repr(point[key]) if key in point else "" for key in columns) for point in curve]
    return ("\n".join(lines) + "\n").encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
