"""The chat page over the fake engine, for ``streamlit run``."""

import seam

seam.run("app.py")
