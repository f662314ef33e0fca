"""The demo: its data, people, agents and recordings."""
