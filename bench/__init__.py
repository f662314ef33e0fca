"""How fast it is. `python -m bench` runs everything; `python -m bench board --cards 10,100,500,2000` one part."""
