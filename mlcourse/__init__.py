"""What the pages of the course share, and the machinery that runs and publishes them.

A page imports from the first wing only: ``claims``, ``exercises``, ``datasets``, ``figures``,
``parameters``, ``pretrained``, ``scores``, ``services``, ``serving`` and ``spark``. ``cli``, ``runner`` and ``site``
are the machinery.
"""

import mlcourse.quiet as quiet

__version__ = "0.1.0"

quiet.quiet_tensorflow()  # every page imports mlcourse first
