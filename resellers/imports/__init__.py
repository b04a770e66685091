"""Parties and terms by CSV file: whole or not at all, every faulty row named, few statements whatever the size.

Each import reads the rows by the rules, compares them with what stands, and writes the difference set by set. With
`dry_run` it stops before writing. The database's own constraints stay the last guard against two people at once.
"""
