"""Faults on purpose: processes killed, disks full, files damaged; and what must hold afterwards."""
