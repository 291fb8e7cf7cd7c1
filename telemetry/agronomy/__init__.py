"""Pure equations of the crop and its air, each with its source: numbers in, numbers out, no clock and no store."""
