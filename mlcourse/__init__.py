"""What the pages of the course share, and the machinery that runs and publishes them.

A page imports from the first wing only: ``claims``, ``exercises``, ``datasets``, ``figures``,
``parameters`` and ``pretrained``. ``cli``, ``runner`` and ``site`` are the machinery.
"""

import os

__version__ = "0.1.0"

# TensorFlow greets every process with lines about GPUs and CPU instructions; they are no part of a page.
# It reads this when it is imported, and every page imports mlcourse first.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
