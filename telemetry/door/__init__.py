"""The open door: other software writes lines and asks for measurements over HTTP, with tokens."""
