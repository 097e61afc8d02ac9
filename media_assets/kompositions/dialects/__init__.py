"""Documents that were written for other programs, read to the canonical form; a module for each form."""
