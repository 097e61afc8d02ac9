"""Imports every module of the project, and with them what they need."""

from __future__ import annotations

import importlib
import pkgutil

import media_assets

for _module in pkgutil.walk_packages(media_assets.__path__, "media_assets."):
    importlib.import_module(_module.name)
