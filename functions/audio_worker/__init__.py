"""The audio worker: decodes a reference track and measures it.

One thread does all the arithmetic. OpenBLAS would start one per processor for products as small as ours: those spin
for longer than the product takes. It reads this variable when numpy is first imported.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
