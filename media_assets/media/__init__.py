"""ffmpeg and ffprobe: locate, probe, run, analyse. Nothing else in the project talks to them."""
