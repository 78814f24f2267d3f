"""The feedback page over the fake engine."""

import seam

seam.run("pages/feedback.py")
