"""apply_leica_and_trim: a part of a clip, with the leica look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from media_assets.operations.base import PICTURES, InputRule, Operation
from media_assets.operations.clip import Clip, Media
from media_assets.operations.looks import LeicaLook, LeicaLookParameters
from media_assets.operations.trim import Trim, TrimParameters


class ApplyLeicaAndTrimParameters(LeicaLookParameters, TrimParameters):
    """Where the part starts and how long it is (seconds), and the parameters of leica_look."""


class ApplyLeicaAndTrim(Operation[ApplyLeicaAndTrimParameters]):
    """Cuts first, so that only the part is graded."""

    name = "apply_leica_and_trim"
    version = f"{Trim.version}.{LeicaLook.version}"
    example = {"start": "0.5s", "duration": "1s"}
    summary = "Keep a part of a clip, as trim does, and give it the leica look."
    parameters = ApplyLeicaAndTrimParameters
    takes = InputRule(kinds=PICTURES - {"image"}, needs=frozenset({"video"}))
    megapixels_per_second = LeicaLook.megapixels_per_second

    def expect(self, clips: Sequence[Clip], parameters: ApplyLeicaAndTrimParameters) -> Clip:
        """As trim."""
        return Trim().expect(clips, parameters)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: ApplyLeicaAndTrimParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Trim, then look."""
        part = Trim().build(media, clips, parameters, measured)
        return LeicaLook().build([part], [self.expect(clips, parameters)], parameters, measured)
