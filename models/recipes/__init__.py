"""How each network was trained and is judged."""
