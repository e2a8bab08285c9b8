"""What a user can meet and put right.

RoomreadError
├── SourceError      a picture, folder, video or camera cannot be read
├── DataError        a data set is missing, damaged or of another form
├── ModelError       a model file is missing, damaged or made for other classes
├── SettingsError    a run file or an option has a wrong name or value
├── StoreError       the lesson store cannot be opened, read or written
│   ├── ClaimLostError
│   ├── StoreBusyError    ... now, and perhaps can later: another program holds it, or the disk is full
│   ├── LessonNotFoundError
│   └── RecordingNotFoundError
├── StructureError   an agenda, captions or markers cannot be read
├── PrivacyError     the declared purpose does not allow this output
├── OutputError      a report or table cannot be written
├── CodesError       what observers coded cannot be read, does not fit the lesson, or is too little
└── MissingExtraError  an optional part of the installation is needed
"""


class RoomreadError(Exception):
    """Anything the user can put right; the command line prints its text and exits with 1."""


class SourceError(RoomreadError):
    """A picture, folder, video or camera cannot be read."""


class DataError(RoomreadError):
    """A data set is missing, damaged or of another form."""


class ModelError(RoomreadError):
    """A model file is missing, damaged or made for other classes."""


class SettingsError(RoomreadError):
    """A run file or an option has a wrong name or value."""


class StoreError(RoomreadError):
    """The lesson store cannot be opened, read or written."""


class ClaimLostError(StoreError):
    """A recording that a batch was at work on was taken over by another run, or its lesson was deleted."""


class StoreBusyError(StoreError):
    """The store cannot be written now, and perhaps can later: another program holds it, or the disk is full."""


class LessonNotFoundError(StoreError):
    """The store holds no lesson of that name."""


class RecordingNotFoundError(StoreError):
    """The store holds no recording of that number."""


class StructureError(RoomreadError):
    """An agenda, captions or markers cannot be read."""


class PrivacyError(RoomreadError):
    """The declared purpose does not allow this output."""


class OutputError(RoomreadError):
    """A report or table cannot be written."""


class CodesError(RoomreadError):
    """What observers coded cannot be read, does not fit the lesson, or is too little for what was asked."""


class MissingExtraError(RoomreadError):
    """An optional part of the installation is needed."""
