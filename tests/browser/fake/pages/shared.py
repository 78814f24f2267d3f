"""The shared page over the fake engine."""

import seam

seam.run("pages/shared.py")
