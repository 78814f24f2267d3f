"""The feedback page over a real engine and a fake model."""

import seam

seam.run("pages/feedback.py")
