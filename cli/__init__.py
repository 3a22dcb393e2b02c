"""The command ``taciturn``: a thin front over the rooms below; heavy imports happen inside the commands."""
