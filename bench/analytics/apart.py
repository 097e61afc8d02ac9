"""One part of the measurement in a process of its own: `python -m bench.analytics.apart`."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.analytics import asked, filled, judged
from bench.timing import peak_megabytes

PARTS: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "filled": filled.measure,
    "judged": judged.measure,
    "asked": asked.measure,
}


def main() -> None:
    """Measure, and print one line of JSON."""
    name, path, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    warnings.simplefilter("ignore")
    found = PARTS[name](path, size)
    print(json.dumps(found | {"peak_megabytes": round(peak_megabytes(), 1)}))


if __name__ == "__main__":
    main()
