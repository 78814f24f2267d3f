"""The export alone over the fake engine."""

import seam

seam.run("tests/pages/export_page.py")
