"""The one look of every figure and page: colours, type, number formats.

Plain data and pure functions. Numbers that are not known (NaN) are written as an en dash or a word, never as 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from roomread.types import NO_FACE, NOT_ANALYSED, NOT_ENOUGH, TOO_FEW, UNREADABLE

FONTS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Noto Sans, Liberation Sans, Arial, sans-serif"
MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, Liberation Mono, monospace"

UNKNOWN = "\N{EN DASH}"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # whatever the locale

# What a bin without a score is called, by the status of the timeline.
MISSING = {
    TOO_FEW: "too few seats",
    NO_FACE: "no face found",
    UNREADABLE: "faces not readable",
    NOT_ANALYSED: "not analysed",
    NOT_ENOUGH: "not enough evidence",
}

# From the bottom of a stacked figure to its top; neighbours differ in luminance, so a gray print still shows the edges.
STACK = ("neutral", "sad", "happy", "angry", "surprise", "disgust", "fear")

# Engagement from 0 to 1: one hue, from pale to deep, so that the order survives a gray print and colour blindness.
SCALE = ("#eaf1f5", "#b9d3e0", "#7fb0c8", "#43869f", "#1f5f7d", "#123c57")


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """One theme; every colour is written "#rrggbb".

    Text, muted text and accent reach a contrast of 4.5 on the page, on a notice and on the shading of a gap.
    emotions: by name, as in EMOTIONS; after Okabe and Ito, moved apart until every pair differs by 20 or more (CIELAB)
        for usual sight and for each of the three kinds of colour blindness.
    gaps, hatches: the shading and the pattern on it, by the keys of MISSING.
    """

    page: str
    text: str
    muted: str
    rule: str
    grid: str
    accent: str
    band: str
    notice: str
    readable: str
    unreadable: str
    emotions: dict[str, str]
    gaps: dict[str, str]
    hatches: dict[str, str]


LIGHT = Colours(
    page="#ffffff",
    text="#1b2227",
    muted="#566069",
    rule="#d5dade",
    grid="#e6e9ec",
    accent="#0b6283",
    band="#c3dde8",
    notice="#fbf4e2",
    readable="#4488a6",
    unreadable="#c9a24f",
    emotions={
        "angry": "#ca6000",
        "disgust": "#006431",
        "fear": "#b65f96",
        "happy": "#edc12f",
        "sad": "#3734c4",
        "surprise": "#6db1ee",
        "neutral": "#c9cccf",
    },
    gaps={
        TOO_FEW: "#f1eef7",
        NO_FACE: "#f2f3f4",
        UNREADABLE: "#faf3e3",
        NOT_ANALYSED: "#f6f7f8",
        NOT_ENOUGH: "#eef5f1",
    },
    hatches={
        TOO_FEW: "#b3a4d3",
        NO_FACE: "#b9c0c6",
        UNREADABLE: "#d0b365",
        NOT_ANALYSED: "#c3c9ce",
        NOT_ENOUGH: "#9fc3b0",
    },
)

DARK = Colours(
    page="#14181c",
    text="#e6eaed",
    muted="#a3adb5",
    rule="#394249",
    grid="#272e34",
    accent="#72bfdd",
    band="#234b5c",
    notice="#2c2719",
    readable="#3a7893",
    unreadable="#b08d44",
    emotions={
        "angry": "#d45c27",
        "disgust": "#0b653f",
        "fear": "#bb6ea7",
        "happy": "#f0cb4a",
        "sad": "#5c7eee",
        "surprise": "#82cfff",
        "neutral": "#e2e5e8",
    },
    gaps={
        TOO_FEW: "#24202f",
        NO_FACE: "#20262b",
        UNREADABLE: "#2a2518",
        NOT_ANALYSED: "#1a1f24",
        NOT_ENOUGH: "#19261f",
    },
    hatches={
        TOO_FEW: "#665a8d",
        NO_FACE: "#56616a",
        UNREADABLE: "#7f6c38",
        NOT_ANALYSED: "#48525a",
        NOT_ENOUGH: "#47705a",
    },
)


def luminance(colour: str) -> float:
    """Return the relative luminance of "#rrggbb" as WCAG 2 defines it, 0 (black) to 1 (white)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it, 1 (none) to 21; text needs 4.5."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def ink(colour: str) -> str:
    """Return the text colour, black or white, that reads best on a filled patch."""
    return max(("#000000", "#ffffff"), key=lambda text: contrast(text, colour))


def engagement_colour(value: float) -> str | None:
    """Return the colour of an engagement of 0 to 1; None where it is not known."""
    if math.isnan(value):
        return None
    place = min(max(value, 0.0), 1.0) * (len(SCALE) - 1)
    below = min(int(place), len(SCALE) - 2)
    share = place - below
    pairs = zip(_channels(SCALE[below]), _channels(SCALE[below + 1]), strict=True)
    return "#" + "".join(f"{round(low + share * (high - low)):02x}" for low, high in pairs)


def css_variables(colours: Colours) -> str:
    """Return the custom properties of one theme, for the inside of a CSS rule: --text, --emotion-happy, ..."""
    plain = ("page", "text", "muted", "rule", "grid", "accent", "band", "notice", "readable", "unreadable")
    named = {name: getattr(colours, name) for name in plain}
    named |= {f"emotion-{name}": colour for name, colour in colours.emotions.items()}
    named |= {f"gap-{slug(status)}": colour for status, colour in colours.gaps.items()}
    named |= {f"hatch-{slug(status)}": colour for status, colour in colours.hatches.items()}
    return " ".join(f"--{name}: {colour};" for name, colour in named.items())


def slug(words: str) -> str:
    """Return a name for CSS and ids: "too few" gives "too-few"."""
    return words.replace(" ", "-")


def score(value: float, digits: int = 2) -> str:
    """Write a score of 0 to 1 with so many digits; NaN gives an en dash."""
    return UNKNOWN if math.isnan(value) else f"{value:.{digits}f}"


def with_interval(value: float, low: float, high: float) -> str:
    """Write a figure with its interval: "0.61 (0.40 to 0.80)"; an interval or figure of NaN is left out, or a dash."""
    if math.isnan(value):
        return UNKNOWN
    value, low, high = (round(part, 2) + 0.0 for part in (value, low, high))  # no minus before nothing
    return f"{value:.2f}" if math.isnan(low) else f"{value:.2f} ({low:.2f} to {high:.2f})"


def percent(share: float) -> str:
    """Write a share of 0 to 1 as whole percent; NaN gives an en dash.

    Only nothing is 0% and only all is 100%: what lies just beside them is written <1% and >99%.
    """
    if math.isnan(share):
        return UNKNOWN
    if 0 < share < 0.005:
        return "<1%"
    if 0.995 <= share < 1:
        return ">99%"
    return f"{100 * share:.0f}%"


def count(value: float) -> str:
    """Write a mean number of faces or seats: a whole number plainly, else one digit; NaN gives an en dash."""
    if math.isnan(value):
        return UNKNOWN
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def duration(seconds: float) -> str:
    """Write a length of time in words: "0.5 s", "20 s", "2 min 5 s", "1 h 30 min"; NaN gives an en dash."""
    if math.isnan(seconds):
        return UNKNOWN
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n)


def clock(seconds: float) -> str:
    """Write a moment from the start as m:ss, from one hour on as h:mm:ss; NaN gives an en dash."""
    if math.isnan(seconds):
        return UNKNOWN
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def hours_minutes(seconds: float) -> str:
    """Write a moment from the start as h:mm; NaN gives an en dash."""
    if math.isnan(seconds):
        return UNKNOWN
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def date(moment: datetime) -> str:
    """Write a date and time of day: "12 Mar 2026, 09:15 (UTC+01:00)", the zone where it is known."""
    text = f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M}"
    return f"{text} ({moment.tzname()})" if moment.tzinfo else text


def time_of_day(began: datetime, seconds: float, with_seconds: bool = True) -> str:
    """Write the time of day that lies so many seconds after a beginning: "09:15:30" or "09:15"."""
    moment = began + timedelta(seconds=seconds)
    return f"{moment:%H:%M:%S}" if with_seconds else f"{moment:%H:%M}"


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
