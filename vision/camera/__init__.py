"""Where frames come from, pictures and videos in files among them, and whether they can be trusted."""
