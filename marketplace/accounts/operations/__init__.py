"""What can be done with people, one file per business topic. Nothing here commits."""
