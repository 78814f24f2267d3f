"""The library page over the fake engine."""

import seam

seam.run("pages/library.py")
