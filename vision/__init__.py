"""Turn pictures into berries: boxes, ripeness, masks, picking points and 3-D positions. Values in, values out."""
