"""The links page over the fake engine."""

import seam

seam.run("pages/links.py")
