"""Ordering from a file: checked whole, then ordered whole."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from wtforms import FileField

from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, FaultyRow, Refusal
from marketplace.orders.operations.bulk import order_from_file
from marketplace.orders.rules.bulk import COLUMNS
from marketplace.web.forms import PageForm
from marketplace.web.guards import requires
from marketplace.web.session import current_actor, order_desk


class NoFile(Refusal):
    """The form came without a file."""

    sentence = N_("Choose a file first.")


class FileForm(PageForm):
    """The file."""

    file = FileField(lazy_gettext("File"))


def add_file_pages(blueprint: Blueprint, *, places: Permission) -> None:
    """Put the page of order files on a shell's blueprint."""

    @blueprint.get("/orders/file")
    @requires(places)
    def order_file() -> ResponseReturnValue:
        """Ask for a file."""
        return _page(blueprint, FileForm())

    @blueprint.post("/orders/file")
    @requires(places)
    def order_from_a_file() -> ResponseReturnValue:
        """Order what is in a file, or name every faulty row."""
        form = FileForm()
        sent = request.files.get("file")
        try:
            if sent is None or not sent.filename:
                raise NoFile
            with order_desk() as session:
                done = order_from_file(
                    session,
                    actor=current_actor(),
                    file=sent.filename,
                    content=sent.read(),
                    now=utc_now(),
                )
                count = len(done.orders)
        except Refusal as refusal:
            form.refuse(refusal)
            return _page(blueprint, form, rows=refusal.rows), 422
        flash(gettext("%(count)s orders were placed.", count=count), "success")
        return redirect(url_for(f"{blueprint.name}.orders"), code=303)


def _page(blueprint: Blueprint, form: FileForm, *, rows: tuple[FaultyRow, ...] = ()) -> str:
    return render_template(
        "orders/file.html", form=form, rows=rows, shell=blueprint.name, columns=",".join(COLUMNS)
    )
