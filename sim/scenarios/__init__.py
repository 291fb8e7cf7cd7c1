"""Named simulated cells as TOML files; `load_scenario(name)` reads one."""
