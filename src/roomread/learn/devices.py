"""One training on several devices of a machine: the same weights on each of them, and an equal share of every batch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

import keras

from roomread.errors import SettingsError


def spread(asked: int | None, batch: int, say: Callable[[str], None]) -> AbstractContextManager[object]:
    """Return the scope in which a network is made and trained, so that Keras spreads it over the devices.

    A step sees the whole batch wherever its parts lie (normalisation and gradients included), so that the result is
    that of one device but for rounding.

    Args:
        asked: how many devices; None takes all that JAX has, and one elsewhere.
        batch: faces in a batch; where they cannot be shared out evenly, fewer devices train.
        say: receives a line where more than one device trains, or fewer than were asked for.

    Raises:
        SettingsError: there are not so many devices, or Keras runs on another backend than JAX.
    """
    backend = keras.backend.backend()
    if backend != "jax":
        if asked not in (None, 1):
            raise SettingsError(
                f"Keras trains on several devices with JAX alone. Expected: one device. Received: {asked}, on "
                f"{backend}. Set KERAS_BACKEND=jax, or leave --devices out."
            )
        return contextlib.nullcontext()
    devices = keras.distribution.list_devices()
    wanted = len(devices) if asked is None else asked
    if not 1 <= wanted <= len(devices):
        raise SettingsError(
            f"JAX cannot train on so many devices. Expected: 1 to {len(devices)} ({', '.join(devices)}). "
            f"Received: {wanted}."
        )
    n = max(number for number in range(1, wanted + 1) if batch % number == 0)
    if n < wanted:
        say(f"A batch of {batch} faces cannot be shared out evenly among {wanted} devices: {n} of them train.")
    if n == 1:
        return contextlib.nullcontext()
    say(f"{n} devices train, {batch // n} faces of each batch on each: {', '.join(devices[:n])}")
    scope: AbstractContextManager[object] = keras.distribution.DataParallel(devices=devices[:n]).scope()
    return scope


def shares() -> int:
    """Return by what number a batch must be divisible: how many devices train."""
    spread_over = keras.distribution.distribution()
    return 1 if spread_over is None else int(spread_over.device_mesh.devices.size)
