"""Gradients that arrive late and compressed (dossier chapter 2)."""
