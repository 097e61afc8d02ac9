"""The dynamic partition sets: their names and definitions."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
from sqlalchemy.exc import IntegrityError

SOURCES = dg.DynamicPartitionsDefinition(name="sources")
KOMPOSITIONS = dg.DynamicPartitionsDefinition(name="kompositions")
EFFECTS = dg.DynamicPartitionsDefinition(name="effects")


def workflow_partitions(name: str) -> dg.DynamicPartitionsDefinition:
    """The sources that a workflow takes."""
    return dg.DynamicPartitionsDefinition(name=f"workflow.{name}")


def set_partitions(instance: dg.DagsterInstance, name: str, wanted: list[str]) -> None:
    """Make the set hold `wanted`: new keys are appended, keys no longer wanted are removed."""
    present = instance.get_dynamic_partitions(name)
    kept = set(wanted)
    for key in present:
        if key not in kept:
            instance.delete_dynamic_partition(name, key)
    add_partitions(instance, name, wanted)


def add_partitions(instance: dg.DagsterInstance, name: str, wanted: Sequence[str]) -> None:
    """Append the keys that the set has not got; another process may add the same ones at the moment."""
    for last in (False, False, True):
        have = set(instance.get_dynamic_partitions(name))
        missing = [key for key in wanted if key not in have]
        if not missing:
            return
        try:
            instance.add_dynamic_partitions(name, missing)
            return
        except IntegrityError:
            if last:
                raise
