"""Renders one piece of the picture: a segment's body, or the overlap of a crossfade."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

from media_assets.kompositions.applying import applied, measure
from media_assets.kompositions.encoding import encoding
from media_assets.kompositions.footage import is_still
from media_assets.kompositions.model import OutputFormat
from media_assets.kompositions.opening import open_at
from media_assets.kompositions.plan import KompositionPlan, PlannedPiece, SourceFacts
from media_assets.kompositions.timeline import Shot
from media_assets.media.color import flattened, missing_tags, tone_mapped
from media_assets.media.graph import Option, Stream, Target, arguments, filter_streams
from media_assets.media.info import VideoStream
from media_assets.media.run import FfmpegResult, Progress, run_ffmpeg
from media_assets.media.verify import Expected, verify
from media_assets.operations.clip import Picture
from media_assets.operations.conform import fit, steady
from media_assets.operations.tonemap import TonemapParameters
from media_assets.settings import Settings
from media_assets.store.outputs import Made

# Files round time stamps (Matroska to 1 ms): a picture this little late was meant to be on time.
_ROUNDING_MICROSECONDS = 1000


def render_piece(
    planned: PlannedPiece,
    plan: KompositionPlan,
    sources: Mapping[str, SourceFacts],
    path: Path,
    settings: Settings,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Made:
    """Write one piece, by one ffmpeg command on one encoder thread, and check it to the frame.

    Effects that measure take commands of their own before it.

    Args:
        planned: the piece.
        plan: the plan it belongs to.
        sources: what is known of each source, by the reference that the piece's shots use.
        path: where to write.
        settings: which ffmpeg, and its limits.
        on_progress: told how far the piece is.
        cancel: ends ffmpeg when set.

    Raises:
        FfmpegFailed, VerificationFailed, Cancelled, TimeLimitExceeded, DiskFull.
    """
    piece, output = planned.piece, plan.output
    runs: list[FfmpegResult] = []

    def run(stream: Stream) -> Sequence[str]:
        target = Target([stream], None, {})
        command = ["-filter_complex_threads", "1", *arguments([target])]
        runs.append(run_ffmpeg(command, settings=settings, cancel=cancel, log_level="info"))
        return runs[-1].log

    pictures = []
    for number, shot in enumerate(piece.shots):
        # Beside the folder that is put in place: what was measured is thrown away with what surrounds it.
        scratch = path.parent.with_name(f"{path.parent.name}-shot{number}")
        pictures.append(shown(shot, sources, piece.frames, output, run, scratch))
    picture = pictures[0] if len(pictures) == 1 else _crossfade(pictures, piece.frames, output)
    target = Target([picture], path, encoding(plan))
    runs.append(
        run_ffmpeg(
            ["-filter_complex_threads", "1", *arguments([target])],
            settings=settings,
            expected_seconds=float(piece.frames / output.rate),
            on_progress=on_progress,
            cancel=cancel,
        )
    )
    expected = Expected(True, False, output.width, output.height, piece.frames)
    # Every packet is counted, and all pieces together are decoded at their ends by the final check.
    properties = verify(path, expected, settings, decode_tail=False)
    return Made(
        properties=properties,
        commands=tuple(done.command for done in runs),
        seconds=sum(done.seconds for done in runs),
        cpu_seconds=sum(done.cpu_seconds for done in runs),
        peak_memory_bytes=max(done.peak_memory_bytes for done in runs),
        ffmpeg_version=plan.ffmpeg_version,
    )


def shown(
    shot: Shot,
    sources: Mapping[str, SourceFacts],
    frames: int,
    output: OutputFormat,
    run: Callable[[Stream], Sequence[str]],
    scratch: Path,
) -> Stream:
    """The pictures of a shot with its effects, in the output's form.

    Args:
        run: sends a stream through ffmpeg and returns the log, for effects that measure.
        scratch: a folder for what these write; it is made where it is needed.
    """
    source = sources[shot.source]
    if not shot.effects:
        return conformed(shot, source, frames, output)
    whole = shot.whole or frames
    bare = shot.effects[0].clips[0].picture

    def opened() -> Stream:
        return conformed(shot, source, whole, output, bare)

    if any(step.operation.measures for step in shot.effects):
        scratch.mkdir(exist_ok=True)
    measured = measure(shot.effects, "video", opened, sources, run, scratch)
    picture = applied(shot.effects, "video", opened(), sources, measured)
    result = shot.effects[-1].result.picture
    if picture is None or result is None:
        raise ValueError(f"the effects of {shot.source} left no picture")
    if result.alpha:
        picture = flattened(picture)
    picture = _counted(steady(picture, output.rate, float(whole / output.rate)), shot.skipped, frames)
    if result == bare:
        return _tagged(_barred(picture.filter("format", "yuv420p"), output))
    return _tagged(fit(picture, Picture(output.width, output.height, output.rate)))


def conformed(
    shot: Shot,
    source: SourceFacts,
    frames: int,
    output: OutputFormat,
    bare: Picture | None = None,
) -> Stream:
    """Exactly `frames` pictures of a source in the output's size, rate, shape and colours.

    Args:
        bare: the form that they have without the bars around them, where they are to have none yet.
    """
    video = source.info.video
    if video is None:
        raise ValueError(f"{source.id} has no picture")
    first = shot.effects[0].parameters if shot.effects else None
    # As in a job, an effect may say how high dynamic range is brought down where the source is opened.
    tone_map = partial(tone_mapped, **(first.model_dump() if isinstance(first, TonemapParameters) else {}))
    if is_still(source.info):
        opened, _ = open_at(source, Fraction(0), threads=1)
        still = opened.stream(video.index).filter("fps", output.fps, start_time=0, round="up")
        # Fitted once, then repeated.
        return _counted(_held(_fitted(still, video, output, bare, tone_map)), 0, frames)
    # Without -noaccurate_seek ffmpeg drops the picture that is on screen at the start but began before.
    run_up = shot.lead * shot.speed / output.rate
    opened, zero = open_at(source, max(Fraction(0), shot.start - run_up), noaccurate_seek=None, threads=1)
    picture = opened.stream(video.index).filter("settb", "AVTB")
    offset = (shot.start - run_up - zero) * 1_000_000 + _ROUNDING_MICROSECONDS
    picture = picture.filter("setpts", f"(PTS-{float(offset):.3f})*{1 / float(shot.speed):.12g}")
    if video.interlaced:
        picture = picture.filter("bwdif", mode="send_frame")
    picture = picture.filter("fps", output.fps, start_time=0, round="up")
    return _fitted(_counted(_held(picture), shot.lead, frames), video, output, bare, tone_map)


def _held(picture: Stream) -> Stream:
    """The picture with its last frame repeated for ever."""
    return picture.filter("tpad", stop=-1, stop_mode="clone")


def _counted(picture: Stream, skipped: int, frames: int) -> Stream:
    trimmed = picture.filter("trim", start_frame=skipped, end_frame=skipped + frames)
    return trimmed.filter("setpts", "PTS-STARTPTS")


def _fitted(
    picture: Stream,
    video: VideoStream,
    output: OutputFormat,
    bare: Picture | None,
    tone_map: Callable[[Stream], Stream],
) -> Stream:
    """Letterboxed into the output with square pixels, 8-bit BT.709 whatever the source was."""
    if video.has_alpha:
        picture = picture.filter("format", "gbrap").filter("premultiply", inplace=1)
    tags = missing_tags(video)
    if tags:
        picture = picture.filter("setparams", **tags)
    width, height = output.width, output.height
    sides: tuple[Option, Option] = (
        f"max(2,2*round(min({width},{height}*dar)/2))",
        f"max(2,2*round(min({height},{width}/dar)/2))",
    )
    if bare is not None:
        sides = bare.width, bare.height
    picture = picture.filter(
        "scale",
        *sides,
        **({} if video.hdr else {"out_color_matrix": "bt709", "out_range": "tv"}),
    )
    if video.hdr:
        picture = tone_map(picture)
    picture = picture.filter("format", "yuv420p")
    return _tagged(picture if bare is not None else _barred(picture, output))


def _barred(picture: Stream, output: OutputFormat) -> Stream:
    return picture.filter("pad", output.width, output.height, "(ow-iw)/2", "(oh-ih)/2")


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


def _crossfade(pictures: list[Stream], frames: int, output: OutputFormat) -> Stream:
    """Frame n of N is (n+1)/(N+1) of the incoming picture, so that neither end repeats a pure one."""
    return filter_streams(
        pictures,
        "xfade",
        transition="fade",
        duration=f"{float((frames + 1) / output.rate):.6f}",
        offset=f"{float(-1 / output.rate):.6f}",
    )
