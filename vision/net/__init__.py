"""The network: what its output channels mean, how they become berries, and (with torch) how it is built and trained."""
