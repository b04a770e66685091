"""`python -m marketplace`."""

from marketplace.cli import main

raise SystemExit(main())
