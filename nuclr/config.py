"""What defines a training run: frozen, validated, and hashed into its fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from nuclr.errors import NuclrError, unknown

OBSERVABLES = ("binding", "radius", "qa", "qbm", "qbm_n", "qec", "sn", "sp", "z", "n")
CONTROL = "control"  # a target of random numbers, beside the ten, from which nothing but its mean can be learned

HEADS = 4  # of the transformer's attention

Activation = Literal["silu", "relu", "gelu", "solu"]
Precision = Literal["float32", "tf32", "bf16-matmul"]
Biases = Literal["decayed", "free"]


@dataclass(frozen=True)
class DataConfig:
    """Which rows a run sees.

    observables: the targets, in the order of their task tokens: of OBSERVABLES, and the control.
    nuclides: "core" (every nuclide known to exist), "heavy" (z, n > 8), or "known-2016" (mass measured by AME2016).
    split: how rows are held out: by "row" (as published), by "nucleus", or "clean" (see nuclr.data.splits).
    fraction: share of the rows (or nuclei) that is trained on; 1 holds nothing out.
    split_over: observables whose rows are split together, each keeping all of its Z and N in training; empty: the
        targets, together. Runs of one observable and the joint run, split over the same, hold out the same rows.
    targets: "measured" (and estimated) values, or "semf": the SEMF's binding energies of the same nuclides.
    """

    observables: tuple[str, ...] = OBSERVABLES
    nuclides: Literal["core", "heavy", "known-2016"] = "core"
    split: Literal["row", "nucleus", "clean"] = "row"
    fraction: float = 0.9
    split_over: tuple[str, ...] = ()
    targets: Literal["measured", "semf"] = "measured"

    def __post_init__(self) -> None:
        _check_choices(self)
        for name in (*self.observables, *self.split_over):
            if name not in (*OBSERVABLES, CONTROL):
                raise unknown("observable", name, (*OBSERVABLES, CONTROL))
        _require(len(self.observables) > 0, "observables is empty: name at least one.")
        for key, names in (("observables", self.observables), ("split_over", self.split_over)):
            _require(len(set(names)) == len(names), f"{key} names one twice.")
        left_out = [name for name in self.observables if self.split_over and name not in self.split_over]
        _require(not left_out, f"split_over lacks {', '.join(left_out)}: name every target there, or leave it empty.")
        pseudo = self.targets == "semf"
        _require(
            not pseudo or self.observables == ("binding",),
            'targets is "semf", which has binding energies alone: set observables to ("binding",).',
        )
        _require(0 < self.fraction <= 1, f"fraction is {self.fraction}: it must lie in (0, 1].")


@dataclass(frozen=True)
class AdditionConfig:
    """The sums that a run of modular addition sees, in the place of rows on nuclei (section 2 of the paper).

    modulus: p; the sums are a + b mod p for every ordered pair of residues, p^2 of them.
    fraction: share of the sums that is trained on, drawn by the seed; a + b may train where b + a is held out.
    """

    modulus: int = 53
    fraction: float = 0.5

    def __post_init__(self) -> None:
        _require(
            self.modulus >= 3 and self.modulus % 2 == 1,
            f"modulus is {self.modulus}: it must be odd and at least 3, since half a turn is then no residue's.",
        )
        _require(0 < self.fraction < 1, f"fraction is {self.fraction}: it must lie between 0 and 1.")

    @property
    def observables(self) -> tuple[str, ...]:
        """What such a network is asked for."""
        return ("sum",)


@dataclass(frozen=True)
class ModelConfig:
    """The network (Appendix B of the paper). What the options do, says nuclr.model.network.

    width, depth: d, and how many residual blocks follow the first layer.
    norm: of the residual stream after each block.
    attention: over the three tokens, "fixed" to uniform (then the transformer is an MLP), "learned" by one head at the
        readout, or that of a whole "transformer", which has no norm and its own activations (nuclr.model.transformer).
    first_activation, block_activation: nonlinearity after the first layer, and of both layers of a block.
    biases: "decayed" start at zero and decay as weights do; "free" start at random and never decay, as published.
    """

    width: int = 128
    depth: int = 2
    norm: Literal["none", "layer", "rms", "batch"] = "none"
    attention: Literal["fixed", "learned", "transformer"] = "fixed"
    first_activation: Activation = "silu"
    block_activation: Activation = "relu"
    biases: Biases = "decayed"

    def __post_init__(self) -> None:
        _check_choices(self)
        _require(self.width >= 4, f"width is {self.width}: it must be at least 4.")
        _require(self.depth >= 1, f"depth is {self.depth}: it must be at least 1.")
        if self.attention == "transformer":
            _require(
                self.width % HEADS == 0,
                f'width is {self.width}: with attention "transformer" it must be a multiple of {HEADS}, the number of heads.',
            )
            _require(
                (self.norm, self.first_activation, self.block_activation) == ("none", "silu", "relu"),
                'attention is "transformer", which has no norm and no other activations: leave these as they are.',
            )


@dataclass(frozen=True)
class TrainingConfig:
    """How a run is trained.

    learning_rate: peak, for the vector-like parameters; muP scales it for hidden matrices (nuclr.model.parametrization).
    weight_decay: decoupled (AdamW), before muP's scaling.
    steps, warmup: optimizer steps in all, and the linear warm-up among them.
    schedule: "cosine" to zero, or "constant", after the warm-up.
    batch: rows in a step, as a share of the training rows (at most 1) or as a number of rows (an integer above 1).
    weighting: squared errors over the expected error squared ("chi2"), over the expected error once ("inverse", as the
        published code), or in min-max units ("equal").
    precision: "float32"; or float32 everywhere but inside matrix products, whose inputs are rounded to bfloat16
        ("bf16-matmul") or to TensorFloat-32 where the device has it ("tf32").
    """

    learning_rate: float = 1e-2
    weight_decay: float = 0.01
    steps: int = 15_000
    warmup: int = 200
    schedule: Literal["cosine", "constant"] = "cosine"
    batch: float | int = 0.2
    weighting: Literal["chi2", "inverse", "equal"] = "chi2"
    precision: Precision = "bf16-matmul"

    def __post_init__(self) -> None:
        _check_choices(self)
        _require(self.learning_rate > 0, f"learning_rate is {self.learning_rate}: it must be positive.")
        _require(self.weight_decay >= 0, f"weight_decay is {self.weight_decay}: it must not be negative.")
        _require(self.steps >= 1, f"steps is {self.steps}: it must be at least 1.")
        _require(0 <= self.warmup < self.steps, f"warmup is {self.warmup}: it must be below steps ({self.steps}).")
        share = 0 < self.batch <= 1
        rows = self.batch > 1 and float(self.batch).is_integer()
        _require(share or rows, f"batch is {self.batch}: give a share in (0, 1] or a whole number of rows.")


@dataclass(frozen=True)
class RunConfig:
    """One training run: a name in its profile, a seed, and everything that decides its weights.

    The kind of its data says what is learned: observables of nuclei, or modular addition. Of the network's options the latter
    knows width and depth alone, and no weighting.
    """

    name: str
    seed: int = 0
    data: DataConfig | AdditionConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        _require(self.seed >= 0, f"seed is {self.seed}: it must not be negative.")
        plain = self.model == ModelConfig(self.model.width, self.model.depth)
        _require(
            plain or not isinstance(self.data, AdditionConfig),
            "The network of modular addition has no options but width and depth: leave the others as they are.",
        )

    @property
    def label(self) -> str:
        """The run for a reader: "joint, seed 2"."""
        return f"{self.name}, seed {self.seed}"


def fingerprint(config: RunConfig, data: str, arithmetic: int) -> str:
    """Sixteen hex digits that change with anything which can change the weights.

    data: digest of the rows which the run sees. arithmetic: the number of the training's arithmetic.
    The run's name is left out, since it changes no weight.
    """
    causes = to_dict(config) | {"name": "", "data_digest": data, "arithmetic": arithmetic}
    return hashlib.sha256(json.dumps(causes, sort_keys=True).encode()).hexdigest()[:16]


def to_dict(config: RunConfig) -> dict[str, Any]:
    """A plain dict of numbers, strings and lists, fit for JSON."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


def from_dict(values: Mapping[str, Any]) -> RunConfig:
    """The inverse of `to_dict`. Raises NuclrError for a missing, superfluous or wrongly typed entry."""
    built: RunConfig = _build(RunConfig, values, "run")
    return built


@cache
def _hints(kind: type) -> dict[str, Any]:
    """Types of the settings of a config: working them out takes longer than the rest of reading one."""
    return get_type_hints(kind)


def _build(kind: Any, values: Any, where: str) -> Any:
    if kind == DataConfig | AdditionConfig:
        kind = AdditionConfig if "modulus" in values else DataConfig
    if dataclasses.is_dataclass(kind):
        _require(isinstance(values, Mapping), f"{where} must be a table of settings.")
        hints = _hints(kind)  # type: ignore[arg-type]  # a class is hashable
        for key in values:
            if key not in hints:
                raise unknown(f"setting in {where}", key, hints)
        missing = [key for key in hints if key not in values]
        _require(not missing, f"{where} lacks {', '.join(missing)}.")
        return kind(**{key: _build(hints[key], value, f"{where}.{key}") for key, value in values.items()})  # type: ignore[operator]
    if get_origin(kind) is tuple:
        return tuple(values)
    return values


def _check_choices(config: Any) -> None:
    for key, hint in _hints(type(config)).items():  # type: ignore[arg-type]
        if get_origin(hint) is Literal and getattr(config, key) not in get_args(hint):
            raise unknown(key, str(getattr(config, key)), get_args(hint))


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise NuclrError(otherwise)
