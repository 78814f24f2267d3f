"""The compare page over the fake engine, for ``streamlit run``."""

import seam

seam.run("pages/compare.py")
