"""Applied electric fields E(t), as NWChem's RT-TDDFT evaluates them (atomic units).

s(t) = E_max sin(ω t + φ)
cw        s(t)
gaussian  s(t) exp(-(t - t0)² / 2w²)
hann      s(t) sin²(π (t - t0 + w/2) / w)   within [t0 - w/2, t0 + w/2], else 0
sin2ramp  s(t) R(t), R = 0 up to t_start, sin²(π (t - t_start) / 2w), 1 from t_start + w on
delta     E_max where |t - t0| < dt/2, else 0
file      linear between the points of a file, else 0; NWChem reads the word and stops
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .recorded_field import RecordedField

Shape = Literal["delta", "cw", "gaussian", "hann", "sin2ramp", "file"]
Spin = Literal["total", "alpha", "beta"]


@dataclass(frozen=True)
class Field:
    """One `field` block, or one component of a block of `type file`.

    direction: unit vector of the polarisation.
    maximum: peak of the envelope, au; frequency, phase in rad/au and rad; center, width, start in au of time.
    angles: (theta, phi) in degrees when the deck gave `polarization angle`.
    recorded: the component of a file along `direction`; `maximum` is its largest size then.
    """

    name: str
    shape: Shape
    direction: tuple[float, float, float]
    maximum: float
    frequency: float = 0.0
    phase: float = 0.0
    center: float = 0.0
    width: float = 0.0
    start: float = 0.0
    spin: Spin = "total"
    angles: tuple[float, float] | None = None
    recorded: RecordedField | None = None


@dataclass(frozen=True)
class Excitation:
    """One `excite <geometry> with <field>` rule."""

    geometry: str
    field: str


def amplitudes(field: Field, times: np.ndarray, dt: float) -> np.ndarray:
    """(k,) `amplitude` at each of times (k,)."""
    if field.shape == "delta":
        acts = (times >= -0.1 * dt) & (np.abs(times - field.center) < dt / 2)
        return np.where(acts, field.maximum, 0.0)
    return np.array([amplitude(field, time, dt) for time in times.tolist()])


def amplitude(field: Field, t: float, dt: float) -> float:
    """Signed size of E at time t along `field.direction`; dt is the run's time step (au)."""
    if t < -0.1 * dt:
        return 0.0
    if field.recorded is not None:
        return field.recorded.at(t)
    if field.shape == "delta":
        return field.maximum if abs(t - field.center) < dt / 2 else 0.0
    s = field.maximum * math.sin(field.frequency * t + field.phase)
    if field.shape == "cw":
        return s
    if field.shape == "gaussian":
        return s * math.exp(-((t - field.center) ** 2) / (2.0 * field.width**2))
    if field.shape == "hann":
        start = field.center - field.width / 2
        if not start <= t <= start + field.width:
            return 0.0
        return s * math.sin(math.pi * (t - start) / field.width) ** 2
    if t <= field.start:
        return 0.0
    if t >= field.start + field.width:
        return s
    return s * math.sin(math.pi * (t - field.start) / (2.0 * field.width)) ** 2
