"""The picking skill: which berry, from where, how it is held, cut and laid down. Rules, and a tree on top."""
