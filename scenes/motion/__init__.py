"""What moves in a film of Lab World: a drawing for every moment of a step. What scenes draw does not depend on it."""
