"""What the modules of the command line share.

Nothing here or in the modules of the verbs starts TensorFlow before a verb runs, so that `--help` is instant.
"""

from __future__ import annotations

from cyclopts import Parameter

from ostinato.commands import make_application

app = make_application("ostinato-serve", "Serves models by REST and gRPC, as TensorFlow Serving does.")

FLAT = Parameter(name="*")  # the fields of a dataclass become flags of their own
FLAG = Parameter(negative=())
