"""Devices that are not there but speak what real ones speak, octet by octet, for tests and rehearsals."""
