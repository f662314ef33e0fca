"""Documents: parsed, validated, measured and analyzed once."""
