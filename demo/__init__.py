"""The demo: its data, its people, its agents and their recordings."""
