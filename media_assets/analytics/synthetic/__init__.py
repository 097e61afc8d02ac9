"""Events that nobody caused, with patterns planted in them: what questions are tested and timed on."""
