"""What a document leaves to its media: the tempo of its music, where somebody speaks, where to look.

`needed` says which analyses that takes, `resolved` puts them in; both are pure. `listened` does all of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from media_assets.errors import DocumentError, MediaAssetsError, NotMedia
from media_assets.kompositions.footage import sound_end
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.segments import Segment
from media_assets.kompositions.snapping import Findings, MusicTrack, music_track, snapped
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.values import exact
from media_assets.media.analysis.beats import Beats, NoBeat
from media_assets.media.analysis.picture import PictureContent
from media_assets.media.analysis.sound import SoundContent
from media_assets.media.info import MediaInfo
from media_assets.settings import Settings
from media_assets.store.analyses import Analysed, Analysis, AnalysisKind, AnalysisStore

Need = tuple[str, AnalysisKind]
"""A source as the document names it, and what has to be known of it."""
Analyses = Mapping[Need, Analysis | MediaAssetsError]
SpeechRanges = Mapping[str, tuple[tuple[Fraction, Fraction], ...]]

_MIDDLE = (0.5, 0.5)
_DOUBTFUL = 0.3


class Known(Protocol):
    """A source of which it is known what it holds."""

    @property
    def info(self) -> MediaInfo:
        """What probing said."""


@dataclass(frozen=True)
class Resolved:
    """A document with nothing left open.

    Attributes:
        komposition: with a number for its bpm.
        tempo: where its positions lie.
        speech: where somebody speaks, by reference, in seconds of the file; of sources that need it.
        warnings: (place, text).
        pictures: what was seen in sources that are cropped to what there is to see.
    """

    komposition: Komposition
    tempo: Tempo
    speech: SpeechRanges
    warnings: tuple[tuple[str, str], ...] = ()
    pictures: Mapping[str, PictureContent] = field(default_factory=dict)

    def focus(self, reference: str, start: float, end: float) -> tuple[float, float]:
        """What draws the eye in a source between two of its seconds, as fractions of width and height."""
        found = self.pictures.get(reference)
        if found is None or not found.focus:
            return _MIDDLE
        first = min(max(0, math.floor(start)), len(found.focus) - 1)
        points = found.focus[first : max(first + 1, math.ceil(end))]
        return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def needed(komposition: Komposition) -> list[Need]:
    """Which analyses of which sources the document needs, each once."""
    wanted: list[Need] = []
    music = music_track(komposition)
    if music is not None and (komposition.bpm == "auto" or komposition.snap):
        wanted.append((music.reference, "beats"))
    wanted += [(reference, "sound") for _, reference in _spoken(komposition)]
    smart = "smart" in (komposition.output.fit, *(form.fit for form in komposition.renditions))
    for _, segment in komposition.all_segments:
        cropped = segment.view is None and (segment.fit == "smart" or (segment.fit is None and smart))
        if segment.source is not None and cropped:
            wanted.append((segment.source, "picture"))
    return list(dict.fromkeys(wanted))


def resolved(komposition: Komposition, sources: Mapping[str, Known], analyses: Analyses) -> Resolved:
    """The document with its tempo, speech and focus, from analyses of what `needed` names.

    Args:
        komposition: the document.
        sources: what is known of each source, by reference; missing ones are passed over: the plan says so.
        analyses: by need; in the place of one that failed is why.

    Raises:
        DocumentError: the tempo is left to music that is not there, has no beat or cannot be read.
    """
    warnings: Findings = []
    music = music_track(komposition)
    if music is None and (komposition.bpm == "auto" or komposition.snap):
        raise _refused("$.bpm" if komposition.bpm == "auto" else "$.snap", "needs music to listen to")
    beats = None
    if music is not None and (komposition.bpm == "auto" or komposition.snap):
        beats = _beats(komposition, music, sources, analyses, warnings)
    if beats is not None and komposition.bpm == "auto":
        bpm, _ = beats.found(music.reference if music else "music")
        komposition = komposition.model_copy(update={"bpm": bpm})
    tempo = Tempo(komposition.unit_seconds)
    if komposition.snap and beats is not None and music is not None:
        tempo = snapped(komposition, music, beats, sound_end(sources[music.reference].info), warnings)
    return Resolved(
        komposition=komposition,
        tempo=tempo,
        speech=_speech(komposition, analyses, warnings),
        warnings=tuple(warnings),
        pictures=_pictures(komposition, analyses, warnings),
    )


def listened(komposition: Komposition, sources: Mapping[str, Analysed], settings: Settings) -> Resolved:
    """The document resolved with analyses from the store; those that are missing are made, side by side.

    Raises:
        DocumentError: as `resolved`.
    """
    analyses = AnalysisStore(settings).analyses(needed(komposition), sources)
    return resolved(komposition, sources, analyses)


def _beats(
    komposition: Komposition,
    music: MusicTrack,
    sources: Mapping[str, Known],
    analyses: Analyses,
    warnings: Findings,
) -> Beats | None:
    """What was heard in the music; None where the music is missing and the bpm is known without it."""
    place = "$.bpm" if komposition.bpm == "auto" else "$.snap"
    found = analyses.get((music.reference, "beats"))
    if music.reference not in sources:
        if komposition.bpm == "auto":
            raise _refused(music.place, f"there is no source {music.reference!r}")
        return None
    if isinstance(found, MediaAssetsError):
        raise _refused(place, f"{music.reference!r}: {found.message}")
    if not isinstance(found, Beats):
        raise TypeError(f"the beats of {music.reference!r} were not given")
    try:
        bpm, _ = found.found(music.reference)
    except NoBeat as error:
        raise _refused(place, f"{music.reference!r}: {error.message}; {error.hint}") from None
    if found.confidence < _DOUBTFUL:
        text = f"the beat of {music.reference!r} is faint: {bpm:g} beats a minute may be wrong"
        warnings.append((place, text))
    return found


def _spoken(komposition: Komposition) -> list[tuple[str, str]]:
    """(place, reference) of everything whose speech is to be found out."""
    found = []
    for place, segment in komposition.all_segments:
        if segment.source is not None and _is_detected(komposition, segment):
            found.append((f"{place}.speech", segment.source))
    for at, track in enumerate(komposition.audio):
        if track.role == "voice":
            found += [(f"$.audio[{at}].clips[{n}]", clip.source) for n, clip in enumerate(track.clips)]
    return found


def _is_detected(komposition: Komposition, segment: Segment) -> bool:
    return komposition.speech == "keep" if segment.speech is None else segment.speech.ranges is None


def _speech(komposition: Komposition, analyses: Analyses, warnings: Findings) -> SpeechRanges:
    ranges: dict[str, tuple[tuple[Fraction, Fraction], ...]] = {}
    for place, reference in _spoken(komposition):
        found = analyses.get((reference, "sound"))
        if isinstance(found, SoundContent):
            ranges[reference] = tuple((exact(start), exact(end)) for start, end in found.speech)
        elif isinstance(found, MediaAssetsError) and reference not in ranges:
            ranges[reference] = ()
            # A clip without sound among others says nothing, unless it was named as speech.
            if komposition.speech is None or not isinstance(found, NotMedia):
                warnings.append((place, f"no speech could be found in {reference!r}: {found.message}"))
    return ranges


def _pictures(
    komposition: Komposition, analyses: Analyses, warnings: Findings
) -> dict[str, PictureContent]:
    seen = {}
    for reference, kind in needed(komposition):
        found = analyses.get((reference, kind))
        if isinstance(found, PictureContent):
            seen[reference] = found
        elif kind == "picture" and isinstance(found, MediaAssetsError):
            place = _first_place(komposition, reference)
            warnings.append((place, f"is cropped to its middle: {found.message}"))
    return seen


def _first_place(komposition: Komposition, reference: str) -> str:
    places = (place for place, segment in komposition.all_segments if segment.source == reference)
    return f"{next(places)}.fit"


def _refused(place: str, text: str) -> DocumentError:
    findings: Sequence[tuple[str, str]] = [(place, text)]
    return DocumentError("the komposition has 1 problem", list(findings))
