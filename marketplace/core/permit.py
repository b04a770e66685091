"""Operations ask here whether the actor may do what they are about to do."""

from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import N_, NotPermitted


class ViewingOnly(NotPermitted):
    """Staff who view as somebody else cannot change anything."""

    sentence = N_(
        "You are viewing as %(name)s and can look but not change anything. Stop viewing as them first."
    )


def require(actor: Actor, permission: Permission) -> None:
    """Raise `NotPermitted` unless the actor holds the permission and may change things."""
    if actor.is_read_only:
        raise ViewingOnly(name=actor.name)
    if not actor.may(permission):
        raise NotPermitted
