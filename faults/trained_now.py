"""One run of a trainer, due or not: `trained_now.py PIPELINE`."""

import sys

from hotpath import settings
from train.job import CODES, ran, trainer

if __name__ == "__main__":
    made = trainer(sys.argv[1], settings.load())
    run = ran(made)
    made.log.flush(10)
    sys.exit(CODES[run.state])
