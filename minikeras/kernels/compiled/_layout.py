"""Layout of the thread pool's control words, shared by its native and its Python half.

Offsets in bytes. Words that different threads write lie two cache lines apart, since processors
fetch lines in pairs.
"""

LINE = 128
TICKET = 0  # tasks << 32 | next task to claim
DONE = 1 * LINE  # tasks that workers have finished
FAILED = 2 * LINE  # task << 32 | code of the lowest failing task
BUSY = 3 * LINE  # 1 while a caller has the pool
PARKED = 4 * LINE  # number of workers that are blocked, or about to
CALLER = 5 * LINE  # seat of the caller: flag, then its lock
FUNCTION = 6 * LINE  # the launch: address of its task function,
WORDS = 6 * LINE + 8  # and of its words
LIMIT = 7 * LINE  # workers that may take part
STOP = 7 * LINE + 8  # 1: workers return
SPIN = 7 * LINE + 16  # pauses before parking
ACQUIRE = 7 * LINE + 24  # addresses of the lock functions
RELEASE = 7 * LINE + 32
WORKERS = 8 * LINE  # seat of worker 0; one line each

MAX_WORKERS = 255
SIZE = WORKERS + MAX_WORKERS * LINE
NO_FAILURE = (1 << 63) - 1
