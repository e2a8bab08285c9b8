"""Where a long video is cut: at key frames, found in its packets without decoding them, on the grid of the whole."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import av

from roomread.watch.frames import WHOLE, Clock, FrameSettings, Grid, Piece, open_video, packets_of


def cut(path: Path, settings: FrameSettings, seconds: float) -> tuple[Piece, ...]:
    """Return the pieces of a video, in order: together they hold the frames that the whole would give, each once.

    A video without key frames to cut at, or whose packets do not say when they are shown, is one piece. The whole file
    is read, and nothing is decoded.

    Args:
        path: of the video.
        settings: which of its frames are looked at.
        seconds: that a piece shall be long; it is as long as the key frame nearest to that allows.

    Raises:
        SourceError: the file cannot be opened, or holds no video.
    """
    with open_video(path) as container:
        stream = container.streams.video[0]
        clock, (stamps, keys) = Clock(stream), _packets(container, stream)
    if not keys or any(one >= other for one, other in pairwise(keys)):
        return (WHOLE,)
    stamps.sort()
    first = _first(settings, clock, stamps, keys)
    times = [max(clock.seconds(stamp), 0.0) for stamp in stamps[first:]]
    index = round(times[0] / clock.step)
    end = min(settings.end, times[-1])
    chosen = _cuts([(clock.seconds(key), key) for key in keys], settings.start, end, seconds)
    pieces, start = [], WHOLE
    grid, passed = Grid(settings.fps, settings.start), 0
    for time, key in chosen:
        position = bisect_left(stamps, key) - first
        for earlier in times[passed:position]:
            grid.takes(earlier)
        passed = position
        pieces.append(Piece(start.stamp, start.index, start.start, time, start.due))
        start = Piece(key, index + position, time, due=grid.due)
    return (*pieces, start)


def _packets(container: av.container.InputContainer, stream: av.VideoStream) -> tuple[list[int], list[int]]:
    """Return when each frame is shown, and the key frames among them, by the stream's clock; nothing if one is unknown.

    A file that breaks off has those before the break.
    """
    stamps, keys, packets = list[int](), list[int](), packets_of(container, stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.EOFError):
            return stamps, keys
        except av.InvalidDataError:
            continue
        except av.FFmpegError:
            return stamps, keys
        if packet.size == 0 or packet.is_discard:
            continue
        if packet.pts is None:
            return [], []
        stamps.append(packet.pts)
        if packet.is_keyframe:
            keys.append(packet.pts)


def _first(settings: FrameSettings, clock: Clock, stamps: Sequence[int], keys: Sequence[int]) -> int:
    """Return the place among the stamps of the first frame that the whole would decode."""
    if settings.start == 0:
        return 0
    before = bisect_right(keys, clock.stamp(settings.start))
    return bisect_left(stamps, keys[before - 1]) if before else 0


def _cuts(keys: Sequence[tuple[float, int]], start: float, end: float, seconds: float) -> list[tuple[float, int]]:
    """Return the key frames, (seconds, stamp), at which to cut; what is left after the last is no shorter than half."""
    chosen: list[tuple[float, int]] = []
    times, last = [time for time, _ in keys], start
    while last + 1.5 * seconds < end:
        later = bisect_right(times, last)
        after = max(bisect_left(times, last + seconds), later)
        near = [place for place in (after - 1, after) if later <= place < len(keys) and times[place] < end]
        if not near:
            break
        chosen.append(keys[min(near, key=lambda place: abs(times[place] - last - seconds))])
        last = chosen[-1][0]
    return chosen
