"""The settings of a training run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from roomread.learn.augment import AugmentSettings
from roomread.learn.model import MODELS

CHOICES = {
    "optimizer": ("sgd", "adam"),
    "schedule": ("cosine", "constant", "plateau"),
    "monitor": ("validation_accuracy", "validation_loss"),
    "keep": ("last", "best"),
    "class_weights": ("none", "balanced"),
    "precision": ("float32", "mixed_bfloat16"),
}

SEEDS = 1 << 31  # how many there are: some backends hold a seed in 32 bits with a sign


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """One training run. A run file names only what differs from these."""

    name: str = "expression"  # of the files that are written
    weights_name: str | None = None  # of the .h5 file, without its ending; None takes `name`
    model: str = "compact"  # or large, tiny, baseline: see learn.model
    seed: int = 0  # of first weights, order, augmentation and dropout
    seeds: int = 1  # runs, with seed, seed + 1 and so on; the median of them on `validation` is the result
    epochs: int = 40  # how often every face is shown
    batch_size: int = 128  # faces of one step; more want a higher rate

    optimizer: str = "sgd"  # or adam
    learning_rate: float = 0.1  # at the end of the warm-up
    schedule: str = "cosine"  # down to 0 along half a cosine; constant; or plateau: down when nothing gets better
    cycles: int = 1  # of the cosine, equally long, each from half the rate of the one before
    warmup_epochs: float = 1.0  # the rate rises in a straight line
    plateau_patience: int = 5  # epochs without a better one before the rate falls
    plateau_factor: float = 0.5  # by which it falls then
    momentum: float = 0.9  # Nesterov's; of sgd only
    weight_decay: float = 5e-4  # of kernels only; with a momentum of 0.9 it does what 5e-5 does in PyTorch's sgd
    ema_decay: float = 0.0  # of the moving average of all weights; 0: none. 0.999 averages about 1,000 steps

    ferplus_share: float = 0.3  # of FER+'s votes in the target; 0 fits the labels alone
    teachers: tuple[Path, ...] = ()  # asked about each face as it is shown: .keras files, or run files, run first
    teacher_share: float = 0.0  # of their mean answer in the target; the rest is label and votes as above
    label_smoothing: float = 0.0  # share of the target spread evenly over all classes; 0.1 is usual
    mixup: float = 0.0  # alpha of the Beta distribution by which two faces are laid over each other; 0: none
    class_weights: str = "none"  # balanced: a face counts as much more as its class is rarer
    augmentation: bool = True  # False shows every face as it is
    augment: AugmentSettings = field(default_factory=AugmentSettings)  # how far: a table of its own

    monitor: str = "validation_accuracy"  # or validation_loss: what says which epoch is better
    stop_patience: int = 0  # epochs without a better one before training stops; 0: goes on to the last
    keep: str = "last"  # or best: the epoch whose weights are the result
    temperature: bool = False  # True divides the scores by what makes the confidence on `validation` true

    precision: str = "float32"  # or mixed_bfloat16: twice as fast where the processor has it; float32 on disk
    tensorboard: bool = False  # write a log for TensorBoard to the folder `tensorboard`
    limit: int | None = None  # use only so many faces of each split, to try a run out

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ValueError(f"There is no model {self.model!r}. Expected one of: {', '.join(MODELS)}.")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be {' or '.join(choices)}. Received: {getattr(self, name)}.")
        if not 0 <= self.ferplus_share < 0.5:
            raise ValueError(f"ferplus_share must lie in 0 to 0.5. Received: {self.ferplus_share}.")
        for name in ("momentum", "ema_decay", "label_smoothing", "teacher_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1. Received: {getattr(self, name)}.")
        for name in ("weight_decay", "warmup_epochs", "mixup", "stop_patience"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative. Received: {getattr(self, name)}.")
        if not 0 < self.plateau_factor < 1:
            raise ValueError(f"plateau_factor must lie between 0 and 1. Received: {self.plateau_factor}.")
        if bool(self.teachers) != (self.teacher_share > 0):
            raise ValueError(
                "teachers and a teacher_share above 0 belong together. Received: "
                f"{len(self.teachers)} models, a share of {self.teacher_share}."
            )
        if not 0 <= self.seed <= SEEDS - self.seeds:
            raise ValueError(f"seed and all that follow must lie in 0 to {SEEDS - 1}. Received: {self.seed}.")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"limit must be at least 1. Received: {self.limit}.")
        for name in ("seeds", "epochs", "cycles", "batch_size", "learning_rate", "plateau_patience"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0. Received: {getattr(self, name)}.")
        for name in ("name", "weights_name"):
            text = getattr(self, name)
            if text is not None and (not text or set(text) & set("/\\:") or text.startswith(".")):
                raise ValueError(f"{name} must be the name of a file, without folder and ending. Received: {text!r}.")
