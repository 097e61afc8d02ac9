"""From a request document to the fewest ffmpeg commands."""
