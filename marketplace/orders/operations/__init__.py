"""What people and commands do with orders.

The session must be the owner's: what decides about an order, costs and credit, is not for whoever places it to see. So
every operation asks what its actor may do, and starts from what the actor may see.
"""
