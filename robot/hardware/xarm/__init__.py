"""UFACTORY arms (xArm 6, Lite 6): the maker's SDK makes and reads the frames, over a connection of ours."""
