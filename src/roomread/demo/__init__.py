"""A synthetic classroom video whose truth is known, built from one public-domain photograph."""

from roomread.demo.film import build_room
from roomread.demo.script import RoomSettings
from roomread.demo.truth import Room

__all__ = ["Room", "RoomSettings", "build_room"]
