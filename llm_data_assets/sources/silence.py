"""How much of a recording is silent: the only thing here that decodes sound (extra `audio`)."""

from importlib.metadata import PackageNotFoundError, version
from typing import BinaryIO

import numpy as np

_FRAME_SECONDS = 0.02
_FRAMES_A_BLOCK = 500
# A frame is silent this far below the recording's loudest one, or below -60 dB of full scale
# (the default of ffmpeg's silencedetect, as recalled): a recording of nothing has no loud frame.
# librosa 0.11's effects.split takes 60 below the loudest, as recalled, where the noise of a room
# counts as sound; 40 finds the pauses of read speech.
_BELOW_LOUDEST_DB = 40.0
_FLOOR_DB = -60.0


def listener() -> str | None:
    """The version of what decodes sound; None where it is not installed."""
    try:
        return version("soundfile")
    except PackageNotFoundError:
        return None


def silence(stream: BinaryIO, seconds: float | None) -> tuple[float | None, str]:
    """Silent share of a recording, and why there is none.

    Args:
        stream: seekable; FLAC, WAV or what else libsndfile reads.
        seconds: how long its header says it is; None if it does not say.

    Returns:
        (share of frames of 20 ms in [0, 1], "none"); or None with "not_installed", or "broken":
        it does not decode, ends before its header says, or has no samples.
    """
    if listener() is None:
        return None, "not_installed"
    import soundfile

    levels = []
    try:
        with soundfile.SoundFile(stream) as sound:
            frame = max(1, round(sound.samplerate * _FRAME_SECONDS))
            # libsndfile takes the length of a WAV that was cut short from the size of the file.
            left = max(sound.frames, round((seconds or 0) * sound.samplerate))
            for block in sound.blocks(frame * _FRAMES_A_BLOCK, dtype="float64", always_2d=True):
                left -= len(block)
                levels.append(_levels(block, frame))
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, OSError):
        return None, "broken"
    loud = np.concatenate(levels) if levels else np.empty(0)
    if left > 0 or not len(loud) or not np.isfinite(loud).all():
        return None, "broken"
    bound = max(loud.max() - _BELOW_LOUDEST_DB, _FLOOR_DB)
    return float(np.mean(loud < bound)), "none"


def _levels(samples: np.ndarray, frame: int) -> np.ndarray:
    """Root mean square of each frame over all channels, in dB of full scale; the last is shorter.

    Args:
        samples: float64[n, channels].
    """
    starts = np.arange(0, len(samples), frame)
    power = np.add.reduceat(np.square(samples).mean(axis=1), starts)
    sizes = np.diff(np.append(starts, len(samples)))
    return 10 * np.log10(np.maximum(power / sizes, 1e-12))
