"""Which files are taken from strangers: known by their bytes, never by what the browser says of them."""

from marketplace.core.errors import N_, Refusal

MOST_BYTES = 5 << 20
MOST_DOCUMENTS = 10
_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)
_LONGEST_NAME = 120


class DocumentEmpty(Refusal):
    """No file was chosen, or it holds nothing."""

    sentence = N_("Choose a file: none came, or it is empty.")


class DocumentTooLarge(Refusal):
    """The file is larger than any scan need be."""

    sentence = N_("%(name)s is larger than %(most)s MB. Scan it with fewer dots, or send its pages apart.")


class NotADocument(Refusal):
    """The bytes are of no kind that is taken."""

    sentence = N_("%(name)s is neither PDF, PNG nor JPEG. Save it as PDF and send it again.")


class TooManyDocuments(Refusal):
    """The application has as many files as it may."""

    sentence = N_("There are %(most)s documents already. Put pages of one kind into one file.")


def content_type_of(content: bytes, *, name: str) -> str:
    """Tell what a file is from its first bytes. Raises the refusals above."""
    if not content:
        raise DocumentEmpty
    if len(content) > MOST_BYTES:
        raise DocumentTooLarge(name=name, most=MOST_BYTES >> 20)
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            return kind
    raise NotADocument(name=name)


def file_name(text: str) -> str:
    """Give the last part of a name, printable and short; what is left of none is called a document."""
    bare = text.replace("\\", "/").rpartition("/")[2]
    kept = "".join(character for character in bare if character.isprintable() and character not in '<>:"|?*')
    return kept.strip(" .")[-_LONGEST_NAME:] or "document"
