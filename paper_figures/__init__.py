"""Figures and tables of the papers, drawn from scratch: numbers to CSV, pictures from the CSV; and verdicts on claims.

`registry` knows them all: ``names()``, ``draw(name, output)``, ``check(name, output)``.
"""
