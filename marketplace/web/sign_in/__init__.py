"""Pages for everybody: signing in and out, passwords, sessions, firms to act for, profile, notifications.

They look like the shell of whoever is asking. Every module in this folder is imported by the application and puts its
views on `blueprint`.
"""

from marketplace.web.guards import signed_in_blueprint

blueprint = signed_in_blueprint("sign_in")
