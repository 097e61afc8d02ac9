"""What is in a source, all together: scenes, sound, beats. Put together from the kept analyses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from media_assets.ids import fingerprint
from media_assets.media.analysis.beats import SHORTEST_SECONDS, Beats
from media_assets.media.analysis.picture import PictureContent
from media_assets.media.analysis.sound import SoundContent
from media_assets.media.analysis.speech import Ranges
from media_assets.store.analyses import Analysed, AnalysisKind, AnalysisStore

# Where more than this part of what is heard is speech, nobody asks for its beat.
_MOST_SPEECH = 0.5


@dataclass(frozen=True)
class Content:
    """What was found in a file; None for what it does not have, and for the beats of what is no music.

    Attributes:
        sha256: of the file that was analysed.
        kind: video, audio, image …
        duration: seconds; None of a still.
    """

    sha256: str
    kind: str
    duration: float | None
    picture: PictureContent | None
    sound: SoundContent | None
    beats: Beats | None

    def to_json(self) -> dict[str, Any]:
        """As it is shown."""
        parts = {"picture": self.picture, "sound": self.sound, "beats": self.beats}
        shown = {name: part.to_json() if part is not None else None for name, part in parts.items()}
        return {"sha256": self.sha256, "kind": self.kind, "duration": self.duration, **shown}

    @property
    def version(self) -> str:
        """SHA-256 of all of it: its data version."""
        return fingerprint(self.to_json())


def is_kept(source: Analysed, analyses: AnalysisStore) -> bool:
    """Whether it was looked at or listened to before, so that nothing has to be decoded."""
    kind: AnalysisKind = "picture" if _is_seen(source) else "sound"
    return analyses.kept(kind, source) is not None


def content_of(source: Analysed, analyses: AnalysisStore) -> Content:
    """Look at and listen to a file; what was found before is read.

    Raises:
        CorruptMedia: it cannot be decoded; TimeLimitExceeded: that takes too long.
    """
    info = source.info
    picture = analyses.analysis("picture", source) if _is_seen(source) else None
    sound = analyses.analysis("sound", source) if info.audio is not None else None
    musical = sound is not None and may_be_music(sound)
    beats = analyses.analysis("beats", source) if musical else None
    return Content(source.sha256, info.kind, info.duration, picture, sound, beats)


def may_be_music(sound: SoundContent) -> bool:
    """Whether it is worth listening for beats: long enough, and not mostly silence or speech."""
    heard = sound.seconds - _length(sound.silences)
    return heard >= SHORTEST_SECONDS and _length(sound.speech) <= _MOST_SPEECH * heard


def _is_seen(source: Analysed) -> bool:
    return source.info.kind in ("video", "image") and source.info.video is not None


def _length(ranges: Ranges) -> float:
    return sum(end - start for start, end in ranges)
