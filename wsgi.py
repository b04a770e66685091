"""What a WSGI server loads: `gunicorn wsgi:app`."""

from marketplace.app import create_app
from marketplace.cli import logs
from marketplace.cli.context import open_database
from marketplace.settings import load_settings

logs.configure()
settings = load_settings()
app = create_app(settings, open_database(settings))
