"""What is in the pictures and the sound of a file: beats, speech, cuts, sharpness, motion."""
