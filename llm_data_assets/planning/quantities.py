"""Numbers as people write them: `5.76e23`, `70B`, `1.4T`, GPU-hours of a device."""

import math
import re

from llm_data_assets.config.errors import ConfigError

_SUFFIX = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12, "P": 1e15}
_NUMBER = re.compile(r"\s*([+-]?\d[\d_,]*\.?\d*(?:e[+-]?\d+)?)\s*([KMBGTP]?)\s*", re.IGNORECASE)
# What a plan can be about: field -> (least, most, an example). Outside, a unit was left out.
_RANGES = {
    "--flops": (1e15, 1e32, "5.76e23"),
    "--params": (1e6, 1e16, "70B"),
    "--tokens": (1e6, 1e18, "1.4T"),
    "--unique-tokens": (1e3, 1e18, "300B"),
    "--inference-tokens": (1e6, 1e20, "10T"),
    "--gpu-hours": (1e-2, 1e12, "1.3M"),
}
# Dense BF16 peak of one device in FLOP/s, without sparsity (FP16 for V100), by its maker's sheet.
DEVICES = {
    "V100": 125e12, "A100": 312e12, "H100": 989e12, "H100-PCIe": 756e12, "H200": 989e12,
    "B200": 2250e12, "L40S": 362e12, "MI250X": 383e12, "MI300X": 1307e12, "TPUv4": 275e12,
    "TPUv5e": 197e12, "TPUv5p": 459e12,
}  # fmt: skip
# Llama 3 (arXiv 2407.21783, table 4) reached 38 to 43 % of the peak.
UTILISATION = 0.4


def parse_quantity(field: str, text: str) -> float:
    """A positive number with an optional suffix K, M, B, T or P.

    Raises:
        ConfigError: no number, not positive, or of a size that only a missing unit explains.
    """
    least, most, example = _RANGES[field]
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ConfigError(field, "", f"{text!r} is no quantity", f"{field} {example}")
    value = float(match[1].replace("_", "").replace(",", "")) * _SUFFIX[match[2].upper()]
    if value <= 0 or not math.isfinite(value):
        raise ConfigError(field, "", f"{text} is not a positive number", f"{field} {example}")
    if not least <= value <= most:
        raise ConfigError(
            field, "",
            f"{text} is outside {least:g} to {most:g}; a number without a suffix counts ones",
            f"{field} {example}",
        )  # fmt: skip
    return value


def flops_of_hours(hours: float, device: str, utilisation: float) -> float:
    """FLOP that devices do in `hours` at this part of their peak.

    Raises:
        ConfigError: an unknown device, or a utilisation outside (0, 1].
    """
    by_name = {name.lower(): peak for name, peak in DEVICES.items()}
    if device.lower() not in by_name:
        raise ConfigError(
            "--device", "", f"{device!r} is not in the table", f"one of {', '.join(DEVICES)}"
        )
    if not 0 < utilisation <= 1:
        raise ConfigError(
            "--utilisation", "", f"{utilisation} is not a part of the peak", f"{UTILISATION}"
        )
    return hours * 3600 * by_name[device.lower()] * utilisation


def readable(value: float) -> str:
    """A count as people read it: 70.0B, 1.37T."""
    for suffix, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if value >= size:
            return f"{value / size:.4g}{suffix}"
    return f"{value:.4g}"
