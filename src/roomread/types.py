"""The data that passes between the stages: one small frozen type each, arrays side by side, one row per face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # FER-2013's own indices
N_EMOTIONS = len(EMOTIONS)
SIGNALS = (
    *("presence", "yaw", "pitch", "roll", "eyes", "gaze", "mouth"),
    *("upper_lid", "lower_lid", "upper_lip", "lips"),
)
"""What is read of a head, in the order of the columns.

presence: 0 to 1, how sure the mesh is that it sees a face; below SURE it has lost the face. What it says of lost faces,
    and of the eyes and mouths of heads turned far away, is kept, but not to be trusted by itself: see `trusted`.
yaw: degrees, where the face points, positive to the picture's right; 0 into the camera.
pitch: degrees, positive downwards; 0 is about into the camera, and differs from person to person by about 8.
roll: degrees, how far the head is tilted about the way it points, positive clockwise in the picture.
eyes: height over width of the opening between the lids, mean of both; open about 0.3, closed under 0.15.
gaze: degrees, sideways, relative to the head, positive to the picture's right. A single reading is off by about 5, and
    a person's own middle by up to 8: compare it with the same seat's usual value. Up and down cannot be told: moved
    irises change the mesh eight times less than they should.
mouth: distance of the lips over that of the outer corners of the eyes; closed about 0.01, a yawn above 0.3.
upper_lid, lower_lid: how far the middle of the lid is above, and below, the line between the eye's corners, over their
    distance, mean of both eyes; about 0.2 and 0.1 with open eyes. Eyes that look down lower both.
upper_lip, lips: height of the upper lip, and of both lips with what is between them, over the distance of the outer
    corners of the eyes; thin where they are pressed, drawn or in a smile.
"""
SURE = 0.5  # of presence, 0 to 1
EYES_YAW, GAZE_YAW = 50.0, 40.0  # degrees either way; of a head turned further the far eye is hidden
EYES_PITCH = 30.0  # degrees up- and downwards; beyond it lowered lids of one who reads look closed
N_SIGNALS = len(SIGNALS)
NO_SEAT = 0
WHOLE_CLASS = -1  # stands for a seat where the class was coded as a whole; NO_SEAT is nobody's place
PURPOSES = ("research", "self-study", "demo")

ESTABLISHED_FRAMES = 3  # a seat seen in fewer frames may be a false box ...
ESTABLISHED_SHARE = 0.02  # ... and so may one seen in less than this share of a long lesson's frames

LEVEL = 0.95  # of every interval
DEVIATION = 1.4826  # of a normal variable over its median absolute deviation

# What a bin of the class timeline can be.
OK, TOO_FEW, NO_FACE, UNREADABLE, NOT_ANALYSED = "ok", "too few", "no face", "unreadable", "not analysed"
SPARSE, NO_REST = "too little measured", "nothing to compare with"  # what a part can be beside some of those
NOT_ENOUGH = "not enough evidence"  # of ClassLine alone: too few seats were read for long enough
DROP, RISE = "drop", "rise"
ACTIVITY, SPEECH, PAUSE, MARKER = "activity", "speech", "pause", "marker"  # the kinds of a lesson's parts

Image = npt.NDArray[np.uint8]  # (height, width, 3), RGB
Array = npt.NDArray[Any]


def check_shape(name: str, array: Array, shape: tuple[int | None, ...]) -> None:
    """Refuse an array of another shape; None in `shape` stands for any length.

    Raises:
        ValueError: the shape differs.
    """
    fits = len(array.shape) == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        expected = ", ".join("any" if side is None else str(side) for side in shape)
        raise ValueError(f"`{name}` has the wrong shape. Expected: ({expected}). Received: {array.shape}.")


def check_lengths(thing: object, n: int, *names: str) -> None:
    """Refuse a thing of which one of these arrays has another shape than (n,).

    Raises:
        ValueError: the shape differs.
    """
    for name in names:
        check_shape(name, getattr(thing, name), (n,))


def trusted(signals: Array) -> Array:
    """Return signals without what is not to be trusted by itself: float (n, 11), in the order of SIGNALS.

    Of lost faces nothing is left but that they are lost; of heads turned far away nothing of eyes and mouth.
    """
    lost = ~(signals[:, 0] >= SURE)
    yaw, pitch = abs(signals[:, 1]), abs(signals[:, 2])
    of_eyes, of_mouth, is_gaze = (
        np.isin(SIGNALS, names)
        for names in (("eyes", "gaze", "upper_lid", "lower_lid"), ("mouth", "upper_lip", "lips"), "gaze")
    )
    hidden = (
        (lost[:, None] & (np.arange(N_SIGNALS) > 0))
        | (((yaw > EYES_YAW) | (pitch > EYES_PITCH))[:, None] & of_eyes)
        | ((yaw > EYES_YAW)[:, None] & of_mouth)
        | ((yaw > GAZE_YAW)[:, None] & is_gaze)
    )
    return np.where(hidden, np.nan, signals)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture and its moment.

    image: uint8 (height, width, 3), RGB, upright (a phone's rotation is already undone).
    time: seconds from the start of the source, from the container's own clock.
    index: number of the frame within the source, from 0, counting those that were not analysed.
    """

    image: Image
    time: float
    index: int

    def __post_init__(self) -> None:
        check_shape("image", self.image, (None, None, 3))


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Faces found in one frame.

    boxes: float32 (n, 4), pixels, (left, top, right, bottom); right and bottom lie just outside the face.
    scores: float32 (n,), 0 to 1, higher is surer.
    points: float32 (n, 5, 2), pixels, (x, y) of the person's right eye, left eye, nose tip, right and left corner of
        the mouth.
    """

    boxes: Array
    scores: Array
    points: Array

    def __post_init__(self) -> None:
        check_shape("scores", self.scores, (None,))
        check_shape("boxes", self.boxes, (len(self.scores), 4))
        check_shape("points", self.points, (len(self.scores), 5, 2))

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, keep: Array) -> Detections:
        """Return the faces that a mask or an index array keeps, in its order."""
        return Detections(self.boxes[keep], self.scores[keep], self.points[keep])


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Faces of one frame with the number of the seat each was seen at.

    seats: int64 (n,), from 1, never given twice; no number stands twice in a frame. NO_SEAT marks a face that has not
        stayed at a place: somebody who walks, or who has only just appeared.
    boxes: float32 (n, 4), pixels, (left, top, right, bottom).
    scores: float32 (n,), 0 to 1.
    """

    seats: Array
    boxes: Array
    scores: Array

    def __post_init__(self) -> None:
        check_shape("seats", self.seats, (None,))
        check_shape("boxes", self.boxes, (len(self.seats), 4))
        check_shape("scores", self.scores, (len(self.seats),))
        seated = self.seats[self.seats != NO_SEAT]
        if len(np.unique(seated)) != len(seated):
            raise ValueError(f"`seats` must name each seat once. Received: {self.seats.tolist()}.")

    def __len__(self) -> int:
        return len(self.seats)


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What was seen in one analysed frame: one row per face, none when the room showed no face.

    time: seconds from the start of the source.
    index: number of the frame within the source.
    tracks: the faces and their seats.
    emotions: float32 (n, 7), 0 to 1, each row sums to 1, in the order of EMOTIONS; a row of NaN where the face could
        not be read.
    sharpness: float32 (n,), gray levels squared; variance of the Laplacian of the face at the model's size.
    signals: float32 (n, 11), in the order of SIGNALS; NaN where a signal was not read in this frame or cannot be.
    """

    time: float
    index: int
    tracks: Tracks
    emotions: Array
    sharpness: Array
    signals: Array

    def __post_init__(self) -> None:
        check_shape("emotions", self.emotions, (len(self.tracks), N_EMOTIONS))
        check_shape("sharpness", self.sharpness, (len(self.tracks),))
        check_shape("signals", self.signals, (len(self.tracks), N_SIGNALS))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Prediction:
    """What a model says of the faces in one picture, as far as the declared purpose lets it be seen.

    name: of the file, without its folders.
    picture: uint8 (height, width, 3), RGB.
    boxes: float32 (n, 4), pixels, (left, top, right, bottom); the whole picture where no face was looked for.
    faces: uint8 (n, 48, 48, 1), gray, as the model saw them.
    emotions: float32 (n, 7), 0 to 1, in the order of EMOTIONS; a row of NaN where the face is too small to be read, or
        where single faces may not be shown.
    engagement: float64 (n,), 0 to 1; NaN likewise.
    together: float64 (7,), mean over the faces that could be read; NaN where they are too few to be shown.
    engagement_together: 0 to 1, their mean; NaN likewise.
    n_readable: how many faces could be read.
    levels: bool (n, levels) by the name of each scale of the mapping, which levels may be the true one; empty where it
        has none or single faces may not be shown.
    single: whether single faces may be shown. rule: why, in one sentence.
    """

    name: str
    picture: Image
    boxes: Array
    faces: Array
    emotions: Array
    engagement: Array
    together: Array
    engagement_together: float
    n_readable: int
    levels: dict[str, Array]
    single: bool
    rule: str

    def __post_init__(self) -> None:
        check_shape("boxes", self.boxes, (None, 4))
        check_shape("emotions", self.emotions, (len(self.boxes), N_EMOTIONS))
        check_shape("engagement", self.engagement, (len(self.boxes),))
        check_shape("together", self.together, (N_EMOTIONS,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is known of a lesson beside its observations.

    What has a default is so when a lesson begins. Times are seconds from the start of the source; `began` and
    `created` are moments with a time zone, ISO 8601.
    """

    number: int = 0  # of the store, from 1; 0 before it has one
    name: str  # chosen by the user; the source's file name when nothing was chosen
    source: str  # file name without its folders
    purpose: str  # one of PURPOSES
    reference: str | None  # ethics or consent number; without it research sees what everybody sees
    sample: bool = False  # the built-in synthetic room, which shows nobody
    began: str | None  # when the lesson began by the clock
    created: str  # when it was analysed
    duration: float = 0.0  # seconds from the first to the end of the last analysed frame
    width: int = 0  # pixels of the upright picture
    height: int = 0
    state: str = "running"  # "running", "complete", or "stopped" before its end
    notes: tuple[str, ...] = ()  # what was lost or left out, in words
    made_with: dict[str, Any]  # versions, settings, model names and hashes
    remarks: str = ""  # what somebody wrote about it
    keep_until: str | None = None  # the last day on which it is kept, ISO 8601; None: as the store says for all


@dataclass(frozen=True, slots=True)
class Part:
    """A named stretch of a lesson.

    start, end: seconds from the start of the source, start below end; the end is infinite where a part lasts to the end
        of the lesson. A marker is a moment: both are the same.
    kind: ACTIVITY, SPEECH, PAUSE or MARKER.
    """

    name: str
    start: float
    end: float
    kind: str


def frames_needed(frames: int) -> float:
    """Return in how many of so many frames a seat must be seen to count as one."""
    return min(max(ESTABLISHED_FRAMES, ESTABLISHED_SHARE * frames), max(frames, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """All that was observed in a lesson: one row per analysed frame, and one per face and frame.

    times: float64 (f,), seconds from the start of the source, ascending.
    frames: int64 (n,), for each face the row of `times` it was seen in, ascending.
    seats: int64 (n,), number of the seat, from 1, or NO_SEAT.
    boxes: float32 (n, 4), pixels, (left, top, right, bottom).
    scores: float32 (n,), 0 to 1, of the detector.
    sharpness: float32 (n,), see `preprocess.sharpness`.
    emotions: float32 (n, 7), 0 to 1, rows sum to 1, in the order of EMOTIONS; NaN where the face could not be read.
    signals: float32 (n, 11), in the order of SIGNALS; NaN where a signal was not read in this frame or cannot be.
    """

    times: Array
    frames: Array
    seats: Array
    boxes: Array
    scores: Array
    sharpness: Array
    emotions: Array
    signals: Array

    def __post_init__(self) -> None:
        n = len(self.frames)
        check_shape("times", self.times, (None,))
        check_lengths(self, n, "seats", "scores", "sharpness")
        check_shape("boxes", self.boxes, (n, 4))
        check_shape("emotions", self.emotions, (n, N_EMOTIONS))
        check_shape("signals", self.signals, (n, N_SIGNALS))

    def __len__(self) -> int:
        return len(self.frames)

    def established(self) -> Array:
        """Return the numbers of the seats that were seen often enough to be seats: int64 (k,), ascending."""
        seats, counts = np.unique(self.seats[self.seats != NO_SEAT], return_counts=True)
        return seats[counts >= frames_needed(len(self.times))]

    @classmethod
    def of_observations(cls, seen: Sequence[Observation]) -> Readings:
        """Return observations, in the order of their times, as readings; there must be one at least."""
        return cls(
            times=np.array([each.time for each in seen], np.float64),
            frames=np.repeat(np.arange(len(seen)), [len(each.tracks) for each in seen]),
            seats=np.concatenate([each.tracks.seats for each in seen]),
            boxes=np.concatenate([each.tracks.boxes for each in seen]),
            scores=np.concatenate([each.tracks.scores for each in seen]),
            sharpness=np.concatenate([each.sharpness for each in seen]),
            emotions=np.concatenate([each.emotions for each in seen]),
            signals=np.concatenate([each.signals for each in seen]),
        )

    def of(self, keep: Array) -> Readings:
        """Return the faces that a mask keeps, and every frame."""
        parts = (self.frames, self.seats, self.boxes, self.scores, self.sharpness, self.emotions, self.signals)
        return Readings(self.times, *(part[keep] for part in parts))


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The class over time, one row per bin. What a bin cannot or must not show is NaN, never 0.

    starts: float64 (n,), seconds from the start of the source; every bin is `bin_seconds` long.
    status: str (n,), one of OK, TOO_FEW (seats to aggregate), NO_FACE, UNREADABLE (faces seen, none has a score),
        NOT_ANALYSED.
    engagement: float64 (n,), 0 to 1, mean over the seats of the bin.
    low, high: float64 (n,), 0 to 1, the band about it: see `engagement.aggregate`.
    emotions: float64 (n, 7), 0 to 1, mean over seats, in the order of EMOTIONS; rows sum to 1 until they
        are rounded.
    readable, unreadable: float64 (n,), faces per analysed frame that could and could not be read.
    seats: float64 (n,), seats with a score.
    """

    bin_seconds: float
    starts: Array
    status: Array
    engagement: Array
    low: Array
    high: Array
    emotions: Array
    readable: Array
    unreadable: Array
    seats: Array

    def __post_init__(self) -> None:
        n = len(self.starts)
        check_lengths(self, n, "status", "engagement", "low", "high", "readable", "unreadable", "seats")
        check_shape("emotions", self.emotions, (n, N_EMOTIONS))


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """How much of the class is in a state, one row per bin; NaN where that is not known or must not be shown.

    value: float64 (n,), 0 to 1, mean over the seats of each seat's share of readings in that state.
    low, high: float64 (n,), 0 to 1, interval of that mean; NaN with one seat.
    seats: float64 (n,), how many seats it is made of.
    """

    value: Array
    low: Array
    high: Array
    seats: Array

    def __post_init__(self) -> None:
        check_lengths(self, len(self.value), "low", "high", "seats")


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """How much higher each part of a lesson lies than what it is compared with; NaN where not enough is known.

    status: str (n,), OK, or why there is no number: TOO_FEW (seats), SPARSE, NO_REST or NOT_ANALYSED.
    value: float64 (n,), -1 to 1, mean over the compared seats of each seat's own difference.
    low, high: float64 (n,), interval of that mean; not cut, so it may reach beyond -1 and 1.
    seats: float64 (n,), how many seats were compared. covered: float64 (n,), 0 to 1, share of the part's time with
        readings of them.
    """

    status: Array
    value: Array
    low: Array
    high: Array
    seats: Array
    covered: Array

    def __post_init__(self) -> None:
        check_lengths(self, len(self.status), "value", "low", "high", "seats", "covered")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassLine:
    """The class over tens of seconds against its seats' own usual levels, one row per step; NaN where not known.

    starts: float64 (n,), seconds from the start of the source; every step is `step` seconds long.
    status: str (n,), one of OK, NOT_ENOUGH (evidence), TOO_FEW (seats to be shown), NO_FACE, NOT_ANALYSED.
    change: float64 (n,), -1 to 1, mean over the seats read of how far each is from its own usual level.
    low, high: float64 (n,), -1 to 1, the interval of that mean: see `engagement.overtime`.
    seats: float64 (n,), seats read. taken: float64 (n,), seats at which a face was seen, read or not.
    usual: 0 to 1, mean of the seats' usual levels. shared: 0 to 1, mean correlation of two seats' changes.
    """

    step: float
    starts: Array
    status: Array
    change: Array
    low: Array
    high: Array
    seats: Array
    taken: Array
    usual: float
    shared: float

    def __post_init__(self) -> None:
        check_lengths(self, len(self.starts), "status", "change", "low", "high", "seats", "taken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A stretch in which the class, or a seat, was away from its own usual level.

    kind: DROP or RISE. start, end: seconds from the start of the source. change: mean distance, below 0 for a drop.
    """

    kind: str
    start: float
    end: float
    change: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overall:
    """The class over the whole lesson. What cannot or must not be told is NaN, and None for the number of seats.

    engagement, low, high: 0 to 1, mean over seats and the interval of that mean.
    emotions: float64 (7,), 0 to 1, mean over seats, in the order of EMOTIONS.
    faces_per_frame: faces found per analysed frame. readable: 0 to 1, the share of them that could be read.
    n_seats: seats established. n_readable: those of them that had a score at least once.
    """

    engagement: float
    low: float
    high: float
    emotions: Array
    faces_per_frame: float
    readable: float
    n_seats: int | None
    n_readable: int | None
