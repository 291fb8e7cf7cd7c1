"""Point clouds as arrays of numpy."""
