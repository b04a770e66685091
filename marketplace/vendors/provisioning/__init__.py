"""Requests on their way to vendors: asked for once, tried until done, asked about, or given up by a person.

Orders ask and are told of every turn by a job of theirs; who asks, and why, is not known here.
"""
