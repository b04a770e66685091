"""What can be refused about a delivery, each with its remedy."""

from marketplace.core.errors import N_, NotFound, Refusal


class NoFiles(Refusal):
    """Nothing was given."""

    sentence = N_("No file was given.")


class VendorMissing(Refusal):
    """The name space of the accounts is unknown."""

    sentence = N_("Say which vendor the files come from: accounts are known by vendor and account together.")


class VendorTooLong(Refusal):
    """No folder of the lake can be called so."""

    sentence = N_("“%(start)s...” is too long for the name of a vendor: shorten it to %(letters)s letters.")


class PeriodMissing(Refusal):
    """The file does not say which month it bills."""

    sentence = N_(
        "%(file)s is a %(format)s, which does not say which month it bills. Give the period, such as --period 2024-09."
    )


class SameFileTwice(Refusal):
    """One file was given twice in one delivery."""

    sentence = N_(
        "%(file)s and %(other)s are the same file. Give it once, or its rows would be billed twice."
    )


class AddedAlready(Refusal):
    """A file that is to be added is part of what counts already."""

    sentence = N_(
        "%(file)s is already part of delivery %(delivery)s, which counts. Adding it would bill it twice."
    )


class CountsAlready(Refusal):
    """Another process imported the same files meanwhile."""

    sentence = N_("The same files were imported at the same time as delivery %(delivery)s. They count once.")


class ContradictingChoices(Refusal):
    """Both adding and replacing were asked for."""

    sentence = N_("Files are either added to what is there or replace it: choose one of --add and --replace.")


class WouldLoseMuch(Refusal):
    """A newer delivery has less than half of what it replaces."""

    sentence = N_(
        "The files have %(new)s for %(account)s in %(period)s, where %(old)s count now: more than half would be lost. "
        "If that is meant, say --replace; if they only add to what is there, say --add."
    )


class SumsTooLarge(Refusal):
    """The costs of a file add up to more than can be kept exactly."""

    sentence = N_(
        "The costs in the files add up to more than 20 digits. Check the files: no bill is that large."
    )


class AnotherImportRuns(Refusal):
    """The same delivery is being read by another process."""

    sentence = N_("Delivery %(delivery)s is being read already. Wait until it ends, or cancel it.")


class NoSuchDelivery(NotFound):
    """There is no delivery of that number."""

    sentence = N_("There is no delivery %(delivery)s.")


class NotUndoable(Refusal):
    """Only what counts can be undone."""

    sentence = N_("Delivery %(delivery)s does not count (it is %(status)s), so there is nothing to undo.")
