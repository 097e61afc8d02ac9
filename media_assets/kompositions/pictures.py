"""The pictures of a shot: taken from a source or a colour, changed by effects, fitted into a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

from media_assets.kompositions.applying import applied, measure
from media_assets.kompositions.footage import is_still, shape
from media_assets.kompositions.layering import counted, plain, timed
from media_assets.kompositions.opening import open_at
from media_assets.kompositions.plan import SourceFacts
from media_assets.kompositions.shots import Shot
from media_assets.kompositions.takes import Take
from media_assets.kompositions.views import canvas, cropped, moved
from media_assets.media.color import flattened, missing_tags, tone_mapped
from media_assets.media.graph import Option, Stream, concatenate
from media_assets.media.info import VideoStream
from media_assets.operations.clip import Picture
from media_assets.operations.conform import fit, steady
from media_assets.operations.tonemap import TonemapParameters

# Files round time stamps (Matroska to 1 ms): a picture this little late was meant to be on time.
_ROUNDING_MICROSECONDS = 1000
_CLEAR = "#00000000"


def shown(
    shot: Shot,
    sources: Mapping[str, SourceFacts],
    background: str,
    run: Callable[[Stream], Sequence[str]],
    scratch: Path,
) -> Stream:
    """The pictures of a shot with its effects, in the form of its frame.

    Args:
        background: what is around pictures that do not fill the frame, where nothing is under them.
        run: sends a stream through ffmpeg and returns the log, for effects that measure.
        scratch: a folder for what these write; it is made where it is needed.
    """
    around = _CLEAR if shot.frame.alpha else background

    def opened() -> Stream:
        return bare(shot, sources, around)

    if not shot.effects:
        return timed(_framed(opened(), shot.bare, shot.frame, around), shot.frame.fps)
    if any(step.operation.measures for step in shot.effects):
        scratch.mkdir(exist_ok=True)
    measured = measure(shot.effects, "video", opened, sources, run, scratch)
    picture = applied(shot.effects, "video", opened(), sources, measured)
    result = shot.effects[-1].result.picture
    if picture is None or result is None:
        raise ValueError(f"the effects of {shot.source or shot.color} left no picture")
    rate = shot.frame.fps
    picture = counted(steady(picture, rate, float(shot.worked / rate)), shot.skipped, shot.frames)
    return timed(_framed(picture, result, shot.frame, around), rate)


def bare(shot: Shot, sources: Mapping[str, SourceFacts], around: str) -> Stream:
    """All pictures that a shot's effects work on, before them, without bars."""
    form = shot.bare
    if shot.source is None:
        return plain(shot.color or _CLEAR, form, shot.worked)
    source = sources[shot.source]
    streams = [
        plain(around, form, take.frames) if take.start is None else _taken(take, shot, source)
        for take in shot.takes
    ]
    if len(streams) == 1:
        return streams[0]
    return timed(concatenate([[stream] for stream in streams], video=True, audio=False)[0], form.fps)


def _taken(take: Take, shot: Shot, source: SourceFacts) -> Stream:
    """A take's pictures in the shot's bare form."""
    video = source.info.video
    if video is None:
        raise ValueError(f"{source.id} has no picture")
    rate, rate_text = shot.frame.fps, str(shot.frame.fps)
    if is_still(source.info):
        opened, _ = open_at(source, Fraction(0), threads=1)
        still = opened.stream(video.index).filter("fps", rate_text, start_time=0, round="up")
        if shot.seen is not None and shot.seen.moves:
            return _fitted(counted(_held(still), 0, take.frames), video, shot, source)
        # Fitted once, then repeated.
        return counted(_held(_fitted(still, video, shot, source)), 0, take.frames)
    start, speed = take.start or Fraction(0), take.step * rate
    # Without -noaccurate_seek ffmpeg drops the picture that is on screen at the start but began before.
    run_up = take.lead * take.step
    opened, zero = open_at(source, max(Fraction(0), start - run_up), noaccurate_seek=None, threads=1)
    picture = opened.stream(video.index).filter("settb", "AVTB")
    offset = (start - run_up - zero) * 1_000_000 + _ROUNDING_MICROSECONDS
    picture = picture.filter("setpts", f"(PTS-{float(offset):.3f})*{1 / float(speed):.12g}")
    if video.interlaced:
        picture = picture.filter("bwdif", mode="send_frame")
    picture = picture.filter("fps", rate_text, start_time=0, round="up")
    return _fitted(_as_taken(picture, take), video, shot, source)


def _as_taken(picture: Stream, take: Take) -> Stream:
    """Exactly the take's pictures of a stream that begins with its run-up."""
    if take.moving < take.frames - take.before:
        picture = counted(_held(picture), take.lead, take.moving)
        picture = counted(_held(picture), 0, take.frames - take.before)
    else:
        picture = counted(_held(picture), take.lead, take.frames - take.before)
    if take.before:
        picture = picture.filter("tpad", start=take.before, start_mode="clone")
    return picture


def _held(picture: Stream) -> Stream:
    """The picture with its last frame repeated for ever."""
    return picture.filter("tpad", stop=-1, stop_mode="clone")


def _fitted(picture: Stream, video: VideoStream, shot: Shot, source: SourceFacts) -> Stream:
    """In the shot's bare form: square pixels, 8-bit BT.709 whatever the source was."""
    form, seen = shot.bare, shot.seen
    own = shape(source.info)
    if video.has_alpha and not form.alpha:
        picture = picture.filter("format", "gbrap").filter("premultiply", inplace=1)
    tags = missing_tags(video)
    if tags:
        picture = picture.filter("setparams", **tags)
    sides = form.width, form.height
    if seen is not None and seen.moves:
        sides = canvas(seen, own, form)
    elif seen is not None:
        picture = cropped(picture, seen, own, form)
    colors: dict[str, Option] = {} if video.hdr else {"out_color_matrix": "bt709", "out_range": "tv"}
    picture = picture.filter("scale", *sides, **colors)
    if video.hdr:
        picture = _tone_map(shot)(picture)
    picture = picture.filter("format", form.pixel_format)
    if seen is not None and seen.moves:
        picture = moved(picture, seen, own, form)
    return _tagged(picture)


def _tone_map(shot: Shot) -> Callable[[Stream], Stream]:
    """As in a job, an effect may say how high dynamic range is brought down where the source is opened."""
    first = shot.effects[0].parameters if shot.effects else None
    return partial(tone_mapped, **(first.model_dump() if isinstance(first, TonemapParameters) else {}))


def _framed(picture: Stream, form: Picture, frame: Picture, around: str) -> Stream:
    """A picture of some form in a frame; around it the background, or nothing."""
    if form.alpha and not frame.alpha:
        picture = flattened(picture)
    picture = picture.filter("format", frame.pixel_format)
    if (
        form.sar == 1
        and form.width <= frame.width
        and form.height <= frame.height
        and (form.width == frame.width or form.height == frame.height)
    ):
        if (form.width, form.height) != (frame.width, frame.height):
            picture = picture.filter(
                "pad", frame.width, frame.height, "(ow-iw)/2", "(oh-ih)/2", color=around
            )
        return _tagged(picture)
    return _tagged(fit(picture, frame, color=around))


def _tagged(picture: Stream) -> Stream:
    """Said to be what it is: progressive BT.709 of limited range with square pixels."""
    return picture.filter("setsar", 1).filter(
        "setparams",
        field_mode="prog",
        range="tv",
        color_primaries="bt709",
        color_trc="bt709",
        colorspace="bt709",
    )
